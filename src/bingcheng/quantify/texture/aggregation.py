"""How the matrices of directions and slices become one value a feature, and what stands where there is none.

Source: IBSI reference manual, arXiv:1612.07003, sections on aggregating features of each matrix family.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.quantify.radiomics.feature import Aggregation, Feature
from bingcheng.quantify.texture.lattice import Lattice, Lattices

Vector = NDArray[np.float64]
"""The features of one matrix in their family's order; NaN where the matrix gives none. It leaves this package as a
value or an `Undefined`, never as NaN."""

NO_VOXEL = Problem(
    code="quantify.texture-without-voxels",
    says="no voxel of the lesion is left in the range of intensities that count, so there is no texture",
    remedy="Widen the range of re-segmentation, or look whether the outline lies on the lesion.",
    owner=Owner.RADIOLOGIST,
)
NO_NEIGHBOUR = Problem(
    code="quantify.texture-without-neighbours",
    says="no voxel of the lesion has a neighbour in it at the distance that was asked for",
    remedy="Use a lesion of more voxels, a smaller distance, or aggregation over the volume.",
    owner=Owner.RADIOLOGIST,
)
ONE_LEVEL = Problem(
    code="quantify.texture-of-one-level",
    says="all voxels have the same grey level, and the feature divides by their spread",
    remedy="Use narrower bins, or leave the feature out for this lesion.",
    owner=Owner.PHYSICIST,
)

NO_REASONS: Mapping[str, Problem] = MappingProxyType({})


def directional(
    lattices: Lattices,
    aggregations: Sequence[Aggregation],
    described: Callable[[Lattice, bool, bool, bool], tuple[list[Vector], Vector | None]],
) -> dict[Aggregation, list[Vector]]:
    """The vectors whose mean is the value, for each aggregation of a family with one matrix a direction.

    Parameters
    ----------
    lattices : of the region.
    aggregations : those of the other kind are passed over.
    described : called with a lattice, whether neighbours are sought in the volume, whether the features of each
        direction's matrix are asked for and whether those of the merged matrix are; gives both.
    """
    asked = set(aggregations)
    found: dict[Aggregation, list[Vector]] = {}
    scopes: tuple[tuple[Aggregation, Aggregation, bool, Callable[[], Iterable[Lattice | None]]], ...] = (
        (Aggregation.BY_SLICE_AVERAGED, Aggregation.BY_SLICE_MERGED, False, lambda: lattices.slices),
        (Aggregation.BY_DIRECTION_MERGED, Aggregation.BY_SLICE_FULLY_MERGED, False, lambda: (lattices.whole,)),
        (Aggregation.IN_VOLUME_AVERAGED, Aggregation.IN_VOLUME_MERGED, True, lambda: (lattices.whole,)),
    )
    for averaged, merged, in_volume, parts in scopes:
        if not asked & {averaged, merged}:
            continue
        each: list[Vector] = []
        together: list[Vector] = []
        for lattice in parts():
            if lattice is not None:
                vectors, vector = described(lattice, in_volume, averaged in asked, merged in asked)
                each += vectors
                together += [] if vector is None else [vector]
        found |= {one: vectors for one, vectors in ((averaged, each), (merged, together)) if one in asked}
    return found


def plain(
    lattices: Lattices, aggregations: Sequence[Aggregation], described: Callable[[Lattice, bool], Vector]
) -> dict[Aggregation, list[Vector]]:
    """The vectors whose mean is the value, for each aggregation of a family with one matrix a slice or volume.

    `described` is called with a lattice and whether neighbours are sought in the volume. Aggregations of the other
    kind are passed over.
    """
    found: dict[Aggregation, list[Vector]] = {}
    whole = () if lattices.whole is None else (lattices.whole,)
    if Aggregation.BY_SLICE in aggregations:
        found[Aggregation.BY_SLICE] = [described(one, False) for one in lattices.slices]
    if Aggregation.OVER_SLICES_MERGED in aggregations:
        found[Aggregation.OVER_SLICES_MERGED] = [described(one, False) for one in whole]
    if Aggregation.IN_VOLUME in aggregations:
        found[Aggregation.IN_VOLUME] = [described(one, True) for one in whole]
    return found


def valued(
    features: Sequence[Feature],
    found: Mapping[Aggregation, list[Vector]],
    reasons: Mapping[str, Problem] = NO_REASONS,
) -> dict[str, float | Undefined]:
    """The features by tag: the mean over the matrices that give one, or why none does.

    A matrix without any entry (one voxel in a slice has no neighbour) takes no part in the mean, nor does one for
    which the feature is not defined.

    Parameters
    ----------
    features : in the order of the vectors.
    found : the vectors of each aggregation.
    reasons : by tag, why the feature may be missing from a matrix that gives others.
    """
    values: dict[str, float | Undefined] = {}
    for aggregation, vectors in found.items():
        tags = [feature.tag + "_" + aggregation.value for feature in features]
        mean = _mean(vectors, len(features))
        if mean is None:
            values |= dict.fromkeys(tags, Undefined(NO_VOXEL))
            continue
        values.update(zip(tags, mean.tolist(), strict=True))
        missing = np.isnan(mean)
        for k in np.flatnonzero(missing).tolist():
            reason = NO_NEIGHBOUR if missing.all() else reasons.get(features[k].tag, NO_NEIGHBOUR)
            values[tags[k]] = Undefined(reason)
    return values


def _mean(vectors: list[Vector], count: int) -> Vector | None:
    if not vectors:
        return None
    if len(vectors) == 1:
        return vectors[0][:count]
    stack = np.stack(vectors)[:, :count]
    given = ~np.isnan(stack)
    total = np.where(given, stack, 0.0).sum(axis=0)
    number = given.sum(axis=0)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)
