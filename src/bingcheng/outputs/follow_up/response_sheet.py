"""RECIST 1.1 over a patient's exams as a sheet to read: one row an exam, for the page and the terminal alike.

Percentages are cut, not rounded: a sum that shrank by 29.96 % is no partial response and must not read as 30 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bingcheng.compare.response import Response, Target
from bingcheng.compare.response_margin import COVERAGE
from bingcheng.compare.response_reading import PatientResponse, ResponseAt
from bingcheng.core.wording import Text, text
from bingcheng.outputs.assessment import ExamView
from bingcheng.outputs.follow_up.response_words import (
    CAME_BACK,
    FROM_NOTHING,
    NEW_LESION_WORDS,
    NON_TARGET_WORDS,
    NOT_ALL_KNOWN,
    RESPONSE_WORDS,
)
from bingcheng.outputs.language import MINUS, Language

NOTHING = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRow:
    """One exam.

    Parameters
    ----------
    exam, when : its label, and its date or day; empty where neither is known or shown.
    total, from_baseline, from_nadir : the sum of the targets and its changes; a dash where there is none.
    targets : the response of the targets alone; None at the baseline and where there are no targets.
    response : None at the baseline.
    reasons, questions : what it rests on, and what a reader has to confirm first.
    """

    exam_uid: str
    exam: str
    when: str
    total: str
    from_baseline: str = NOTHING
    from_nadir: str = NOTHING
    targets: Response | None = None
    non_targets: Text | None = None
    new: Text | None = None
    response: Response | None = None
    reasons: tuple[Text, ...] = ()
    questions: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeRow:
    """One target: how it is measured, and its size in each exam of the sheet."""

    lesion: str
    axis: Text
    sizes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseSheet:
    """One patient.

    Parameters
    ----------
    basis : which lesions are measured and which are only followed, and how they were chosen.
    rows : in time, the baseline first.
    sizes : of the targets.
    waiting : how many points a reader has to confirm.
    """

    patient: str
    modality: str
    basis: tuple[Text, ...]
    rows: tuple[ResponseRow, ...]
    sizes: tuple[SizeRow, ...]
    waiting: int


def response_sheet(one: PatientResponse, exams: Mapping[str, ExamView], language: Language) -> ResponseSheet:
    """The sheet of one patient.

    Parameters
    ----------
    exams : those of the assessment, by their UIDs.
    """
    rows = (_baseline(one, exams, language), *(_row(point, exams, language) for point in one.points))
    return ResponseSheet(
        patient=one.patient,
        modality=one.modality,
        basis=tuple(_basis(one, rows[0].exam)),
        rows=rows,
        sizes=tuple(_sizes(one)),
        waiting=sum(len(row.questions) for row in rows),
    )


def reasons_of(point: ResponseAt) -> tuple[Text, ...]:
    """All that an answer rests on, and why a figure is missing."""
    return tuple(_reasons(point))


def _reasons(point: ResponseAt) -> Iterator[Text]:
    yield from point.reasons
    answer = point.answer
    if answer.targets is not None and answer.sum_mm is None:
        yield NOT_ALL_KNOWN
    elif answer.sum_mm is not None and answer.nadir_percent is None:
        yield FROM_NOTHING
    if answer.returned:
        yield CAME_BACK


def _baseline(one: PatientResponse, exams: Mapping[str, ExamView], language: Language) -> ResponseRow:
    total = _sum(one.baseline_mm, one.uncertainty_mm) if one.targets else NOTHING
    exam = exams[one.baseline_uid]
    return ResponseRow(exam_uid=exam.uid, exam=exam.label, when=_when(exam, language), total=total)


def _row(point: ResponseAt, exams: Mapping[str, ExamView], language: Language) -> ResponseRow:
    exam, answer = exams[point.exam_uid], point.answer
    return ResponseRow(
        exam_uid=exam.uid,
        exam=exam.label,
        when=_when(exam, language),
        total=_sum(answer.sum_mm, point.uncertainty_mm),
        from_baseline=_percent(answer.baseline_percent),
        from_nadir=_percent(answer.nadir_percent),
        targets=answer.targets,
        non_targets=NON_TARGET_WORDS[point.seen.non_targets],
        new=NEW_LESION_WORDS[point.seen.new],
        response=answer.response,
        reasons=reasons_of(point),
        questions=point.questions,
    )


def _basis(one: PatientResponse, baseline: str) -> Iterator[Text]:
    if one.targets:
        yield text(
            "Targets in {exam}: {lesions}; their sum is {sum} mm.",
            exam=baseline,
            lesions=" · ".join(one.targets),
            sum=f"{one.baseline_mm:.1f}",
        )
    if one.non_targets:
        yield text("Followed without being measured: {lesions}.", lesions=" · ".join(one.non_targets))
    yield from one.remarks


def _sizes(one: PatientResponse) -> Iterator[SizeRow]:
    columns: Sequence[Sequence[Target]] = (one.baseline, *(point.seen.targets for point in one.points))
    for place, label in enumerate(one.targets):
        mine = [column[place] for column in columns]
        axis = text("short axis") if mine[0].node else text("longest diameter")
        yield SizeRow(lesion=label, axis=axis, sizes=tuple(_size(target.size_mm) for target in mine))


def said(response: Response) -> Text:
    """An answer's abbreviation with its words."""
    return text("{abbreviation} ({words})", abbreviation=response.value, words=RESPONSE_WORDS[response])


def _when(exam: ExamView, language: Language) -> str:
    if exam.performed_on is not None:
        return language.date(exam.performed_on)
    return "" if exam.day is None else language.say(text("day {day}", day=exam.day))


def _sum(value: float | None, uncertainty: float | None) -> str:
    if value is None:
        return NOTHING
    return f"{value:.1f}" if not uncertainty else f"{value:.1f} ± {COVERAGE * uncertainty:.1f}"


def _size(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1f}"


def _percent(value: float | None) -> str:
    if value is None:
        return NOTHING
    tenths = math.trunc(10.0 * value + math.copysign(1e-6, value))
    return f"{tenths / 10.0:+.1f}%".replace("-", MINUS) if tenths else "0.0%"
