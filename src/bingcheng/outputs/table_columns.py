"""Which tables there are, what their columns mean, and how an assessment becomes their rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bingcheng.compare.change import Change
from bingcheng.compare.lesions import LesionChange
from bingcheng.core.finding import Finding
from bingcheng.core.measurement import Measurement
from bingcheng.core.refusal import Refusal
from bingcheng.core.wording import Text, text
from bingcheng.outputs.assessment import Assessment
from bingcheng.outputs.comparison_columns import COMPARED, compared_row
from bingcheng.outputs.dose_columns import dose_rows
from bingcheng.outputs.follow_up.columns import LESION_LINKS
from bingcheng.outputs.radiomics.columns import RADIOMICS
from bingcheng.outputs.summary import protocol_of
from bingcheng.outputs.table import (
    DEVICE,
    EXAM,
    EXAM_COLUMNS,
    EXAM_UID,
    LESION,
    MEASURE,
    MEASURE_LABEL,
    OWNER,
    PATIENT,
    REASON_CODE,
    REMEDY,
    SERIES_UID,
    SITE,
    UNIT,
    Column,
    Kind,
    Row,
    Table,
    column,
    exam_cells,
)


def _measurement_rows(assessment: Assessment) -> Iterator[Row]:
    for exam in assessment.exams:
        for series in exam.series:
            place: Row = (*exam_cells(exam), series.uid, series.modality, series.device)
            for measurement in series.measurements:
                yield (*place, None, None, None, *_measurement_cells(measurement))
            for lesion in series.lesions:
                for measurement in lesion.measurements:
                    yield (*place, lesion.lesion, lesion.label, lesion.method, *_measurement_cells(measurement))


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
                *exam_cells(exam),
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
    return map(compared_row, assessment.comparison)


def _dose_rows(assessment: Assessment) -> Iterator[Row]:
    for exam, cells in dose_rows(assessment):
        yield (*exam_cells(exam), *cells)


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


TABLES: tuple[Table, ...] = (
    Table(
        name="measurements",
        description="Every measurement of every series and lesion, or why there is no value",
        columns=(
            *EXAM_COLUMNS,
            SERIES_UID,
            column("modality", Kind.TEXT, "DICOM modality"),
            DEVICE,
            LESION,
            column("lesion_label", Kind.TEXT, "The lesion as shown"),
            column("method", Kind.TEXT, "How the lesion was drawn"),
            MEASURE,
            MEASURE_LABEL,
            column("value", Kind.NUMBER, "Measured value; empty if there is none", "{unit}"),
            UNIT,
            column("standard_uncertainty", Kind.NUMBER, "Standard uncertainty (k = 1)", "{unit}"),
            column("expanded_uncertainty", Kind.NUMBER, "Expanded uncertainty (k = 2, about 95 %)", "{unit}"),
            REASON_CODE,
            column("reason", Kind.TEXT, "Why there is no value"),
            OWNER,
            REMEDY,
            column("software", Kind.TEXT, "Package and version that measured"),
            column("revision", Kind.COUNT, "Revision of the measure"),
        ),
        rows=_measurement_rows,
    ),
    Table(
        name="findings",
        description="Every criterion of every protocol, judged for every exam it applies to",
        columns=(
            *EXAM_COLUMNS,
            SERIES_UID,
            column("protocol", Kind.TEXT, "Identifier of the protocol"),
            column("protocol_title", Kind.TEXT, "What people call the protocol"),
            column("criterion", Kind.TEXT, "Identifier of the criterion in the protocol"),
            column("role", Kind.TEXT, "The role in the protocol that the judged series fills"),
            column("lesion", Kind.TEXT, "The lesion that decided, of a criterion about lesions"),
            column("title", Kind.TEXT, "What was checked"),
            column("outcome", Kind.TEXT, "pass, fail, unknown, not applicable or waived; unknown is not pass"),
            column("level", Kind.TEXT, "How much the criterion asks"),
            column("gates", Kind.FLAG, "Whether the finding stops a strict gate"),
            column("measured", Kind.TEXT, "What was found, with its unit"),
            column("limit", Kind.TEXT, "What was asked, with its unit"),
            column("value", Kind.NUMBER, "What was found, where it is a number", "{unit}"),
            column("distance", Kind.NUMBER, "How far beyond the limit; positive is outside", "{unit}"),
            UNIT,
            column("peers", Kind.COUNT, "Other exams of the workspace that were judged by this criterion"),
            column("peers_met", Kind.COUNT, "How many of them met it"),
            column(
                "peer_percentile", Kind.NUMBER, "Share of them that lie as far outside or further; 100 is best", "%"
            ),
            column("reason", Kind.TEXT, "Why it failed or is unknown"),
            OWNER,
            REMEDY,
            column("trust", Kind.TEXT, "How far the source of the limit was verified"),
            column("source", Kind.TEXT, "Citation of the limit"),
        ),
        rows=_finding_rows,
    ),
    Table(
        name="changes",
        description="Every change of every lesion's measures between two exams, judged",
        columns=(
            PATIENT,
            LESION,
            column("lesion_label", Kind.TEXT, "The lesion as shown"),
            column("lesion_verdict", Kind.TEXT, "The one verdict on the lesion over all modalities"),
            column("leads", Kind.FLAG, "Whether this change decided the lesion's verdict"),
            MEASURE,
            MEASURE_LABEL,
            column("exam_before", Kind.TEXT, "Short label of the earlier exam"),
            column("exam_after", Kind.TEXT, "Short label of the later exam"),
            column("day_before", Kind.COUNT, "Days from the patient's first exam to the earlier one", "d"),
            column("day_after", Kind.COUNT, "Days from the patient's first exam to the later one", "d"),
            column("series_uid_before", Kind.TEXT, "Series Instance UID of the earlier value"),
            column("series_uid_after", Kind.TEXT, "Series Instance UID of the later value"),
            column("site_before", Kind.TEXT, "Hospital of the earlier exam"),
            column("site_after", Kind.TEXT, "Hospital of the later exam"),
            column("before", Kind.NUMBER, "Earlier value", "{unit}"),
            column("before_standard_uncertainty", Kind.NUMBER, "Its standard uncertainty (k = 1)", "{unit}"),
            column("after", Kind.NUMBER, "Later value", "{unit}"),
            column("after_standard_uncertainty", Kind.NUMBER, "Its standard uncertainty (k = 1)", "{unit}"),
            UNIT,
            column("difference", Kind.NUMBER, "Later minus earlier value", "{unit}"),
            column("percent", Kind.NUMBER, "Difference relative to the earlier value", "%"),
            column("limit_low_percent", Kind.NUMBER, "Lower limit of repeatability", "%"),
            column("limit_high_percent", Kind.NUMBER, "Upper limit of repeatability", "%"),
            column("verdict", Kind.TEXT, "real, within repeatability, not comparable or unknown"),
            column("reasons", Kind.TEXT, "Why"),
            REMEDY,
            column("source", Kind.TEXT, "Who published the limits"),
            column("trust", Kind.TEXT, "How far that source was verified"),
        ),
        rows=_change_rows,
    ),
    Table(
        name="sites",
        description="Each measure at each scanner beside all other hospitals",
        columns=(SITE, *COMPARED),
        rows=_site_rows,
    ),
    Table(
        name="doses",
        description="The CT dose of every exam and phantom, each quantity beside each level that it is judged by",
        columns=(
            *EXAM_COLUMNS,
            DEVICE,
            column("procedure", Kind.TEXT, "Body regions that were scanned; the CT of a PET/CT is named as such"),
            column("size_band", Kind.TEXT, "Size of the patient; only exams of the same band are compared"),
            column("water_equivalent_diameter", Kind.NUMBER, "Median over the image series", "cm"),
            column("phantom", Kind.NUMBER, "Diameter of the phantom that the dose refers to", "cm"),
            column("scans", Kind.COUNT, "Scans that were added up, localisers left out"),
            column("quantity", Kind.TEXT, "CTDIvol, DLP or SSDE"),
            column("value", Kind.NUMBER, "Dose; empty if there is none", "{unit}"),
            UNIT,
            column("standard_uncertainty", Kind.NUMBER, "Standard uncertainty (k = 1), where it is known", "{unit}"),
            column("basis", Kind.TEXT, "Where the value comes from"),
            column("level_of", Kind.TEXT, "Whose level: own of the hospitals compared here, else authority and year"),
            column("low", Kind.NUMBER, "25th percentile of the hospitals' medians", "{unit}"),
            column("reference", Kind.NUMBER, "Reference level: their 75th percentile", "{unit}"),
            column("verdict", Kind.TEXT, "above the level, usual, unusually low, or can't be judged"),
            REASON_CODE,
            column("reason", Kind.TEXT, "The judgement in words, or why there is no value"),
            OWNER,
            REMEDY,
            column("trust", Kind.TEXT, "How far the source of the level was verified"),
            column("source", Kind.TEXT, "Citation of the level"),
        ),
        rows=_dose_rows,
    ),
    LESION_LINKS,
    RADIOMICS,
    Table(
        name="refusals",
        description="What was left out, and why",
        columns=(
            EXAM,
            EXAM_UID,
            SERIES_UID,
            column("kind", Kind.TEXT, "What the subject is: file, series, exam or region"),
            column("subject", Kind.TEXT, "Path relative to the given folder, or a UID"),
            column("count", Kind.COUNT, "How many like it were folded into this one"),
            REASON_CODE,
            column("reason", Kind.TEXT, "Why it was left out"),
            OWNER,
            REMEDY,
        ),
        rows=_refusal_rows,
    ),
)
"""All tables, in the order in which they are written."""

__all__ = ["TABLES", "Column", "Kind", "Table"]
