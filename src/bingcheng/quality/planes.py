"""Masks looked at slice by slice: shrunk, grown, and taken apart into what hangs together.

Parts are found by runs: the stretches of each row that belong. A section of a body has a few runs a row, so that
joining runs costs a fraction of what labelling every voxel does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
Counts = NDArray[np.int64]


def shrunk(mask: Mask, *, times: int = 1) -> Mask:
    """The mask (z, y, x) without its rim of `times` voxels, within each slice; beyond the image nothing belongs."""
    for _ in range(times):
        smaller = np.empty(mask.shape, dtype=bool)
        _shrink(mask.view(np.uint8), smaller.view(np.uint8))
        mask = smaller
    return mask


def grown(mask: Mask, within: Mask | None = None, *, times: int = 1) -> Mask:
    """The mask (z, y, x) with a rim of `times` voxels around it, within each slice and, if given, within `within`."""
    for _ in range(times):
        larger = np.empty(mask.shape, dtype=bool)
        _grow(mask.view(np.uint8), larger.view(np.uint8))
        if within is not None:
            larger &= within
            larger |= mask
        mask = larger
    return mask


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """The parts of a mask, told by its runs; voxels hang together that share a face.

    Parameters
    ----------
    shape : of the mask, (z, y, x).
    runs : (run, 4): slice, row, first column, and one past the last.
    part : (run,): to which part each run belongs, from 0.
    count : how many parts there are.
    """

    shape: tuple[int, int, int]
    runs: Counts
    part: Counts
    count: int

    @staticmethod
    def of(mask: Mask, *, across_slices: bool) -> Parts:
        """The parts of `mask` (z, y, x): of the whole, or of each slice by itself."""
        depth, height, width = mask.shape
        begins = np.empty(depth * height + 1, dtype=np.int64)
        seen = mask.view(np.uint8)
        _count_runs(seen, begins)
        runs = np.empty((int(begins[-1]), 4), dtype=np.int64)
        _find_runs(seen, begins, runs)
        part = np.empty(len(runs), dtype=np.int64)
        count = _join_runs(runs, begins, height, across_slices, part)
        return Parts(shape=(depth, height, width), runs=runs, part=part, count=int(count))

    @property
    def sizes(self) -> Counts:
        """Voxels of each part."""
        lengths = self.runs[:, 3] - self.runs[:, 2]
        return np.bincount(self.part, weights=lengths, minlength=self.count).astype(np.int64)

    @property
    def enclosed(self) -> Mask:
        """Of each part whether it keeps off the edges of the slices."""
        _, height, width = self.shape
        _, row, first, last = self.runs.T
        found = np.ones(self.count, dtype=bool)
        found[self.part[(row == 0) | (row == height - 1) | (first == 0) | (last == width)]] = False
        return found

    def sums(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """The sum of `values` (z, y, x) over each part."""
        per_run = np.empty(len(self.runs))
        _sum_runs(values, self.runs, per_run)
        return np.bincount(self.part, weights=per_run, minlength=self.count)

    def mask_of(self, chosen: Mask) -> Mask:
        """The mask (z, y, x) of the parts for which `chosen` (part,) is True."""
        mask = np.zeros(self.shape, dtype=bool)
        _paint_runs(self.runs[chosen[self.part]], mask.view(np.uint8))
        return mask


# Bytes rather than booleans in what follows: the compiler makes loops over many of them at once of it.


@numba.njit(cache=True, nogil=True)
def _shrink(mask: Bytes, smaller: Bytes) -> None:
    depth, height, width = mask.shape
    for z in range(depth):
        for y in range(height):
            out = smaller[z, y]
            if y in (0, height - 1) or width < 3:
                out[:] = 0
                continue
            above, here, below = mask[z, y - 1], mask[z, y], mask[z, y + 1]
            out[0] = out[width - 1] = 0
            for x in range(1, width - 1):
                out[x] = above[x] & below[x] & here[x - 1] & here[x] & here[x + 1]


@numba.njit(cache=True, nogil=True)
def _grow(mask: Bytes, larger: Bytes) -> None:
    depth, height, width = mask.shape
    for z in range(depth):
        for y in range(height):
            out, here = larger[z, y], mask[z, y]
            above, below = mask[z, max(y - 1, 0)], mask[z, min(y + 1, height - 1)]
            for x in range(width):
                out[x] = above[x] | here[x] | below[x]
            for x in range(1, width):
                out[x] |= here[x - 1]
            for x in range(width - 1):
                out[x] |= here[x + 1]


@numba.njit(cache=True, nogil=True)
def _count_runs(mask: Bytes, begins: Counts) -> None:
    """Fill `begins`: the number of the first run of each row of each slice, and of all in the end."""
    depth, height, width = mask.shape
    count = 0
    for z in range(depth):
        for y in range(height):
            begins[z * height + y] = count
            row = mask[z, y]
            count += row[0] if width > 0 else 0
            for x in range(1, width):
                count += row[x] & (row[x - 1] ^ 1)
    begins[depth * height] = count


@numba.njit(cache=True, nogil=True)
def _find_runs(mask: Bytes, begins: Counts, runs: Counts) -> None:
    depth, height, width = mask.shape
    for z in range(depth):
        for y in range(height):
            run, last = begins[z * height + y], begins[z * height + y + 1]
            x = 0
            row = mask[z, y]
            while run < last:
                while row[x] == 0:
                    x += 1
                first = x
                while x < width and row[x] != 0:
                    x += 1
                # Each by itself: to assign to a row makes the compiler prepare an error of shapes, for seconds.
                runs[run, 0], runs[run, 1], runs[run, 2], runs[run, 3] = z, y, first, x
                run += 1


@numba.njit(cache=True, nogil=True)
def _root(parent: Counts, run: int) -> int:
    while parent[run] != run:
        parent[run] = parent[parent[run]]
        run = parent[run]
    return run


@numba.njit(cache=True, nogil=True)
def _join_rows(runs: Counts, begins: Counts, one: int, other: int, parent: Counts) -> None:
    """Join the runs of two rows, given by their numbers, that lie beside each other."""
    a, b = begins[one], begins[other]
    while a < begins[one + 1] and b < begins[other + 1]:
        if runs[a, 2] < runs[b, 3] and runs[b, 2] < runs[a, 3]:
            first, second = _root(parent, a), _root(parent, b)
            parent[max(first, second)] = min(first, second)
        if runs[a, 3] < runs[b, 3]:
            a += 1
        else:
            b += 1


@numba.njit(cache=True, nogil=True)
def _join_runs(runs: Counts, begins: Counts, height: int, across_slices: bool, part: Counts) -> int:
    """Fill `part` with the number of each run's part; returns how many there are."""
    parent = np.arange(runs.shape[0])
    for row in range(begins.size - 1):
        if row % height > 0:
            _join_rows(runs, begins, row - 1, row, parent)
        if across_slices and row >= height:
            _join_rows(runs, begins, row - height, row, parent)
    count = 0
    for run in range(parent.size):
        root = _root(parent, run)
        if root == run:
            part[run] = count
            count += 1
        else:
            part[run] = part[root]  # a root is the first run of its part, so that it is numbered already
    return count


@numba.njit(cache=True, nogil=True)
def _sum_runs(values: NDArray[Any], runs: Counts, sums: NDArray[np.float64]) -> None:
    for run in range(runs.shape[0]):
        total = np.float64(0.0)
        row = values[runs[run, 0], runs[run, 1]]
        for x in range(runs[run, 2], runs[run, 3]):
            total += row[x]
        sums[run] = total


@numba.njit(cache=True, nogil=True)
def _paint_runs(runs: Counts, mask: Bytes) -> None:
    for run in range(runs.shape[0]):
        mask[runs[run, 0], runs[run, 1], runs[run, 2] : runs[run, 3]] = 1
