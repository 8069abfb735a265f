"""To whom a case, a collection or a shared method is given: one form, one way to give and take back, for all three."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy import Connection, func, select
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.audit.tables import audit_event, audit_study
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.cases.case import CaseStatus
from bingcheng.archive.cases.facts import case_exams
from bingcheng.archive.cases.grants import Audience, Given, grant, grants, withdraw_grant
from bingcheng.archive.cases.notices import NoticeKind, tell, who_may
from bingcheng.archive.cases.problems import WRONG_AUDIENCE
from bingcheng.archive.people.hospital_group import groups
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text
from bingcheng.server.cases.seen import case_to, end_of_day, hospitals_by_number, people_by_number, person_number
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


Asked = Annotated[Giving, Depends(giving)]
"""The form as a route's parameter."""


def give_or_take_back(
    connection: Connection, form: Giving, kind: Given, subject: int, *, by: int, now: datetime
) -> tuple[Audience, int | None] | None:
    """Do what the form asks; returns to whom it was given, None where a grant was taken back.

    Raises
    ------
    InputError
        ``archive.wrong-audience``; ``archive.not-found`` for a grant that doesn't stand.
    """
    if form.withdrawn:
        number = int(form.withdrawn) if form.withdrawn.isdecimal() else 0
        if not withdraw_grant(connection, kind, subject, number, now):
            raise InputError(NO_SUCH_THING)
        return None
    audience, to = audience_of(form.audience)
    try:
        end = end_of_day(form.until)
    except InputError as error:
        raise InputError(WRONG_AUDIENCE) from error
    grant(connection, kind, subject, audience, to=to, by=by, now=now, expires_at=end, download=form.may_download)
    return audience, to


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


def given_to(connection: Connection, kind: Given, subject: int, now: datetime, *, own: bool = True) -> dict[str, Any]:
    """What a page needs to show to whom something is given; its own hospital alone sees the grants."""
    return {
        "grants": grants(connection, kind, subject) if own else (),
        "now": now,
        "today": now.date(),
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
            to = give_or_take_back(connection, form, Given.CASE, case_number, by=person_number(actor), now=now)
            if to is not None and to[0] is Audience.HOSPITAL:
                people = [one.number for one in who_may(connection, Action.READ_CASE, to[1])]
                says = text("A case was given to your hospital.")
                tell(connection, people, NoticeKind.GRANT, says, link=f"/cases/{case_number}", now=now)
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
        given = given_to(connection, Given.CASE, number, now)
        readers = _readers(connection, number)
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


def _readers(connection: Connection, number: int) -> list[tuple[int, datetime, datetime, int]]:
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
