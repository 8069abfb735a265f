"""The descending aorta in a CT: the line of discs in front of the spine, and its CT number."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.quality.line import Line, best_line
from bingcheng.quality.upright_grid import UprightGrid

NO_AORTA = Problem(
    code="quality.no-aorta",
    says="no vessel that can be told to be the descending aorta runs along the spine",
    remedy="Measure the aorta by hand; check that the field of view holds it.",
    owner=Owner.RADIOLOGIST,
)

RADII_MM = (6.0, 7.5, 9.0, 10.5, 12.0, 14.0, 16.5)
"""Descending aortas measure 16 to 27 mm in women and men (Wolak et al. 2008); 12 and 33 mm leave room."""
LEFT_MM, FRONT_MM = (-12.0, 48.0), (-95.0, -6.0)
USUAL_MM, SPREAD_MM = (14.0, -50.0), (30.0, 40.0)
"""Where its middle lies from the spinal canal's: towards the left, and towards the back."""
DIRECTIONS, RIM_MM = 16, 2.5
"""Where the border is looked for: so far inside and outside of the radius."""
PLAUSIBLE_HU = (5.0, 1200.0)
LEAST_EDGE_HU = 20.0
SHARE_OF_CONTRAST = 0.35
SMOOTHED_MM = 5.0
TOLL, STEEPEST, TAXED_PER_MM = 0.42, 0.8, 0.03
SHORTEST_MM, TYPICAL_SCORE = 40.0, 0.6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Aorta:
    """The descending aorta, plane by plane.

    Parameters
    ----------
    line : its middle.
    radius_mm : of the disc in each plane (n,).
    hu : mean CT number of the inner half of the disc in each plane (n,).
    """

    line: Line
    radius_mm: NDArray[np.float64]
    hu: NDArray[np.float64]


def find_aorta(grid: UprightGrid, canal: Line) -> Aorta:
    """The descending aorta: the best line of round, uniform discs in front of the spine and to its left.

    A disc is good if its inside is uniform and the CT number changes at its border, to either side, in many directions;
    so it is found in fat, lung and beside bone, with and without contrast. The vena cava lies too far right to be taken
    for it.

    Parameters
    ----------
    grid : coarse CT.
    canal : the spinal canal.

    Raises
    ------
    Undefined
        ``quality.no-aorta``.
    """
    score, radius = np.zeros(grid.hu.shape, dtype=np.float32), np.zeros(grid.hu.shape, dtype=np.float32)
    # The aorta runs along the patient: a mean along it spares its border and loses noise.
    smooth = ndimage.gaussian_filter1d(grid.hu, SMOOTHED_MM / grid.step_mm[0], axis=0)
    _discs(
        smooth,
        canal.planes,
        canal.y,
        canal.x,
        grid.step_mm[1],
        grid.step_mm[2],
        np.array(RADII_MM),
        score,
        radius,
    )
    line = best_line(score, grid.step_mm, toll=TOLL, steepest=STEEPEST, tax_per_mm=TAXED_PER_MM)
    if len(line) * grid.step_mm[0] < SHORTEST_MM:
        raise Undefined(NO_AORTA)
    where = (line.planes, line.y, line.x)
    if float(np.median(score[where])) < TYPICAL_SCORE:
        raise Undefined(NO_AORTA)
    radii = radius[where].astype(float)
    return Aorta(line=line, radius_mm=radii, hu=_cores(grid, line, radii))


