"""The sub-voxel border of a region: where membership crosses one half between two voxels, and the hulls of it.

These are the vertices that marching squares and marching cubes place at level 0.5. For a binary mask they lie midway
between a voxel inside and its neighbour outside; for a mask of fractions they lie where the fraction, interpolated
linearly, is one half. Diameters need only these points: the farthest pair of a set lies on its convex hull.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

LEVEL = 0.5


def crossings(membership: NDArray[Any], owners: NDArray[Any], *, through_plane: bool) -> tuple[Whole, Floats]:
    """Where the membership of a box falls below one half, next to the voxels of each owner.

    Parameters
    ----------
    membership : (z, y, x) in [0, 1]; outside of the box it is 0.
    owners : (z, y, x), 1 ... n for the voxels that belong, 0 elsewhere.
    through_plane : whether the borders towards the slices above and below count too.

    Returns
    -------
    owner (n,) and fractional index (n, 3) as (z, y, x) of each crossing.
    """
    values = np.ascontiguousarray(membership, dtype=np.float64)
    labels = np.ascontiguousarray(owners, dtype=np.int64)
    first = 0 if through_plane else 1
    count = _count_crossings(values, labels, first)
    found_owner = np.empty(count, dtype=np.int64)
    found_at = np.empty((count, 3), dtype=np.float64)
    _fill_crossings(values, labels, first, found_owner, found_at)
    return found_owner, found_at


def hulls(groups: NDArray[Any], points: Floats) -> tuple[NDArray[Any], Floats]:
    """The vertices of each group's convex hull in a plane.

    Parameters
    ----------
    groups : (n,) to which plane figure each point belongs.
    points : (n, 2 or more); the hull is that of the last two columns, and the others go along.

    Returns
    -------
    groups and points of the vertices, sorted by group.
    """
    order = np.lexsort((points[:, -1], points[:, -2], groups))
    groups, points = groups[order], np.ascontiguousarray(points[order])
    starts = np.concatenate(([0], np.flatnonzero(np.diff(groups)) + 1, [len(groups)])).astype(np.int64)
    keep = _on_hull(starts, np.ascontiguousarray(points[:, -2:]))
    return groups[keep], points[keep]


def farthest(groups: NDArray[Any], points: Floats) -> float:
    """The largest distance between two points (n, k) of the same group, the groups being sorted."""
    return float(np.sqrt(_farthest(_bounds(groups), points)))


def pairs_as_far(groups: NDArray[Any], points: Floats, distance: float, *, most: int) -> Whole:
    """Index pairs (m, 2) of points of the same group that are at least `distance` apart, not more than `most`."""
    found: Whole = _pairs(_bounds(groups), points, distance * distance, most)
    return found


def _bounds(groups: NDArray[Any]) -> Whole:
    return np.concatenate(([0], np.flatnonzero(np.diff(groups)) + 1, [len(groups)])).astype(np.int64)


@numba.njit(cache=True, nogil=True)
def _beyond(values: Floats, z: int, y: int, x: int) -> float:
    inside = 0 <= z < values.shape[0] and 0 <= y < values.shape[1] and 0 <= x < values.shape[2]
    return values[z, y, x] if inside else 0.0


@numba.njit(cache=True, nogil=True)
def _count_crossings(values: Floats, labels: Whole, first: int) -> int:
    count = 0
    for z in range(values.shape[0]):
        for y in range(values.shape[1]):
            for x in range(values.shape[2]):
                if labels[z, y, x] == 0:
                    continue
                for axis in range(first, 3):
                    dz, dy, dx = int(axis == 0), int(axis == 1), int(axis == 2)
                    count += _beyond(values, z - dz, y - dy, x - dx) < LEVEL
                    count += _beyond(values, z + dz, y + dy, x + dx) < LEVEL
    return count


@numba.njit(cache=True, nogil=True)
def _fill_crossings(values: Floats, labels: Whole, first: int, owner: Whole, at: Floats) -> None:
    n = 0
    for z in range(values.shape[0]):
        for y in range(values.shape[1]):
            for x in range(values.shape[2]):
                if labels[z, y, x] == 0:
                    continue
                for axis in range(first, 3):
                    for side in (-1, 1):
                        dz, dy, dx = side * int(axis == 0), side * int(axis == 1), side * int(axis == 2)
                        other = _beyond(values, z + dz, y + dy, x + dx)
                        if other < LEVEL:
                            here = values[z, y, x]
                            part = (here - LEVEL) / (here - other)
                            owner[n] = labels[z, y, x]
                            at[n, 0] = z + part * dz
                            at[n, 1] = y + part * dy
                            at[n, 2] = x + part * dx
                            n += 1


@numba.njit(cache=True, nogil=True)
def _on_hull(starts: Whole, points: Floats) -> NDArray[np.bool_]:
    """Andrew's monotone chain, group by group; the points of a group are sorted by both coordinates."""
    keep = np.zeros(points.shape[0], dtype=np.bool_)
    chain = np.empty(points.shape[0] + 1, dtype=np.int64)
    for g in range(starts.size - 1):
        low, high = starts[g], starts[g + 1]
        for way in (1, -1):
            n = 0
            for step in range(high - low):
                i = low + step if way == 1 else high - 1 - step
                while n >= 2:
                    a, b = chain[n - 2], chain[n - 1]
                    turn = (points[b, 0] - points[a, 0]) * (points[i, 1] - points[a, 1])
                    turn -= (points[b, 1] - points[a, 1]) * (points[i, 0] - points[a, 0])
                    if turn > 0:
                        break
                    n -= 1
                chain[n] = i
                n += 1
            for k in range(n):
                keep[chain[k]] = True
    return keep


@numba.njit(cache=True, nogil=True)
def _squared(points: Floats, i: int, j: int) -> float:
    total = 0.0
    for k in range(points.shape[1]):
        total += (points[i, k] - points[j, k]) ** 2
    return total


@numba.njit(cache=True, nogil=True)
def _farthest(starts: Whole, points: Floats) -> float:
    best = 0.0
    for g in range(starts.size - 1):
        for i in range(starts[g], starts[g + 1]):
            for j in range(i + 1, starts[g + 1]):
                best = max(best, _squared(points, i, j))
    return best


@numba.njit(cache=True, nogil=True)
def _pairs(starts: Whole, points: Floats, squared: float, most: int) -> Whole:
    found = np.empty((most, 2), dtype=np.int64)
    n = 0
    for g in range(starts.size - 1):
        for i in range(starts[g], starts[g + 1]):
            for j in range(i + 1, starts[g + 1]):
                if n < most and _squared(points, i, j) >= squared:
                    found[n, 0] = i
                    found[n, 1] = j
                    n += 1
    return found[:n]
