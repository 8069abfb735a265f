"""Grey level co-occurrence: how often two levels are neighbours.

The matrix is symmetric: every pair counts both ways. A direction at distance d is a unit step times d, so that its
Chebyshev length is d. A voxel makes no pair with one outside of the lesion. Logarithms are of base 2; normalised
features divide by Ng, which counts levels that no voxel has.

Source: IBSI reference manual, arXiv:1612.07003, section 3.6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numba
import numpy as np

from bingcheng.core.errors import Problem, Undefined
from bingcheng.quantify.radiomics.feature import Aggregation, Family, Feature
from bingcheng.quantify.radiomics.roi import Roi
from bingcheng.quantify.texture.aggregation import ONE_LEVEL, Vector, directional, valued
from bingcheng.quantify.texture.lattice import Ints, Lattice, Lattices, neighbours
from bingcheng.quantify.texture.pairs import (
    Pairs,
    Table,
    by_level,
    pair_table,
    pairs_of_rows,
    pairs_of_table,
    tabulated,
)

FEATURES: tuple[Feature, ...] = tuple(
    Feature(tag=f"cm_{tag}", label=label, ibsi=ibsi, family=Family.COOCCURRENCE)
    for tag, label, ibsi in (
        ("joint_max", "Joint maximum", "GYBY"),
        ("joint_avg", "Joint average", "60VM"),
        ("joint_var", "Joint variance", "UR99"),
        ("joint_entr", "Joint entropy", "TU9B"),
        ("diff_avg", "Difference average", "TF7R"),
        ("diff_var", "Difference variance", "D3YU"),
        ("diff_entr", "Difference entropy", "NTRS"),
        ("sum_avg", "Sum average", "ZGXS"),
        ("sum_var", "Sum variance", "OEEB"),
        ("sum_entr", "Sum entropy", "P6QZ"),
        ("energy", "Angular second moment", "8ZQL"),
        ("contrast", "Contrast", "ACUI"),
        ("dissimilarity", "Dissimilarity", "8S9J"),
        ("inv_diff", "Inverse difference", "IB1Z"),
        ("inv_diff_norm", "Normalised inverse difference", "NDRX"),
        ("inv_diff_mom", "Inverse difference moment", "WF0Z"),
        ("inv_diff_mom_norm", "Normalised inverse difference moment", "1QCO"),
        ("inv_var", "Inverse variance", "E8JP"),
        ("corr", "Correlation", "NI2N"),
        ("auto_corr", "Autocorrelation", "QWB0"),
        ("clust_tend", "Cluster tendency", "DG8W"),
        ("clust_shade", "Cluster shade", "7NFM"),
        ("clust_prom", "Cluster prominence", "AE86"),
        ("info_corr1", "Information correlation 1", "R8DG"),
        ("info_corr2", "Information correlation 2", "JN9H"),
    )
)
# Both divide by the spread of the marginal distribution: the variance, and the entropy.
REASONS: Mapping[str, Problem] = MappingProxyType({"cm_corr": ONE_LEVEL, "cm_info_corr1": ONE_LEVEL})


def cooccurrence(roi: Roi, aggregations: Sequence[Aggregation], *, distance: int = 1) -> dict[str, float | Undefined]:
    """The co-occurrence features of a region, by tag and aggregation.

    Parameters
    ----------
    roi : with grey levels.
    aggregations : those of families with one matrix a direction; others are passed over.
    distance : Chebyshev distance of the two voxels of a pair, at least 1.
    """
    return cooccurrence_of(Lattices(roi, margin=distance), aggregations, distance=distance)


def cooccurrence_of(
    lattices: Lattices, aggregations: Sequence[Aggregation], *, distance: int = 1
) -> dict[str, float | Undefined]:
    """As `cooccurrence`, for lattices with a margin of at least `distance`."""

    def described(
        lattice: Lattice, in_volume: bool, averaged: bool, merged: bool
    ) -> tuple[list[Vector], Vector | None]:
        offsets = distance * lattice.offsets(neighbours(1, in_volume=in_volume))
        describe = _by_table if tabulated(lattice) else _by_rows
        return describe(lattice, offsets, averaged, merged)

    return valued(FEATURES, directional(lattices, aggregations, described), REASONS)


def _by_table(lattice: Lattice, offsets: Ints, averaged: bool, merged: bool) -> tuple[list[Vector], Vector | None]:
    each: list[Vector] = []
    together: Table | None = None
    for group in np.split(offsets, offsets.size) if averaged else [offsets]:
        table = pair_table(lattice, group)
        if averaged:
            each.append(_vector(pairs_of_table(table, lattice.values), lattice))
        if merged:
            together = table if together is None else np.add(together, table, out=together)
    return each, None if together is None else _vector(pairs_of_table(together, lattice.values), lattice)


def _by_rows(lattice: Lattice, offsets: Ints, averaged: bool, merged: bool) -> tuple[list[Vector], Vector | None]:
    order = by_level(lattice)
    groups = np.split(offsets, offsets.size) if averaged else []
    each = [_vector(pairs_of_rows(lattice, order, group), lattice) for group in groups]
    return each, _vector(pairs_of_rows(lattice, order, offsets), lattice) if merged else None


def _vector(pairs: Pairs, lattice: Lattice) -> Vector:
    out = np.full(len(FEATURES), np.nan)
    if pairs.total:
        joint = (pairs.total, pairs.largest, pairs.squares, pairs.logarithms)
        _fill(joint, pairs.differences, pairs.sums, pairs.marginal, lattice.values, lattice.level_count, out)
    return out


# A kernel and those that it calls stand in one file: numba's cache looks at the date of the caller's file alone.
@numba.njit(cache=True, nogil=True)
def _fill(
    joint: tuple[int, int, float, float],
    differences: Ints,
    sums: Ints,
    marginal: Ints,
    values: Ints,
    level_count: int,
    out: Vector,
) -> None:
    """Fill in the features in the order of `FEATURES`; what divides by the spread of one level stays NaN."""
    total, largest, squares, logarithms = joint
    entropy = 0.0 if largest == total else np.log2(total) - logarithms / total
    out[0] = largest / total
    out[3] = entropy
    out[10] = squares / total / total
    mean, variance, marginal_entropy = _spread(marginal, values, total)
    out[1] = mean
    out[2] = variance
    _fill_from_differences(differences, total, level_count, out)
    _fill_from_sums(sums, total, 2 * values[1], 2.0 * mean, out)
    # (i + j - 2m)^2 - (i - j)^2 = 4 (i - m)(j - m)
    covariance = (out[20] - out[11]) / 4.0
    out[19] = covariance + mean * mean
    # The matrix is symmetric, so that sum p(i, j) log(p(i) p(j)) is twice the marginal's entropy, and so is the other
    # comparison of the manual: sum p(i) p(j) log(p(i) p(j)).
    shared = max(2.0 * marginal_entropy - entropy, 0.0)
    out[24] = np.sqrt(1.0 - np.exp(-2.0 * shared))
    if variance > 0.0:
        out[18] = covariance / variance
        out[23] = -shared / marginal_entropy


@numba.njit(cache=True, nogil=True)
def _spread(counts: Ints, values: Ints, total: int) -> tuple[float, float, float]:
    """Mean, variance and entropy of levels."""
    mean = 0.0
    for k in range(values.size):
        mean += counts[k] / total * values[k]
    variance = 0.0
    entropy = 0.0
    for k in range(values.size):
        if counts[k]:
            p = counts[k] / total
            variance += p * (values[k] - mean) ** 2
            entropy -= p * np.log2(p)
    return mean, variance, entropy


@numba.njit(cache=True, nogil=True)
def _fill_from_differences(counts: Ints, total: int, level_count: int, out: Vector) -> None:
    """What follows from p(|i - j| = k)."""
    out[4:7] = 0.0
    out[11:18] = 0.0
    for k in range(counts.size):
        if counts[k]:
            p = counts[k] / total
            fraction = k / level_count
            out[4] += p * k
            out[6] -= p * np.log2(p)
            out[11] += p * k * k
            out[13] += p / (1.0 + k)
            out[14] += p / (1.0 + fraction)
            out[15] += p / (1.0 + k * k)
            out[16] += p / (1.0 + fraction * fraction)
            # The manual sums over i < j and doubles; the differences hold both halves already.
            out[17] += p / (k * k) if k else 0.0
    out[12] = out[4]
    for k in range(counts.size):
        out[5] += counts[k] / total * (k - out[4]) ** 2


@numba.njit(cache=True, nogil=True)
def _fill_from_sums(counts: Ints, total: int, lowest: int, mean: float, out: Vector) -> None:
    """What follows from p(i + j = k)."""
    out[7] = mean
    out[9] = 0.0
    out[20:23] = 0.0
    for k in range(counts.size):
        if counts[k]:
            p = counts[k] / total
            offset = lowest + k - mean
            out[9] -= p * np.log2(p)
            out[20] += p * offset**2
            out[21] += p * offset**3
            out[22] += p * offset**4
    out[8] = out[20]
