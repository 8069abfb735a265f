"""The features that run-length, size-zone, distance-zone and dependence matrices share.

All four count things by grey level i (rows) and by a second number j (columns): the length of a run, the size of a
zone, its distance from the border, the dependence count. With c(i, j) the counts, N their sum, r(i) and r(j) the sums
of rows and columns and p = c / N:

short (small, low) emphasis sum c / j^2 / N; long (large, high) emphasis sum c j^2 / N; low and high grey level emphasis
the same in i; the four products; non-uniformity sum r(i)^2 / N and sum r(j)^2 / N, normalised by N once more;
percentage N / voxels; variances of i and j under p; entropy -sum p log2 p; energy sum p^2.

Source: IBSI reference manual, arXiv:1612.07003, sections 3.7 to 3.9 and 3.11.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.quantify.texture.lattice import Ints

Table = NDArray[np.int32]


@numba.njit(cache=True, nogil=True)
def emphasis(table: Table, rows: Ints, columns: Ints, voxels: int) -> NDArray[np.float64]:
    """The features in the order of the IBSI's tables: sixteen that all four families have, then the energy.

    Parameters
    ----------
    table : int32 (ranks + 1, columns), counts; row 0 is passed over.
    rows, columns : int64, the i of each row and the j of each column; positive where anything was counted.
    voxels : how many voxels the matrix was made from, once for every direction that was merged into it.
    """
    out = np.zeros(17)
    by_row = np.zeros(rows.size, dtype=np.int64)
    by_column = np.zeros(columns.size, dtype=np.int64)
    for a in range(1, rows.size):
        for b in range(columns.size):
            by_row[a] += table[a, b]
            by_column[b] += table[a, b]
    total = float(by_row.sum())
    for a in range(1, rows.size):
        if by_row[a] == 0:
            continue
        i2 = float(rows[a]) ** 2
        for b in range(columns.size):
            if table[a, b] == 0:
                continue
            p = table[a, b] / total
            j2 = float(columns[b]) ** 2
            out[4] += p / i2 / j2
            out[5] += p * i2 / j2
            out[6] += p * j2 / i2
            out[7] += p * i2 * j2
            out[15] -= p * np.log2(p)
            out[16] += p * p
    out[2], out[3], out[9], out[13] = _marginal(by_row, rows, total)
    out[0], out[1], out[11], out[14] = _marginal(by_column, columns, total)
    out[8] = out[9] * total
    out[10] = out[11] * total
    out[12] = total / voxels
    return out


@numba.njit(cache=True, nogil=True)
def _marginal(counts: Ints, values: Ints, total: float) -> tuple[float, float, float, float]:
    """Of one marginal: mean of 1/v^2, mean of v^2, sum of p^2, variance."""
    low = 0.0
    high = 0.0
    squares = 0.0
    mean = 0.0
    for k in range(values.size):
        if counts[k]:
            p = counts[k] / total
            v = float(values[k])
            low += p / (v * v)
            high += p * v * v
            squares += p * p
            mean += p * v
    variance = 0.0
    for k in range(values.size):
        variance += counts[k] / total * (values[k] - mean) ** 2
    return low, high, squares, variance


def crossed(ranks: Table, seconds: Table, rank_count: int) -> tuple[Table, Ints]:
    """Things counted by rank and by a second number, over the numbers that occur.

    Parameters
    ----------
    ranks, seconds : int32 (things,); the seconds are positive.
    rank_count : highest rank.

    Returns
    -------
    table, columns : int32 (rank_count + 1, numbers) and the number of each column. Sizes that add up to n voxels
        take at most sqrt(2 n) different values, so that the table stays small however large a zone is.
    """
    columns = np.flatnonzero(np.bincount(seconds)).astype(np.int64)
    column = np.zeros(columns[-1] + 1, dtype=np.int32)
    column[columns] = np.arange(columns.size)
    table = np.zeros((rank_count + 1, columns.size), dtype=np.int32)
    _count(ranks, seconds, column, table)
    return table, columns


@numba.njit(cache=True, nogil=True)
def _count(ranks: Table, seconds: Table, column: Table, table: Table) -> None:
    for k in range(ranks.size):
        table[ranks[k], column[seconds[k]]] += 1
