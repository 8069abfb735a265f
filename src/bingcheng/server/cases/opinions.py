"""``/opinions``: second opinions that were asked for, and their answers."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide
from bingcheng.archive.authorisation.subject import Subject, SubjectKind
from bingcheng.archive.cases.case import Case, CaseStatus, case, cases
from bingcheng.archive.cases.free_text import check_texts
from bingcheng.archive.cases.grants import Audience, Given, grant, granted
from bingcheng.archive.cases.notices import who_may
from bingcheng.archive.cases.opinions import (
    UNDER_WAY,
    Conclusion,
    Confidence,
    Opinion,
    OpinionState,
    answerable,
    ask_opinion,
    move_opinion,
    opinion,
    opinions,
)
from bingcheng.archive.cases.problems import WRONG_AUDIENCE, WRONG_STEP
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.core.wording import Text, text
from bingcheng.server.cases.seen import (
    LARGEST_NUMBER,
    case_to,
    day_of,
    hospitals_by_number,
    people_by_number,
    person_number,
    readable_cases,
    today,
)
from bingcheng.server.cases.words import CONFIDENCE_WORDS, OPINION_WORDS
from bingcheng.server.pages.page import page
from bingcheng.server.pages.told import Told, told
from bingcheng.server.security.refusal import not_sent, status_of
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
Where = Annotated[Site, Depends(site)]
Reading = Annotated[Actor, allowed(Action.READ_CASE)]
Asking = Annotated[Actor, allowed(Action.ASK_OPINION)]


@router.get("/opinions")
def listed(request: Request, actor: Reading, where: Where, only: str = "") -> Response:
    """What is asked of the actor's hospital, and what it asks: what is open first, by its day.

    `only` one part (asked, asks, ended), or what is overdue.
    """
    with where.workspace.reading() as connection:
        sides = visible_opinions(connection, actor, where.now())
        found = [one for _, one in sides]
        shut = _shut(connection, actor, {one.number for one in found})
        titles = {one.number: one.written.title for one in cases(connection, [one.case for one in found])}
        names, places = people_by_number(connection), hospitals_by_number(connection)
    return page(
        request,
        "cases/opinions.html.jinja",
        actor=actor,
        parts=_parted(sides, only, today(where)),
        only=only if only in _PARTS else "",
        choices=_PARTS,
        any=bool(found),
        shut=shut,
        titles=titles,
        names=names,
        hospitals=places,
        today=today(where),
        opinion_words=OPINION_WORDS,
    )


@router.get("/cases/{case_number}/opinions")
def ask_form(request: Request, case_number: int, actor: Asking, where: Where) -> Response:
    """The form: of whom, what, until when."""
    return _ask_form(request, actor, where, case_number)


@router.post("/cases/{case_number}/opinions")
def ask(
    request: Request,
    case_number: int,
    actor: Asking,
    where: Where,
    whom: Annotated[str, Form(max_length=24)] = "",
    question: Annotated[str, Form(max_length=20_000)] = "",
    due: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Ask; where the case is not given to that hospital yet, it is given to it, if the actor may do that."""
    now = where.now()
    with where.workspace.reading() as connection:
        known = _own_case(request, connection, actor, case_number, where)
    try:
        with where.workspace.writing() as connection:
            hospital, person = _whom(connection, whom)
            check_texts(connection, case_number, known.hospital, {"question": question})
            number = ask_opinion(
                connection,
                case_number,
                asked_by=person_number(actor),
                question=question,
                hospital=hospital,
                person=person,
                due_on=day_of(due),
                now=now,
                today=today(where),
            )
            _give(connection, actor, known, hospital, where)
    except InputError as error:
        shown = InputError(WRONG_AUDIENCE) if error.code == NO_SUCH_THING.code else error
        written = {"whom": whom, "question": question, "due": due}
        return _ask_form(request, actor, where, case_number, written, problem=told(shown), status=status_of(shown))
    return RedirectResponse(f"/opinions/{number}", 303)


@router.get("/opinions/{opinion_number}")
def shown(request: Request, opinion_number: int, actor: Reading, where: Where) -> Response:
    """One request, and its answer."""
    return _page(request, actor, where, opinion_number)


