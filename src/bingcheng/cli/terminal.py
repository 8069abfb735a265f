"""What a person reads in the terminal: tables and sentences in their language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from bingcheng.cli.lesion_links import print_waiting
from bingcheng.compare.change import Verdict
from bingcheng.compare.lesions import LesionChange
from bingcheng.core.finding import Finding, Outcome
from bingcheng.core.measurement import Measurement, Tells
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.core.wording import Text, text
from bingcheng.engine.publish import Published
from bingcheng.engine.run import Tally
from bingcheng.outputs.assessment import Assessment, ExamView, SeriesView
from bingcheng.outputs.language import Language
from bingcheng.outputs.report.words import VERDICT_WORDS
from bingcheng.outputs.scanner import scanner_in_words
from bingcheng.outputs.summary import by_urgency, exam_outcome, headline, joined, only_repeats, protocol_of

VERDICT_STYLES = {
    Verdict.REAL: "bold red",
    Verdict.WITHIN_REPEATABILITY: "green",
    Verdict.NOT_COMPARABLE: "yellow",
    Verdict.UNKNOWN: "dim",
}
MOST_REFUSALS = 12
"""How many refusals the summary prints; a screenful is read, a list of hundreds is not."""
MOST_SUBJECTS = 6
"""How many of those that are refused for the same reason are named."""
LEFT_OUT = text("Left out, the rest went on:")
OUTCOMES = {
    Outcome.PASS: ("green", text("met")),
    Outcome.FAIL: ("bold red", text("not met")),
    Outcome.UNKNOWN: ("yellow", text("unknown")),
    Outcome.NOT_APPLICABLE: ("dim", text("not applicable")),
    Outcome.WAIVED: ("cyan", text("waived")),
}


def print_summary(console: Console, language: Language, seen: Assessment, tally: Tally, published: Published) -> None:
    """The answer in a screenful: headline, exams, lesions, what was refused, where the report is."""
    say = language.say
    console.print()
    for sentence in headline(seen):
        console.print(f"[bold]{escape(say(sentence))}[/]", highlight=False)
    if seen.exams:
        console.print()
        console.print(exam_table(language, seen.exams))
    if seen.changes:
        console.print()
        print_changes(console, language, seen.changes)
    print_waiting(console, language, seen)
    in_exams = [_of_exam(refusal, exam) for exam in seen.exams for refusal in exam.refusals]
    print_refusals(console, language, (*seen.refusals, *in_exams), most=MOST_REFUSALS)
    console.print()
    console.print(
        say(
            text(
                "Exams found: {found}; assessed now: {assessed}; unchanged since: {unchanged}; failed: {failed}.",
                found=tally.found,
                assessed=tally.assessed,
                unchanged=tally.unchanged,
                failed=tally.failed,
            )
        )
    )
    console.print(f"{say(text('Report'))}: {escape(str(published.report.resolve()))}", soft_wrap=True, highlight=False)
    console.print(
        f"{say(text('Tables'))}: {escape(str(published.tables[0].parent.resolve()))}", soft_wrap=True, highlight=False
    )


def exam_table(language: Language, exams: Iterable[ExamView]) -> Table:
    """One row an exam: whose, where, when, what, and how it met the protocol."""
    say = language.say
    table = _table(
        say(text("Exam")),
        say(text("Patient")),
        say(text("Hospital")),
        say(text("Day")),
        say(text("Modalities")),
        say(text("Lesions")),
        say(text("Protocol")),
    )
    for exam in exams:
        outcome = exam_outcome(exam)
        style, word = OUTCOMES[outcome] if outcome is not None else ("dim", text("not judged"))
        table.add_row(
            exam.label,
            escape(exam.patient),
            escape(exam.site or say(text("(hospital not named)"))),
            "" if exam.day is None else str(exam.day),
            " ".join(sorted({series.modality for series in exam.series})),
            str(len({lesion.lesion for series in exam.series for lesion in series.lesions})),
            f"[{style}]{escape(say(word))}[/]",
        )
    return table


def print_changes(console: Console, language: Language, changes: Iterable[LesionChange]) -> None:
    """Each lesion seen twice: the verdict, the change that decided it, and why."""
    say = language.say
    for change in changes:
        lead = change.lead
        verdict = f"[{VERDICT_STYLES[change.verdict]}]{escape(say(VERDICT_WORDS[change.verdict]))}[/]"
        amount = ""
        if lead is not None and lead.percent is not None:
            amount = f"{say(lead.after.measurement.label)} {language.percent(lead.percent, signed=True)}"
        console.print(
            f"{verdict}  [bold]{escape(change.label)}[/]  [dim]{escape(change.patient)}[/]  {escape(amount)}",
            highlight=False,
        )
        for reason in lead.reasons if lead is not None else ():
            console.print(Padding(escape(say(reason)), (0, 0, 0, 4)), highlight=False)
        if lead is not None and lead.remedy is not None:
            console.print(Padding(f"→ {escape(say(lead.remedy))}", (0, 0, 0, 4)), highlight=False)


def _of_exam(refusal: Refusal, exam: ExamView) -> Refusal:
    """The refusal with the exam's label; a UID beside it tells a person nothing more."""
    whole = refusal.kind is SubjectKind.EXAM
    return replace(refusal, subject=exam.label if whole else f"{exam.label} {refusal.subject}")


