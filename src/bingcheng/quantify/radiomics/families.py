"""Which module computes which feature family, and the list of all features."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from bingcheng.quantify.radiomics.discretisation import FixedBinNumber
from bingcheng.quantify.radiomics.feature import DIRECTIONAL, PLAIN, Aggregation, Family, Feature, Values
from bingcheng.quantify.radiomics.roi import Roi
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

_FLOOR = "bingcheng.quantify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a family is computed.

    Parameters
    ----------
    module : under `bingcheng.quantify`; loaded when the family is first asked for, so that nobody waits for kernels
        that stay unused.
    function : its name in the module, of a family that is computed by itself; None for texture, whose families share
        what they count.
    aggregations : those that the family knows; empty for families without.
    """

    family: Family
    module: str
    function: str | None = None
    aggregations: tuple[Aggregation, ...] = ()

    @property
    def features(self) -> tuple[Feature, ...]:
        """The features of the family, without aggregations."""
        found: tuple[Feature, ...] = import_module(f"{_FLOOR}.{self.module}").FEATURES
        return found

    def asked(self, settings: RadiomicsSettings) -> tuple[Aggregation, ...]:
        """The aggregations that the settings ask of this family."""
        return tuple(one for one in settings.aggregations if one in self.aggregations)


SOURCES: tuple[Source, ...] = (
    Source(family=Family.MORPHOLOGY, module="shape.morphology", function="morphology"),
    Source(family=Family.LOCAL_INTENSITY, module="intensity.local_intensity", function="local_intensity"),
    Source(family=Family.STATISTICS, module="intensity.statistics", function="statistics"),
    Source(family=Family.HISTOGRAM, module="intensity.histogram", function="histogram"),
    Source(family=Family.VOLUME_HISTOGRAM, module="intensity.volume_histogram", function="volume_histogram"),
    Source(family=Family.COOCCURRENCE, module="texture.cooccurrence", aggregations=DIRECTIONAL),
    Source(family=Family.RUN_LENGTH, module="texture.run_length", aggregations=DIRECTIONAL),
    Source(family=Family.SIZE_ZONE, module="texture.size_zone", aggregations=PLAIN),
    Source(family=Family.DISTANCE_ZONE, module="texture.distance_zone", aggregations=PLAIN),
    Source(family=Family.GREY_TONE_DIFFERENCE, module="texture.grey_tone_difference", aggregations=PLAIN),
    Source(family=Family.GREY_LEVEL_DEPENDENCE, module="texture.grey_level_dependence", aggregations=PLAIN),
)
TEXTURE = frozenset(source.family for source in SOURCES if source.function is None)
"""The families that are computed together."""


def computed(roi: Roi, settings: RadiomicsSettings) -> Iterator[Values]:
    """The values of each family that the settings ask for; texture at once."""
    for source in SOURCES:
        if source.function is not None and source.family in settings.families:
            yield _by_itself(source, roi)
    textures = TEXTURE.intersection(settings.families)
    if textures and settings.aggregations:
        yield _function("texture.families", "texture")(
            roi,
            settings.aggregations,
            textures,
            pair_distance=settings.distance,
            difference_distance=settings.neighbourhood_distance,
            dependence_distance=settings.neighbourhood_distance,
            coarseness=settings.coarseness,
        )


def _by_itself(source: Source, roi: Roi) -> Values:
    return _function(source.module, str(source.function))(roi)


@cache
def _function(module: str, name: str) -> Callable[..., Values]:
    """The function that computes a family; found once, as it is asked for with every lesion."""
    found: Callable[..., Values] = getattr(import_module(f"{_FLOOR}.{module}"), name)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One feature in one aggregation, as the settings ask for it.

    Parameters
    ----------
    tag : its tag in the IBSI's reference tables, ``cm_joint_max_3D_comb``.
    aggregation : None for families without.
    in_bins : whether its intensities are numbers of bins, not intensities of the image.
    """

    tag: str
    feature: Feature
    aggregation: Aggregation | None = None
    in_bins: bool = False

    @property
    def ibsi(self) -> str:
        """Its identifier in the IBSI reference manual, with that of the aggregation after a colon."""
        return self.feature.ibsi if self.aggregation is None else f"{self.feature.ibsi}:{self.aggregation.ibsi}"

    def unit_of(self, image_unit: str) -> str:
        """The UCUM unit of its value for an image in `image_unit`."""
        return self.feature.unit if self.in_bins else self.feature.unit_of(image_unit)


def all_features(settings: RadiomicsSettings | None = None) -> tuple[Entry, ...]:
    """Every feature that the settings ask for (None: every feature in every aggregation), in the manual's order."""
    asked = settings or RadiomicsSettings(aggregations=tuple(Aggregation))
    return tuple(entry for source in SOURCES if source.family in asked.families for entry in _entries(source, asked))


def _entries(source: Source, settings: RadiomicsSettings) -> Iterator[Entry]:
    in_bins = source.family is Family.VOLUME_HISTOGRAM and isinstance(settings.volume_histogram, FixedBinNumber)
    for aggregation in source.asked(settings) if source.aggregations else (None,):
        for feature in source.features:
            tag = feature.tag if aggregation is None else f"{feature.tag}_{aggregation.value}"
            yield Entry(tag=tag, feature=feature, aggregation=aggregation, in_bins=in_bins)