@router.post("/opinions/{opinion_number}")
def move(
    request: Request,
    opinion_number: int,
    actor: Annotated[Actor, allowed(Action.COMMENT)],
    where: Where,
    step: Annotated[str, Form(max_length=16)] = "",
    findings: Annotated[str, Form(max_length=20_000)] = "",
    impression: Annotated[str, Form(max_length=20_000)] = "",
    recommendation: Annotated[str, Form(max_length=20_000)] = "",
    reason: Annotated[str, Form(max_length=20_000)] = "",
    confidence: Annotated[str, Form(max_length=16)] = "",
    agrees: Annotated[str, Form(max_length=8)] = "",
) -> Response:
    """Accept, answer, decline, or (who asked) withdraw."""
    conclusion = Conclusion(
        findings=findings,
        impression=impression,
        recommendation=recommendation,
        reason=reason,
        confidence={one.value: one for one in Confidence}.get(confidence),
        agrees={"yes": True, "no": False}.get(agrees),
    )
    try:
        with where.workspace.writing() as connection:
            known = _seen(request, connection, actor, opinion_number, where)
            state = _state_after(connection, actor, known, step)
            said = conclusion if step in ("answer", "decline") else None
            move_opinion(connection, opinion_number, state, by=person_number(actor), now=where.now(), conclusion=said)
    except InputError as error:
        if error.code == NO_SUCH_THING.code:
            not_sent(request, findings, impression, recommendation, reason)
            raise
        return _page(request, actor, where, opinion_number, conclusion, problem=told(error), status=status_of(error))
    return RedirectResponse(f"/opinions/{opinion_number}", 303)


def visible_opinions(connection: Connection, actor: Actor, now: datetime) -> list[tuple[str, Opinion]]:
    """The requests that the actor may see, each with the side on which he or she stands; the latest first."""
    found = opinions(connection, hospital=actor.hospital, person=actor.person)
    sides = [(_side(connection, actor, one), one) for one in found]
    # Who is asked sees it for as long as the case is given; who asks, always.
    readable = readable_cases(connection, actor, [one.case for one in found], now)
    return [(side, one) for side, one in sides if side == ASKS or (side == ASKED and one.case in readable)]


def _shut(connection: Connection, actor: Actor, seen: Container[int]) -> int:
    """How many requests to the actor's hospital wait that can't be seen: their cases are open to it no longer."""
    asked = opinions(connection, hospital=actor.hospital, person=actor.person)
    mine = (one for one in asked if one.hospital == actor.hospital and one.stored_state in UNDER_WAY)
    return sum(one.number not in seen for one in mine)


def _parted(sides: Sequence[tuple[str, Opinion]], only: str, day: date) -> list[tuple[Text, list[Opinion]]]:
    """What waits for an answer from here, what is asked of others, what has ended; parts of nothing are left out."""
    shown = [pair for pair in sides if only != OVERDUE or pair[1].state(day) is OpinionState.OVERDUE]
    waiting = sorted((pair for pair in shown if pair[1].stored_state in UNDER_WAY), key=lambda pair: _due(pair[1]))
    parts = {
        ASKED: [one for side, one in waiting if side == ASKED],
        ASKS: [one for side, one in waiting if side == ASKS],
        ENDED: [one for _, one in shown if one.stored_state not in UNDER_WAY],
    }
    wanted = {only} if only in parts else set(parts)
    return [(_PARTS[name], part) for name, part in parts.items() if part and name in wanted]


def _due(one: Opinion) -> tuple[bool, date, int]:
    return one.due_on is None, one.due_on or date.max, one.number


ASKED, ASKS, ENDED, OVERDUE = "asked", "asks", "ended", "overdue"
_PARTS = {
    ASKED: text("Asked of us"),
    ASKS: text("Asked by us"),
    ENDED: text("Ended"),
    OVERDUE: text("Overdue"),
}
_STEPS = {
    (ASKED, "accept"): OpinionState.ACCEPTED,
    (ASKED, "answer"): OpinionState.ANSWERED,
    (ASKED, "decline"): OpinionState.DECLINED,
    (ASKS, "withdraw"): OpinionState.WITHDRAWN,
}


def _state_after(connection: Connection, actor: Actor, known: Opinion, step: str) -> OpinionState:
    """What a step of the actor makes of a request.

    Raises
    ------
    InputError
        ``archive.case-wrong-step``: it is not this person's step.
    """
    state = _STEPS.get((_side(connection, actor, known) or "", step))
    if state is None or (known.person not in (None, actor.person) and step != "withdraw"):
        raise InputError(WRONG_STEP)
    return state


