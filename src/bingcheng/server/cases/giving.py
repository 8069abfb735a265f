"""To whom a case, a collection or a shared method is given: one form, one way to give and take back, for all three."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy import Connection, func, select
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.audit.tables import audit_event, audit_study
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.cases.case import CaseStatus, case
from bingcheng.archive.cases.facts import case_exams
from bingcheng.archive.cases.grants import Audience, Given, grant, grants, withdraw_grant
from bingcheng.archive.cases.notices import NoticeKind, tell, who_reads
from bingcheng.archive.cases.problems import WRONG_AUDIENCE
from bingcheng.archive.people.hospital_group import groups
from bingcheng.archive.people.person import person
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.core.wording import Text, text
from bingcheng.server.cases.seen import (
    case_to,
    end_of_day,
    hospitals_by_number,
    last_day,
    people_by_number,
    person_number,
    today,
)
from bingcheng.server.cases.words import AUDIENCE_WORDS
from bingcheng.server.pages.page import page
from bingcheng.server.pages.told import Told, told
from bingcheng.server.security.refusal import status_of
from bingcheng.server.security.required import allowed
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
Where = Annotated[Site, Depends(site)]
Granting = Annotated[Actor, allowed(Action.GRANT_CASE)]
MOST_READERS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Giving:
    """What the form says: to whom until when, or which grant is taken back."""

    audience: str
    until: str
    may_download: bool
    withdrawn: str


def giving(
    audience: Annotated[str, Form(max_length=24)] = "",
    until: Annotated[str, Form(max_length=10)] = "",
    may_download: Annotated[bool, Form()] = False,
    withdrawn: Annotated[str, Form(max_length=9)] = "",
) -> Giving:
    """The form of a request."""
    return Giving(audience=audience, until=until, may_download=may_download, withdrawn=withdrawn)


_LINKS = {Given.CASE: "/cases", Given.COLLECTION: "/collections", Given.METHOD: "/shared"}
Asked = Annotated[Giving, Depends(giving)]
"""The form as a route's parameter."""


def give_or_take_back(
    connection: Connection, where: Site, form: Giving, kind: Given, subject: int, actor: Actor
) -> None:
    """Do what the form asks, and tell those to whom it is given.

    Raises
    ------
    InputError
        ``archive.wrong-audience``; ``archive.not-found`` for a grant that doesn't stand.
    """
    now = where.now()
    if form.withdrawn:
        number = int(form.withdrawn) if form.withdrawn.isdecimal() else 0
        if not withdraw_grant(connection, kind, subject, number, now):
            raise InputError(NO_SUCH_THING)
        return
    audience, to = audience_of(form.audience)
    try:
        end = end_of_day(where, form.until)
    except InputError as error:
        raise InputError(WRONG_AUDIENCE) from error
    by, may = person_number(actor), form.may_download
    for one in grants(connection, kind, subject):
        # A new grant takes the place of the one that stands: its end, and whether things may be taken away.
        if one.holds(now) and (one.audience, one.hospital or one.hospital_group) == (audience, to):
            withdraw_grant(connection, kind, subject, one.number, now)
    grant(connection, kind, subject, audience, to=to, by=by, now=now, expires_at=end, download=may)
    if kind is not Given.CASE or case(connection, subject).status is CaseStatus.PUBLISHED:
        tell_given(connection, actor, kind, subject, [(audience, to)], now)


def tell_given(
    connection: Connection,
    actor: Actor,
    kind: Given,
    subject: int,
    audiences: Iterable[tuple[Audience, int | None]],
    now: datetime,
) -> None:
    """Tell those to whom something is given. The actor's own hospital had it before."""
    reached: dict[int, int | None] = {}
    for audience, to in audiences:
        reached |= who_reads(connection, audience, to)
    people = sorted(number for number, hospital in reached.items() if hospital != actor.hospital)
    says, link = _given(connection, actor, kind, subject), f"{_LINKS[kind]}/{subject}"
    tell(connection, people, NoticeKind.GRANT, says, link=link, now=now)


