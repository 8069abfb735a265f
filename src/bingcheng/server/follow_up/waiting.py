"""``/lesions``: a hospital's patients whose lesion links wait for a reader, to be worked through one by one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection
from starlette.responses import Response

from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.archive.waiting_links import MOST, count_that_wait, patients_that_wait, were_counted
from bingcheng.core.errors import InputError
from bingcheng.outputs.csv_table import as_csv
from bingcheng.outputs.table import Column, Kind
from bingcheng.server.exams.patient import named
from bingcheng.server.pages.page import page
from bingcheng.server.pages.paging import back_to_last, page_asked, page_count
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
Where = Annotated[Site, Depends(site)]
Decider = Annotated[Actor, allowed(Action.LINK_LESIONS)]
LONGEST = 200
"""Characters that are searched for."""
MOST_ROWS, MANY = 100_000, 100
COLUMNS = (
    Column(name="patient", kind=Kind.TEXT, description="Pseudonym"),
    Column(name="name", kind=Kind.TEXT, description="Name, as the hospital wrote it"),
    Column(name="number", kind=Kind.TEXT, description="Number, as the hospital wrote it"),
    Column(name="links", kind=Kind.COUNT, description="Links between lesions that need a reader"),
    Column(
        name="last", kind=Kind.TEXT, description="When the latest of their exams was made, the scanner's local time"
    ),
)


@router.get("/lesions")
def listed(request: Request, actor: Decider, where: Where, words: str = "", page_number: str = "1") -> Response:
    """The patients, the latest exam first."""
    number, words = page_asked(page_number), words.strip()[:LONGEST]
    if actor.hospital is None:
        return page(request, "exams/nowhere.html.jinja", actor=actor)
    _see_to_counts(where)
    with where.workspace.reading() as connection:
        rows, total = patients_that_wait(connection, actor.hospital, words, offset=(number - 1) * MOST)
    pages = page_count(total, MOST)
    if (last := back_to_last(request, number, pages)) is not None:
        return last
    traced(request).count = len(rows)
    return page(
        request,
        "follow_up/waiting.html.jinja",
        actor=actor,
        rows=rows,
        total=total,
        words=words,
        named=named,
        number=number,
        pages=pages,
        first=(number - 1) * MOST + 1,
    )


@router.get("/exports/lesions.csv")
def as_file(request: Request, actor: Decider, where: Where, words: str = "") -> Response:
    """The patients as they were asked for, all pages."""
    if actor.hospital is None:
        raise InputError(NO_SUCH_THING)
    _see_to_counts(where)
    with where.workspace.reading() as connection:
        rows, _ = patients_that_wait(connection, actor.hospital, words.strip()[:LONGEST], most=MOST_ROWS)
    trace = traced(request)
    trace.code, trace.count = EventCode.EXPORT, len(rows)
    cells = [
        (
            one.patient,
            named(one.name or ""),
            one.number,
            one.links,
            None if one.last is None else one.last.isoformat(sep=" ", timespec="minutes"),
        )
        for one in rows
    ]
    headers = {"content-disposition": 'attachment; filename="lesions.csv"'}
    return Response(as_csv(COLUMNS, cells), media_type="text/csv; charset=utf-8", headers=headers)


def waiting_for(connection: Connection, actor: Actor) -> int:
    """How many patients wait for this person to say which lesion is which; 0 for who does not decide that.

    Counted only up to `MANY`: a list of exams shows it.
    """
    if actor.hospital is None or not decide(actor, Action.LINK_LESIONS).allowed:
        return 0
    return count_that_wait(connection, actor.hospital, most=MANY)


def _see_to_counts(where: Site) -> None:
    with where.workspace.reading() as connection:
        counted = were_counted(connection)
    if not counted:
        # Only in a workspace of an earlier release, once: what knows lesions is large.
        from bingcheng.engine.follow_up.waiting import see_to_waiting  # noqa: PLC0415

        see_to_waiting(where.workspace)
