"""``bingcheng protocol waive | answer | correct | questions | statements | withdraw``: what people state of exams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bingcheng.archive.statements import Kept, StatementKind, statements
from bingcheng.archive.workspace import Workspace
from bingcheng.cli.exam_names import exam_named
from bingcheng.cli.exits import OK
from bingcheng.cli.nearest import nearest
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.finding import Outcome
from bingcheng.core.wording import Text, text
from bingcheng.engine.agreed import agreed, judge_again
from bingcheng.engine.publish import publish
from bingcheng.engine.stating import answer, correct, take_back, waive
from bingcheng.engine.view import assessment
from bingcheng.outputs.language import Language
from bingcheng.protocol.attributes import About, attributes

NOT_A_DAY = Problem(
    code="cli.not-a-day",
    says="'{written}' is no day",
    remedy="Write it as year, month and day: 2027-03-31.",
    owner=Owner.OPERATOR,
)
NO_SUCH_SITE = Problem(
    code="cli.no-such-site",
    says="no exam of this workspace is of the hospital '{site}'; the nearest are {near}",
    remedy="Write the hospital as the report names it.",
    owner=Owner.OPERATOR,
)
NOT_AN_ANSWER = Problem(
    code="cli.not-an-answer",
    says="'{written}' does not say what is answered",
    remedy="Write NAME=VALUE, for example clinical.tumour=HCC; `bingcheng protocol questions` lists the names.",
    owner=Owner.OPERATOR,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """In which workspace something is stated, by whom, and of what it holds."""

    workspace: Path
    database: str | None
    by: str
    exam: str | None = None
    site: str | None = None
    series: str | None = None


def run_waive(place: Place, protocol: str, criterion: str, why: str, until: str, language: Language) -> int:
    """State a waiver, judge again, publish; returns the exit code."""
    last = _day(until)

    def stating(workspace: Workspace, exam_uid: str | None) -> Text:
        number = waive(
            workspace,
            protocol,
            criterion,
            by=place.by,
            why=why,
            until=last,
            now=_now(),
            exam_uid=exam_uid,
            site=place.site,
        )
        return text(
            "Kept as statement {number}: {criterion} is waived until {until}.",
            number=number,
            criterion=criterion,
            until=until,
        )

    return _changed(place, stating, language)


def run_answer(place: Place, answers: tuple[str, ...], language: Language) -> int:
    """State answers, judge again, publish; returns the exit code."""
    pairs = [_pair(written) for written in answers]

    def stating(workspace: Workspace, exam_uid: str | None) -> Text:
        numbers = [
            answer(
                workspace,
                name,
                value,
                by=place.by,
                now=_now(),
                exam_uid=exam_uid,
                site=place.site,
                series=place.series,
            )
            for name, value in pairs
        ]
        return text("Kept as {count} statements, the last of them {number}.", count=len(numbers), number=numbers[-1])

    return _changed(place, stating, language)


def run_correct(place: Place, series: str, protocol: str, role: str, language: Language, *, fills: bool) -> int:
    """State which series fills a role, judge again, publish; returns the exit code."""

    def stating(workspace: Workspace, exam_uid: str | None) -> Text:
        assert exam_uid is not None
        number = correct(
            workspace, exam_uid, series, protocol=protocol, role=role, fills=fills, by=place.by, now=_now()
        )
        return text("Kept as statement {number}; it holds for the next exams of this scanner too.", number=number)

    return _changed(place, stating, language)


def run_withdraw(place: Place, number: int, language: Language) -> int:
    """Withdraw a statement, judge again, publish; returns the exit code."""

    def stating(workspace: Workspace, exam_uid: str | None) -> Text:  # noqa: ARG001 - one shape for all
        take_back(workspace, number, _now())
        return text("Statement {number} holds no more.", number=number)

    return _changed(place, stating, language)


def run_statements(folder: Path, database: str | None, language: Language, *, withdrawn: bool) -> int:
    """Print what was stated in a workspace; returns the exit code."""
    workspace = Workspace.look_into(folder, database)
    try:
        with workspace.reading() as connection:
            kept = statements(connection, withdrawn=withdrawn)
        labels = {exam.uid: exam.label for exam in assessment(workspace, images=False).exams}
    finally:
        workspace.close()
    console = Console()
    if not kept:
        console.print(
            language.say(text("Nothing is stated in this workspace. `bingcheng protocol --help` says what can be."))
        )
        return OK
    table = Table(box=None, header_style="bold dim", padding=(0, 2, 0, 0))
    for column in (text("Number"), text("By"), text("On"), text("Holds for"), text("Statement")):
        table.add_column(language.say(column), no_wrap=len(table.columns) < 3)
    for one in kept:
        stated = one.statement
        where = labels.get(stated.exam_uid or "", stated.exam_uid) or stated.site or stated.device
        said = language.say(_said(one))
        table.add_row(
            str(one.number),
            escape(stated.by),
            stated.made_at.date().isoformat(),
            escape(where or language.say(text("all exams"))),
            escape(said),
        )
    console.print(table)
    return OK


def run_questions(exam: str, folder: Path, database: str | None, language: Language) -> int:
    """Print what a person could answer about an exam, with the names to answer by; returns the exit code."""
    workspace = Workspace.look_into(folder, database)
    try:
        found = exam_named(assessment(workspace, images=False).exams, exam)
        judged_by = agreed(workspace).protocols
    finally:
        workspace.close()
    open_ones = [one for one in found.findings if one.outcome in (Outcome.UNKNOWN, Outcome.NOT_APPLICABLE)]
    asked = {(p.id, c.id): [d.attribute for d in (c, *c.when)] for p in judged_by for c in p.criteria}
    asked |= {(p.id, f"role.{r.id}"): [d.attribute for d in r.select] for p in judged_by for r in p.roles}
    open_ones = [one for one in open_ones if one.outcome is Outcome.UNKNOWN or not one.criterion.startswith("role.")]
    known = attributes()
    read = dict.fromkeys(name for one in open_ones for name in asked.get((one.protocol, one.criterion), ()))
    names = dict.fromkeys(other for name in read for other in (name, *known[name].answered_by))
    answerable = [known[name] for name in names if known[name].about in (About.OUTSIDE, About.EXAM)]
    console = Console()
    if not answerable:
        console.print(language.say(text("Nothing about this exam waits for an answer.")))
        return OK
    table = Table(box=None, header_style="bold dim", padding=(0, 2, 0, 0))
    for column in (text("Name"), text("What it is"), text("Answer with")):
        table.add_column(language.say(column), no_wrap=not table.columns)
    for one in answerable:
        form = ", ".join(one.words) or language.say(text(one.kind.value)) + (
            "" if one.unit == "1" else f" ({one.unit})"
        )
        table.add_row(one.key, escape(language.say(one.label)), escape(form))
    console.print(table)
    return OK


def _changed(place: Place, stating: Callable[[Workspace, str | None], Text], language: Language) -> int:
    """State something, judge the workspace again, and write its report anew."""
    Workspace.look_into(place.workspace, place.database).close()  # nothing is made where nothing is
    workspace = Workspace.open(place.workspace, place.database)
    console = Console()
    try:
        exam_uid = _meant(place, workspace)
        console.print(language.say(stating(workspace, exam_uid)), highlight=False)
        count = judge_again(workspace, _now().date(), language)
        published = publish(workspace, language)
    finally:
        workspace.close()
    told = text("{count} exams were judged again; the report is {report}", count=count, report=str(published.report))
    console.print(escape(language.say(told)), highlight=False, soft_wrap=True)
    return OK


def _meant(place: Place, workspace: Workspace) -> str | None:
    """The UID of the exam that is meant; a hospital that no exam is of would be waited for in vain."""
    if place.exam is None and place.site is None:
        return None
    exams = assessment(workspace, images=False).exams
    exam_uid = None if place.exam is None else exam_named(exams, place.exam).uid
    known = sorted({exam.site for exam in exams if exam.site})
    if place.site is not None and place.site not in known:
        raise InputError(NO_SUCH_SITE, site=place.site, near=nearest(place.site, known))
    return exam_uid


def _said(kept: Kept) -> Text:
    one = kept.statement
    if one.kind is StatementKind.WAIVER:
        until = "" if one.until is None else one.until.isoformat()
        said = text(
            "{protocol} {criterion} is waived until {until}: {why}",
            protocol=one.protocol or "",
            criterion=one.subject,
            until=until,
            why=one.why,
        )
    elif one.kind is StatementKind.CORRECTION:
        told = text("is the role") if one.fills else text("is not the role")
        said = text(
            "a series like {signature} {told} {role} of {protocol}",
            signature=one.signature or "",
            told=told,
            role=one.subject,
            protocol=one.protocol or "",
        )
    else:
        value = one.value
        shown = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        said = text("{name} = {value}", name=one.subject, value=shown)
        if one.signature is not None:
            said = text("{said}, of a series like {signature}", said=said, signature=one.signature)
    if kept.withdrawn_at is not None:
        return text("{said} (withdrawn on {day})", said=said, day=kept.withdrawn_at.date().isoformat())
    return said


def _pair(written: str) -> tuple[str, str]:
    name, sign, value = written.partition("=")
    if not sign or not name.strip() or not value.strip():
        raise InputError(NOT_AN_ANSWER, written=written)
    return name.strip(), value.strip()


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError as error:
        raise InputError(NOT_A_DAY, written=written) from error


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)  # as the database keeps times
