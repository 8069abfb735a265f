"""``/worklist``: the hospital's exams, to filter, sort and leaf through; the address holds what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.jobs.queue import JobState, counts
from bingcheng.archive.ownership import HOSPITALS
from bingcheng.archive.worklist import MOST, Entry, Order, Wanted, worklist
from bingcheng.core.finding import Outcome
from bingcheng.outputs.report.words import EXAM_WORDS, style
from bingcheng.server.exams.patient import named
from bingcheng.server.exams.words import ORDER_WORDS, STATE_WORDS, words_of
from bingcheng.server.follow_up.waiting import MANY, waiting_for
from bingcheng.server.pages.page import language_of, page
from bingcheng.server.pages.paging import back_to_last, page_asked, page_count
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import saw_studies, traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
T = TypeVar("T")
NOT_JUDGED = "none"
OUTCOMES = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS)
BUSY = (
    "1 exam waits to be assessed or is being assessed.",
    "{count} exams wait to be assessed or are being assessed.",
)
LONGEST = 200
"""Characters that are searched for."""


@router.get("/worklist")
def shown(
    request: Request,
    actor: Annotated[Actor, allowed(Action.READ_EXAM)],
    where: Annotated[Site, Depends(site)],
    words: str = "",
    since: str = "",
    until: str = "",
    modality: str = "",
    outcome: str = "",
    state: str = "",
    order: str = "",
    page_number: str = "1",
) -> Response:
    """The list."""
    wanted = wanted_of(
        words=words, since=since, until=until, modality=modality, outcome=outcome, state=state, order=order
    )
    number = page_asked(page_number)
    if actor.hospital is None:
        return page(request, "exams/nowhere.html.jinja", actor=actor)
    with where.workspace.reading() as connection:
        found = worklist(connection, actor.hospital, wanted, offset=(number - 1) * MOST)
        jobs = counts(connection, [f"{HOSPITALS}{actor.hospital}"])
        waiting = waiting_for(connection, actor)
    pages = page_count(found.total, MOST)
    if (last := back_to_last(request, number, pages)) is not None:
        return last
    saw_studies(request, [entry.uid for entry in found.entries])
    asked = {key: value for key, value in request.query_params.items() if key != "page_number" and value}

    def address(**changed: str) -> str:
        kept = {key: value for key, value in {**asked, **changed}.items() if value}
        return f"/worklist?{urlencode(kept)}" if kept else "/worklist"

    return page(
        request,
        "exams/worklist.html.jinja",
        actor=actor,
        listed=found,
        wanted=wanted,
        number=number,
        pages=pages,
        first=(number - 1) * MOST + 1,
        asked=asked,
        address=address,
        busy=_busy(jobs),
        jobs_state=_state(jobs),
        outcomes=OUTCOMES,
        outcome_words=EXAM_WORDS,
        style=style,
        state_words=STATE_WORDS,
        words_of=words_of,
        order_words=ORDER_WORDS,
        name_of=name_of,
        waiting=waiting,
        many=MANY,
    )


@router.get("/worklist/progress")
def progress(
    request: Request,
    actor: Annotated[Actor, allowed(Action.READ_EXAM)],
    where: Annotated[Site, Depends(site)],
) -> Response:
    """How many exams wait, and a word that is another one as soon as the list may be."""
    traced(request).silent = True
    if actor.hospital is None:
        return JSONResponse({"says": "", "state": ""})
    with where.workspace.reading() as connection:
        jobs = counts(connection, [f"{HOSPITALS}{actor.hospital}"])
    busy = _busy(jobs)
    return JSONResponse({"says": language_of(request).plural(*BUSY, busy) if busy else "", "state": _state(jobs)})


def wanted_of(*, words: str, since: str, until: str, modality: str, outcome: str, state: str, order: str) -> Wanted:
    """What an address asks for; what can't be understood asks for nothing."""
    return Wanted(
        words=words.strip()[:LONGEST],
        since=_day(since),
        until=_day(until),
        modality=modality[:16],
        outcome=_one_of(Outcome, outcome),
        judged=outcome != NOT_JUDGED,
        state=_one_of(JobState, state),
        order=_one_of(Order, order) or Order.NEWEST,
    )


def name_of(entry: Entry) -> str:
    """A patient's name as people write it, with the number."""
    name = named(entry.name)
    number = entry.number.strip()
    return f"{name} ({number})" if name and number else name or number or entry.patient


def _busy(jobs: Mapping[JobState, int]) -> int:
    return jobs[JobState.WAITING] + jobs[JobState.RUNNING]


def _state(jobs: Mapping[JobState, int]) -> str:
    return "-".join(str(jobs[state]) for state in JobState)


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def _one_of(kind: type[T], written: str) -> T | None:
    try:
        return kind(written)  # type: ignore[call-arg]
    except ValueError:
        return None
