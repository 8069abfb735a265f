"""``bingcheng lesions``: the tracks of lesions over exams, and what people decide about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bingcheng.archive.matchings import Decision, decisions
from bingcheng.archive.workspace import Workspace
from bingcheng.cli.exam_names import exam_named
from bingcheng.cli.exits import OK, print_json
from bingcheng.cli.lesion_links import addresses, print_links
from bingcheng.cli.lesion_response import print_responses
from bingcheng.core.wording import Text, text
from bingcheng.engine.follow_up.decisions import Deciding, Who, take_back_last
from bingcheng.engine.publish import publish
from bingcheng.engine.view import assessment
from bingcheng.outputs.assessment import Assessment, ExamView, MatchedExams
from bingcheng.outputs.follow_up.response_form import response_as_json
from bingcheng.outputs.follow_up.stored_form import matched_as_json
from bingcheng.outputs.language import Language

Track = tuple[str, str]
"""Patient and name of a track."""
ACTIONS: Mapping[str, Text] = {
    "link": text("are one"),
    "unlink": text("are not one"),
    "new": text("new"),
    "vanished": text("vanished"),
}


def run_list(
    folder: Path,
    database: str | None,
    language: Language,
    *,
    exam: str | None,
    json: bool,
    history: bool,
    response: bool,
) -> int:
    """Print the tracks of all patients, or of one exam's patient; returns the exit code.

    Raises
    ------
    InputError
        ``archive.no-workspace``, ``engine.no-such-exam``.
    """
    workspace = Workspace.look_into(folder, database)
    try:
        seen = assessment(workspace, images=False)
        with workspace.reading() as connection:
            decided = decisions(connection, undone=True)
    finally:
        workspace.close()
    patients = None if exam is None else {exam_named(seen.exams, exam).patient}
    shown = [one for one in seen.exams if patients is None or one.patient in patients]
    matched = [one for one in seen.follow_up if patients is None or one.patient in patients]
    answers = [one for one in seen.responses if patients is None or one.patient in patients]
    if json:
        print_json(
            _as_json(shown, matched, decided, language)
            | {"responses": [response_as_json(one, language.say) for one in answers]}
        )
        return OK
    console = Console()
    _print_tracks(console, language, shown)
    print_links(console, language, matched, seen.exams)
    if response:
        without = [one for one in seen.without_response if patients is None or one.patient in patients]
        print_responses(console, language, answers, seen.exams, without)
    if history:
        _print_history(console, language, decided, seen)
    return OK


def run_decision(
    action: str,
    names: tuple[str, ...],
    who: str,
    why: str,
    folder: Path,
    database: str | None,
    language: Language,
) -> int:
    """Keep a decision and publish the report anew; returns the exit code.

    Raises
    ------
    InputError
        what `Deciding` raises.
    """

    def deciding(workspace: Workspace, seen: Assessment) -> Text:
        asked = Deciding(workspace, seen)
        by = Who(by=who, at=_now(), why=why)
        if action == "link":
            number = asked.link(names, by)
        elif action == "unlink":
            number = asked.unlink(names, by)
        else:
            number = (asked.new if action == "new" else asked.vanished)(names[0], by)
        return text("Kept as decision {number}.", number=number)

    return _changed(folder, database, language, deciding)


def run_undo(folder: Path, database: str | None, language: Language) -> int:
    """Take the last decision back and publish the report anew; returns the exit code.

    Raises
    ------
    InputError
        ``quantify.matching-nothing-to-undo``.
    """

    def undoing(workspace: Workspace, seen: Assessment) -> Text:  # noqa: ARG001 - one shape for both
        return text("Decision {number} holds no more.", number=take_back_last(workspace, _now()).number)

    return _changed(folder, database, language, undoing)


def _print_tracks(console: Console, language: Language, exams: Sequence[ExamView]) -> None:
    tracks = _tracks(exams)
    if not tracks:
        console.print(language.say(text("No lesion is stored yet.")))
        return
    table = Table(box=None, header_style="bold dim", padding=(0, 2, 0, 0))
    for column in (text("Patient"), text("Lesion over the exams")):
        table.add_column(language.say(column), overflow="fold")
    for (patient, _), members in tracks.items():
        sides: dict[str, list[str]] = {}
        for exam, lesion in members:
            sides.setdefault(exam, []).append(f"{exam}:{lesion}")
        table.add_row(escape(patient), escape(" → ".join(" + ".join(side) for side in sides.values())))
    console.print(table)


def _tracks(exams: Iterable[ExamView]) -> dict[Track, list[tuple[str, str]]]:
    """The lesions of each track: label of the exam, and what to call the lesion there."""
    found: dict[Track, dict[tuple[str, str], None]] = {}
    for exam in exams:
        called = addresses(exam)
        for series in exam.series:
            for lesion in series.lesions:
                track = found.setdefault((exam.patient, lesion.followed_as), {})
                track[exam.label, called[lesion.lesion]] = None
    return {track: list(members) for track, members in found.items()}


def _print_history(console: Console, language: Language, decided: Sequence[Decision], seen: Assessment) -> None:
    say = language.say
    exams = {exam.uid: (exam.label, addresses(exam)) for exam in seen.exams}
    table = Table(box=None, header_style="bold dim", padding=(0, 2, 0, 0))
    for column in (text("Number"), text("By"), text("On"), text("Decision"), text("Why")):
        table.add_column(say(column), overflow="fold")
    for one in decided:
        edit = one.edit
        sides = [(one.earlier_uid, edit.before), (one.later_uid, edit.after)]
        named = " ".join(_address(exams, uid, name) for uid, names in sides for name in names)
        said = f"{named} {say(ACTIONS[edit.action.value])}"
        if one.undone_at is not None:
            said = f"{said} ({say(text('taken back'))})"
        table.add_row(str(one.number), escape(edit.by), edit.at.date().isoformat(), escape(said), escape(edit.why))
    console.print()
    console.print(table)


def _address(exams: Mapping[str, tuple[str, Mapping[str, str]]], uid: str, name: str) -> str:
    """Exam and lesion as people write them; what is no longer there goes by what it was called."""
    label, called = exams.get(uid, (uid, {}))
    return f"{label}:{called.get(name, name)}"


def _as_json(
    exams: Sequence[ExamView], matched: Sequence[MatchedExams], decided: Sequence[Decision], language: Language
) -> dict[str, Any]:
    return {
        "tracks": [
            {
                "patient": patient,
                "track": track,
                "lesions": [{"exam": exam, "lesion": lesion} for exam, lesion in members],
            }
            for (patient, track), members in _tracks(exams).items()
        ],
        "matched": [matched_as_json(one, language.say) for one in matched],
        "decisions": [
            {
                "number": one.number,
                "earlier_exam": one.earlier_uid,
                "later_exam": one.later_uid,
                "action": one.edit.action.value,
                "before": list(one.edit.before),
                "after": list(one.edit.after),
                "by": one.edit.by,
                "at": one.edit.at.isoformat(),
                "why": one.edit.why,
                "undone_at": None if one.undone_at is None else one.undone_at.isoformat(),
                "undone_by": one.undone_by or None,
            }
            for one in decided
        ],
    }


def _changed(
    folder: Path, database: str | None, language: Language, deciding: Callable[[Workspace, Assessment], Text]
) -> int:
    """Decide something, and write the workspace's report anew."""
    Workspace.look_into(folder, database).close()  # nothing is made where nothing is
    workspace = Workspace.open(folder, database)
    console = Console()
    try:
        done = deciding(workspace, assessment(workspace, images=False))
        console.print(language.say(done), highlight=False)
        published = publish(workspace, language)
    finally:
        workspace.close()
    told = text("Report: {report}", report=str(published.report))
    console.print(escape(language.say(told)), highlight=False, soft_wrap=True)
    return OK


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)  # as the database keeps times
