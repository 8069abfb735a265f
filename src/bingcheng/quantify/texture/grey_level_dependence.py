"""Neighbouring grey level dependence: how many neighbours of a voxel are like it.

A voxel's dependence count is one, for itself, plus the neighbours that differ by at most the coarseness. Every voxel of
the intensity mask counts, so that the dependence count percentage is 1.

Source: IBSI reference manual, arXiv:1612.07003, section 3.11.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bingcheng.core.errors import Undefined
from bingcheng.quantify.radiomics.feature import Aggregation, Family, Feature
from bingcheng.quantify.radiomics.roi import Roi
from bingcheng.quantify.texture.aggregation import Vector, plain, valued
from bingcheng.quantify.texture.emphasis import emphasis
from bingcheng.quantify.texture.lattice import Lattice, Lattices
from bingcheng.quantify.texture.neighbourhood import Neighbourhoods, neighbourhoods

FEATURES: tuple[Feature, ...] = tuple(
    Feature(tag=f"ngl_{tag}", label=label, ibsi=ibsi, family=Family.GREY_LEVEL_DEPENDENCE)
    for tag, label, ibsi in (
        ("lde", "Low dependence emphasis", "SODN"),
        ("hde", "High dependence emphasis", "IMOQ"),
        ("lgce", "Low grey level count emphasis", "TL9H"),
        ("hgce", "High grey level count emphasis", "OAE7"),
        ("ldlge", "Low dependence low grey level emphasis", "EQ3F"),
        ("ldhge", "Low dependence high grey level emphasis", "JA6D"),
        ("hdlge", "High dependence low grey level emphasis", "NBZI"),
        ("hdhge", "High dependence high grey level emphasis", "9QMG"),
        ("glnu", "Grey level non-uniformity", "FP8K"),
        ("glnu_norm", "Normalised grey level non-uniformity", "5SPA"),
        ("dcnu", "Dependence count non-uniformity", "Z87G"),
        ("dcnu_norm", "Normalised dependence count non-uniformity", "OKJI"),
        ("dc_perc", "Dependence count percentage", "6XV8"),
        ("gl_var", "Grey level variance", "1PFV"),
        ("dc_var", "Dependence count variance", "DNX2"),
        ("dc_entr", "Dependence count entropy", "FCBV"),
        ("dc_energy", "Dependence count energy", "CAS9"),
    )
)


def grey_level_dependence(
    roi: Roi, aggregations: Sequence[Aggregation], *, distance: int = 1, coarseness: int = 0
) -> dict[str, float | Undefined]:
    """The grey level dependence features of a region, by tag and aggregation.

    Parameters
    ----------
    roi : with grey levels.
    aggregations : those of families with one matrix a slice or volume; others are passed over.
    distance : Chebyshev distance up to which a voxel is a neighbour, at least 1.
    coarseness : how far two levels may differ and still depend on each other, alpha of the manual, at least 0.
    """

    def counted(lattice: Lattice, in_volume: bool) -> Neighbourhoods:
        return neighbourhoods(lattice, in_volume=in_volume, distance=distance, coarseness=coarseness)

    return grey_level_dependence_of(Lattices(roi, margin=distance), aggregations, counted)


def grey_level_dependence_of(
    lattices: Lattices, aggregations: Sequence[Aggregation], counted: Callable[[Lattice, bool], Neighbourhoods]
) -> dict[str, float | Undefined]:
    """As `grey_level_dependence`, for lattices and what counts the neighbourhoods of one."""

    def described(lattice: Lattice, in_volume: bool) -> Vector:
        table = counted(lattice, in_volume).dependence
        vector: Vector = emphasis(table, lattice.values, np.arange(table.shape[1]), lattice.voxels)
        return vector

    return valued(FEATURES, plain(lattices, aggregations, described))
