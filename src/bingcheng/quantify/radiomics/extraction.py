"""Features of a lesion from one call: settings in, values with identifiers, units and provenance out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.provenance import Provenance
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.radiomics.chain import SHEARED_GRID, Cut, cut, processed
from bingcheng.quantify.radiomics.families import Entry, all_features, computed
from bingcheng.quantify.radiomics.feature import Family
from bingcheng.quantify.radiomics.roi import Roi
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

OVERFLOWS = Problem(
    code="quantify.radiomics-overflows",
    says="'{feature}' is beyond the range of numbers for intensities of this size",
    remedy="Scale the intensities, or leave the feature out.",
    owner=Owner.PHYSICIST,
)

ARBITRARY = "{arbitrary}"
WITHOUT_PLACE = frozenset((Family.STATISTICS, Family.HISTOGRAM, Family.VOLUME_HISTOGRAM))
"""What intensities alone tell: the families that hold on slices that lie askew too."""
REVISION = 1
"""Raised whenever the same image, region and settings give another value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureValue:
    """One value with all that a table or report needs to name it.

    Parameters
    ----------
    tag, label, family : as the IBSI names them.
    ibsi : identifier in the reference manual, with that of the aggregation.
    unit : UCUM code.
    value : None exactly when `undefined` says why there is none.
    """

    tag: str
    label: str
    family: str
    ibsi: str
    unit: str
    value: float | None
    undefined: Undefined | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """What is measured of a lesion: the fields of `RadiomicsResult` that don't follow from what was asked."""

    values: Mapping[str, float | Undefined]
    geometry: VolumeGeometry
    voxels: int
    counted: int
    without_value: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RadiomicsResult:
    """The features of one lesion.

    Parameters
    ----------
    values : by tag, in the manual's order: a finite number, or why there is none.
    settings : with which they were extracted.
    image_unit : UCUM code of the intensities that the features are in.
    geometry : of the lesion's bounding box after interpolation.
    voxels, counted, without_value : voxels of the morphological mask, of the intensity mask, and those left out
        because the image has no recorded intensity there.
    tilt_deg : of the gantry, where the slices were moved over each other before all else for it; else None.
    provenance : package, version, settings and inputs.
    """

    values: Mapping[str, float | Undefined]
    settings: RadiomicsSettings
    image_unit: str
    geometry: VolumeGeometry
    voxels: int
    counted: int
    without_value: int
    provenance: Provenance
    tilt_deg: float | None = None

    def __getitem__(self, tag: str) -> float:
        """The value of `tag`; raises its `Undefined` where the definition gives none."""
        value = self.values[tag]
        if isinstance(value, Undefined):
            raise value
        return value

    def numbers(self) -> dict[str, float]:
        """The values that there are, by tag."""
        return {tag: value for tag, value in self.values.items() if not isinstance(value, Undefined)}

    def rows(self) -> Iterator[FeatureValue]:
        """Every value with its names, identifiers and unit."""
        for entry in all_features(self.settings):
            value = self.values[entry.tag]
            missing = value if isinstance(value, Undefined) else None
            yield FeatureValue(
                tag=entry.tag,
                label=entry.feature.label,
                family=entry.feature.family.name.lower(),
                ibsi=entry.ibsi,
                unit=entry.unit_of(self.image_unit),
                value=None if isinstance(value, Undefined) else value,
                undefined=missing,
            )


def features(
    volume: Volume, region: Region, settings: RadiomicsSettings, *, inputs: tuple[str, ...] = ()
) -> RadiomicsResult:
    """The radiomics features of a lesion.

    Parameters
    ----------
    volume : the image.
    region : the lesion, on its grid.
    settings : what to extract and how.
    inputs : UIDs of the series that were read, for the provenance; the region's own is added.

    Raises
    ------
    InputError
        as `chain.prepared`.
    Undefined
        ``quantify.lesion-without-voxels``. A single feature without a value is told in the result.

    Notes
    -----
    Of slices that a tilted gantry left askew, only what intensities alone tell has a value without interpolation; with
    it the slices are moved over each other first, and the result says so.
    """
    found = measured(cut(volume, region, settings), settings)
    return result_of(found, volume, region, settings, settings_told(settings), inputs)


def values_of(roi: Roi, settings: RadiomicsSettings) -> dict[str, float | Undefined]:
    """The values of a prepared lesion by tag: a finite number, or why there is none."""
    found: dict[str, float | Undefined] = {}
    for values in computed(roi, _of_intensities(settings) if roi.askew else settings):
        found |= values
    if roi.askew:
        found = {one.tag: found.get(one.tag, Undefined(SHEARED_GRID)) for one in all_features(settings)}
    for tag, value in found.items():
        if not isinstance(value, Undefined) and not math.isfinite(value):
            found[tag] = Undefined(OVERFLOWS, feature=tag)
    return found


def _of_intensities(settings: RadiomicsSettings) -> RadiomicsSettings:
    return replace(settings, families=tuple(one for one in settings.families if one in WITHOUT_PLACE))


def measured(part: Cut, settings: RadiomicsSettings) -> Measured:
    """The features of a lesion and what was counted, from what was cut out of its image.

    Raises
    ------
    InputError
        as `chain.processed`.
    """
    lesion = processed(part, settings)
    return Measured(
        values=values_of(lesion.roi, settings),
        geometry=lesion.geometry,
        voxels=lesion.voxels,
        counted=lesion.counted,
        without_value=lesion.without_value,
    )


def result_of(
    lesion: Measured,
    volume: Volume,
    region: Region,
    settings: RadiomicsSettings,
    told: Mapping[str, object],
    inputs: tuple[str, ...],
) -> RadiomicsResult:
    """What was measured, with its unit and where it comes from; `told` is that of `settings_told`."""
    sources = inputs if region.source_uid is None else (*inputs, region.source_uid)
    drawn: dict[str, object] = {"region_method": region.method} if region.method else {}
    tilt = None
    if settings.interpolation is not None and volume.geometry.sheared:
        from bingcheng.image.gantry_tilt import tilt_deg  # noqa: PLC0415 - most gantries are upright

        tilt = tilt_deg(volume.geometry)
        drawn["gantry_tilt"] = {"degrees": tilt, "slices": "moved over each other by cubic splines"}
    return RadiomicsResult(
        values=lesion.values,
        settings=settings,
        image_unit=_unit(volume, settings),
        geometry=lesion.geometry,
        voxels=lesion.voxels,
        counted=lesion.counted,
        without_value=lesion.without_value,
        provenance=Provenance(measure="radiomics", revision=REVISION, parameters={**told, **drawn}, inputs=sources),
        tilt_deg=tilt,
    )


def settings_told(settings: RadiomicsSettings) -> dict[str, object]:
    """The settings as provenance tells them; the same for every lesion, and not free to make."""
    return {"settings": settings.as_mapping(), "digest": settings.digest}


def _unit(volume: Volume, settings: RadiomicsSettings) -> str:
    return ARBITRARY if settings.filter is not None and settings.filter.unitless else volume.unit


__all__ = ["Entry", "FeatureValue", "Measured", "RadiomicsResult", "all_features", "features", "values_of"]
