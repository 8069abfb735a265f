"""RECIST 1.1 as calculated from the lesions of a patient's exams, in the terminal and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from bingcheng.compare.response import Response
from bingcheng.compare.response_reading import PatientResponse, ResponseAt
from bingcheng.core.wording import Text, text
from bingcheng.outputs.assessment import ExamView
from bingcheng.outputs.language import Language

WORDS: Mapping[Response, Text] = MappingProxyType(
    {
        Response.COMPLETE: text("complete response"),
        Response.PARTIAL: text("partial response"),
        Response.STABLE: text("stable disease"),
        Response.PROGRESSIVE: text("progressive disease"),
        Response.NEITHER: text("neither complete response nor progression"),
        Response.NOT_EVALUABLE: text("not evaluable"),
    }
)


def print_responses(
    console: Console, language: Language, found: Iterable[PatientResponse], exams: Iterable[ExamView]
) -> None:
    """Each patient's answers over the exams, with what they rest on and what a reader has to decide."""
    say, labels = language.say, {exam.uid: exam.label for exam in exams}
    console.print()
    told = False
    for one in found:
        told = True
        heading = say(text("RECIST 1.1, calculated for a reader to check"))
        console.print(f"[bold]{escape(heading)}[/]  [dim]{escape(one.patient)} · {one.modality}[/]", highlight=False)
        for sentence in _basis(one, labels):
            console.print(Padding(escape(say(sentence)), (0, 0, 0, 2)), highlight=False)
        _print_points(console, language, one, labels)
    if not told:
        console.print(
            say(text("RECIST 1.1 needs a lesion on CT or MR, and a later exam with a date that tells of it."))
        )


def response_as_json(one: PatientResponse, language: Language) -> dict[str, Any]:
    """One patient's answers for other programs."""
    say = language.say
    return {
        "patient": one.patient,
        "criteria": "RECIST 1.1",
        "modality": one.modality,
        "baseline_exam": one.baseline_uid,
        "baseline_mm": one.baseline_mm,
        "targets": list(one.targets),
        "non_targets": list(one.non_targets),
        "remarks": [say(remark) for remark in one.remarks],
        "exams": [
            {
                "exam": point.exam_uid,
                "response": point.answer.response.value,
                "of_targets": None if point.answer.targets is None else point.answer.targets.value,
                "sum_mm": point.answer.sum_mm,
                "percent_from_baseline": point.answer.baseline_percent,
                "percent_from_nadir": point.answer.nadir_percent,
                "reasons": [say(reason) for reason in _reasons(point)],
                "needs_reader": bool(point.questions),
                "questions": [say(question) for question in point.questions],
            }
            for point in one.points
        ],
    }


def _basis(one: PatientResponse, labels: Mapping[str, str]) -> Iterable[Text]:
    if one.targets:
        yield text(
            "Targets in {exam}: {lesions}; their sum is {sum} mm.",
            exam=labels[one.baseline_uid],
            lesions=", ".join(one.targets),
            sum=f"{one.baseline_mm:.1f}",
        )
    if one.non_targets:
        yield text("Followed without being measured: {lesions}.", lesions=", ".join(one.non_targets))
    yield from one.remarks


def _print_points(console: Console, language: Language, one: PatientResponse, labels: Mapping[str, str]) -> None:
    say = language.say
    table = Table(box=None, header_style="bold dim", padding=(0, 2, 0, 2))
    for column in (text("Exam"), text("Sum (mm)"), text("From baseline"), text("From the smallest"), text("Response")):
        table.add_column(say(column), overflow="fold")
    for point in one.points:
        answer = point.answer
        said = f"{answer.response.value} ({say(WORDS[answer.response])})"
        if point.questions:
            said = f"{said} · {say(text('needs a reader'))}"
        total = "–" if answer.sum_mm is None else f"{answer.sum_mm:.1f}"
        table.add_row(
            labels[point.exam_uid],
            total,
            _percent(answer.baseline_percent),
            _percent(answer.nadir_percent),
            escape(said),
        )
    console.print(table)
    for point in one.points:
        for sentence in (*_reasons(point), *point.questions):
            mark = "?" if sentence in point.questions else "·"
            line = f"{labels[point.exam_uid]} {mark} {say(sentence)}"
            console.print(Padding(escape(line), (0, 0, 0, 4)), highlight=False)


def _reasons(point: ResponseAt) -> tuple[Text, ...]:
    if not point.answer.returned:
        return point.reasons
    return (*point.reasons, text("Something came back after a complete response, which is progression."))


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:+.1f} %"
