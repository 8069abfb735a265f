"""``/exports``: what the pages of cases show, to take away as tables. Each is recorded as an export.

The images of a case need a grant that allows it; what is written here is no more than what the pages show.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection
from starlette.responses import Response

from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.cases.case import Case, cases
from bingcheng.archive.cases.changes import case_changes
from bingcheng.archive.cases.collections import items
from bingcheng.archive.cases.discussion import comments
from bingcheng.archive.cases.facts import case_protocols, case_values
from bingcheng.archive.cases.grants import Given, Grant, grants
from bingcheng.archive.cases.opinions import Conclusion
from bingcheng.archive.cases.search import Search, search
from bingcheng.archive.pairing.bundles import names_of_origin
from bingcheng.archive.people.hospital_group import groups
from bingcheng.core.wording import Text
from bingcheng.outputs.csv_table import as_csv
from bingcheng.outputs.report.words import VERDICT_WORDS
from bingcheng.outputs.table import Column, Kind
from bingcheng.server.cases.collections import collection_to
from bingcheng.server.cases.giving import readers_of
from bingcheng.server.cases.listing import Asked
from bingcheng.server.cases.opinions import visible_opinions
from bingcheng.server.cases.seen import (
    case_to,
    hospitals_by_number,
    last_day,
    people_by_number,
    readable_cases,
    reader_of,
    today,
)
from bingcheng.server.cases.words import CONFORM_WORDS, OPINION_WORDS, STATUS_WORDS
from bingcheng.server.pages.page import language_of, when, zone_of
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
Where = Annotated[Site, Depends(site)]
Reading = Annotated[Actor, allowed(Action.READ_CASE)]
MOST_CASES = 10_000
CSV = "text/csv; charset=utf-8"


def _words(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name=name, kind=Kind.TEXT, description=name) for name in names)


CASE_COLUMNS = _words(
    "case", "title", "organ", "modality", "diagnosis", "diagnosis_code", "tags", "hospital", "state", "published_at"
)
NUMBER_COLUMNS = (
    *_words("case", "exam", "lesion", "modality", "key", "label"),
    Column(name="value", kind=Kind.NUMBER, description="Value"),
    Column(name="standard_uncertainty", kind=Kind.NUMBER, description="Standard uncertainty (k = 1)"),
    *_words("unit"),
)
CHANGE_COLUMNS = (
    *_words("case", "lesion", "exam_before", "exam_after", "modality", "key", "label"),
    Column(name="difference", kind=Kind.NUMBER, description="Later less earlier value"),
    *_words("unit"),
    Column(name="percent", kind=Kind.NUMBER, description="The same relative to the earlier value"),
    Column(name="repetition_low_percent", kind=Kind.NUMBER, description="What repetition alone explains, from"),
    Column(name="repetition_high_percent", kind=Kind.NUMBER, description="What repetition alone explains, to"),
    *_words("verdict", "decides", "reasons"),
)
PROTOCOL_COLUMNS = _words("case", "exam", "protocol", "outcome", "passed", "failed", "unknown")
COMMENT_COLUMNS = _words("comment", "answers", "at", "person", "about", "words", "files")
OPINION_COLUMNS = _words(
    *("request", "case", "title", "asked_at", "asked_of", "person", "question", "due", "state", "answered_at"),
    *("answered_by", "findings", "conclusion", "next", "agrees", "confidence", "reason"),
)
GRANT_COLUMNS = _words("to", "from", "until", "taking_away", "by", "state")
READER_COLUMNS = _words("person", "first", "last", "entries")


@router.get("/exports/cases.csv")
def list_as_csv(request: Request, actor: Reading, where: Where, asked: Asked) -> Response:
    """The list of cases as it was searched for, all pages."""
    with where.workspace.reading() as connection:
        found = _all(connection, actor, asked, where)
        rows = _of_cases(request, actor, connection, where, found)
    return _file(request, "cases", CASE_COLUMNS, rows)


@router.get("/exports/collections/{collection_number}/cases.csv")
def collection_as_csv(request: Request, collection_number: int, actor: Reading, where: Where) -> Response:
    """The cases of a collection that the reader may see, in its order."""
    with where.workspace.reading() as connection:
        collection_to(request, connection, actor, collection_number, where)
        inside = items(connection, collection_number)
        readable = readable_cases(connection, actor, [one.case for one in inside], where.now())
        notes = {one.case: one.note for one in inside}
        found = cases(connection, [one.case for one in inside if one.case in readable])
        listed = _of_cases(request, actor, connection, where, found)
    rows = [(*row, notes[one.number]) for row, one in zip(listed, found, strict=True)]
    return _file(request, "collection", (*CASE_COLUMNS, *_words("note")), rows)


@router.get("/exports/cases/{case_number}/numbers.csv")
def numbers_as_csv(request: Request, case_number: int, actor: Reading, where: Where) -> Response:
    """What was measured in the exams of a case."""
    with where.workspace.reading() as connection:
        case_to(request, connection, actor, case_number, Action.READ_CASE, where.now())
        rows = [
            (
                str(case_number),
                str(one.exam),
                "" if one.lesion is None else str(one.lesion),
                one.modality,
                one.key,
                language_of(request).say(one.label),
                one.value,
                one.standard_uncertainty,
                one.unit,
            )
            for one in case_values(connection, case_number)
        ]
    return _file(request, f"case-{case_number}-numbers", NUMBER_COLUMNS, rows)


@router.get("/exports/cases/{case_number}/changes.csv")
def changes_as_csv(request: Request, case_number: int, actor: Reading, where: Where) -> Response:
    """What became of the lesions of a case between its exams."""
    language = language_of(request)
    with where.workspace.reading() as connection:
        case_to(request, connection, actor, case_number, Action.READ_CASE, where.now())
        rows = [
            (
                *(str(case_number), str(one.lesion), str(one.before), str(one.after), one.modality, one.key),
                *(language.say(one.label), one.difference, one.unit, one.percent, one.low_percent, one.high_percent),
                *(language.say(VERDICT_WORDS[one.verdict]), "yes" if one.leads else "no"),
                language.paragraph(one.reasons),
            )
            for one in case_changes(connection, case_number)
        ]
    return _file(request, f"case-{case_number}-changes", CHANGE_COLUMNS, rows)


@router.get("/exports/cases/{case_number}/protocols.csv")
def protocols_as_csv(request: Request, case_number: int, actor: Reading, where: Where) -> Response:
    """What protocols said of the exams of a case."""
    with where.workspace.reading() as connection:
        case_to(request, connection, actor, case_number, Action.READ_CASE, where.now())
        rows = [
            (
                *(str(case_number), str(one.exam), one.protocol, _say(request, CONFORM_WORDS[one.outcome])),
                *(str(one.passed), str(one.failed), str(one.unknown)),
            )
            for one in case_protocols(connection, case_number)
        ]
    return _file(request, f"case-{case_number}-protocols", PROTOCOL_COLUMNS, rows)


@router.get("/exports/cases/{case_number}/discussion.csv")
def discussion_as_csv(request: Request, case_number: int, actor: Reading, where: Where) -> Response:
    """What is said about a case, without what was taken back or hidden."""
    with where.workspace.reading() as connection:
        case_to(request, connection, actor, case_number, Action.READ_CASE, where.now())
        names = people_by_number(connection)
        rows = [
            (
                *(str(one.number), "" if one.answers is None else str(one.answers), _time(where, one.at)),
                *(names.get(one.person, ""), _about(one.anchor.lesion, one.anchor.sop_uid), one.words),
                " ".join(file.name for file in one.attachments),
            )
            for one in comments(connection, case_number)
            if one.shown
        ]
    return _file(request, f"case-{case_number}-discussion", COMMENT_COLUMNS, rows)


@router.get("/exports/cases/{case_number}/grants.csv")
def grants_as_csv(
    request: Request, case_number: int, actor: Annotated[Actor, allowed(Action.GRANT_CASE)], where: Where
) -> Response:
    """To whom a case is and was given."""
    with where.workspace.reading() as connection:
        case_to(request, connection, actor, case_number, Action.GRANT_CASE, where.now())
        names, places = people_by_number(connection), hospitals_by_number(connection)
        teams = {one.number: one.name for one in groups(connection)}
        rows = [
            (
                places.get(one.hospital or 0) or teams.get(one.hospital_group or 0) or one.audience.value,
                _time(where, one.made_at),
                "" if one.expires_at is None else str(last_day(where, one.expires_at)),
                "yes" if one.download else "no",
                names.get(one.made_by, ""),
                _state(one, where),
            )
            for one in grants(connection, Given.CASE, case_number)
        ]
    return _file(request, f"case-{case_number}-grants", GRANT_COLUMNS, rows)


@router.get("/exports/cases/{case_number}/readers.csv")
def readers_as_csv(
    request: Request, case_number: int, actor: Annotated[Actor, allowed(Action.GRANT_CASE)], where: Where
) -> Response:
    """Who saw a case."""
    with where.workspace.reading() as connection:
        case_to(request, connection, actor, case_number, Action.GRANT_CASE, where.now())
        names = people_by_number(connection)
        rows = [
            (names.get(person, ""), _time(where, first), _time(where, last), str(count))
            for person, first, last, count in readers_of(connection, case_number)
        ]
    return _file(request, f"case-{case_number}-readers", READER_COLUMNS, rows)


@router.get("/exports/opinions.csv")
def opinions_as_csv(request: Request, actor: Reading, where: Where) -> Response:
    """The second opinions that are asked of the actor's hospital or by it, with their answers."""
    with where.workspace.reading() as connection:
        found = visible_opinions(connection, actor, where.now())
        titles = {one.number: one.written.title for one in cases(connection, [one.case for _, one in found])}
        names, places = people_by_number(connection), hospitals_by_number(connection)
    rows = []
    for _, one in found:
        said = one.conclusion or Conclusion()
        agrees = {True: "yes", False: "no"}.get(said.agrees) if said.agrees is not None else ""
        rows.append(
            (
                *(str(one.number), str(one.case), titles.get(one.case, ""), _time(where, one.asked_at)),
                *(places.get(one.hospital, ""), names.get(one.person or 0, ""), one.question),
                "" if one.due_on is None else one.due_on.isoformat(),
                _say(request, OPINION_WORDS[one.state(today(where))]),
                "" if one.answered_at is None else _time(where, one.answered_at),
                names.get(one.answered_by or 0, ""),
                *(said.findings, said.impression, said.recommendation, agrees),
                *("" if said.confidence is None else said.confidence.value, said.reason),
            )
        )
    return _file(request, "opinions", OPINION_COLUMNS, rows)


