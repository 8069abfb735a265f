"""Structured reports of the findings on one exam, so that archives keep them and routers can gate on them.

An Enhanced SR (PS3.3 A.35.2) by TID 1500. Under its qualitative evaluations stand the answers: whether a strict gate
stops the exam, and for each protocol, as a quality control standard (111051), its quality assessment (111050). Each
criterion is a measurement group (TID 1501): whether it is met, the measured value in its unit, the deficiency (111052)
where it failed, and limit, reason, remedy and source as people read them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from highdicom.sr import EnhancedSR
from pydicom.dataset import Dataset
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    EnhancedMRImageStorage,
    EnhancedPETImageStorage,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    generate_uid,
)

import bingcheng
from bingcheng.core.codes import Code
from bingcheng.core.errors import InputError
from bingcheng.core.finding import Finding, Level, Outcome
from bingcheng.outputs import conformance_codes as codes
from bingcheng.outputs.codes import ANY_PROCEDURE, PRIVATE_SCHEME, PROCEDURES
from bingcheng.outputs.conformance_content import (
    IMAGING_MEASUREMENTS,
    QUALITATIVE_EVALUATIONS,
    REPORT,
    SERIES_UID,
    TRACKING_IDENTIFIER,
    Judged,
    container,
    preamble,
    sections,
)
from bingcheng.outputs.conformance_source import NOT_A_REPORT, JudgedExam, report_at
from bingcheng.outputs.language import Language
from bingcheng.outputs.seg import MANUFACTURER, PRODUCT
from bingcheng.outputs.source_images import as_in_the_images, save
from bingcheng.protocol.library import protocols as shipped
from bingcheng.protocol.model import Protocol

SERIES_NUMBER = 9703
UTF_8 = "ISO_IR 192"
MODALITIES: Mapping[str, str] = MappingProxyType(
    {
        CTImageStorage: "CT",
        EnhancedCTImageStorage: "CT",
        MRImageStorage: "MR",
        EnhancedMRImageStorage: "MR",
        PositronEmissionTomographyImageStorage: "PT",
        EnhancedPETImageStorage: "PT",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOutcome:
    """What a report says of one criterion; `value` and `distance` (beyond the limit) are in `unit` (UCUM)."""

    protocol: str
    criterion: str
    role: str | None
    outcome: Outcome
    level: Level
    series_uid: str | None
    value: float | None
    distance: float | None
    unit: str | None
    deficiency: Code | None
    said: Mapping[str, str]
    """Sentences by the code value of their concept: ``limit``, ``reason``, ``remedy``, ``source`` and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredConformance:
    """What a report says of an exam.

    Parameters
    ----------
    gates : whether a strict gate stops the exam.
    met : of each protocol, by identifier, whether it is met as far as it gates; None if that is not known.
    outcomes : of each criterion, in the order of the report.
    """

    study_uid: str
    sop_instance_uid: str
    gates: bool
    met: Mapping[str, bool | None]
    outcomes: tuple[StoredOutcome, ...]


@as_in_the_images()
def write_conformance_sr(
    path: Path,
    findings: Sequence[Finding],
    exam: JudgedExam,
    protocols: Iterable[Protocol],
    *,
    language: Language | None = None,
    written_at: datetime | None = None,
) -> str:
    """Write the findings on one exam; returns the SOP Instance UID.

    Patient and study are those of the images, so that the object can go back into the same archive; nothing else in it
    tells who the patient is.

    Parameters
    ----------
    path : where to write; the file appears whole or not at all.
    findings : on the exam, those of one protocol next to each other.
    exam : what was judged.
    protocols : those by which it was judged; others may be among them.
    language : of the sentences, English unless given; the codes are the same in all.
    written_at : date and time of content, now unless given.

    Raises
    ------
    InputError
        ``outputs.cannot-write``.
    """
    spoken = language or Language.of("en")
    asked = {finding.protocol for finding in findings}
    known = {one.id: one for one in protocols if one.id in asked}
    judged = Judged(
        study_uid=exam.study_uid,
        findings=findings,
        protocols=known,
        shipped=frozenset(one.id for one in shipped()),
        images={one.uid: one.first for one in exam.series},
        language=spoken,
    )
    uid = conformance_uid(findings, exam, known.values(), spoken)
    root = container(REPORT, preamble(_procedure(exam), spoken, bingcheng.__version__), template="1500")
    del root.RelationshipType
    written = EnhancedSR(
        evidence=exam.references(),
        content=root,
        series_instance_uid=generate_uid(entropy_srcs=[exam.study_uid, "conformance-series"]),
        series_number=SERIES_NUMBER,
        sop_instance_uid=uid,
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=PRODUCT,
        software_versions=bingcheng.__version__,
        series_description="Protocol conformance",
        specific_character_set=UTF_8,
        is_complete=True,
        is_verified=False,
    )
    # The sections come after highdicom has done its work: it copies and searches all content several times.
    written.ContentSequence = [*root.ContentSequence, *sections(judged)]
    written.CurrentRequestedProcedureEvidenceSequence = [exam.evidence()]
    written.CodingSchemeIdentificationSequence = [_private_scheme()]
    save(written, path, written_at or datetime.now().astimezone())
    return uid


