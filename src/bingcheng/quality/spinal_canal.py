"""The spinal canal in a CT: what everything else in the trunk is found from.

A point lies in the canal if it is soft, bone stands around it in nearly all directions within 26 mm, and a vertebral
body lies in front. One such point a plane is chosen so that they form the smoothest, best-enclosed line.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.core.derived import derived
from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.quality.line import Line, best_line
from bingcheng.quality.upright_grid import UprightGrid

NO_SPINE = Problem(
    code="quality.no-spine",
    says="no spine of a trunk was found, so the great vessels and kidneys can't be told",
    remedy="Nothing to mend where the exam shows head, neck or limbs; otherwise tell the contrast phase by eye.",
    owner=Owner.RADIOLOGIST,
)

BONE_HU = 170.0
SOFT_HU = (-40.0, 130.0)
REACH_MM = 26.0
BODY_FROM_MM, BODY_TO_MM, BODY_HALF_MM = 20.0, 38.0, 11.0
"""In front of the canal's middle: beyond the shaft of a femur, whose marrow is enclosed by bone as well."""
DENSEST_HU = 250.0
FULL_BODY_HU = 200.0
"""A vertebral body of this mean CT number leaves no doubt."""
LEAST_BODY_HU = 85.0
LEAST_DIRECTIONS = 5
LEAST_SCORE, TYPICAL_SCORE = 0.85, 1.05
TAXED_PER_MM = 0.05
STEEPEST = 1.0
"""How far the canal may move in the plane for its way along the patient: the sacral canal slopes by 45 degrees."""
SMALLEST_SECTION_MM2 = 20_000.0
"""A slim adult's trunk has twice, a neck about half of this section."""
SHORTEST_MM = 40.0


@derived
def spinal_canal(upright_grid: UprightGrid) -> Line:
    """The spinal canal in the planes of a trunk.

    Parameters
    ----------
    upright_grid : coarse CT.

    Raises
    ------
    Undefined
        ``quality.no-spine``: head, neck or limbs only, or a spine that lies outside the field of view.
    """
    grid = upright_grid
    score = np.zeros(grid.hu.shape, dtype=np.float32)
    _enclosed(grid.hu, grid.step_mm[1], grid.step_mm[2], score)
    score[grid.sections_mm2() < SMALLEST_SECTION_MM2] = 0.0
    line = best_line(score, grid.step_mm, toll=LEAST_SCORE, steepest=STEEPEST, tax_per_mm=TAXED_PER_MM)
    if len(line) * grid.step_mm[0] < SHORTEST_MM:
        raise Undefined(NO_SPINE)
    if float(np.median(score[line.planes, line.y, line.x])) < TYPICAL_SCORE:
        raise Undefined(NO_SPINE)
    return line


@numba.njit(cache=True, nogil=True)
def _enclosed(hu: NDArray[np.float32], row_mm: float, column_mm: float, score: NDArray[np.float32]) -> None:
    """How much each block looks like spinal canal: share of enclosed directions, plus up to a half for the body."""
    depth, height, width = hu.shape
    finest = min(row_mm, column_mm)
    reach = int(REACH_MM / finest)
    steps = np.zeros((8, 2))
    # Sideways and backwards first: most soft tissue is told not to be enclosed by three of them.
    for n, eighth in enumerate((0, 4, 2, 1, 3, 6, 5, 7)):
        # Each by itself: to assign to a row makes the compiler prepare an error of shapes, for seconds.
        steps[n, 0] = np.sin(eighth * np.pi / 4.0) * finest / row_mm
        steps[n, 1] = np.cos(eighth * np.pi / 4.0) * finest / column_mm
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                if not SOFT_HU[0] <= hu[z, y, x] <= SOFT_HU[1]:
                    continue
                missed = _open_directions(hu[z], y, x, steps, reach)
                if missed > 8 - LEAST_DIRECTIONS:
                    continue
                mean = _vertebral_body(hu[z], y, x, row_mm, column_mm)
                if mean >= LEAST_BODY_HU:
                    score[z, y, x] = (8 - missed) / 8.0 + 0.5 * min(1.0, mean / FULL_BODY_HU)


@numba.njit(cache=True, nogil=True)
def _open_directions(plane: NDArray[np.float32], y: int, x: int, steps: NDArray[np.float64], reach: int) -> int:
    """In how many directions no bone stands, counted no further than it matters."""
    missed = 0
    for n in range(steps.shape[0]):
        if not _bone_ahead(plane, y, x, steps[n, 0], steps[n, 1], reach):
            missed += 1
            if missed > 8 - LEAST_DIRECTIONS:
                break
    return missed


@numba.njit(cache=True, nogil=True)
def _bone_ahead(plane: NDArray[np.float32], y: int, x: int, down: float, across: float, reach: int) -> bool:
    for step in range(1, reach + 1):
        v, u = int(np.rint(y + down * step)), int(np.rint(x + across * step))
        if not (0 <= v < plane.shape[0] and 0 <= u < plane.shape[1]):
            return False
        if plane[v, u] > BONE_HU:
            return True
    return False


@numba.njit(cache=True, nogil=True)
def _vertebral_body(plane: NDArray[np.float32], y: int, x: int, row_mm: float, column_mm: float) -> float:
    """Mean of what lies in front, where the vertebral body would be; that of air where the image does not reach."""
    y0, y1 = int(np.rint(y - BODY_TO_MM / row_mm)), int(np.rint(y - BODY_FROM_MM / row_mm))
    half = int(np.rint(BODY_HALF_MM / column_mm))
    if y0 < 0 or x - half < 0 or x + half >= plane.shape[1]:
        return -1000.0
    total = 0.0
    for v in range(y0, y1 + 1):
        for u in range(x - half, x + half + 1):
            total += min(max(plane[v, u], -100.0), DENSEST_HU)
    return total / ((y1 - y0 + 1) * (2 * half + 1))