def _cores(grid: UprightGrid, line: Line, radius_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.empty(len(line))
    y, x = np.arange(grid.hu.shape[1])[:, None], np.arange(grid.hu.shape[2])[None, :]
    for n, (plane, row, column) in enumerate(zip(line.planes, line.y, line.x, strict=True)):
        distance = np.hypot((y - row) * grid.step_mm[1], (x - column) * grid.step_mm[2])
        found[n] = float(np.mean(grid.hu[plane][distance <= 0.5 * radius_mm[n]]))
    return found


@numba.njit(cache=True, nogil=True)
def _discs(
    hu: NDArray[np.float32],
    planes: NDArray[np.int64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    row_mm: float,
    column_mm: float,
    radii_mm: NDArray[np.float64],
    score: NDArray[np.float32],
    radius: NDArray[np.float32],
) -> None:
    """How much each block looks like the middle of a round vessel, and of which radius."""
    height, width = hu.shape[1], hu.shape[2]
    angles = 2.0 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    down, across = np.sin(angles) / row_mm, np.cos(angles) / column_mm
    for n in range(planes.size):
        plane = hu[planes[n]]
        y0, y1 = int(rows[n] + FRONT_MM[0] / row_mm), int(rows[n] + FRONT_MM[1] / row_mm)
        x0, x1 = int(columns[n] + LEFT_MM[0] / column_mm), int(columns[n] + LEFT_MM[1] / column_mm)
        for y in range(max(0, y0), min(height, y1 + 1)):
            for x in range(max(0, x0), min(width, x1 + 1)):
                if not PLAUSIBLE_HU[0] <= plane[y, x] <= PLAUSIBLE_HU[1]:
                    continue
                left = ((x - columns[n]) * column_mm - USUAL_MM[0]) / SPREAD_MM[0]
                back = ((y - rows[n]) * row_mm - USUAL_MM[1]) / SPREAD_MM[1]
                odd = 0.1 * (left * left + back * back)
                for r in radii_mm:
                    found = _disc(plane, y, x, r, row_mm, column_mm, down, across) - odd
                    if found > score[planes[n], y, x]:
                        score[planes[n], y, x] = found
                        radius[planes[n], y, x] = r


@numba.njit(cache=True, nogil=True)
def _disc(
    plane: NDArray[np.float32],
    y: int,
    x: int,
    r_mm: float,
    row_mm: float,
    column_mm: float,
    down: NDArray[np.float64],
    across: NDArray[np.float64],
) -> float:
    """Share of directions in which a disc of this radius has an edge, less what its inside varies."""
    high, wide = int(r_mm / row_mm), int(r_mm / column_mm)
    if not (high <= y < plane.shape[0] - high and wide <= x < plane.shape[1] - wide):
        return 0.0
    mean, variance = _inside(plane, y, x, 0.7 * r_mm, row_mm, column_mm)
    edge = max(LEAST_EDGE_HU, SHARE_OF_CONTRAST * (mean - 50.0))
    # Beyond this variance not even edges all around would make a vessel of it.
    if not PLAUSIBLE_HU[0] <= mean <= PLAUSIBLE_HU[1] or variance > edge * edge:
        return 0.0
    edges = 0
    for n in range(down.size):
        far = _at(plane, y + (r_mm + RIM_MM) * down[n], x + (r_mm + RIM_MM) * across[n])
        if abs(far - mean) >= edge:
            near = _at(plane, y + (r_mm - RIM_MM) * down[n], x + (r_mm - RIM_MM) * across[n])
            if abs(near - mean) < edge:
                edges += 1
    return float(edges / down.size - 0.5 * variance / (edge * edge))


@numba.njit(cache=True, nogil=True)
def _inside(
    plane: NDArray[np.float32], y: int, x: int, r_mm: float, row_mm: float, column_mm: float
) -> tuple[float, float]:
    """Mean and variance of the blocks within a radius, which lies within the plane."""
    high, wide = int(r_mm / row_mm), int(r_mm / column_mm)
    total, squares, count = 0.0, 0.0, 0
    for v in range(y - high, y + high + 1):
        for u in range(x - wide, x + wide + 1):
            if ((v - y) * row_mm) ** 2 + ((u - x) * column_mm) ** 2 <= r_mm * r_mm:
                value = plane[v, u]
                total += value
                squares += value * value
                count += 1
    mean = total / count
    return mean, max(0.0, squares / count - mean * mean)


@numba.njit(cache=True, nogil=True)
def _at(plane: NDArray[np.float32], y: float, x: float) -> float:
    """The value at a point between blocks (bilinear), that of the nearest edge outside."""
    v, u = min(max(y, 0.0), plane.shape[0] - 1.001), min(max(x, 0.0), plane.shape[1] - 1.001)
    j, i = int(v), int(u)
    b, a = v - j, u - i
    top = (1.0 - a) * plane[j, i] + a * plane[j, i + 1]
    bottom = (1.0 - a) * plane[j + 1, i] + a * plane[j + 1, i + 1]
    return float((1.0 - b) * top + b * bottom)
