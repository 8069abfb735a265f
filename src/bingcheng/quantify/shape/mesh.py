"""The surface of a lesion as marching cubes draws it at one half of a binary mask: its area and what it encloses.

In a binary mask the surface within a cell of eight voxel centres depends on nothing but which of them are inside, so
that cells are counted by case, and no vertex need be made.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.image.geometry import Triple
from bingcheng.quantify.shape.mesh_cases import CASES

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    """The closed surface of a region.

    Parameters
    ----------
    area_mm2 : sum of its triangles' areas.
    volume_mm3 : what it encloses.
    """

    area_mm2: float
    volume_mm3: float


def mesh(inside: NDArray[np.bool_], spacing_mm: Triple) -> Mesh:
    """The marching-cubes surface of a mask; beyond the box nothing is inside.

    Parameters
    ----------
    inside : boolean (z, y, x), C-contiguous.
    spacing_mm : (z, y, x).

    Notes
    -----
    The same for mirrored and rotated masks. Of a box it encloses less than its voxels: the surface bevels edges and
    corners by half a voxel. The area of a round body is about 9 % too large however small its voxels are, because a
    binary mask has steps for slopes: a digital sphere has a sphericity of 0.92.
    """
    counts = _count_cases(np.pad(inside, 1).view(np.uint8))
    area_mm2, fraction = _cell_tables(spacing_mm)
    cell_mm3 = spacing_mm[0] * spacing_mm[1] * spacing_mm[2]
    return Mesh(area_mm2=float(counts @ area_mm2), volume_mm3=float(counts @ fraction) * cell_mm3)


@lru_cache(maxsize=16)
def _cell_tables(spacing_mm: Triple) -> tuple[Floats, Floats]:
    """For each case (256): the area in a cell, mm2, and the fraction of the cell that is inside."""
    case, corners = _triangles()
    ab, ac = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    scale = np.asarray(spacing_mm)
    area = np.bincount(case, np.linalg.norm(np.cross(ab * scale, ac * scale), axis=1) / 2.0, minlength=256)
    # Gauss's theorem about the corner (0, 0, 0): of the cell's own faces only the three far ones contribute.
    cones = np.bincount(case, np.einsum("ni,ni->n", corners[:, 0], np.cross(ab, ac)) / 6.0, minlength=256)
    fraction = cones + sum(_face_fractions(axis) for axis in range(3)) / 3.0
    return area, fraction


def _triangles() -> tuple[NDArray[np.int64], Floats]:
    """The case (n,) and the corners (n, 3, 3), as fractions of a cell (z, y, x), of every triangle of every case."""
    points = []
    for axis in (2, 1, 0):
        for first in (0.0, 1.0):
            for second in (0.0, 1.0):
                point = [first, second]
                point.insert(axis, 0.5)
                points.append(point)
    points.append([0.5, 0.5, 0.5])
    drawn = [case.replace("-", "") for case in CASES]
    letters = np.frombuffer("".join(drawn).encode(), dtype=np.uint8).astype(np.int64) - ord("a")
    case = np.repeat(np.arange(256), [len(letter) // 3 for letter in drawn])
    return case, np.asarray(points)[letters].reshape(-1, 3, 3)


def _face_fractions(axis: int) -> Floats:
    """For each case (256): the part of the cell's far face across `axis` that is inside."""
    corners = (np.arange(256)[:, None] >> np.arange(8) & 1).reshape(256, 2, 2, 2)
    face = np.take(corners, 1, axis=axis + 1).reshape(256, 4)
    by_count = np.asarray([0.0, 0.125, 0.5, 0.875, 1.0])[face.sum(axis=1)]
    opposite = (face[:, 0] == face[:, 3]) & (face[:, 1] == face[:, 2]) & (face[:, 0] != face[:, 1])
    return np.where(opposite, 0.75, by_count)


@numba.njit(cache=True, nogil=True)
def _count_cases(padded: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many cells between neighbouring voxels of a mask with an empty border are of each case (256)."""
    depth, height, width = padded.shape
    counts = np.zeros(256, dtype=np.int64)
    # Four tables, one for each of four neighbouring cells: a counter in memory would wait for itself.
    spread = np.zeros((4, 256), dtype=np.int32)
    column = np.empty(width, dtype=np.uint8)
    for z in range(depth - 1):
        for y in range(height - 1):
            for x in range(width):
                column[x] = (
                    padded[z, y, x] | padded[z, y + 1, x] << 2 | padded[z + 1, y, x] << 4 | padded[z + 1, y + 1, x] << 6
                )
            for x in range(width - 1):
                spread[x & 3, column[x] | column[x + 1] << 1] += 1
        for lane in range(4):
            for case in range(256):
                counts[case] += spread[lane, case]
                spread[lane, case] = 0
    return counts
