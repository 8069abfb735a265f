"""All settings of a radiomics extraction in the terms of the IBSI: one object, checked when it is made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from bingcheng.core.wording import Text, text
from bingcheng.quantify.filters.filter import Filter
from bingcheng.quantify.radiomics import validation
from bingcheng.quantify.radiomics.discretisation import (
    Discretisation,
    FixedBinNumber,
    FixedBinSize,
    NoDiscretisation,
)
from bingcheng.quantify.radiomics.feature import DIRECTIONAL, PLAIN, Aggregation, Family
from bingcheng.quantify.radiomics.interpolation import Interpolation
from bingcheng.quantify.radiomics.resegmentation import Resegmentation

IN_VOLUME = (Aggregation.IN_VOLUME_AVERAGED, Aggregation.IN_VOLUME_MERGED, Aggregation.IN_VOLUME)
"""Neighbours in all three directions; for voxels of equal sides."""
MERGED_IN_VOLUME = (Aggregation.IN_VOLUME_MERGED, Aggregation.IN_VOLUME)
"""One value a feature: what is compared between patients as a rule."""
BY_SLICE = tuple(one for one in Aggregation if one.by_slice)
"""Neighbours within the slices alone; for thick slices."""

FURTHEST_NEIGHBOUR = 10
COARSEST = 1000


class Precision(StrEnum):
    """How the intensities that features are computed from are held."""

    SINGLE = "float32"
    DOUBLE = "float64"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the processing, for reports: what it is, how it was set, its identifier in the IBSI manual."""

    name: Text
    setting: Text
    ibsi: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RadiomicsSettings:
    """How features are extracted. The defaults are what the manual recommends for images in arbitrary units.

    Parameters
    ----------
    interpolation : to other voxels; None takes the image's own.
    partial_volume_threshold : part of a voxel from which on it belongs (IBSI E8H9), above 0 and at most 1; for
        interpolated masks and for masks of fractions.
    resegmentation : which intensities count.
    discretisation : for texture and the intensity histogram.
    volume_histogram : discretisation for the intensity-volume histogram.
    filter : applied to the interpolated image; intensities and texture are then those of the response, while
        re-segmentation still goes by the image's own intensities (IBSI 2, arXiv:2006.05470).
    families : the feature families asked for, in the manual's order.
    aggregations : of texture; each family takes those that it knows.
    distance : Chebyshev distance of neighbours in the co-occurrence matrix.
    neighbourhood_distance : the same for grey tone difference and grey level dependence.
    coarseness : difference of grey levels that still counts as dependent (alpha).
    precision : of the intensities.
    """

    interpolation: Interpolation | None = None
    partial_volume_threshold: float = 0.5
    resegmentation: Resegmentation = field(default_factory=Resegmentation)
    discretisation: Discretisation = field(default_factory=lambda: FixedBinNumber(count=32))
    volume_histogram: Discretisation = field(default_factory=lambda: FixedBinNumber(count=1000))
    filter: Filter | None = None
    families: tuple[Family, ...] = tuple(Family)
    aggregations: tuple[Aggregation, ...] = MERGED_IN_VOLUME
    distance: int = 1
    neighbourhood_distance: int = 1
    coarseness: int = 0
    precision: Precision = Precision.SINGLE

    def __post_init__(self) -> None:
        threshold = validation.number("partial_volume_threshold", self.partial_volume_threshold, above=0.0)
        if threshold > 1.0:
            raise validation.not_allowed("partial_volume_threshold", threshold, "above 0 and at most 1")
        far = FURTHEST_NEIGHBOUR
        checked: dict[str, object] = {
            "partial_volume_threshold": threshold,
            "families": _members("families", self.families, Family),
            "aggregations": _members("aggregations", self.aggregations, Aggregation),
            "distance": validation.whole("distance", self.distance, 1, far),
            "neighbourhood_distance": validation.whole("neighbourhood_distance", self.neighbourhood_distance, 1, far),
            "coarseness": validation.whole("coarseness", self.coarseness, 0, COARSEST),
            "precision": validation.choice("precision", self.precision, Precision),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        if self.filter is not None and not isinstance(self.filter, Filter):
            raise validation.not_allowed("filter", type(self.filter).__name__, "a filter of the IBSI 2 catalogue")

    @staticmethod
    def for_modality(modality: str) -> RadiomicsSettings:
        """Settings to begin with for images of a DICOM modality (``CT``, ``MR``, ``PT``; others as ``MR``).

        Voxels of 2 mm by trilinear interpolation throughout, as in the IBSI's configurations C and D. CT is
        configuration C, with CT numbers for the intensity-volume histogram. MR is configuration D without rounding:
        its units are arbitrary, for which the manual recommends a fixed bin number, and 1000 bins for the
        intensity-volume histogram; intensities should have been standardised before. PET takes the range from 0 SUV
        on and the manual's 0.1 SUV for the intensity-volume histogram; its bins of 0.25 SUV lie within the widths
        that Leijenaar et al. compared (Sci Rep 2015;5:11075).
        """
        trilinear = Interpolation(spacing_mm=(2.0, 2.0, 2.0))
        if modality == "CT":
            return RadiomicsSettings(
                interpolation=Interpolation(spacing_mm=(2.0, 2.0, 2.0), rounding=True),
                resegmentation=Resegmentation(low=-1000.0, high=400.0),
                discretisation=FixedBinSize(width=25.0),
                volume_histogram=NoDiscretisation(),
            )
        if modality == "PT":
            return RadiomicsSettings(
                interpolation=trilinear,
                resegmentation=Resegmentation(low=0.0),
                discretisation=FixedBinSize(width=0.25),
                volume_histogram=FixedBinSize(width=0.1),
            )
        return RadiomicsSettings(interpolation=trilinear, resegmentation=Resegmentation(outlier_sd=3.0))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the intensities."""
        return np.dtype(self.precision.value)

    @property
    def directional(self) -> tuple[Aggregation, ...]:
        """The aggregations for families with one matrix a direction."""
        return tuple(one for one in self.aggregations if one in DIRECTIONAL)

    @property
    def plain(self) -> tuple[Aggregation, ...]:
        """The aggregations for families with one matrix a slice or volume."""
        return tuple(one for one in self.aggregations if one in PLAIN)

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that differ between settings that may give other values; the same everywhere."""
        stored = json.dumps(self.as_mapping(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(stored.encode()).hexdigest()[:12]

    def as_mapping(self) -> dict[str, object]:
        """The settings as JSON values, in a fixed order; `settings_file.from_mapping` reads them back."""
        return {
            "interpolation": _interpolation(self.interpolation),
            "partial_volume_threshold": self.partial_volume_threshold,
            "resegmentation": {name: getattr(self.resegmentation, name) for name in ("low", "high", "outlier_sd")},
            "discretisation": _discretisation(self.discretisation),
            "volume_histogram": _discretisation(self.volume_histogram),
            "filter": None if self.filter is None else dict(self.filter.as_mapping()),
            "families": [one.name.lower() for one in self.families],
            "aggregations": [one.value for one in self.aggregations],
            "distance": self.distance,
            "neighbourhood_distance": self.neighbourhood_distance,
            "coarseness": self.coarseness,
            "precision": self.precision.value,
        }

    def steps(self) -> tuple[Step, ...]:
        """The processing, step by step, for reports."""
        return (
            *_interpolation_steps(self),
            *_resegmentation_steps(self.resegmentation),
            *_filter_steps(self.filter),
            _discretisation_step(text("Grey levels of texture and histogram"), self.discretisation),
            _discretisation_step(text("Grey levels of the intensity-volume histogram"), self.volume_histogram),
        )


def _members(name: str, given: Iterable[object], kind: type[Family | Aggregation]) -> tuple[object, ...]:
    """The members of `kind`, in its order; a family may be given by name or identifier."""
    if isinstance(given, str):
        raise validation.not_allowed(name, given, "a list")
    by_name = {one.name.lower(): one for one in kind} if kind is Family else {}
    asked = {by_name[str(one)] if str(one) in by_name else _member(name, one, kind) for one in given}
    return tuple(one for one in kind if one in asked)


def _member(name: str, value: object, kind: type[Family | Aggregation]) -> object:
    try:
        return kind(str(value))
    except ValueError:
        known = ", ".join(one.name.lower() if kind is Family else one.value for one in kind)
        raise validation.not_allowed(name, value, known) from None


def _interpolation(chosen: Interpolation | None) -> dict[str, object] | None:
    if chosen is None:
        return None
    return {
        "spacing_mm": list(chosen.spacing_mm),
        "image": chosen.image.value,
        "mask": chosen.mask.value,
        "alignment": chosen.alignment.value,
        "rounding": chosen.rounding,
    }


def _discretisation(chosen: Discretisation) -> dict[str, object]:
    if isinstance(chosen, FixedBinSize):
        return {"method": "fixed bin size", "width": chosen.width, "lowest": chosen.lowest}
    if isinstance(chosen, FixedBinNumber):
        return {"method": "fixed bin number", "count": chosen.count}
    return {"method": "none"}


def _interpolation_steps(settings: RadiomicsSettings) -> tuple[Step, ...]:
    chosen = settings.interpolation
    if chosen is None:
        return (Step(name=text("Interpolation"), setting=text("none"), ibsi="VTM2"),)
    z, y, x = ("-" if s is None else f"{s:g}" for s in chosen.spacing_mm)
    size = text("{method} to voxels of {z} × {y} × {x} mm (z, y, x)", method=text(chosen.image.value), z=z, y=y, x=x)
    found = [
        Step(name=text("Interpolation"), setting=size, ibsi="VTM2"),
        Step(name=text("Grid alignment"), setting=text(chosen.alignment.value), ibsi=chosen.alignment.ibsi),
        Step(
            name=text("Interpolation of the mask"),
            setting=text(
                "{method}, belongs from {threshold} on",
                method=text(chosen.mask.value),
                threshold=settings.partial_volume_threshold,
            ),
            ibsi="E8H9",
        ),
    ]
    if chosen.rounding:
        found.append(Step(name=text("Rounding"), setting=text("to whole numbers"), ibsi="68QD"))
    return tuple(found)


def _resegmentation_steps(rules: Resegmentation) -> tuple[Step, ...]:
    found = []
    if rules.low is not None or rules.high is not None:
        low, high = ("" if end is None else f"{end:g}" for end in (rules.low, rules.high))
        found.append(
            Step(
                name=text("Range of intensities"),
                setting=text("{low} to {high}", low=low or "-∞", high=high or "∞"),
                ibsi="USB3",
            )
        )
    if rules.outlier_sd is not None:
        setting = text("within {sd} standard deviations of the mean", sd=rules.outlier_sd)
        found.append(Step(name=text("Outliers"), setting=setting, ibsi="7ACA"))
    return tuple(found)


def _filter_steps(chosen: Filter | None) -> tuple[Step, ...]:
    if chosen is None:
        return ()
    described = ", ".join(f"{name} {value}" for name, value in chosen.as_mapping().items())
    return (Step(name=text("Filter"), setting=text("{filter}", filter=described), ibsi=chosen.ibsi),)


def _discretisation_step(name: Text, chosen: Discretisation) -> Step:
    if isinstance(chosen, FixedBinSize):
        if chosen.lowest is None:
            return Step(name=name, setting=text("fixed bin size {width}", width=chosen.width), ibsi="Q3RU")
        setting = text("fixed bin size {width} from {lowest} on", width=chosen.width, lowest=chosen.lowest)
        return Step(name=name, setting=setting, ibsi="Q3RU")
    if isinstance(chosen, FixedBinNumber):
        return Step(name=name, setting=text("fixed bin number {count}", count=chosen.count), ibsi="K15C")
    return Step(name=name, setting=text("none"))