def _given(connection: Connection, actor: Actor, kind: Given, subject: int) -> Text:
    """What those are told to whom something is given: by whom, unless the case does not show it."""
    if kind is Given.CASE and not case(connection, subject).written.show_hospital:
        return text("A case was given to your hospital.")
    name = person(connection, person_number(actor)).name
    return {
        Given.CASE: text("{person} gave a case to your hospital.", person=name),
        Given.COLLECTION: text("{person} gave a collection of cases to your hospital.", person=name),
        Given.METHOD: text("{person} gave a protocol or a method to your hospital.", person=name),
    }[kind]


def audience_of(written: str) -> tuple[Audience, int | None]:
    """What a form's choice means: ``province``, ``hospital/4`` or ``group/2``.

    Raises
    ------
    InputError
        ``archive.wrong-audience``.
    """
    kind, _, number = written.partition("/")
    known = {one.value: one for one in Audience}.get(kind)
    numbered = number.isdecimal() and len(number) < 10
    if known is None or (known is Audience.PROVINCE) == numbered or (known is not Audience.PROVINCE and not numbered):
        raise InputError(WRONG_AUDIENCE)
    return known, int(number) if numbered else None


def given_to(connection: Connection, where: Site, kind: Given, subject: int, *, own: bool = True) -> dict[str, Any]:
    """What a page needs to show to whom something is given; its own hospital alone sees the grants."""
    return {
        "grants": grants(connection, kind, subject) if own else (),
        "now": where.now(),
        "today": today(where),
        "last_day": partial(last_day, where),
        "names": people_by_number(connection),
        "hospitals": hospitals_by_number(connection),
        "teams": {one.number: one.name for one in groups(connection)},
        "audience_words": AUDIENCE_WORDS,
    }


@router.get("/cases/{case_number}/grants")
def shown(request: Request, case_number: int, actor: Granting, where: Where) -> Response:
    """To whom a case is given, and who saw it."""
    return _page(request, actor, where, case_number)


@router.post("/cases/{case_number}/grants")
def give(request: Request, case_number: int, actor: Granting, where: Where, form: Asked) -> Response:
    """Give a case to a hospital, a group or the province, or take a grant back: from this moment on."""
    now = where.now()
    with where.workspace.reading() as connection:
        case_to(request, connection, actor, case_number, Action.GRANT_CASE, now)
    try:
        with where.workspace.writing() as connection:
            give_or_take_back(connection, where, form, Given.CASE, case_number, actor)
    except InputError as error:
        if error.code == NO_SUCH_THING.code:
            raise
        return _page(request, actor, where, case_number, problem=told(error), status=status_of(error))
    return RedirectResponse(f"/cases/{case_number}/grants", 303)


@router.post("/cases/{case_number}/grants/{grant_number}/withdraw")
def take_back(request: Request, case_number: int, grant_number: int, actor: Granting, where: Where) -> Response:
    """Take a grant of a case back, from this moment on."""
    form = Giving(audience="", until="", may_download=False, withdrawn=str(grant_number))
    return give(request, case_number, actor, where, form)


def _page(
    request: Request, actor: Actor, where: Site, number: int, *, problem: Told | None = None, status: int = 200
) -> Response:
    now = where.now()
    with where.workspace.reading() as connection:
        known = case_to(request, connection, actor, number, Action.GRANT_CASE, now)
        given = given_to(connection, where, Given.CASE, number)
        readers = readers_of(connection, number)
    return page(
        request,
        "cases/grants.html.jinja",
        actor=actor,
        status=status,
        case=known,
        readers=readers,
        Status=CaseStatus,
        problem=problem,
        **given,
    )


def readers_of(connection: Connection, number: int) -> list[tuple[int, datetime, datetime, int]]:
    """Who saw the case, first and last when, and in how many events of the audit trail: its studies are its alone."""
    studies = [one.study_uid for one in case_exams(connection, number)]
    event, seen = audit_event.c, audit_study.c
    query = (
        select(event.person, func.min(event.at), func.max(event.at), func.count(func.distinct(event.id)))
        .join(audit_study, seen.event == event.id)
        .where(seen.study_uid.in_(studies), event.person.is_not(None), event.outcome == 0)
        .group_by(event.person)
        .order_by(func.max(event.at).desc())
        .limit(MOST_READERS)
    )
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query)]