def _side(connection: Connection, actor: Actor, known: Opinion) -> str | None:
    """On which side of a request the actor stands; None on neither, or once the case may not be read any more."""
    about = case(connection, known.case)
    if actor.hospital is not None and actor.hospital == about.hospital:
        return ASKS
    asked = actor.hospital is not None and actor.hospital == known.hospital
    return ASKED if asked and about.status is CaseStatus.PUBLISHED else None


def _seen(request: Request, connection: Connection, actor: Actor, number: int, where: Site) -> Opinion:
    """A request that the actor may see: the case must be readable to the actor's hospital now.

    Raises
    ------
    InputError
        ``archive.not-found``.
    """
    if not 0 < number <= LARGEST_NUMBER:
        raise InputError(NO_SUCH_THING)
    known = opinion(connection, number)
    if _side(connection, actor, known) is None:
        raise InputError(NO_SUCH_THING)
    about = case(connection, known.case)
    given = granted(connection, Given.CASE, about.number, actor.hospital, where.now())
    subject = Subject(kind=SubjectKind.CASE, hospital=about.hospital, case=about.number, granted=given)
    if not decide(actor, Action.READ_CASE, subject).allowed:
        raise InputError(NO_SUCH_THING)
    trace = traced(request)
    trace.case, trace.hospital = about.number, about.hospital
    return known


def _own_case(request: Request, connection: Connection, actor: Actor, number: int, where: Site) -> Case:
    known = case_to(request, connection, actor, number, Action.ASK_OPINION, where.now())
    if known.status is not CaseStatus.PUBLISHED:
        raise InputError(NO_SUCH_THING)
    return known


def _whom(connection: Connection, written: str) -> tuple[int, int | None]:
    """What a form's choice means: ``hospital/4`` or ``person/7``."""
    kind, _, number = written.partition("/")
    if not number.isdecimal() or len(number) > 9:
        raise InputError(WRONG_AUDIENCE)
    if kind == "hospital":
        return int(number), None
    for place in hospitals_by_number(connection):
        if any(one.number == int(number) for one in who_may(connection, Action.COMMENT, place)):
            return place, int(number)
    raise InputError(WRONG_AUDIENCE)


def _give(connection: Connection, actor: Actor, known: Case, hospital: int, where: Site) -> None:
    now = where.now()
    if hospital == known.hospital or granted(connection, Given.CASE, known.number, hospital, now):
        return
    subject = Subject(kind=SubjectKind.CASE, hospital=known.hospital, case=known.number)
    if not decide(actor, Action.GRANT_CASE, subject).allowed:
        raise InputError(WRONG_AUDIENCE)
    number = person_number(actor)
    grant(connection, Given.CASE, known.number, Audience.HOSPITAL, to=hospital, by=number, now=now)


def _ask_form(
    request: Request,
    actor: Actor,
    where: Site,
    number: int,
    written: Mapping[str, str] | None = None,
    *,
    problem: Told | None = None,
    status: int = 200,
) -> Response:
    with where.workspace.reading() as connection:
        known = _own_case(request, connection, actor, number, where)
        places = hospitals_by_number(connection)
        people = [
            (place, one)
            for place in places
            for one in who_may(connection, Action.COMMENT, place)
            if place != actor.hospital
        ]
    return page(
        request,
        "cases/ask.html.jinja",
        actor=actor,
        status=status,
        case=known,
        hospitals=places,
        people=people,
        today=today(where),
        written=written or {},
        problem=problem,
    )


def _page(
    request: Request,
    actor: Actor,
    where: Site,
    number: int,
    written: Conclusion | None = None,
    *,
    problem: Told | None = None,
    status: int = 200,
) -> Response:
    with where.workspace.reading() as connection:
        known = _seen(request, connection, actor, number, where)
        about = case(connection, known.case)
        side = _side(connection, actor, known)
        shut = side == ASKS and known.stored_state in UNDER_WAY and not answerable(connection, known, where.now())
        names, places = people_by_number(connection), hospitals_by_number(connection)
    return page(
        request,
        "cases/opinion.html.jinja",
        actor=actor,
        status=status,
        opinion=known,
        case=about,
        side=side,
        shut=shut,
        mine=known.person in (None, actor.person),
        under_way=known.stored_state in UNDER_WAY,
        state=known.state(today(where)),
        written=written or Conclusion(),
        State=OpinionState,
        names=names,
        hospitals=places,
        opinion_words=OPINION_WORDS,
        confidence_words=CONFIDENCE_WORDS,
        problem=problem,
    )
