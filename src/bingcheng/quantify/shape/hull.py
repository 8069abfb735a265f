"""The convex hull of a lesion's surface, and its largest distance.

The vertices of the surface lie half a voxel from the centre of a voxel inside, along one axis. Nearly all of them lie
within the hull of others in the same plane of the grid, which two passes over planes find without making them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.image.geometry import Triple

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

_FAR = 1 << 30
"""Beyond any index: marks a line of the grid that holds no point."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hull:
    """A convex polyhedron.

    Parameters
    ----------
    vertices_mm : (n, 3) as (z, y, x), about the middle of the box.
    normals : (f, 3) unit vectors out of its triangles.
    edges : (e, 4): the two vertices of each edge, and the two triangles that share it.
    area_mm2, volume_mm3 : of the polyhedron.
    """

    vertices_mm: Floats
    normals: Floats
    edges: Whole
    area_mm2: float
    volume_mm3: float

    @property
    def largest_distance_mm(self) -> float:
        """Largest distance between two vertices, and so between two points of the region's surface."""
        return float(np.sqrt(_farthest(self.vertices_mm)))


def hull(inside: NDArray[np.bool_], spacing_mm: Triple) -> Hull:
    """The convex hull of a mask's marching-cubes surface.

    Parameters
    ----------
    inside : boolean (z, y, x), C-contiguous, with at least one voxel.
    spacing_mm : (z, y, x).

    Notes
    -----
    Never flat, even of one voxel: the surface lies half a voxel beyond the centres.
    """
    from scipy.spatial import ConvexHull  # noqa: PLC0415 - its import takes longer than most lesions

    points = _extremes(inside).astype(np.float64)
    points = (points - np.asarray(inside.shape) + 1.0) * (np.asarray(spacing_mm) / 2.0)
    found = ConvexHull(points)
    number = np.empty(len(points), dtype=np.int64)
    number[found.vertices] = np.arange(len(found.vertices))
    return Hull(
        vertices_mm=points[found.vertices],
        normals=np.ascontiguousarray(found.equations[:, :3]),
        edges=_edges(number[found.simplices], found.neighbors.astype(np.int64)),
        area_mm2=float(found.area),
        volume_mm3=float(found.volume),
    )


def _edges(triangles: Whole, neighbours: Whole) -> Whole:
    """Edges (e, 4), each once; neighbour k of a triangle lies across from its corner k."""
    own = np.arange(len(triangles))
    sides = [
        np.stack([triangles[:, (k + 1) % 3], triangles[:, (k + 2) % 3], own, neighbours[:, k]], axis=1)
        for k in range(3)
    ]
    every = np.concatenate(sides)
    return np.ascontiguousarray(every[every[:, 2] < every[:, 3]])


def _extremes(inside: NDArray[np.bool_]) -> NDArray[Any]:
    """Surface vertices (n, 3) that include all of the hull's, in half voxels from the box's first voxel centre."""
    low, high = _line_ends(inside)
    low_kept, high_kept = _on_plane_hulls(low), _on_plane_hulls(-high)
    at_low, at_high = np.argwhere(low_kept), np.argwhere(high_kept)
    first = np.column_stack([at_low - 1, low[low_kept]])
    last = np.column_stack([at_high - 1, high[high_kept]])
    return np.concatenate([first, last])


@numba.njit(cache=True, nogil=True)
def _line_ends(inside: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """First and last surface vertex of each line along x, in half voxels; the lines begin half a voxel early."""
    depth, height, width = inside.shape
    low = np.full((2 * depth + 1, 2 * height + 1), _FAR, dtype=np.int32)
    high = np.full((2 * depth + 1, 2 * height + 1), -_FAR, dtype=np.int32)
    for z in range(depth):
        for y in range(height):
            first = 0
            while first < width and not inside[z, y, first]:
                first += 1
            if first == width:
                continue
            last = width - 1
            while not inside[z, y, last]:
                last -= 1
            row, line = 2 * z + 1, 2 * y + 1
            low[row, line] = 2 * first - 1
            high[row, line] = 2 * last + 1
            for dz, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                low[row + dz, line + dy] = min(low[row + dz, line + dy], 2 * first)
                high[row + dz, line + dy] = max(high[row + dz, line + dy], 2 * last)
    return low, high


@numba.njit(cache=True, nogil=True)
def _on_plane_hulls(ends: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which line ends are vertices of the lower hull in their plane across z and in that across y."""
    rows, lines = ends.shape
    kept = np.zeros((rows, lines), dtype=np.bool_)
    chain = np.empty(max(rows, lines), dtype=np.int64)
    for row in range(rows):
        for k in range(_lower_hull(ends[row], chain)):
            kept[row, chain[k]] = True
    column = np.empty(rows, dtype=np.int32)
    also = np.empty(rows, dtype=np.bool_)
    for line in range(lines):
        for row in range(rows):
            column[row] = ends[row, line]
        also[:] = False
        for k in range(_lower_hull(column, chain)):
            also[chain[k]] = True
        for row in range(rows):
            kept[row, line] &= also[row]
    return kept


@numba.njit(cache=True, nogil=True)
def _lower_hull(ends: NDArray[np.int32], chain: Whole) -> int:
    """Andrew's monotone chain over the points (i, ends[i]); fills `chain` with those on it and returns how many."""
    n = 0
    for i in range(ends.size):
        if abs(ends[i]) >= _FAR:
            continue
        while n >= 2:
            a, b = chain[n - 2], chain[n - 1]
            rise = np.int64(ends[b]) - ends[a]
            if rise * (i - a) < (np.int64(ends[i]) - ends[a]) * (b - a):
                break
            n -= 1
        chain[n] = i
        n += 1
    return n


@numba.njit(cache=True, nogil=True)
def _farthest(points: Floats) -> float:
    """Largest squared distance between two of the points (n, 3)."""
    best = 0.0
    for i in range(points.shape[0]):
        z, y, x = points[i, 0], points[i, 1], points[i, 2]
        for j in range(i):
            squared = (points[j, 0] - z) ** 2 + (points[j, 1] - y) ** 2 + (points[j, 2] - x) ** 2
            best = max(best, squared)
    return best
