"""Attributes by keyword or tag, and which ones a search answers with unasked (PS3.18 tables 10.6.3-3 to 10.6.3-5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_TAG = re.compile(r"[0-9A-Fa-f]{8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute of the data dictionary (PS3.6).

    Parameters
    ----------
    keyword : as PS3.6 writes it.
    tag : eight hexadecimal digits in upper case.
    vr : its value representation.
    """

    keyword: str
    tag: str
    vr: str


STUDY = (
    *("StudyDate", "StudyTime", "AccessionNumber", "ModalitiesInStudy", "ReferringPhysicianName", "PatientName"),
    *("PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID", "StudyDescription"),
    *("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances", "TimezoneOffsetFromUTC", "IssuerOfPatientID"),
)
SERIES = (
    *("Modality", "TimezoneOffsetFromUTC", "SeriesDescription", "SeriesInstanceUID", "SeriesNumber"),
    *("NumberOfSeriesRelatedInstances", "PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime"),
    *("RequestAttributesSequence", "BodyPartExamined", "StudyInstanceUID"),
)
INSTANCE = (
    *("SOPClassUID", "SOPInstanceUID", "TimezoneOffsetFromUTC", "InstanceNumber", "Rows", "Columns"),
    *("BitsAllocated", "NumberOfFrames", "StudyInstanceUID", "SeriesInstanceUID", "AvailableTransferSyntaxUID"),
)


@lru_cache(maxsize=4096)
def attribute(name: str) -> Attribute | None:
    """The attribute of a keyword or of eight hexadecimal digits; None where the dictionary knows none."""
    # Its dictionary is large; a server that never searches needs none of it.
    from pydicom.datadict import dictionary_keyword, dictionary_VR, tag_for_keyword  # noqa: PLC0415

    tag = int(name, 16) if _TAG.fullmatch(name) else tag_for_keyword(name)
    if tag is None:
        return None
    try:
        keyword, vr = dictionary_keyword(tag), dictionary_VR(tag)
    except KeyError:
        return None
    # Of "US or SS" and its like the first: none of them is ever a text.
    return Attribute(keyword=keyword, tag=f"{tag:08X}", vr=vr[:2]) if keyword else None
