"""What findings on protocols are called in DICOM's own vocabulary, and under the private scheme where it has no word.

Sources: PS3.16 CID 230 (yes, no, undetermined), CID 6044 (image quality assessment types), CID 6314 and CID 6315
(findings on the quality of studies and of series), CID 6326 and CID 6353 (quality control standards).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bingcheng.core.codes import Code
from bingcheng.core.finding import Level, Outcome, Trust
from bingcheng.outputs.codes import PRIVATE_SCHEME

LONGEST_MEANING = 64
"""The characters of a code's meaning (PS3.5 6.2, VR LO)."""

QUALITY_ASSESSMENT = Code("111050", "DCM", "Quality Assessment")
QUALITY_CONTROL_STANDARD = Code("111051", "DCM", "Quality Control Standard")
QUALITY_FINDING = Code("111052", "DCM", "Quality Finding")
MEETS_THE_STANDARD = Code("111237", "DCM", "Usable - Meets the quality control standard")
FAILS_THE_STANDARD = Code("111236", "DCM", "Usable - Does not meet the quality control standard")
INSTITUTIONAL_STANDARD = Code("111240", "DCM", "Institutionally defined quality control standard")

YES = Code("373066001", "SCT", "Yes")
NO = Code("373067005", "SCT", "No")
UNDETERMINED = Code("373068000", "SCT", "Undetermined")
NOT_APPLICABLE = Code("385432009", "SCT", "Not applicable")

STANDARDS: Mapping[str, Code] = MappingProxyType(
    {"prostate_mpmri_pirads21": Code("130608", "DCM", "PI-RADS 2.1 prostate MRI acquisition requirements")}
)
"""Protocols of the library for which DICOM has a code, by identifier."""

INCOMPLETE_STUDY = Code("130574", "DCM", "Incomplete study")
PROTOCOL_NOT_FOLLOWED = Code("130570", "DCM", "Protocol not followed")
ADC_MAP_MISSING = Code("130585", "DCM", "Expected ADC map is missing")
B_VALUE_MISSING = Code("130583", "DCM", "Expected b-value is missing")
COVERAGE_INCOMPLETE = Code("130576", "DCM", "Anatomy coverage incomplete")
POOR_FOV = Code("130577", "DCM", "Poor FOV selection")
POOR_TIMING = Code("130579", "DCM", "Poor contrast timing")
QUALITY_FINDINGS: Mapping[str, Code] = MappingProxyType(
    {
        "derived.is_adc_map": ADC_MAP_MISSING,
        "derived.b_values": B_VALUE_MISSING,
        "derived.max_b": B_VALUE_MISSING,
        "derived.n_b_values": B_VALUE_MISSING,
        "derived.coverage_mm": COVERAGE_INCOMPLETE,
        "derived.dwi_coverage_mm": COVERAGE_INCOMPLETE,
        "image.anatomic_extent": COVERAGE_INCOMPLETE,
        "image.breast_coverage": COVERAGE_INCOMPLETE,
        "derived.fov_mm": POOR_FOV,
        "derived.field_over_diameter": POOR_FOV,
        "derived.contrast_delay_s": POOR_TIMING,
        "derived.contrast_delays_s": POOR_TIMING,
        "derived.contrast_phase": POOR_TIMING,
        "derived.contrast_phases": POOR_TIMING,
        "derived.possible_phases": POOR_TIMING,
        "derived.phases_held": POOR_TIMING,
        "derived.first_post_end_s": POOR_TIMING,
    }
)
"""What a failed criterion on such a quantity amounts to; on any other, the protocol was not followed."""


def own(value: str, meaning: str) -> Code:
    """A concept of the private scheme."""
    return Code(value, PRIVATE_SCHEME, meaning[:LONGEST_MEANING])


CRITERION_MET = own("criterion-met", "Criterion met")
GATE = own("strict-gate", "Stopped at a strict gate")
LEVEL = own("level", "Level of the criterion")
TRUST = own("trust", "How far the source was verified")
LIMIT = own("limit", "Limit")
MEASURED = own("measured", "Measured")
VALUE = own("value", "Value of the criterion's quantity")
BEYOND = own("beyond-limit", "Distance beyond the limit")
REASON = own("reason", "Reason")
REMEDY = own("remedy", "What to do")
OWNER = own("owner", "Who can mend it")
SOURCE = own("source", "Source of the limit")
LESION = own("lesion", "Lesion that decided")
VERSION = own("protocol-version", "Version of the protocol")
TITLE = own("criterion-title", "Criterion")
PROTOCOL_TITLE = own("protocol-title", "Protocol")

OUTCOMES: Mapping[Outcome, Code] = MappingProxyType(
    {
        Outcome.PASS: YES,
        Outcome.FAIL: NO,
        Outcome.UNKNOWN: UNDETERMINED,
        Outcome.NOT_APPLICABLE: NOT_APPLICABLE,
        Outcome.WAIVED: own("waived", "Waived"),
    }
)
"""Whether a criterion is met, as an answer."""
LEVELS: Mapping[Level, Code] = MappingProxyType({one: own(one.value, one.value.capitalize()) for one in Level})
TRUSTS: Mapping[Trust, Code] = MappingProxyType({one: own(one.value, one.value.capitalize()) for one in Trust})
