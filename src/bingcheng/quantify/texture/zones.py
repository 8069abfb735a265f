"""Zones: connected voxels of one grey level, 26-connected in the volume and 8-connected within a slice.

Source: IBSI reference manual, arXiv:1612.07003, sections 3.8 and 3.9.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.quantify.texture.lattice import Ints, Lattice, Margin, padded
from bingcheng.quantify.texture.pairs import Ranks, Table

Distances = NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Zones:
    """The zones of a lattice.

    Parameters
    ----------
    ranks : int32 (zones,), rank of the grey level.
    sizes : int32 (zones,), in voxels.
    distances : int32 (zones,), steps from the border of the voxel nearest to it; None if no mask was given.
    """

    ranks: Table
    sizes: Table
    distances: Table | None = None


def zones_of(lattice: Lattice, mask: NDArray[np.bool_] | None = None, *, in_volume: bool) -> Zones:
    """The zones of a lattice, connected in the volume or within its slices.

    Parameters
    ----------
    lattice : of a region or a slice.
    mask : boolean (z, y, x), the region whose border distances are counted from; it holds every voxel of the lattice.
    in_volume : else within slices.
    """
    labels = np.empty(lattice.ranks.size, dtype=np.int32)
    backwards = _backwards(lattice, in_volume)
    by_bit = np.zeros((1 << (backwards.size - 1)) + 1, dtype=np.int64)
    by_bit[1 << np.arange(backwards.size)] = backwards
    equal = np.empty(lattice.shape[2], dtype=np.uint32)
    _link(lattice.ranks, lattice.spans, backwards, by_bit, equal, labels)
    number = _labelled(lattice.ranks, lattice.spans, labels)
    ranks = np.empty(number, dtype=np.int32)
    sizes = np.zeros(number, dtype=np.int32)
    _tally(lattice.ranks, lattice.spans, labels, ranks, sizes)
    if mask is None:
        return Zones(ranks=ranks, sizes=sizes)
    least = np.full(number, np.iinfo(np.int32).max, dtype=np.int32)
    distances = border_distances(mask, lattice.margin, in_volume=in_volume)
    _least(lattice.ranks, lattice.spans, labels, distances, least)
    return Zones(ranks=ranks, sizes=sizes, distances=least)


def _backwards(lattice: Lattice, in_volume: bool) -> Ints:
    """How far back the neighbours lie that come before a voxel, in the order of `_link`'s bits."""
    line = lattice.shape[2]
    plane = lattice.shape[1] * line
    if not in_volume:
        return np.array([line, 1, line - 1, line + 1])
    rows = [middle + side for middle in (line, plane - line, plane + line) for side in (0, 1, -1)]
    return np.array([plane, 1, plane - 1, plane + 1, *rows])


def border_distances(mask: NDArray[np.bool_], margin: Margin, *, in_volume: bool) -> Distances:
    """Steps from each voxel of a mask (z, y, x) to the nearest voxel outside, flat with a margin: 1 at the border.

    Steps go through faces (city-block distance): six ways in the volume, four within a slice. Beyond the box is
    outside.
    """
    # No voxel is further from the outside than the sides of the box together.
    distances = padded(mask, margin, np.int16)
    distances *= min(sum(distances.shape), np.iinfo(np.int16).max)
    _spread_inwards(distances, in_volume)
    return distances.ravel()


@numba.njit(cache=True, nogil=True)
def _root(parent: Table, voxel: int) -> int:
    above = parent[voxel]
    while above != voxel:
        # Each step also shortens the path for those who come later.
        further = parent[above]
        parent[voxel] = further
        voxel = further
        above = parent[voxel]
    return voxel


@numba.njit(cache=True, nogil=True)
def _joined(parent: Table, root: int, neighbour: int) -> int:
    """Make one zone of a root's and a neighbour's; returns its root, the earlier of both."""
    if parent[neighbour] == root:
        return root
    other: int = _root(parent, neighbour)
    if other < root:
        parent[root] = other
        return other
    parent[other] = root
    return root