def _all(connection: Connection, actor: Actor, asked: Search, where: Site) -> list[Case]:
    """All that fits, page by page."""
    found: list[Case] = []
    reader, now = reader_of(actor), where.now()
    while len(found) < MOST_CASES:
        part = search(connection, reader, asked, now, offset=len(found)).cases
        if not part:
            break
        found.extend(part)
    return found


def _of_cases(
    request: Request, actor: Actor, connection: Connection, where: Site, found: Sequence[Case]
) -> list[tuple[Any, ...]]:
    """Rows of the list: what the reader asks for apart does not stand in them."""
    places = hospitals_by_number(connection)
    origins = names_of_origin(connection, [one.number for one in found])

    def row(one: Case) -> tuple[Any, ...]:
        said, named = one.written, one.written.show_hospital or one.hospital == actor.hospital
        from_where = origins.get(one.number) or (places.get(one.hospital, "") if named else "")
        return (
            *(str(one.number), said.title, said.body_part, said.modality),
            *(("", "") if said.hidden else (said.diagnosis, said.diagnosis_code)),
            *(", ".join(said.tags), from_where, _say(request, STATUS_WORDS[one.status])),
            "" if one.published_at is None else _time(where, one.published_at),
        )

    return [row(one) for one in found]


def _about(lesion: int | None, sop_uid: str) -> str:
    if lesion is not None:
        return f"lesion {lesion}"
    return f"image {sop_uid}" if sop_uid else ""


def _state(one: Grant, where: Site) -> str:
    if one.holds(where.now()):
        return "holds"
    return "withdrawn" if one.withdrawn_at else "ended"


def _time(where: Site, moment: Any) -> str:
    return when(moment, zone=zone_of(where.settings))


def _say(request: Request, words: Text) -> str:
    return language_of(request).say(words)


def _file(request: Request, name: str, columns: Sequence[Column], rows: Sequence[tuple[Any, ...]]) -> Response:
    trace = traced(request)
    trace.code, trace.count = EventCode.EXPORT, max(1, len(rows))
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return Response(as_csv(columns, rows), media_type=CSV, headers=headers)
