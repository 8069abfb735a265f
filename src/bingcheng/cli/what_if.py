"""``bingcheng protocol what-if``: how a workspace meets a protocol, and which limits a wanted share would meet."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bingcheng.archive.outcomes import outcomes
from bingcheng.archive.workspace import Workspace
from bingcheng.cli.authoring import named
from bingcheng.cli.exits import OK, print_json
from bingcheng.core.wording import Text, text
from bingcheng.engine.agreed import agreed
from bingcheng.engine.judgement import would_come_to
from bingcheng.outputs.language import Language
from bingcheng.protocol.authoring.what_if import CameTo, Outlook, Tally, WhatIf, what_if
from bingcheng.protocol.model import Protocol


def run_what_if(
    name: str, share_percent: float, folder: Path, database: str | None, language: Language, *, json: bool
) -> int:
    """Print the outlook of each criterion; returns the exit code.

    A protocol that the workspace is judged by is read from what is stored; any other is judged now and not stored.

    Raises
    ------
    InputError
        ``archive.no-workspace``; what `named` raises.
    """
    workspace = Workspace.look_into(folder, database)
    try:
        protocol, found = _came_to(workspace, name)
    finally:
        workspace.close()
    seen = what_if(protocol, found, share=share_percent / 100.0)
    if json:
        print_json(_as_json(protocol, seen, language))
    elif not found:
        Console().print(
            escape(language.say(text("No exam of this workspace is one that {id} is for.", id=protocol.id)))
        )
    else:
        _print(protocol, seen, language)
    return OK


def _came_to(workspace: Workspace, name: str) -> tuple[Protocol, tuple[CameTo, ...]]:
    judges = {one.id: one for one in agreed(workspace).protocols}
    if name in judges:
        with workspace.reading() as connection:
            stored = outcomes(connection, name)
        if stored:
            return judges[name], stored
    protocol = judges[name] if name in judges else named(name)
    # Whoever asks what would be wants it judged wherever it fits.
    asked = protocol.model_copy(update={"by_default": True})
    judged = would_come_to(workspace, [asked], today=date.today())  # noqa: DTZ011 - the day that tells which waivers hold
    return protocol, tuple(
        CameTo(
            exam=exam.uid,
            site=exam.site,
            criterion=one.criterion,
            role=one.role,
            outcome=one.outcome,
            value=one.value,
            distance=one.distance,
        )
        for exam, findings in judged
        for one in findings
    )


def _print(protocol: Protocol, seen: WhatIf, language: Language) -> None:
    say, console = language.say, Console()
    head = text(
        "{title} (exams: {exams}; hospitals: {sites})", title=Text(protocol.title), exams=seen.exams, sites=seen.sites
    )
    console.print(f"[bold]{escape(say(head))}[/]\n", highlight=False)
    percent = language.percent(100.0 * seen.share)
    table = Table(box=None, header_style="bold dim", padding=(0, 2, 0, 0))
    for column in (
        text("Criterion"),
        text("Agreed"),
        text("Exams"),
        text("Hospitals"),
        text("Open"),
        text("{share} of exams would meet", share=percent),
        text("{share} of hospitals would meet", share=percent),
    ):
        table.add_column(say(column), overflow="fold")
    for one in seen.outlooks:
        if not one.exams.judged and not one.unknown and not one.waived:
            continue
        table.add_row(
            escape(say(one.title)),
            "" if one.asks is None else escape(say(one.asks)),
            _tally(one.exams, language),
            _tally(one.sites, language),
            str(one.unknown) if one.unknown else "",
            "" if one.limit_of_exams is None else escape(say(one.limit_of_exams)),
            "" if one.limit_of_sites is None else escape(say(one.limit_of_sites)),
        )
    console.print(table)
    console.print()
    for sentence in _remarks(seen):
        console.print(escape(say(sentence)), highlight=False)


def _remarks(seen: WhatIf) -> list[Text]:
    """Which criterion fails most, and which is open most."""
    fails, unknown = seen.fails_most, seen.unknown_most
    remarks = []
    if fails is None:
        remarks.append(text("Every exam meets every criterion that could be judged."))
    else:
        failing, judged = fails.exams.judged - fails.exams.met, fails.exams.judged
        remarks.append(
            text("Not met most often: {what} ({failing} of {count}).", what=fails.title, failing=failing, count=judged)
        )
    if unknown is not None:
        remarks.append(text("Open most often: {what} ({count}).", what=unknown.title, count=unknown.unknown))
    idle = sum(not one.exams.judged and not one.unknown and not one.waived for one in seen.outlooks)
    if idle:
        remarks.append(text("Not asked of any exam: {count} criteria.", count=idle))
    remarks.append(text("A hospital meets a criterion if at least half of its exams do."))
    return remarks


def _tally(tally: Tally, language: Language) -> str:
    share = tally.share
    return "" if share is None else f"{tally.met}/{tally.judged} {language.percent(100.0 * share)}"


def _as_json(protocol: Protocol, seen: WhatIf, language: Language) -> dict[str, object]:
    fails, unknown = seen.fails_most, seen.unknown_most
    return {
        "protocol": protocol.id,
        "share": seen.share,
        "exams": seen.exams,
        "hospitals": seen.sites,
        "fails_most": None if fails is None else fails.criterion,
        "unknown_most": None if unknown is None else unknown.criterion,
        "criteria": [_outlook(one, language) for one in seen.outlooks],
    }


def _outlook(one: Outlook, language: Language) -> dict[str, object]:
    def said(sentence: Text | None) -> str | None:
        return None if sentence is None else language.say(sentence)

    return {
        "criterion": one.criterion,
        "role": one.role,
        "title": language.say(one.title),
        "asks": said(one.asks),
        "exams": {"met": one.exams.met, "judged": one.exams.judged, "share": one.exams.share},
        "hospitals": {"met": one.sites.met, "judged": one.sites.judged, "share": one.sites.share},
        "unknown": one.unknown,
        "waived": one.waived,
        "not_applicable": one.not_applicable,
        "limit_of_exams": said(one.limit_of_exams),
        "limit_of_hospitals": said(one.limit_of_sites),
    }
