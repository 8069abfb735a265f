"""Coded concepts for structured reports and segmentations: what a measure is called in DICOM's own vocabulary.

A measure without a published code is written under the private scheme ``99BINGCHENG`` with its own key as code value,
so that it can be found again. Sources: PS3.16 CID 7466, 7469, 7470, 7472, 6147; IBSI reference manual.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bingcheng.core.codes import Code
from bingcheng.core.measurement import Measurement
from bingcheng.core.units import UNITS

PRIVATE_SCHEME = "99BINGCHENG"
"""Coding scheme of measures that have no published code; 99 marks a private scheme (PS3.16 section 8)."""

MORPHOLOGICALLY_ABNORMAL = Code("49755003", "SCT", "Morphologically Abnormal Structure")
NEOPLASM = Code("108369006", "SCT", "Neoplasm")
MEAN = Code("373098007", "SCT", "Mean")
MAXIMUM = Code("56851009", "SCT", "Maximum")
PEAK = Code("126031", "DCM", "Peak Value Within ROI")
UPPER_UNCERTAINTY = Code("371886008", "SCT", "+, range of upper measurement uncertainty")
LOWER_UNCERTAINTY = Code("371885007", "SCT", "-, range of lower measurement uncertainty")
LONG_AXIS_SRT = Code("G-A185", "SRT", "Long Axis")
SHORT_AXIS_SRT = Code("G-A186", "SRT", "Short Axis")
COMMENT = Code("121106", "DCM", "Comment")
SUV_BODY_WEIGHT = Code("126401", "DCM", "SUVbw")

PROCEDURES: Mapping[str, Code] = MappingProxyType(
    {
        "CT": Code("25045-6", "LN", "CT unspecified body region"),
        "MR": Code("25056-3", "LN", "MRI unspecified body region"),
        "PT": Code("44136-0", "LN", "PET unspecified body region"),
    }
)
"""Procedure reported, by modality (PS3.16 CID 100)."""
ANY_PROCEDURE = Code("363679005", "SCT", "Imaging procedure")


@dataclass(frozen=True, slots=True)
class CodedMeasure:
    """What is measured, and how the value was derived from the voxels if it was (PS3.16 TID 300)."""

    concept: Code
    derivation: Code | None = None


MEASURES: Mapping[str, CodedMeasure] = MappingProxyType(
    {
        "volume": CodedMeasure(Code("118565006", "SCT", "Volume")),
        "longest_diameter": CodedMeasure(Code("103339001", "SCT", "Long axis")),
        "short_axis": CodedMeasure(Code("103340004", "SCT", "Short axis")),
        "diameter_3d": CodedMeasure(Code("L0JK", "IBSI", "Maximum 3D Diameter of a Mesh")),
        "hu_mean": CodedMeasure(Code("112031", "DCM", "Attenuation Coefficient"), MEAN),
        "hu_max": CodedMeasure(Code("112031", "DCM", "Attenuation Coefficient"), MAXIMUM),
        "adc_mean": CodedMeasure(Code("113041", "DCM", "Apparent Diffusion Coefficient"), MEAN),
        "suv_max": CodedMeasure(SUV_BODY_WEIGHT, MAXIMUM),
        "suv_mean": CodedMeasure(SUV_BODY_WEIGHT, MEAN),
        "suv_peak": CodedMeasure(SUV_BODY_WEIGHT, PEAK),
        "sul_peak": CodedMeasure(Code("126405", "DCM", "SUVlbm(Janma)"), PEAK),
        "metabolic_tumour_volume": CodedMeasure(Code("126032", "DCM", "Metabolic Volume")),
        "total_lesion_glycolysis": CodedMeasure(Code("126033", "DCM", "Total Lesion Glycolysis")),
    }
)
"""The measures of this package that have a published concept, by key."""

DICOM_UNITS: Mapping[str, Code] = MappingProxyType(
    {
        "1": Code("1", "UCUM", "no units"),
        "g/ml": Code("g/ml{SUVbw}", "UCUM", "Standardized Uptake Value body weight"),
        "g/ml{SUVlbm}": Code("g/ml{SUVlbm(Janma)}", "UCUM", "Standardized Uptake Value lean body mass (Janma)"),
    }
)
"""Units that DICOM annotates more closely than this package does (PS3.16 CID 85)."""


def coded(measurement: Measurement, published: Mapping[str, Code] | None = None) -> CodedMeasure:
    """The concept of a measurement: of the table above, else of `published` (by key), else the private one."""
    if measurement.key in MEASURES:
        return MEASURES[measurement.key]
    if published is not None and measurement.key in published:
        return CodedMeasure(published[measurement.key])
    return CodedMeasure(private(measurement))


def private(measurement: Measurement) -> Code:
    """The private concept of a measurement: its key, and its label as meaning."""
    return Code(measurement.key, PRIVATE_SCHEME, measurement.label[:64])


def unit_code(unit: str) -> Code:
    """The UCUM code of a unit, with its meaning."""
    return DICOM_UNITS.get(unit) or Code(unit, "UCUM", UNITS[unit].meaning if unit in UNITS else unit)
