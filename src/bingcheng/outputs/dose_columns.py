"""The doses of all exams as rows: each quantity beside each level that it is judged by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bingcheng.compare.dose_judgement import DoseJudgement
from bingcheng.compare.dose_record import DoseRecord
from bingcheng.core.wording import Text
from bingcheng.outputs.assessment import Assessment, ExamView

Cell = Text | str | float | int | None
"""What stands in a row beside the cells that tell the exam."""
OWN_LEVEL = "own"
"""What stands as the level's owner for that of the hospitals compared here."""


def dose_rows(assessment: Assessment) -> Iterator[tuple[ExamView, tuple[Cell, ...]]]:
    """For each quantity of each exam beside each level, the exam and the row's other cells."""
    if assessment.dose is None:
        return
    exams: Mapping[str, ExamView] = {exam.uid: exam for exam in assessment.exams}
    for exam in assessment.dose.exams:
        view = exams.get(exam.record.exam_uid)
        if view is not None:
            yield from ((view, _cells(exam.record, judgement)) for judgement in exam.judgements)


def _cells(record: DoseRecord, judgement: DoseJudgement) -> tuple[Cell, ...]:
    quantity, value = judgement.quantity, judgement.value
    absent = record.absent.get(quantity)
    return (
        record.device,
        record.procedure.label,
        record.band.label,
        record.water_equivalent_diameter_cm,
        record.phantom_cm,
        record.scan_count,
        quantity.symbol,
        None if value is None else value.value,
        quantity.unit,
        None if value is None else value.standard_uncertainty,
        None if value is None else value.basis.value,
        judgement.whose or OWN_LEVEL,
        judgement.low,
        judgement.reference,
        judgement.verdict.value,
        None if absent is None else absent.code,
        judgement.sentence,
        None if judgement.owner is None else judgement.owner.value,
        judgement.remedy,
        judgement.trust.value,
        judgement.source,
    )