@numba.njit(cache=True, nogil=True)
def _link(ranks: Ranks, spans: Ints, backwards: Ints, by_bit: Ints, equal: Ranks, parent: Table) -> None:
    """Join each voxel with its equal neighbours among those before it: the parent of a voxel is never a later one.

    Which neighbours are equal is found for whole rows, a bit each, so that only those cost a branch. Neighbours that
    touch each other and are equal are one zone already, so that joining one of them is enough. Bit 0 is the neighbour
    that touches all others; bits 4, 7 and 10 are the middle ones of rows of three, whose sides are the two bits above.

    Parameters
    ----------
    backwards : int64 (neighbours,), of `_backwards`.
    by_bit : int64, the same, at the index that has the neighbour's bit alone.
    equal : uint32, room for a row.
    parent : int32 (n,), filled inside the lesion.
    """
    for r in range(spans.shape[0]):
        start = spans[r, 0]
        stop = spans[r, 1]
        row = ranks[start:stop]
        equal[: stop - start] = 0
        for d in range(backwards.size):
            other = ranks[start - backwards[d] : stop - backwards[d]]
            bit = np.uint32(1 << d)
            for x in range(stop - start):
                equal[x] |= bit * np.uint32(other[x] == row[x])
        for x in range(stop - start):
            if row[x] == 0:
                continue
            voxel = start + x
            bits = equal[x]
            if bits & np.uint32(1):
                parent[voxel] = _root(parent, voxel - backwards[0])
                continue
            parent[voxel] = voxel
            middles = bits & np.uint32(0b10010010000)
            bits &= ~((middles << np.uint32(1)) | (middles << np.uint32(2)))
            root = voxel
            while bits:
                lowest = bits & (~bits + np.uint32(1))
                bits ^= lowest
                root = _joined(parent, root, voxel - by_bit[lowest])
            parent[voxel] = root


@numba.njit(cache=True, nogil=True)
def _labelled(ranks: Ranks, spans: Ints, labels: Table) -> int:
    """Replace parents by -1 minus the zone's number; returns how many zones there are.

    Parents come first, so that theirs is replaced already.
    """
    zones = 0
    for r in range(spans.shape[0]):
        for voxel in range(spans[r, 0], spans[r, 1]):
            if ranks[voxel]:
                if labels[voxel] == voxel:
                    zones += 1
                    labels[voxel] = -zones
                else:
                    labels[voxel] = labels[labels[voxel]]
    return zones


@numba.njit(cache=True, nogil=True)
def _tally(ranks: Ranks, spans: Ints, labels: Table, zone_ranks: Table, sizes: Table) -> None:
    for r in range(spans.shape[0]):
        for voxel in range(spans[r, 0], spans[r, 1]):
            if ranks[voxel]:
                zone = -1 - labels[voxel]
                zone_ranks[zone] = ranks[voxel]
                sizes[zone] += 1


@numba.njit(cache=True, nogil=True)
def _least(ranks: Ranks, spans: Ints, labels: Table, distances: Distances, least: Table) -> None:
    for r in range(spans.shape[0]):
        for voxel in range(spans[r, 0], spans[r, 1]):
            if ranks[voxel]:
                zone = -1 - labels[voxel]
                least[zone] = min(least[zone], distances[voxel])


@numba.njit(cache=True, nogil=True)
def _spread_inwards(distances: Distances, in_volume: bool) -> None:
    """Two sweeps, forth and back, give the exact city-block distance to the zeros."""
    depth, height, width = distances.shape
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                if distances[z, y, x]:
                    _approach(distances, z, y, x, 1, in_volume)
    for z in range(depth - 1, -1, -1):
        for y in range(height - 1, -1, -1):
            for x in range(width - 1, -1, -1):
                if distances[z, y, x]:
                    _approach(distances, z, y, x, -1, in_volume)


@numba.njit(cache=True, nogil=True)
def _approach(distances: Distances, z: int, y: int, x: int, back: int, in_volume: bool) -> None:
    near = min(distances[z, y - back, x], distances[z, y, x - back])
    if in_volume:
        near = min(near, distances[z - back, y, x])
    distances[z, y, x] = min(distances[z, y, x], near + 1)
