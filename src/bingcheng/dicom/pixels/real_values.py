"""From stored values to real ones: rescale or real-world value mapping, the unit that results, and padding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.units import UNITS
from bingcheng.dicom.index.elements import Coding, Elements, first_item, items
from bingcheng.dicom.index.functional_groups import PER_FRAME, SHARED
from bingcheng.dicom.index.values import binary, number, plain

ZERO_SLOPE = Problem(
    code="dicom.zero-slope",
    says="RescaleSlope is 0: all pixels would have one value",
    remedy="Export the series again from the scanner; this copy has lost its values.",
    owner=Owner.VENDOR,
)
NO_RESCALE = Problem(
    code="dicom.missing-rescale",
    says="RescaleSlope or RescaleIntercept is absent or unreadable, so that stored values can't be turned into {unit}",
    remedy="Export the series again from the scanner; this copy has lost its values.",
    owner=Owner.ARCHIVE,
)
NOT_HOUNSFIELD = Problem(
    code="dicom.not-hounsfield",
    says="the CT pixels aren't Hounsfield units but {rescale_type}",
    remedy="Send the conventional CT images; spectral and density maps aren't measured as HU.",
    owner=Owner.TECHNOLOGIST,
)
UNKNOWN_PET_UNITS = Problem(
    code="dicom.unknown-pet-units",
    says="the PET pixels are in units that aren't known here ({units})",
    remedy="Send the series reconstructed in Bq/ml.",
    owner=Owner.TECHNOLOGIST,
)
MODALITY_LUT = Problem(
    code="dicom.modality-lut",
    says="the pixels are mapped by a table (Modality LUT), not by slope and intercept",
    remedy="Send the original images rather than a converted copy.",
    owner=Owner.TECHNOLOGIST,
)
REAL_WORLD_LUT = Problem(
    code="dicom.real-world-lut",
    says="the real-world values are mapped by a table, not by slope and intercept",
    remedy="Export the map with a linear real-world value mapping.",
    owner=Owner.VENDOR,
)
UNKNOWN_UNIT = Problem(
    code="dicom.unknown-unit",
    says="the map's values have a unit that isn't known here ({unit})",
    remedy="Write the unit as a UCUM code.",
    owner=Owner.VENDOR,
)

_TRANSFORMATION, _REAL_WORLD = 0x00289145, 0x00409096
_SLOPE, _INTERCEPT, _RESCALE_TYPE = 0x00281053, 0x00281052, 0x00281054
_UNITS, _SUV_TYPE = 0x00541001, 0x00541006
_PADDING, _PADDING_LIMIT = 0x00280120, 0x00280121
_LUT = 0x00283000
_RWV_SLOPE, _RWV_INTERCEPT, _RWV_UNIT, _RWV_TABLE = 0x00409225, 0x00409224, 0x004008EA, 0x00409212
_MODALITY = 0x00080060
VALUE_TAGS = frozenset(
    (
        *(_SLOPE, _INTERCEPT, _RESCALE_TYPE, _UNITS, _SUV_TYPE, _PADDING, _PADDING_LIMIT, _LUT, _REAL_WORLD),
        *(_MODALITY, SHARED, PER_FRAME),
    )
)
_MACROS = frozenset((_TRANSFORMATION, _REAL_WORLD))
_INSIDE = frozenset((_SLOPE, _INTERCEPT, _RESCALE_TYPE))
_MAPPING = frozenset((_RWV_SLOPE, _RWV_INTERCEPT, _RWV_UNIT, _RWV_TABLE))

HOUNSFIELD = "[hnsf'U]"
ARBITRARY = "{arbitrary}"
AIR: Mapping[str, float] = MappingProxyType({"CT": -1000.0})
"""What padded voxels are set to, by modality; nothing (0) for the others."""

# PS3.3 C.8.9.1.1.3; counts per second and proportional-to-counts have no absolute scale either.
_PET_UNITS: Mapping[str, str] = MappingProxyType(
    {"BQML": "Bq/ml", "CNTS": "{counts}", "CPS": "{counts}", "PROPCPS": "{counts}", "PROPCNTS": "{counts}"}
)
_SUV_UNITS: Mapping[str, str] = MappingProxyType({"BW": "g/ml", "LBM": "g/ml{SUVlbm}"})
# Codes of PS3.16 CID 7180, 84 and 3082 that mean one of ours.
_SAME_UNITS: Mapping[str, str] = MappingProxyType(
    {"1": ARBITRARY, "10-6.mm2/s": "um2/s", "{SUVbw}g/ml": "g/ml", "{SUVlbm}g/ml": "g/ml{SUVlbm}", "{CNTS}": "{counts}"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RealValues:
    """real value = slope x stored value + intercept, in `unit`; stored values within `padding` are none."""

    slope: float
    intercept: float
    unit: str
    padding: tuple[float, float] | None
    fill: float


class ValueMaps:
    """How each frame of one file is to be read."""

    def __init__(self, found: Elements, *, signed: bool) -> None:
        values, coding = found.values, found.coding
        self._top = values
        self._coding = coding
        self._modality = plain(values.get(_MODALITY)) or ""
        self._shared = first_item(values.get(SHARED), coding, _MACROS)
        self._frames = items(values.get(PER_FRAME), coding, _MACROS)
        self._padding = _padding(values, coding, signed=signed)

    def of(self, frame: int) -> RealValues:
        """How the values of a frame, counted from 0, are to be read.

        Raises
        ------
        InputError
            ``dicom.zero-slope``, ``dicom.missing-rescale``, ``dicom.not-hounsfield``, ``dicom.unknown-pet-units``,
            ``dicom.modality-lut``, ``dicom.real-world-lut``, ``dicom.unknown-unit``.
        """
        own = self._frames[frame] if frame < len(self._frames) else {}
        if _LUT in self._top and items(self._top[_LUT], self._coding, frozenset()):
            raise InputError(MODALITY_LUT)
        rescale = self._top
        for macros in (own, self._shared):
            if _TRANSFORMATION in macros:
                rescale = first_item(macros[_TRANSFORMATION], self._coding, _INSIDE)
                break
        mapping = own.get(_REAL_WORLD, self._shared.get(_REAL_WORLD, self._top.get(_REAL_WORLD)))
        slope, intercept, unit = self._line(rescale, mapping)
        if slope == 0:
            raise InputError(ZERO_SLOPE)
        return RealValues(
            slope=slope,
            intercept=intercept,
            unit=unit,
            padding=self._padding,
            fill=AIR.get(self._modality, 0.0),
        )

    def _line(self, rescale: Mapping[int, bytes], mapping: bytes | None) -> tuple[float, float, str]:
        if self._modality == "CT":
            rescale_type = plain(rescale.get(_RESCALE_TYPE))
            # US is "unspecified", which many converters write for HU (PS3.3 C.11.1.1.2).
            if rescale_type not in (None, "HU", "US"):
                raise InputError(NOT_HOUNSFIELD, rescale_type=rescale_type)
            return *_slope(rescale, HOUNSFIELD), HOUNSFIELD
        units = plain(self._top.get(_UNITS))
        if self._modality == "PT" and (units is not None or mapping is None):
            unit = self._pet_unit(units)
            return *_slope(rescale, unit), unit
        mapped = self._real_world(mapping)
        if mapped is not None:
            return mapped
        # An MR signal has no scale of its own; without a rescale the stored value is the signal.
        if not rescale.get(_SLOPE) and not rescale.get(_INTERCEPT):
            return 1.0, 0.0, ARBITRARY
        return *_slope(rescale, ARBITRARY), ARBITRARY

    def _pet_unit(self, units: str | None) -> str:
        if units == "GML":
            # SUV Type is optional: body weight is the default (PS3.3 C.8.9.1).
            unit = _SUV_UNITS.get(plain(self._top.get(_SUV_TYPE)) or "BW")
        else:
            unit = _PET_UNITS.get(units or "")
        if unit is None:
            raise InputError(UNKNOWN_PET_UNITS, units=units or "absent")
        return unit

    def _real_world(self, raw: bytes | None) -> tuple[float, float, str] | None:
        """The first linear mapping to a known unit; None if there is no mapping, or none to a known unit."""
        mappings = items(raw, self._coding, _MAPPING)
        tables = 0
        for mapping in mappings:
            slope = binary(mapping.get(_RWV_SLOPE), "d", self._coding)
            intercept = binary(mapping.get(_RWV_INTERCEPT), "d", self._coding)
            if slope is None or intercept is None:
                tables += _RWV_TABLE in mapping
                continue
            code = plain(first_item(mapping.get(_RWV_UNIT), self._coding, frozenset((0x00080100,))).get(0x00080100))
            unit = _SAME_UNITS.get(code or "", code or "")
            if unit in UNITS:
                return slope, intercept, unit
        if mappings and tables == len(mappings):
            raise InputError(REAL_WORLD_LUT)
        return None


def _slope(rescale: Mapping[int, bytes], unit: str) -> tuple[float, float]:
    slope, intercept = number(rescale.get(_SLOPE)), number(rescale.get(_INTERCEPT))
    if slope is None or intercept is None:
        raise InputError(NO_RESCALE, unit=unit)
    return slope, intercept


def _padding(values: Mapping[int, bytes], coding: Coding, *, signed: bool) -> tuple[float, float] | None:
    """The range of stored values that mean nothing, ends included (PS3.3 C.7.5.1.1.2)."""
    kind = "h" if signed else "H"
    one = binary(values.get(_PADDING), kind, coding)
    if one is None:
        return None
    other = binary(values.get(_PADDING_LIMIT), kind, coding)
    return (one, one) if other is None else (min(one, other), max(one, other))
