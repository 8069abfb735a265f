"""Which tables there are, what their columns mean, and how an assessment becomes their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bingcheng.compare.change import Change
from bingcheng.compare.lesions import LesionChange
from bingcheng.core.finding import Finding
from bingcheng.core.measurement import Measurement
from bingcheng.core.refusal import Refusal
from bingcheng.core.wording import Text, text
from bingcheng.outputs.assessment import Assessment, ExamView
from bingcheng.outputs.dose_columns import dose_rows
from bingcheng.outputs.summary import protocol_of

Cell = Text | str | float | int | bool | date | None
Row = Sequence[Cell]


class Kind(StrEnum):
    """The type of a column."""

    TEXT = "text"
    NUMBER = "number"
    COUNT = "count"
    FLAG = "flag"
    DATE = "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its name in files, its type, its unit (UCUM; ``{unit}`` where the row's `unit` column gives it).

    `translated` columns hold words for people that are said in the reader's language; other strings are codes and
    names, the same in every language.
    """

    name: str
    kind: Kind
    description: str
    unit: str = ""
    translated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table: its columns, and what makes its rows of an assessment."""

    name: str
    description: str
    columns: tuple[Column, ...]
    rows: Callable[[Assessment], Iterable[Row]]


def _column(name: str, kind: Kind, description: str, unit: str = "") -> Column:
    return Column(name=name, kind=kind, description=description, unit=unit)


PATIENT = _column("patient", Kind.TEXT, "Pseudonym of the patient, or the identifier in an identified assessment")
EXAM = _column("exam", Kind.TEXT, "Short label of the exam in this assessment")
EXAM_UID = _column("exam_uid", Kind.TEXT, "Study Instance UID")
SERIES_UID = _column("series_uid", Kind.TEXT, "Series Instance UID")
SITE = _column("site", Kind.TEXT, "Hospital")
DEVICE = _column("device", Kind.TEXT, "Scanner: vendor, model, digest of its serial number; #? where none is recorded")
DAY = _column("day", Kind.COUNT, "Days since the patient's first exam", "d")
PERFORMED_ON = _column("performed_on", Kind.DATE, "Date of the exam; empty unless the assessment is identified")
LESION = _column("lesion", Kind.TEXT, "Tracking identifier of the lesion; empty for a measure of the whole series")
MEASURE = _column("measure", Kind.TEXT, "Key of the measure")
MEASURE_LABEL = Column(name="measure_label", kind=Kind.TEXT, description="Name of the measure", translated=True)
UNIT = _column("unit", Kind.TEXT, "UCUM code of the unit of the row's values")
REASON_CODE = _column("code", Kind.TEXT, "Stable code of the problem")
OWNER = _column("owner", Kind.TEXT, "Who can mend it")
REMEDY = _column("remedy", Kind.TEXT, "What to do")


def _measurement_rows(assessment: Assessment) -> Iterator[Row]:
    for exam in assessment.exams:
        for series in exam.series:
            place: Row = (*_exam_cells(exam), series.uid, series.modality, series.device)
            for measurement in series.measurements:
                yield (*place, None, None, None, *_measurement_cells(measurement))
            for lesion in series.lesions:
                for measurement in lesion.measurements:
                    yield (*place, lesion.lesion, lesion.label, lesion.method, *_measurement_cells(measurement))


def _exam_cells(exam: ExamView) -> Row:
    return exam.patient, exam.label, exam.uid, exam.site, exam.day, exam.performed_on


def _measurement_cells(measurement: Measurement) -> Row:
    provenance, missing = measurement.provenance, measurement.no_value
    return (
        measurement.key,
        measurement.label,
        measurement.value,
        measurement.unit,
        measurement.standard_uncertainty,
        measurement.expanded_uncertainty,
        None if missing is None else missing.code,
        None if missing is None else missing.reason,
        None if missing is None else missing.owner.value,
        None if missing is None else missing.remedy,
        f"{provenance.package} {provenance.version}",
        provenance.revision,
    )


def _finding_rows(assessment: Assessment) -> Iterator[Row]:
    for exam in assessment.exams:
        for finding in exam.findings:
            yield (
                *_exam_cells(exam),
                finding.series_uid,
                finding.protocol,
                protocol_of(finding),
                finding.criterion,
                finding.role,
                finding.lesion,
                finding.title,
                finding.outcome.value,
                finding.level.value,
                finding.gates,
                finding.measured,
                finding.limit,
                finding.value,
                finding.distance,
                finding.unit,
                *_peer_cells(finding),
                finding.reason,
                None if finding.owner is None else finding.owner.value,
                finding.remedy,
                finding.trust.value,
                finding.source,
            )


def _peer_cells(finding: Finding) -> Row:
    peers = finding.peers
    return (None, None, None) if peers is None else (peers.count, peers.met, peers.percentile)


def _change_rows(assessment: Assessment) -> Iterator[Row]:
    labels = {exam.uid: exam.label for exam in assessment.exams}
    days = {exam.uid: exam.day for exam in assessment.exams}
    for lesion in assessment.changes:
        for change in lesion.changes:
            yield _change_cells(lesion, change, labels, days)


def _change_cells(lesion: LesionChange, change: Change, labels: dict[str, str], days: dict[str, int | None]) -> Row:
    before, after = change.before, change.after
    low, high = change.limits_percent or (None, None)
    return (
        lesion.patient,
        lesion.lesion,
        lesion.label,
        lesion.verdict.value,
        change == lesion.lead,
        before.measurement.key,
        before.measurement.label,
        labels.get(before.exam_uid),
        labels.get(after.exam_uid),
        days.get(before.exam_uid),
        days.get(after.exam_uid),
        before.series_uid,
        after.series_uid,
        before.site,
        after.site,
        before.measurement.value,
        before.measurement.standard_uncertainty,
        after.measurement.value,
        after.measurement.standard_uncertainty,
        before.measurement.unit,
        change.difference,
        change.percent,
        low,
        high,
        change.verdict.value,
        _joined(change.reasons),
        change.remedy,
        change.source,
        None if change.trust is None else change.trust.value,
    )


def _joined(sentences: Sequence[Text]) -> Text | None:
    if not sentences:
        return None
    joined = sentences[0]
    for sentence in sentences[1:]:
        joined = text("{first} {second}", first=joined, second=sentence)
    return joined


def _site_rows(assessment: Assessment) -> Iterator[Row]:
    for row in assessment.comparison:
        yield (
            row.site,
            row.device,
            row.key,
            row.label,
            row.unit,
            row.count,
            row.median,
            row.spread,
            row.others_median,
            row.deviation,
            row.flagged,
            row.explanation,
        )


def _dose_rows(assessment: Assessment) -> Iterator[Row]:
    for exam, cells in dose_rows(assessment):
        yield (*_exam_cells(exam), *cells)


def _refusal_rows(assessment: Assessment) -> Iterator[Row]:
    for exam in assessment.exams:
        for refusal in exam.refusals:
            yield _refusal_cells(refusal, exam.label)
    for refusal in assessment.refusals:
        yield _refusal_cells(refusal, None)


def _refusal_cells(refusal: Refusal, exam: str | None) -> Row:
    return (
        exam,
        refusal.study_uid,
        refusal.series_uid,
        refusal.kind.value,
        refusal.subject,
        refusal.count,
        refusal.code,
        refusal.reason,
        refusal.owner.value,
        refusal.remedy,
    )


_EXAM_COLUMNS = (PATIENT, EXAM, EXAM_UID, SITE, DAY, PERFORMED_ON)

TABLES: tuple[Table, ...] = (
    Table(
        name="measurements",
        description="Every measurement of every series and lesion, or why there is no value",
        columns=(
            *_EXAM_COLUMNS,
            SERIES_UID,
            _column("modality", Kind.TEXT, "DICOM modality"),
            DEVICE,
            LESION,
            _column("lesion_label", Kind.TEXT, "The lesion as shown"),
            _column("method", Kind.TEXT, "How the lesion was drawn"),
            MEASURE,
            MEASURE_LABEL,
            _column("value", Kind.NUMBER, "Measured value; empty if there is none", "{unit}"),
            UNIT,
            _column("standard_uncertainty", Kind.NUMBER, "Standard uncertainty (k = 1)", "{unit}"),
            _column("expanded_uncertainty", Kind.NUMBER, "Expanded uncertainty (k = 2, about 95 %)", "{unit}"),
            REASON_CODE,
            _column("reason", Kind.TEXT, "Why there is no value"),
            OWNER,
            REMEDY,
            _column("software", Kind.TEXT, "Package and version that measured"),
            _column("revision", Kind.COUNT, "Revision of the measure"),
        ),
        rows=_measurement_rows,
    ),
    Table(
        name="findings",
        description="Every criterion of every protocol, judged for every exam it applies to",
        columns=(
            *_EXAM_COLUMNS,
            SERIES_UID,
            _column("protocol", Kind.TEXT, "Identifier of the protocol"),
            _column("protocol_title", Kind.TEXT, "What people call the protocol"),
            _column("criterion", Kind.TEXT, "Identifier of the criterion in the protocol"),
            _column("role", Kind.TEXT, "The role in the protocol that the judged series fills"),
            _column("lesion", Kind.TEXT, "The lesion that decided, of a criterion about lesions"),
            _column("title", Kind.TEXT, "What was checked"),
            _column("outcome", Kind.TEXT, "pass, fail, unknown, not applicable or waived; unknown is not pass"),
            _column("level", Kind.TEXT, "How much the criterion asks"),
            _column("gates", Kind.FLAG, "Whether the finding stops a strict gate"),
            _column("measured", Kind.TEXT, "What was found, with its unit"),
            _column("limit", Kind.TEXT, "What was asked, with its unit"),
            _column("value", Kind.NUMBER, "What was found, where it is a number", "{unit}"),
            _column("distance", Kind.NUMBER, "How far beyond the limit; positive is outside", "{unit}"),
            UNIT,
            _column("peers", Kind.COUNT, "Other exams of the workspace that were judged by this criterion"),
            _column("peers_met", Kind.COUNT, "How many of them met it"),
            _column(
                "peer_percentile", Kind.NUMBER, "Share of them that lie as far outside or further; 100 is best", "%"
            ),
            _column("reason", Kind.TEXT, "Why it failed or is unknown"),
            OWNER,
            REMEDY,
            _column("trust", Kind.TEXT, "How far the source of the limit was verified"),
            _column("source", Kind.TEXT, "Citation of the limit"),
        ),
        rows=_finding_rows,
    ),
    Table(
        name="changes",
        description="Every change of every lesion's measures between two exams, judged",
        columns=(
            PATIENT,
            LESION,
            _column("lesion_label", Kind.TEXT, "The lesion as shown"),
            _column("lesion_verdict", Kind.TEXT, "The one verdict on the lesion over all modalities"),
            _column("leads", Kind.FLAG, "Whether this change decided the lesion's verdict"),
            MEASURE,
            MEASURE_LABEL,
            _column("exam_before", Kind.TEXT, "Short label of the earlier exam"),
            _column("exam_after", Kind.TEXT, "Short label of the later exam"),
            _column("day_before", Kind.COUNT, "Days from the patient's first exam to the earlier one", "d"),
            _column("day_after", Kind.COUNT, "Days from the patient's first exam to the later one", "d"),
            _column("series_uid_before", Kind.TEXT, "Series Instance UID of the earlier value"),
            _column("series_uid_after", Kind.TEXT, "Series Instance UID of the later value"),
            _column("site_before", Kind.TEXT, "Hospital of the earlier exam"),
            _column("site_after", Kind.TEXT, "Hospital of the later exam"),
            _column("before", Kind.NUMBER, "Earlier value", "{unit}"),
            _column("before_standard_uncertainty", Kind.NUMBER, "Its standard uncertainty (k = 1)", "{unit}"),
            _column("after", Kind.NUMBER, "Later value", "{unit}"),
            _column("after_standard_uncertainty", Kind.NUMBER, "Its standard uncertainty (k = 1)", "{unit}"),
            UNIT,
            _column("difference", Kind.NUMBER, "Later minus earlier value", "{unit}"),
            _column("percent", Kind.NUMBER, "Difference relative to the earlier value", "%"),
            _column("limit_low_percent", Kind.NUMBER, "Lower limit of repeatability", "%"),
            _column("limit_high_percent", Kind.NUMBER, "Upper limit of repeatability", "%"),
            _column("verdict", Kind.TEXT, "real, within repeatability, not comparable or unknown"),
            _column("reasons", Kind.TEXT, "Why"),
            REMEDY,
            _column("source", Kind.TEXT, "Who published the limits"),
            _column("trust", Kind.TEXT, "How far that source was verified"),
        ),
        rows=_change_rows,
    ),
    Table(
        name="sites",
        description="Each measure at each scanner beside all other hospitals",
        columns=(
            SITE,
            DEVICE,
            MEASURE,
            MEASURE_LABEL,
            UNIT,
            _column("count", Kind.COUNT, "Number of exams"),
            _column("median", Kind.NUMBER, "Median over the exams there", "{unit}"),
            _column("spread", Kind.NUMBER, "Interquartile range there; empty below three exams", "{unit}"),
            _column("others_median", Kind.NUMBER, "Median over the exams of all other hospitals", "{unit}"),
            _column("deviation", Kind.NUMBER, "Median minus the others' median", "{unit}"),
            _column("flagged", Kind.FLAG, "Whether uncertainty and spread do not explain the deviation"),
            _column("explanation", Kind.TEXT, "What may explain it, or why nothing can be said"),
        ),
        rows=_site_rows,
    ),
    Table(
        name="doses",
        description="The CT dose of every exam and phantom, each quantity beside each level that it is judged by",
        columns=(
            *_EXAM_COLUMNS,
            DEVICE,
            _column("procedure", Kind.TEXT, "Body regions that were scanned; the CT of a PET/CT is named as such"),
            _column("size_band", Kind.TEXT, "Size of the patient; only exams of the same band are compared"),
            _column("water_equivalent_diameter", Kind.NUMBER, "Median over the image series", "cm"),
            _column("phantom", Kind.NUMBER, "Diameter of the phantom that the dose refers to", "cm"),
            _column("scans", Kind.COUNT, "Scans that were added up, localisers left out"),
            _column("quantity", Kind.TEXT, "CTDIvol, DLP or SSDE"),
            _column("value", Kind.NUMBER, "Dose; empty if there is none", "{unit}"),
            UNIT,
            _column("standard_uncertainty", Kind.NUMBER, "Standard uncertainty (k = 1), where it is known", "{unit}"),
            _column("basis", Kind.TEXT, "Where the value comes from"),
            _column("level_of", Kind.TEXT, "Whose level: own of the hospitals compared here, else authority and year"),
            _column("low", Kind.NUMBER, "25th percentile of the hospitals' medians", "{unit}"),
            _column("reference", Kind.NUMBER, "Reference level: their 75th percentile", "{unit}"),
            _column("verdict", Kind.TEXT, "above the level, usual, unusually low, or can't be judged"),
            REASON_CODE,
            _column("reason", Kind.TEXT, "The judgement in words, or why there is no value"),
            OWNER,
            REMEDY,
            _column("trust", Kind.TEXT, "How far the source of the level was verified"),
            _column("source", Kind.TEXT, "Citation of the level"),
        ),
        rows=_dose_rows,
    ),
    Table(
        name="refusals",
        description="What was left out, and why",
        columns=(
            EXAM,
            EXAM_UID,
            SERIES_UID,
            _column("kind", Kind.TEXT, "What the subject is: file, series, exam or region"),
            _column("subject", Kind.TEXT, "Path relative to the given folder, or a UID"),
            _column("count", Kind.COUNT, "How many like it were folded into this one"),
            REASON_CODE,
            _column("reason", Kind.TEXT, "Why it was left out"),
            OWNER,
            REMEDY,
        ),
        rows=_refusal_rows,
    ),
)
"""All tables, in the order in which they are written."""
