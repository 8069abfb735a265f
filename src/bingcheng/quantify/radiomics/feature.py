"""What a radiomics feature is: its name in the reference tables, its identifier, and how it is aggregated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bingcheng.core.errors import Undefined

IBSI_1 = "IBSI reference manual, arXiv:1612.07003v11; Zwanenburg et al., Radiology 2020;295:328-338"

Values = Mapping[str, "float | Undefined"]
"""Features by tag: a finite number, or why the definition gives none. Never NaN or infinite."""


class Family(StrEnum):
    """The feature families of the IBSI 1 reference manual, by its identifiers."""

    MORPHOLOGY = "HCUG"
    LOCAL_INTENSITY = "9ST6"
    STATISTICS = "UHIW"
    HISTOGRAM = "ZVCW"
    VOLUME_HISTOGRAM = "P88C"
    COOCCURRENCE = "LFYI"
    RUN_LENGTH = "TP0I"
    SIZE_ZONE = "9SAK"
    DISTANCE_ZONE = "VMDZ"
    GREY_TONE_DIFFERENCE = "IPET"
    GREY_LEVEL_DEPENDENCE = "REK0"


class Aggregation(StrEnum):
    """How texture matrices over directions and slices become one value; the value ends the feature's tag.

    Families with one matrix a direction (co-occurrence, run length) know the six with ``avg`` and ``comb``; families
    with one matrix a slice or volume (zones, neighbourhoods) know the plain three.
    """

    BY_SLICE_AVERAGED = "2D_avg"
    BY_SLICE_MERGED = "2D_comb"
    BY_DIRECTION_MERGED = "2_5D_avg"
    BY_SLICE_FULLY_MERGED = "2_5D_comb"
    IN_VOLUME_AVERAGED = "3D_avg"
    IN_VOLUME_MERGED = "3D_comb"
    BY_SLICE = "2D"
    OVER_SLICES_MERGED = "2_5D"
    IN_VOLUME = "3D"

    @property
    def ibsi(self) -> str:
        """The identifier of the aggregation in the IBSI reference manual."""
        return _AGGREGATION_IDS[self]

    @property
    def by_slice(self) -> bool:
        """Whether neighbours are sought within the slices alone."""
        return not self.startswith("3D")


_AGGREGATION_IDS: Mapping[Aggregation, str] = {
    Aggregation.BY_SLICE_AVERAGED: "BTW3",
    Aggregation.BY_SLICE_MERGED: "SUJT",
    Aggregation.BY_DIRECTION_MERGED: "JJUI",
    Aggregation.BY_SLICE_FULLY_MERGED: "ZW7Z",
    Aggregation.IN_VOLUME_AVERAGED: "ITBB",
    Aggregation.IN_VOLUME_MERGED: "IAZD",
    Aggregation.BY_SLICE: "8QNN",
    Aggregation.OVER_SLICES_MERGED: "62GR",
    Aggregation.IN_VOLUME: "KOBO",
}

DIRECTIONAL = tuple(one for one in Aggregation if one.endswith(("avg", "comb")))
"""Aggregations of families with one matrix a direction."""
PLAIN = tuple(one for one in Aggregation if one not in DIRECTIONAL)
"""Aggregations of families with one matrix a slice or volume."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One feature of a family.

    Parameters
    ----------
    tag : its tag in the IBSI's reference tables without the aggregation, e.g. ``cm_joint_max``.
    label : its name in the reference manual, sentence case.
    ibsi : its identifier in the reference manual.
    family : where it belongs.
    unit : UCUM code of the value, apart from what the image's unit adds.
    intensity_power : power of the image's unit in the value: 1 for a mean, 2 for a variance.
    """

    tag: str
    label: str
    ibsi: str
    family: Family
    unit: str = "1"
    intensity_power: int = 0

    def unit_of(self, image_unit: str) -> str:
        """The value's UCUM unit for an image in `image_unit`."""
        if not self.intensity_power or image_unit == "1":
            return self.unit
        intensity = image_unit if self.intensity_power == 1 else _squared(image_unit)
        return intensity if self.unit == "1" else f"{intensity}.{self.unit}"


def _squared(unit: str) -> str:
    """A unit squared in the grammar of UCUM, where a power stands at a single unit and not at a bracket around several.

    ``[hnsf'U]2``, ``(g/ml).(g/ml)``, ``{arbitrary}.{arbitrary}``.
    """
    if unit.isalpha() or (unit.startswith("[") and unit.endswith("]")):
        return f"{unit}2"
    return f"{unit}.{unit}" if unit.startswith("{") else f"({unit}).({unit})"
