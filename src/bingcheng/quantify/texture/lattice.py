"""The grey levels of a lesion laid out for counting: padded, flat, with the rows that matter and the levels that occur.

A voxel's neighbour is a fixed step away in the flat array, and whatever lies beyond the lesion reads as level 0, so
that no kernel asks where an edge is. Tables are made over the levels that occur, by rank, and features use the true
levels: a thousand empty levels cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import CatalogueError, Owner, Problem
from bingcheng.image.volume import read_only
from bingcheng.quantify.radiomics.roi import Roi

Ints = NDArray[np.int64]
Steps = tuple[tuple[int, int, int], ...]
Margin = tuple[int, int, int]

LISTED_LEVELS = 64
"""Up to so many levels a table with a row for each is smaller than what it takes to rank them."""

NOT_DISCRETISED = Problem(
    code="quantify.texture-not-discretised",
    says="texture needs grey levels, but the intensities were not discretised",
    remedy="Name a discretisation in the settings.",
    owner=Owner.DEVELOPER,
)


@cache
def neighbours(distance: int, *, in_volume: bool) -> Steps:
    """The steps (z, y, x) to half of the neighbours within a Chebyshev distance; the other half are their opposites.

    At distance 1 these are the 13 directions in the volume or the 4 within a slice.
    """
    reach = range(-distance, distance + 1)
    return tuple(
        (z, y, x)
        for z in (range(distance + 1) if in_volume else (0,))
        for y in reach
        for x in reach
        if (z, y, x) > (0,) * 3
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lattice:
    """The grey levels of a lesion with empty voxels on every side, or of one of its slices with a margin in its plane.

    Parameters
    ----------
    levels : int32 (n,), flat (z, y, x) of the padded box; 0 outside of the intensity mask.
    ranks : uint32 (n,); place of the voxel's level among `values`, 0 outside. Unsigned, because an index that may be
        negative costs half of the time.
    spans : int64 (rows, 2), flat index of the first voxel of every row that has any, and one past the last.
    values : int64 (ranks + 1,), the level of each rank; that of rank 0 is 0. Few levels are all listed, of many those
        that occur.
    amounts : int64 (ranks + 1,), voxels of each rank.
    level_count : Ng of the manual, levels that no voxel has included.
    shape : of the padded box.
    margin : along (z, y, x), in voxels.
    part : slices of the region's box that this is made of.
    """

    levels: NDArray[np.int32]
    ranks: NDArray[np.uint32]
    spans: Ints
    values: Ints
    amounts: Ints
    level_count: int
    shape: tuple[int, int, int]
    margin: Margin
    part: slice

    @property
    def voxels(self) -> int:
        """Number of voxels in the intensity mask."""
        return int(self.amounts.sum())

    @property
    def extent(self) -> int:
        """Most voxels that a straight line can have within the box."""
        return max(size - 2 * margin for size, margin in zip(self.shape, self.margin, strict=True))

    def offsets(self, steps: Steps) -> Ints:
        """Steps (z, y, x) as differences of the flat index."""
        _, height, width = self.shape
        return np.array([(z * height + y) * width + x for z, y, x in steps], dtype=np.int64)


class Lattices:
    """The lattice of a whole region and those of its slices, made when first asked for and shared by the families."""

    def __init__(self, roi: Roi, *, margin: int = 1) -> None:
        if roi.levels is None:
            raise CatalogueError(NOT_DISCRETISED)
        self.roi = roi
        self._margin = margin
        self._index = read_only(np.ascontiguousarray(roi.levels.index, dtype=np.int32))
        self._level_count = roi.levels.count

    @cached_property
    def whole(self) -> Lattice | None:
        """The lattice of the region; None if the intensity mask is empty."""
        return self._lattice(slice(0, self._index.shape[0]), (self._margin,) * 3)

    @cached_property
    def slices(self) -> tuple[Lattice, ...]:
        """The lattices of the slices with a voxel in the intensity mask; neighbours lie within the slice."""
        margin = (0, self._margin, self._margin)
        found = (self._lattice(slice(z, z + 1), margin) for z in range(self._index.shape[0]))
        return tuple(one for one in found if one is not None)

    def _lattice(self, part: slice, margin: Margin) -> Lattice | None:
        index = self._index[part]
        counts = np.zeros(self._level_count + 1, dtype=np.int64)
        spans = np.empty((index.shape[0] * index.shape[1], 2), dtype=np.int64)
        rows = _scanned(index, margin, counts, spans)
        if rows < 0:
            raise ValueError("a voxel has a grey level beyond the count of levels")
        if rows == 0:
            return None
        levels = padded(index, margin, np.int32)
        flat = levels.ravel()
        ranked = self._level_count > LISTED_LEVELS
        values = np.append(0, np.flatnonzero(counts)) if ranked else np.arange(self._level_count + 1)
        return Lattice(
            levels=flat,
            ranks=_ranks(flat, values, self._level_count),
            spans=spans[:rows],
            values=values.astype(np.int64, copy=False),
            amounts=counts[values],
            level_count=self._level_count,
            shape=levels.shape,
            margin=margin,
            part=part,
        )


def padded(array: NDArray[Any], margin: Margin, dtype: type[np.signedinteger[Any]]) -> NDArray[Any]:
    """A copy of `array` (z, y, x) with a margin of zeros."""
    whole = np.zeros([size + 2 * width for size, width in zip(array.shape, margin, strict=True)], dtype=dtype)
    inner = tuple(slice(width, width + size) for size, width in zip(array.shape, margin, strict=True))
    whole[inner] = array
    return whole


def _ranks(levels: NDArray[np.int32], values: Ints, level_count: int) -> NDArray[np.uint32]:
    if values.size == level_count + 1:
        return levels.view(np.uint32)  # every level is listed, so that its rank is the level itself
    rank = np.zeros(level_count + 1, dtype=np.uint32)
    rank[values] = np.arange(values.size)
    ranks = np.empty(levels.size, dtype=np.uint32)
    _looked_up(levels.view(np.uint32), rank, ranks)
    return ranks


@numba.njit(cache=True, nogil=True)
def _scanned(index: NDArray[np.int32], margin: Margin, counts: Ints, spans: Ints) -> int:
    """Count the voxels of each level and find the rows; returns how many, or -1 for a level out of range."""
    depth, height, width = index.shape
    rows = 0
    for z in range(depth):
        for y in range(height):
            row = index[z, y]
            first = 0
            while first < width and row[first] == 0:
                first += 1
            if first == width:
                continue
            last = width - 1
            while row[last] == 0:
                last -= 1
            for x in range(first, last + 1):
                level = row[x]
                if level < 0 or level >= counts.size:
                    return -1
                counts[level] += 1
            line = (z + margin[0]) * (height + 2 * margin[1]) + y + margin[1]
            start = line * (width + 2 * margin[2]) + margin[2]
            spans[rows, 0] = start + first
            spans[rows, 1] = start + last + 1
            rows += 1
    counts[0] = 0
    return rows


@numba.njit(cache=True, nogil=True)
def _looked_up(levels: NDArray[np.uint32], rank: NDArray[np.uint32], ranks: NDArray[np.uint32]) -> None:
    for v in range(levels.size):
        ranks[v] = rank[levels[v]]
