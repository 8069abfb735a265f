"""Pairs of neighbouring grey levels, counted, and what the co-occurrence features need to know of the counts.

Every feature of the co-occurrence matrix follows from five things of it: its largest entry, the sum of its squares, its
entropy, and its sums along both diagonals and along the rows. They are gathered either from a table of all levels by
all levels, or, where that would be larger than what is counted, row by row from the voxels of one level at a time; a
lesion of 3,000 levels then needs one row of memory instead of nine million cells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.quantify.texture.lattice import Ints, Lattice

Table = NDArray[np.int32]
Ranks = NDArray[np.uint32]
Vector = NDArray[np.float64]

LARGEST_TABLE = 1_024
"""Levels by which a table is counted at most: four million cells of four bytes each."""
CELLS_A_VOXEL = 8
SMALL_TABLE = 4_096
"""A table with more cells than this and than `CELLS_A_VOXEL` for each voxel is mostly empty: rows are cheaper."""


def tabulated(lattice: Lattice) -> bool:
    """Whether the pairs of this lattice are counted in a table."""
    width = lattice.values.size
    return width <= LARGEST_TABLE and width * width <= max(SMALL_TABLE, CELLS_A_VOXEL * lattice.voxels)


def pair_table(lattice: Lattice, offsets: Ints) -> Table:
    """Counts (ranks + 1, ranks + 1) of (voxel, neighbour at an offset); row 0 and column 0 lie outside the lesion."""
    width = lattice.values.size
    table = np.zeros((width, width), dtype=np.int32)
    _count_pairs(lattice.ranks, lattice.spans, offsets, np.uint32(width), table.ravel())
    return table


def by_level(lattice: Lattice) -> Table:
    """The flat indices of the lesion's voxels, level by level: int32 (voxels,)."""
    ends = np.cumsum(lattice.amounts)
    order = np.empty(lattice.voxels, dtype=np.int32)
    _order(lattice.ranks, lattice.spans, ends - lattice.amounts, order)
    return order


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """What the features need to know of a symmetric matrix of counts c(i, j).

    Parameters
    ----------
    total, largest : sum of the entries, and the largest.
    squares, logarithms : sum of c^2, and of c log2 c.
    differences : int64 (span + 1,), the counts by |i - j|; the span is that of the listed levels.
    sums : int64 (2 span + 1,), the counts by i + j, from twice the lowest listed level.
    marginal : int64 (ranks + 1,), the counts by i.
    """

    total: int
    largest: int
    squares: float
    logarithms: float
    differences: Ints
    sums: Ints
    marginal: Ints


def pairs_of_table(table: Table, values: Ints) -> Pairs:
    """What is to know of a `pair_table`, or of a sum of several, and its transpose."""
    return _pairs(values, lambda *room: _gather_table(table, values, *room))


def pairs_of_rows(lattice: Lattice, order: Table, offsets: Ints) -> Pairs:
    """The same for all offsets together, from the voxels in the order of `by_level`, without a table."""
    return _pairs(lattice.values, lambda *room: _gather_rows(lattice.ranks, order, offsets, lattice.values, *room))


def _pairs(values: Ints, gather: Callable[[Ints, Ints, Ints], tuple[int, int, float, float]]) -> Pairs:
    span = int(values[-1] - values[1])
    differences = np.zeros(span + 1, dtype=np.int64)
    sums = np.zeros(2 * span + 1, dtype=np.int64)
    marginal = np.zeros(values.size, dtype=np.int64)
    total, largest, squares, logarithms = gather(differences, sums, marginal)
    return Pairs(
        total=total,
        largest=largest,
        squares=squares,
        logarithms=logarithms,
        differences=differences,
        sums=sums,
        marginal=marginal,
    )


@numba.njit(cache=True, nogil=True)
def _count_pairs(ranks: Ranks, spans: Ints, offsets: Ints, width: np.uint32, table: Table) -> None:
    for r in range(spans.shape[0]):
        start = spans[r, 0]
        stop = spans[r, 1]
        row = ranks[start:stop]
        for d in range(offsets.size):
            other = ranks[start + offsets[d] : stop + offsets[d]]
            for x in range(stop - start):
                table[row[x] * width + other[x]] += 1


@numba.njit(cache=True, nogil=True)
def _order(ranks: Ranks, spans: Ints, starts: Ints, order: Table) -> None:
    filled = starts.copy()
    for r in range(spans.shape[0]):
        for v in range(spans[r, 0], spans[r, 1]):
            rank = ranks[v]
            if rank:
                order[filled[rank]] = v
                filled[rank] += 1


@numba.njit(cache=True, nogil=True)
def _gather_table(
    table: Table, values: Ints, differences: Ints, sums: Ints, marginal: Ints
) -> tuple[int, int, float, float]:
    """Of the symmetric matrix (`table` and its transpose): entries, the largest, sum of squares, sum of c log2 c.

    The last three arrays are filled; they are those of `Pairs`.
    """
    total = 0
    largest = 0
    squares = 0.0
    logarithms = 0.0
    for a in range(1, values.size):
        for b in range(a, values.size):
            count = np.int64(table[a, b]) + table[b, a]
            if count == 0:
                continue
            # Off the diagonal the entry stands twice in the symmetric matrix; on it, both pairs fall into one entry.
            times = 1 if a == b else 2
            total += times * count
            largest = max(largest, count)
            squares += times * float(count) ** 2
            logarithms += times * count * np.log2(count)
            differences[values[b] - values[a]] += times * count
            sums[values[a] + values[b] - 2 * values[1]] += times * count
            marginal[a] += count
            marginal[b] += (times - 1) * count
    return total, largest, squares, logarithms


@numba.njit(cache=True, nogil=True)
def _gather_rows(
    ranks: Ranks, order: Table, offsets: Ints, values: Ints, differences: Ints, sums: Ints, marginal: Ints
) -> tuple[int, int, float, float]:
    """As `_gather_table`, from the voxels in the order of `by_level`."""
    total = 0
    largest = 0
    squares = 0.0
    logarithms = 0.0
    row = np.zeros(values.size, dtype=np.int64)
    touched = np.empty(values.size, dtype=np.uint32)
    at = 0
    while at < order.size:
        a = ranks[order[at]]
        found = 0
        while at < order.size and ranks[order[at]] == a:
            for d in range(offsets.size):
                found = _seen(ranks[order[at] + offsets[d]], row, touched, found)
                found = _seen(ranks[order[at] - offsets[d]], row, touched, found)
            at += 1
        for k in range(found):
            b = touched[k]
            count = row[b]
            row[b] = 0
            total += count
            largest = max(largest, count)
            squares += float(count) ** 2
            logarithms += count * np.log2(count)
            differences[abs(values[a] - values[b])] += count
            sums[values[a] + values[b] - 2 * values[1]] += count
            marginal[a] += count
    return total, largest, squares, logarithms


@numba.njit(cache=True, nogil=True)
def _seen(rank: np.uint32, row: Ints, touched: Ranks, found: int) -> int:
    if rank == 0:
        return found
    if row[rank] == 0:
        touched[found] = rank
        found += 1
    row[rank] += 1
    return found
