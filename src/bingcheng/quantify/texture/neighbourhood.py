"""What surrounds each voxel, counted in one pass for the two families that look at whole neighbourhoods.

Source: IBSI reference manual, arXiv:1612.07003, sections 3.10 and 3.11.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.quantify.texture.lattice import Ints, Lattice, neighbours
from bingcheng.quantify.texture.pairs import Ranks, Table


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Neighbourhoods:
    """The neighbourhoods of a lattice's voxels, added up.

    Parameters
    ----------
    differences : float64 (ranks + 1,), sum over a level's voxels of how far it is from the mean of the neighbours
        that belong to the lesion.
    valid : int64 (ranks + 1,), voxels with such a neighbour.
    dependence : int32 (ranks + 1, neighbours + 2), voxels by level and by one plus the number of neighbours that
        differ by at most the coarseness.
    """

    differences: NDArray[np.float64]
    valid: Ints
    dependence: Table


def neighbourhoods(lattice: Lattice, *, in_volume: bool, distance: int = 1, coarseness: int = 0) -> Neighbourhoods:
    """The neighbourhoods of a lattice within a Chebyshev distance, in the volume or within slices.

    Parameters
    ----------
    lattice : with a margin of at least `distance`.
    coarseness : how far two levels may differ and still depend on each other, alpha of the manual.
    """
    half = lattice.offsets(neighbours(distance, in_volume=in_volume))
    found = Neighbourhoods(
        differences=np.zeros(lattice.values.size),
        valid=np.zeros(lattice.values.size, dtype=np.int64),
        dependence=np.zeros((lattice.values.size, 2 * half.size + 2), dtype=np.int32),
    )
    _count(
        lattice.levels,
        lattice.ranks,
        lattice.spans,
        np.concatenate([-half[::-1], half]),
        np.int32(min(coarseness, lattice.level_count)),
        np.empty(lattice.shape[2], dtype=np.int32),
        np.empty(lattice.shape[2], dtype=np.int32),
        np.empty(lattice.shape[2], dtype=np.int32),
        found.differences,
        found.valid,
        found.dependence,
    )
    return found


@numba.njit(cache=True, nogil=True)
def _count(
    levels: NDArray[np.int32],
    ranks: Ranks,
    spans: Ints,
    offsets: Ints,
    coarseness: np.int32,
    total: Table,
    number: Table,
    alike: Table,
    differences: NDArray[np.float64],
    valid: Ints,
    dependence: Table,
) -> None:
    for r in range(spans.shape[0]):
        start = spans[r, 0]
        stop = spans[r, 1]
        level = levels[start:stop]
        rank = ranks[start:stop]
        total[:] = 0
        number[:] = 0
        alike[:] = 0
        # Whole rows at a time, so that the processor takes several voxels at once.
        for d in range(offsets.size):
            other = levels[start + offsets[d] : stop + offsets[d]]
            for x in range(stop - start):
                total[x] += other[x]
                number[x] += np.int32(other[x] > 0)
                alike[x] += np.int32((other[x] > 0) & (abs(other[x] - level[x]) <= coarseness))
        for x in range(stop - start):
            if rank[x]:
                dependence[rank[x], np.uint32(alike[x] + 1)] += 1
                if number[x]:
                    valid[rank[x]] += 1
                    differences[rank[x]] += abs(level[x] - total[x] / number[x])
