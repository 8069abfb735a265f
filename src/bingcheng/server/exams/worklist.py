"""``/worklist``: the hospital's exams, to filter, sort and leaf through; the address holds what was asked for."""

from __future__ import annotations

from datetime import date
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.jobs.queue import JobState, counts
from bingcheng.archive.ownership import HOSPITALS
from bingcheng.archive.worklist import MOST, Entry, Order, Wanted, worklist
from bingcheng.core.finding import Outcome
from bingcheng.outputs.report.words import EXAM_WORDS, style
from bingcheng.server.exams.words import ORDER_WORDS, STATE_WORDS
from bingcheng.server.pages.page import page
from bingcheng.server.pages.paging import page_asked
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import saw_studies
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
T = TypeVar("T")
NOT_JUDGED = "none"
OUTCOMES = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS)
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
        waiting = counts(connection, [f"{HOSPITALS}{actor.hospital}"])
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
        pages=max(1, -(-found.total // MOST)),
        first=(number - 1) * MOST + 1,
        asked=asked,
        address=address,
        busy=waiting[JobState.WAITING] + waiting[JobState.RUNNING],
        outcomes=OUTCOMES,
        outcome_words=EXAM_WORDS,
        style=style,
        state_words=STATE_WORDS,
        order_words=ORDER_WORDS,
        name_of=name_of,
    )


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
    name = " ".join(entry.name.split("=")[0].replace("^", " ").split())
    number = entry.number.strip()
    return f"{name} ({number})" if name and number else name or number or entry.patient


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
