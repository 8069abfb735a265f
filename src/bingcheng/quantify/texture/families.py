"""Several texture families of one region at once: what they share is made once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from bingcheng.core.errors import Undefined
from bingcheng.quantify.radiomics.feature import Aggregation, Family, Feature
from bingcheng.quantify.radiomics.roi import Roi
from bingcheng.quantify.texture import (
    cooccurrence,
    distance_zone,
    grey_level_dependence,
    grey_tone_difference,
    run_length,
    size_zone,
)
from bingcheng.quantify.texture.lattice import Lattice, Lattices
from bingcheng.quantify.texture.neighbourhood import Neighbourhoods, neighbourhoods
from bingcheng.quantify.texture.zones import Zones, zones_of

Made = TypeVar("Made")

FEATURES: Mapping[Family, tuple[Feature, ...]] = MappingProxyType(
    {
        Family.COOCCURRENCE: cooccurrence.FEATURES,
        Family.RUN_LENGTH: run_length.FEATURES,
        Family.SIZE_ZONE: size_zone.FEATURES,
        Family.DISTANCE_ZONE: distance_zone.FEATURES,
        Family.GREY_TONE_DIFFERENCE: grey_tone_difference.FEATURES,
        Family.GREY_LEVEL_DEPENDENCE: grey_level_dependence.FEATURES,
    }
)


def texture(
    roi: Roi,
    aggregations: Sequence[Aggregation],
    families: Collection[Family] = tuple(FEATURES),
    *,
    pair_distance: int = 1,
    difference_distance: int = 1,
    dependence_distance: int = 1,
    coarseness: int = 0,
) -> dict[str, float | Undefined]:
    """The features of texture families by tag and aggregation: those of the families' own functions, faster.

    The lattices are made once, zones once for both families of zones, and neighbourhoods once for both families of
    neighbourhoods if they look as far.

    Parameters
    ----------
    roi : with grey levels.
    aggregations : each family takes those that it knows.
    families : those of other kinds are passed over.
    pair_distance : of `cooccurrence`.
    difference_distance : of `grey_tone_difference`.
    dependence_distance, coarseness : of `grey_level_dependence`.
    """
    lattices = Lattices(roi, margin=max(pair_distance, difference_distance, dependence_distance))

    mask = roi.morphological if Family.DISTANCE_ZONE in families else None

    def zones(lattice: Lattice, in_volume: bool) -> Zones:
        return zones_of(lattice, None if mask is None else mask[lattice.part], in_volume=in_volume)

    def around(distance: int) -> Callable[[Lattice, bool], Neighbourhoods]:
        def counted(lattice: Lattice, in_volume: bool) -> Neighbourhoods:
            return neighbourhoods(lattice, in_volume=in_volume, distance=distance, coarseness=coarseness)

        return _once(counted)

    zones_once = _once(zones)
    differing = around(difference_distance)
    depending = differing if dependence_distance == difference_distance else around(dependence_distance)
    made: Mapping[Family, Callable[[], dict[str, float | Undefined]]] = {
        Family.COOCCURRENCE: lambda: cooccurrence.cooccurrence_of(lattices, aggregations, distance=pair_distance),
        Family.RUN_LENGTH: lambda: run_length.run_length_of(lattices, aggregations),
        Family.SIZE_ZONE: lambda: size_zone.size_zone_of(lattices, aggregations, zones_once),
        Family.DISTANCE_ZONE: lambda: distance_zone.distance_zone_of(lattices, aggregations, zones_once),
        Family.GREY_TONE_DIFFERENCE: lambda: grey_tone_difference.grey_tone_difference_of(
            lattices, aggregations, differing
        ),
        Family.GREY_LEVEL_DEPENDENCE: lambda: grey_level_dependence.grey_level_dependence_of(
            lattices, aggregations, depending
        ),
    }
    values: dict[str, float | Undefined] = {}
    for family, make in made.items():
        if family in families:
            values |= make()
    return values


def _once(make: Callable[[Lattice, bool], Made]) -> Callable[[Lattice, bool], Made]:
    """What `make` gives, made once for each lattice and way of looking; the lattices outlive it."""
    made: dict[tuple[int, bool], Made] = {}

    def kept(lattice: Lattice, in_volume: bool) -> Made:
        key = (id(lattice), in_volume)
        if key not in made:
            made[key] = make(lattice, in_volume)
        return made[key]

    return kept
