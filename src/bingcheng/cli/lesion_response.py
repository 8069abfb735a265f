"""RECIST 1.1 as calculated from the lesions of a patient's exams, in the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from bingcheng.compare.response_missing import WithoutResponse
from bingcheng.compare.response_reading import PatientResponse
from bingcheng.core.wording import text
from bingcheng.outputs.assessment import ExamView
from bingcheng.outputs.follow_up.response_sheet import NOTHING, ResponseSheet, response_sheet, said
from bingcheng.outputs.follow_up.response_words import TITLE
from bingcheng.outputs.language import Language


def print_responses(
    console: Console,
    language: Language,
    found: Iterable[PatientResponse],
    exams: Iterable[ExamView],
    without: Iterable[WithoutResponse] = (),
) -> None:
    """Each patient's answers over the exams, with what they rest on and what a reader has to decide.

    Parameters
    ----------
    without : patients whose lesions have no response.
    """
    say, by_uid = language.say, {exam.uid: exam for exam in exams}
    console.print()
    told = False
    for one in found:
        told = True
        sheet = response_sheet(one, by_uid, language)
        heading = f"[bold]{escape(say(TITLE))}[/]  [dim]{escape(sheet.patient)} · {sheet.modality}[/]"
        console.print(heading, highlight=False)
        for sentence in sheet.basis:
            console.print(Padding(escape(say(sentence)), (0, 0, 0, 2)), highlight=False)
        _print_rows(console, language, sheet)
    for missing in without:
        told = True
        console.print(f"[dim]{escape(missing.patient)}[/] {escape(say(missing.reason))}", highlight=False)
    if not told:
        console.print(
            say(text("RECIST 1.1 needs a lesion on CT or MR, and a later exam with a date that tells of it."))
        )


def _print_rows(console: Console, language: Language, sheet: ResponseSheet) -> None:
    say = language.say
    table = Table(box=None, header_style="bold dim", padding=(0, 2, 0, 2))
    for column in (text("Exam"), text("Sum (mm)"), text("From baseline"), text("From the smallest"), text("Response")):
        table.add_column(say(column), overflow="fold")
    for row in sheet.rows:
        answer = say(text("baseline")) if row.response is None else say(said(row.response))
        if row.questions:
            answer = f"{answer} · {say(text('needs a reader'))}"
        table.add_row(row.exam, row.total or NOTHING, row.from_baseline, row.from_nadir, escape(answer))
    console.print(table)
    for row in sheet.rows:
        for mark, sentences in (("·", row.reasons), ("?", row.questions)):
            for sentence in sentences:
                line = f"{row.exam} {mark} {say(sentence)}"
                console.print(Padding(escape(line), (0, 0, 0, 4)), highlight=False)