def print_refusals(
    console: Console,
    language: Language,
    refusals: Iterable[Refusal],
    *,
    heading: Text = LEFT_OUT,
    most: int | None = None,
) -> None:
    """What was left out, why, and what to do about it: one entry a reason; of very many, the first `most`."""
    alike: dict[tuple[str, str], list[Refusal]] = {}
    for refusal in refusals:
        alike.setdefault((refusal.code, str(refusal.reason)), []).append(refusal)
    if not alike:
        return
    say = language.say
    console.print()
    console.print(f"[yellow]{escape(say(heading))}[/]")
    for same in list(alike.values())[:most]:
        first = same[0]
        console.print(
            f"  {escape(_subjects(same, language))}: {escape(say(first.reason))} [dim]\\[{first.code}][/]",
            highlight=False,
        )
        console.print(Padding(f"→ {escape(say(first.remedy))}", (0, 0, 0, 4)), highlight=False)
    if most is not None and len(alike) > most:
        console.print("  " + say(text("and {count} more; the report lists all.", count=len(alike) - most)))


def _subjects(alike: Sequence[Refusal], language: Language) -> str:
    """What was refused for one reason: the first few by name, the others by their number."""
    named = alike[:MOST_SUBJECTS] if len(alike) > MOST_SUBJECTS + 1 else alike
    parts = [
        text("{subject} × {count}", subject=one.subject, count=one.count)
        if one.count > 1
        else text("{subject}", subject=one.subject)
        for one in named
    ]
    left = len(alike) - len(named)
    if left:
        parts.append(text("{count} others", count=left))
    return language.say(joined(parts))


def print_exam(console: Console, language: Language, exam: ExamView) -> None:
    """One exam whole: what to do first, how it was acquired, how good it is, what was measured."""
    console.rule(f"{exam.label} · {escape(exam.patient)} · {escape(exam.site)}")
    _print_findings(console, language, exam.findings)
    for series in exam.series:
        _print_series(console, language, series)
    print_refusals(console, language, (_of_exam(refusal, exam) for refusal in exam.refusals))


def _print_findings(console: Console, language: Language, findings: tuple[Finding, ...]) -> None:
    say = language.say
    open_ones = [f for f in by_urgency(findings) if f.outcome in (Outcome.FAIL, Outcome.UNKNOWN)]
    if not findings:
        console.print(say(text("No protocol in the library fits this exam.")))
        return
    met = sum(finding.outcome is Outcome.PASS for finding in findings)
    console.print(say(text("{met} criteria are met; {open} are not met or unknown.", met=met, open=len(open_ones))))
    for finding in open_ones:
        style, word = OUTCOMES[finding.outcome]
        told = "" if finding.measured is None else f": {say(finding.measured)}"
        limit = "" if finding.limit is None else f" ({say(text('agreed'))}: {say(finding.limit)})"
        asked_by = f"{say(protocol_of(finding))} · {finding.protocol}/{finding.criterion}"
        judged = f"[{style}]{escape(say(word))}[/] {escape(say(finding.title) + told + limit)}"
        console.print(f"  {judged}", highlight=False)
        console.print(Padding(f"[dim]{escape(asked_by)}[/]", (0, 0, 0, 6)), highlight=False)
        for sentence in (None if only_repeats(finding) else finding.reason, finding.remedy):
            if sentence is not None:
                console.print(Padding(f"→ {escape(say(sentence))}", (0, 0, 0, 6)), highlight=False)


def _print_series(console: Console, language: Language, series: SeriesView) -> None:
    say = language.say
    console.print()
    scanner = scanner_in_words(series.device, language)
    console.print(f"[bold]{series.modality}[/] {escape(series.description)}  [dim]{escape(scanner)}[/]")
    facts = "; ".join(f"{say(name)} {say(value)}" for name, value in series.facts)
    console.print(Padding(escape(facts), (0, 0, 0, 2)), highlight=False)
    _print_measurements(console, language, [one for one in series.measurements if one.tells is not Tells.EVIDENCE])
    for lesion in series.lesions:
        console.print(f"  [bold]{escape(lesion.label)}[/] [dim]{escape(lesion.method)}[/]")
        _print_measurements(console, language, lesion.measurements)


def _print_measurements(console: Console, language: Language, measurements: Iterable[Measurement]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 2), show_header=False)
    table.add_column()
    table.add_column(justify="left")
    for one in measurements:
        table.add_row(escape(language.say(one.label)), escape(told(language, one)))
    console.print(table)


def told(language: Language, one: Measurement) -> str:
    """A value with its uncertainty and unit, or why there is none."""
    if one.value is None:
        assert one.no_value is not None
        return language.say(one.no_value.reason)
    return language.quantity(one.value, one.unit, one.expanded_uncertainty)


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="bold dim", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