def conformance_uid(
    findings: Sequence[Finding], exam: JudgedExam, protocols: Iterable[Protocol], language: Language | None = None
) -> str:
    """The SOP Instance UID of a report: the same for the same findings on the same images in the same words."""
    digest = hashlib.sha256()
    for part in (
        "en" if language is None else language.tag,
        *sorted(f"{one.id} {one.version}" for one in protocols),
        *(repr(one) for one in (*exam.series, *findings)),
    ):
        digest.update(part.encode(errors="replace"))
        digest.update(b"\x1f")
    return str(generate_uid(entropy_srcs=[exam.study_uid, "conformance", digest.hexdigest()]))


def read_conformance_sr(path: Path) -> StoredConformance:
    """What a report says, found as any reader of TID 1500 finds it.

    Raises
    ------
    InputError
        ``outputs.not-a-conformance-report``.
    """
    report = report_at(path)
    try:
        return _stored(report)
    except (AttributeError, KeyError, ValueError, IndexError) as error:
        raise InputError(NOT_A_REPORT, error=type(error).__name__) from error


def _procedure(exam: JudgedExam) -> Code:
    modalities = {MODALITIES.get(one.sop_class_uid, "") for one in exam.series}
    return PROCEDURES.get(modalities.pop(), ANY_PROCEDURE) if len(modalities) == 1 else ANY_PROCEDURE


def _private_scheme() -> Dataset:
    """What the private coding scheme is (PS3.3 C.12.1.1.3)."""
    scheme = Dataset()
    scheme.CodingSchemeDesignator = PRIVATE_SCHEME
    scheme.CodingSchemeName = "Bingcheng protocols, criteria and measures"
    scheme.CodingSchemeResponsibleOrganization = MANUFACTURER
    return scheme


# Reading


def _stored(report: Dataset) -> StoredConformance:
    named = _by_name(report.ContentSequence)
    answers = named[QUALITATIVE_EVALUATIONS.value].ContentSequence
    met: dict[str, bool | None] = {}
    for item in answers:
        if _value(item.ConceptNameCodeSequence) == codes.QUALITY_ASSESSMENT.value:
            answer = _value(item.ConceptCodeSequence)
            protocol = _by_name(item.ContentSequence)[TRACKING_IDENTIFIER.value].TextValue
            met[protocol] = None if answer == codes.UNDETERMINED.value else answer == codes.MEETS_THE_STANDARD.value
    groups = named.get(IMAGING_MEASUREMENTS.value)
    return StoredConformance(
        study_uid=str(report.StudyInstanceUID),
        sop_instance_uid=str(report.SOPInstanceUID),
        gates=_value(_by_name(answers)[codes.GATE.value].ConceptCodeSequence) == codes.YES.value,
        met=met,
        outcomes=() if groups is None else tuple(_outcome(group) for group in groups.ContentSequence),
    )


def _outcome(group: Dataset) -> StoredOutcome:
    named = _by_name(group.ContentSequence)
    said = {key: str(item.TextValue) for key, item in named.items() if item.ValueType == "TEXT"}
    protocol, criterion, *role = said.pop(TRACKING_IDENTIFIER.value).split("/")
    met = {code.value: outcome for outcome, code in codes.OUTCOMES.items()}
    measured, beyond = _number(named.get(codes.VALUE.value)), _number(named.get(codes.BEYOND.value))
    deficiency = named.get(codes.QUALITY_FINDING.value)
    return StoredOutcome(
        protocol=protocol,
        criterion=criterion,
        role=role[0] if role else None,
        outcome=met[_value(named[codes.CRITERION_MET.value].ConceptCodeSequence)],
        level=Level(_value(named[codes.LEVEL.value].ConceptCodeSequence)),
        series_uid=str(named[SERIES_UID.value].UID) if SERIES_UID.value in named else None,
        value=None if measured is None else measured[0],
        distance=None if beyond is None else beyond[0],
        unit=next((number[1] for number in (measured, beyond) if number is not None), None),
        deficiency=None if deficiency is None else _code(deficiency.ConceptCodeSequence[0]),
        said=said,
    )


def _number(item: Dataset | None) -> tuple[float, str] | None:
    if item is None:
        return None
    measured = item.MeasuredValueSequence[0]
    return float(measured.FloatingPointValue), _value(measured.MeasurementUnitsCodeSequence)


def _by_name(content: Iterable[Dataset]) -> dict[str, Dataset]:
    """Content items by the code value of their concept; of several of one concept, the first."""
    named: dict[str, Dataset] = {}
    for item in content:
        named.setdefault(_value(item.ConceptNameCodeSequence), item)
    return named


def _value(sequence: Sequence[Dataset]) -> str:
    return _code(sequence[0]).value


def _code(item: Dataset) -> Code:
    value = item.get("CodeValue") or item.LongCodeValue
    return Code(str(value), str(item.CodingSchemeDesignator), str(item.CodeMeaning))
