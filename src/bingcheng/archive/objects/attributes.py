"""The attributes that the index keeps of each level, and how their values are compared.

Levels and keys: PS3.4 C.6.2.1, PS3.18 tables 10.6.1-5 and following. Tags: PS3.6.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Level(StrEnum):
    """A level of the information model, highest first."""

    STUDY = "study"
    SERIES = "series"
    INSTANCE = "instance"


class Comparison(StrEnum):
    """How a value is matched (PS3.4 C.2.2.2)."""

    TEXT = "text"
    NAME = "name"
    DATE = "date"
    TIME = "time"
    UID = "uid"
    NUMBER = "number"
    SET = "set"
    """Any value of several, such as the modalities of a study."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """An attribute of the index.

    Parameters
    ----------
    tag : group and element; None for what the index counts itself.
    column : that it is matched by; None for what is only told. A name has three, of this stem.
    binary : letter of a binary number for `struct`; None for text.
    nested : tag inside the first item, for `tag` a sequence.
    """

    keyword: str
    tag: int | None
    level: Level
    comparison: Comparison = Comparison.TEXT
    column: str | None = None
    binary: str | None = None
    nested: int | None = None


def _told(level: Level, **tags: int) -> list[Attribute]:
    return [Attribute(keyword=keyword, tag=tag, level=level) for keyword, tag in tags.items()]


def _matched(level: Level, comparison: Comparison, **places: tuple[int | None, str]) -> list[Attribute]:
    return [
        Attribute(keyword=keyword, tag=tag, level=level, comparison=comparison, column=column)
        for keyword, (tag, column) in places.items()
    ]


_STUDY = [
    *_matched(
        Level.STUDY,
        Comparison.TEXT,
        PatientID=(0x00100020, "patient_id_key"),
        IssuerOfPatientID=(0x00100021, "issuer_key"),
        PatientSex=(0x00100040, "sex_key"),
        AccessionNumber=(0x00080050, "accession_key"),
        StudyID=(0x00200010, "study_id_key"),
        StudyDescription=(0x00081030, "description_key"),
    ),
    *_matched(
        Level.STUDY,
        Comparison.NAME,
        PatientName=(0x00100010, "name"),
    ),
    *_matched(
        Level.STUDY,
        Comparison.DATE,
        StudyDate=(0x00080020, "study_date_key"),
        PatientBirthDate=(0x00100030, "birth_date_key"),
    ),
    *_matched(Level.STUDY, Comparison.TIME, StudyTime=(0x00080030, "study_time_key")),
    *_matched(Level.STUDY, Comparison.UID, StudyInstanceUID=(None, "study_uid")),
    *_matched(Level.STUDY, Comparison.SET, ModalitiesInStudy=(None, "modalities_key")),
    Attribute(keyword="ReferringPhysicianName", tag=0x00080090, level=Level.STUDY, column="referring_key"),
    *_told(Level.STUDY, PatientAge=0x00101010, TimezoneOffsetFromUTC=0x00080201, PatientIdentityRemoved=0x00120062),
]
_SERIES = [
    *_matched(
        Level.SERIES,
        Comparison.TEXT,
        Modality=(0x00080060, "modality_key"),
        SeriesDescription=(0x0008103E, "series_description_key"),
        BodyPartExamined=(0x00180015, "body_part_key"),
        Manufacturer=(0x00080070, "manufacturer_key"),
        ManufacturerModelName=(0x00081090, "model_key"),
        StationName=(0x00081010, "station_key"),
        InstitutionName=(0x00080080, "institution_key"),
        ProtocolName=(0x00181030, "protocol_key"),
    ),
    *_matched(Level.SERIES, Comparison.DATE, PerformedProcedureStepStartDate=(0x00400244, "step_date_key")),
    *_matched(Level.SERIES, Comparison.TIME, PerformedProcedureStepStartTime=(0x00400245, "step_time_key")),
    *_matched(Level.SERIES, Comparison.NUMBER, SeriesNumber=(0x00200011, "number")),
    *_matched(Level.SERIES, Comparison.UID, SeriesInstanceUID=(None, "series_uid")),
    Attribute(
        keyword="ScheduledProcedureStepID",
        tag=0x00400275,
        nested=0x00400009,
        level=Level.SERIES,
        column="scheduled_step_key",
    ),
    Attribute(
        keyword="RequestedProcedureID",
        tag=0x00400275,
        nested=0x00401001,
        level=Level.SERIES,
        column="requested_procedure_key",
    ),
    *_told(Level.SERIES, SeriesDate=0x00080021, SeriesTime=0x00080031, Laterality=0x00200060),
    *_told(Level.SERIES, FrameOfReferenceUID=0x00200052, PatientPosition=0x00185100),
]
_INSTANCE = [
    *_matched(
        Level.INSTANCE,
        Comparison.UID,
        SOPInstanceUID=(None, "sop_uid"),
        SOPClassUID=(None, "sop_class_uid"),
    ),
    *_matched(Level.INSTANCE, Comparison.NUMBER, InstanceNumber=(0x00200013, "instance_number")),
    *_matched(Level.INSTANCE, Comparison.NUMBER, NumberOfFrames=(0x00280008, "frames")),
    *(
        Attribute(
            keyword=keyword,
            tag=tag,
            level=Level.INSTANCE,
            comparison=Comparison.NUMBER,
            column=column,
            binary="H",
        )
        for keyword, tag, column in (
            ("Rows", 0x00280010, "rows"),
            ("Columns", 0x00280011, "columns"),
            ("BitsAllocated", 0x00280100, "bits_allocated"),
            ("SamplesPerPixel", 0x00280002, "samples"),
        )
    ),
    *_matched(Level.INSTANCE, Comparison.DATE, ContentDate=(0x00080023, "content_date_key")),
    *_matched(Level.INSTANCE, Comparison.TIME, ContentTime=(0x00080033, "content_time_key")),
    *_told(Level.INSTANCE, ImageType=0x00080008, PhotometricInterpretation=0x00280004, ContentLabel=0x00700080),
]
ATTRIBUTES: Mapping[str, Attribute] = MappingProxyType({a.keyword: a for a in (*_STUDY, *_SERIES, *_INSTANCE)})
"""All of them, by keyword."""
LEVELS: Mapping[Level, tuple[Attribute, ...]] = MappingProxyType(
    {level: tuple(a for a in ATTRIBUTES.values() if a.level is level) for level in Level}
)
HIGHER: Mapping[Level, frozenset[Level]] = MappingProxyType(
    {
        Level.STUDY: frozenset((Level.STUDY,)),
        Level.SERIES: frozenset((Level.STUDY, Level.SERIES)),
        Level.INSTANCE: frozenset(Level),
    }
)
"""The levels whose attributes a search on the level that is the key may use."""


def can_match(level: Level, keyword: str) -> bool:
    """Whether a search on `level` can use the attribute."""
    attribute = ATTRIBUTES.get(keyword)
    return attribute is not None and attribute.column is not None and attribute.level in HIGHER[level]


def name_columns(stem: str) -> tuple[str, str, str]:
    """The columns of a name's three groups (PS3.5 6.2.1.2)."""
    return (f"{stem}_alphabetic_key", f"{stem}_ideographic_key", f"{stem}_phonetic_key")


