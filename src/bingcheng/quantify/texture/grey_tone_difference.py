"""Neighbourhood grey tone differences: how far voxels are from the mean of their neighbours.

Only neighbours inside the lesion's intensity mask count towards a mean, and only voxels with such a neighbour are
counted. Where the definitions divide by nothing, the manual sets limits: coarseness is 10^6 in a flat lesion; contrast
and busyness are 0 for one level; strength is 0 without differences.

Source: IBSI reference manual, arXiv:1612.07003, section 3.10.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.quantify.radiomics.feature import Aggregation, Family, Feature
from bingcheng.quantify.radiomics.roi import Roi
from bingcheng.quantify.texture.aggregation import Vector, plain, valued
from bingcheng.quantify.texture.lattice import Ints, Lattice, Lattices
from bingcheng.quantify.texture.neighbourhood import Neighbourhoods, neighbourhoods

FEATURES: tuple[Feature, ...] = tuple(
    Feature(tag=f"ngt_{tag}", label=label, ibsi=ibsi, family=Family.GREY_TONE_DIFFERENCE)
    for tag, label, ibsi in (
        ("coarseness", "Coarseness", "QCDE"),
        ("contrast", "Contrast", "65HE"),
        ("busyness", "Busyness", "NQ30"),
        ("complexity", "Complexity", "HDEZ"),
        ("strength", "Strength", "1X9X"),
    )
)
MOST_COARSE = 1e6
"""Coarseness of a lesion without any difference, as the manual sets it."""

BALANCED_LEVELS = Problem(
    code="quantify.texture-levels-balanced",
    says="every grey level weighs the same when multiplied by its frequency, and busyness divides by the differences",
    remedy="Use other bins, or leave busyness out for this lesion.",
    owner=Owner.PHYSICIST,
)
REASONS: Mapping[str, Problem] = MappingProxyType({"ngt_busyness": BALANCED_LEVELS})


def grey_tone_difference(
    roi: Roi, aggregations: Sequence[Aggregation], *, distance: int = 1
) -> dict[str, float | Undefined]:
    """The grey tone difference features of a region, by tag and aggregation.

    Parameters
    ----------
    roi : with grey levels.
    aggregations : those of families with one matrix a slice or volume; others are passed over.
    distance : Chebyshev distance up to which a voxel is a neighbour, at least 1.
    """

    def counted(lattice: Lattice, in_volume: bool) -> Neighbourhoods:
        return neighbourhoods(lattice, in_volume=in_volume, distance=distance)

    return grey_tone_difference_of(Lattices(roi, margin=distance), aggregations, counted)


def grey_tone_difference_of(
    lattices: Lattices, aggregations: Sequence[Aggregation], counted: Callable[[Lattice, bool], Neighbourhoods]
) -> dict[str, float | Undefined]:
    """As `grey_tone_difference`, for lattices and what counts the neighbourhoods of one."""

    def described(lattice: Lattice, in_volume: bool) -> Vector:
        found = counted(lattice, in_volume)
        some = found.valid > 0
        vector: Vector = _features(found.differences[some], found.valid[some], lattice.values[some])
        return vector

    return valued(FEATURES, plain(lattices, aggregations, described), REASONS)


@numba.njit(cache=True, nogil=True)
def _features(differences: NDArray[np.float64], number: Ints, values: Ints) -> Vector:
    """The features of the levels with a valid voxel; all NaN if there is none.

    Parameters
    ----------
    differences, number, values : (levels,), s_i and n_i of the manual and the level i; p_i = n_i / sum of n.
    """
    out = np.full(5, np.nan)
    levels = values.size
    if levels == 0:
        return out
    voxels = float(number.sum())
    summed = differences.sum()
    weighted = 0.0
    contrast = 0.0
    imbalance = 0
    complexity = 0.0
    strength = 0.0
    # Each pair of levels once; the manual's double sums take it twice.
    for a in range(levels):
        weighted += number[a] * differences[a]
        for b in range(a):
            apart = float(values[a] - values[b])
            both = float(number[a] + number[b])
            contrast += 2.0 * number[a] * number[b] * apart * apart
            imbalance += 2 * abs(values[a] * number[a] - values[b] * number[b])
            complexity += 2.0 * apart * (number[a] * differences[a] + number[b] * differences[b]) / both
            strength += 2.0 * both * apart * apart
    out[0] = voxels / weighted if weighted > 0.0 else MOST_COARSE
    out[1] = contrast / voxels / voxels / (levels * (levels - 1)) * summed / voxels if levels > 1 else 0.0
    if levels == 1:
        out[2] = 0.0
    elif imbalance > 0:
        out[2] = weighted / imbalance
    out[3] = complexity / voxels
    out[4] = strength / voxels / summed if summed > 0.0 else 0.0
    return out