def name_keys(name: str) -> tuple[str, str, str]:
    """What the groups of a name are compared by: without case, width, and empty components at the end."""
    groups = [*name.split("=", 2), "", ""]
    return _group_key(groups[0]), _group_key(groups[1]), _group_key(groups[2])


def _group_key(group: str) -> str:
    folded = unicodedata.normalize("NFKC", group).casefold()
    return "^".join(" ".join(part.split()) for part in folded.split("^")).rstrip("^")


def date_key(value: str) -> str:
    """A date as eight digits, whichever of its two forms it has (PS3.5 6.2, DA); empty if it is none."""
    digits = value.replace(".", "").replace("-", "").strip()
    return digits if re.fullmatch(r"\d{8}", digits) else ""


def time_key(value: str, fill: str = "0") -> str:
    """A time as twelve digits, hours to microseconds, what is not given filled with `fill`; empty if it is none."""
    digits = value.replace(":", "").replace(".", "").strip()
    return digits.ljust(12, fill)[:12] if re.fullmatch(r"\d{2,14}", digits) else ""


def keys_of(attribute: Attribute, value: str) -> dict[str, str]:
    """The columns that an attribute's value is compared by, and what they hold."""
    if attribute.column is None:
        return {}
    if attribute.comparison is Comparison.NAME:
        return dict(zip(name_columns(attribute.column), name_keys(value), strict=True))
    if attribute.comparison is Comparison.DATE:
        return {attribute.column: date_key(value)}
    if attribute.comparison is Comparison.TIME:
        return {attribute.column: time_key(value)}
    if attribute.keyword == "ReferringPhysicianName":
        return {attribute.column: "=".join(filter(None, name_keys(value)))}
    return {attribute.column: value}
