"""Break-glass: finding an exam by what is known of the patient, and opening it for an hour; each with a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy import Connection, select
from starlette.responses import RedirectResponse, Response

from bingcheng.archive import schema
from bingcheng.archive.audit.event import AuditEvent, EventAction
from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.audit.trail import record, record_all
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide
from bingcheng.archive.authorisation.spaces import hospital_space
from bingcheng.archive.authorisation.subject import Subject, SubjectKind
from bingcheng.archive.emergency_exams import LONGEST_KNOWN, Fitting, Known, check_known, fitting
from bingcheng.archive.ownership import owner
from bingcheng.archive.people.emergency import (
    LONGEST_REASON,
    MOST_OPEN,
    BrokenGlass,
    TriedBy,
    break_glass,
    count_try,
    forgive_try,
    opened_by,
    reasoned,
)
from bingcheng.archive.people.hospital import Hospital, hospitals
from bingcheng.archive.people.problems import NO_EXAM_FITS
from bingcheng.core.errors import BingchengError, InputError
from bingcheng.server.pages.page import page
from bingcheng.server.pages.told import told
from bingcheng.server.security.recorder import event_of
from bingcheng.server.security.refusal import status_of
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)

UID = re.compile(r"[0-9.]{1,64}")
SOUGHT = "emergency-search"
"""What an event is about that says that somebody looked for exams, or was shown some."""

Opener = Annotated[Actor, allowed(Action.BREAK_GLASS)]
Where = Annotated[Site, Depends(site)]
Words = Annotated[str, Form(max_length=LONGEST_KNOWN)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An exam that may be opened, as it is offered."""

    exam: Fitting
    place: Hospital


@router.get("/emergency")
def form(request: Request, actor: Opener, where: Where, study_uid: str = "") -> Response:
    """The form, and what is open already. A link from a worklist names the exam."""
    traced(request).silent = True
    return _form(request, actor, where, study_uid=study_uid if UID.fullmatch(study_uid) else "")


@router.post("/emergency/exams")
def find(
    request: Request,
    actor: Opener,
    where: Where,
    number: Words = "",
    birth_date: Words = "",
    name: Words = "",
    accession: Words = "",
    reason: Annotated[str, Form(max_length=2 * LONGEST_REASON)] = "",
) -> Response:
    """The exams that fit. That somebody looks, and why, is recorded before anything is looked up."""
    known = Known(number=number, birth_date=birth_date, name=name, accession=accession)
    trace = traced(request)
    trace.code, trace.subject, trace.reason = EventCode.QUERY, SOUGHT, reason[:LONGEST_REASON]
    try:
        words, clean = reasoned(reason), check_known(known)
        _try(request, actor, where)
        found = _choices(actor, where, clean)
        _record_shown(request, where, found)
    except BingchengError as error:
        return _form(request, actor, where, error=error, known=known, reason=reason)
    return page(request, "emergency_found.html.jinja", actor=actor, found=found[:MOST_OPEN], reason=words)


@router.post("/emergency")
def open_exam(
    request: Request,
    actor: Opener,
    where: Where,
    study_uid: Annotated[str, Form(max_length=200)] = "",
    reason: Annotated[str, Form(max_length=2 * LONGEST_REASON)] = "",
) -> Response:
    """Open the exam; the audit trail and the administrators are told, or it stays shut."""
    uid, trace = study_uid.strip(), traced(request)
    trace.event_action, trace.reason = EventAction.EXECUTE, reason[:LONGEST_REASON]
    try:
        reasoned(reason)
        if not UID.fullmatch(uid):
            raise InputError(NO_EXAM_FITS)
        trace.studies = [uid]
        # Counted before it is looked up, and no longer once it has opened: who guesses has few tries.
        with where.workspace.writing() as connection:
            number = count_try(connection, actor, TriedBy.UID, where.now())
        with where.workspace.writing() as connection:
            place, judged = _place(connection, where, actor, uid)
            trace.hospital = place.number
            break_glass(connection, actor, hospital=place.number, study_uid=uid, reason=reason, now=where.now())
            forgive_try(connection, number)
            record(connection, event_of(trace, request, 303, where))
    except BingchengError as error:
        return _form(request, actor, where, error=error, study_uid=uid, reason=reason)
    trace.recorded = True
    return RedirectResponse(_link(uid, judged=judged), 303)


def _link(uid: str, *, judged: bool) -> str:
    """Where an open exam is seen: on its page, or, without results, by its pictures."""
    return f"/exam/{uid}" if judged else f"/quicklook/{uid}"


def _judged(connection: Connection, one: BrokenGlass) -> bool:
    return _assessed(connection, one.study_uid) and owner(connection, one.study_uid) == one.hospital


def _assessed(connection: Connection, uid: str) -> bool:
    return connection.scalar(select(schema.exam.c.uid).where(schema.exam.c.uid == uid)) is not None


def _form(
    request: Request,
    actor: Actor,
    where: Site,
    *,
    error: BingchengError | None = None,
    known: Known | None = None,
    **values: Any,
) -> Response:
    number = -1 if actor.person is None else actor.person
    with where.workspace.reading() as connection:
        opened = opened_by(connection, number, where.now())
        names = {one.number: one.name for one in hospitals(connection)}
        links = {one.study_uid: _link(one.study_uid, judged=_judged(connection, one)) for one in opened}
    return page(
        request,
        "emergency.html.jinja",
        actor=actor,
        status=200 if error is None else status_of(error),
        problem=None if error is None else told(error),
        known=known or Known(),
        opened=opened,
        names=names,
        links=links,
        **{"study_uid": "", "reason": "", **values},
    )


def _try(request: Request, actor: Actor, where: Site) -> None:
    """Count and record that somebody looks, in a transaction of its own: what is looked up comes after it."""
    with where.workspace.writing() as connection:
        count_try(connection, actor, TriedBy.PATIENT, where.now())
        record(connection, event_of(traced(request), request, 200, where))


def _choices(actor: Actor, where: Site, known: Known) -> Sequence[Choice]:
    """The exams that fit and that would open, the newest first.

    Raises
    ------
    InputError
        ``archive.no-exam-fits``: the same whether there is none or none that may be opened.
    """
    with where.workspace.reading() as connection:
        may = [one.number for one in hospitals(connection) if _opens(actor, one)]
        found = list(_offered(connection, where, actor, fitting(connection, known, may)))
    if not found:
        raise InputError(NO_EXAM_FITS)
    return found


def _offered(connection: Connection, where: Site, actor: Actor, found: Sequence[Fitting]) -> Iterator[Choice]:
    by_uid: dict[str, list[Fitting]] = {}
    for one in found:
        by_uid.setdefault(one.study_uid, []).append(one)
    for uid, copies in by_uid.items():
        try:
            place, _ = _place(connection, where, actor, uid)
        except InputError:
            continue
        own = (one for one in copies if one.hospital == place.number)
        yield Choice(exam=next(own, copies[0]), place=place)


def _record_shown(request: Request, where: Site, found: Sequence[Choice]) -> None:
    """Tell the trail of each hospital which of its exams are shown, before they are."""
    with where.workspace.writing() as connection:
        record_all(connection, _shown(request, where, found[:MOST_OPEN]))
    traced(request).recorded = True


def _shown(request: Request, where: Site, found: Sequence[Choice]) -> Iterator[AuditEvent]:
    trace = traced(request)
    trace.event_action = EventAction.READ
    for number in dict.fromkeys(one.place.number for one in found):
        trace.hospital = number
        trace.studies = [one.exam.study_uid for one in found if one.place.number == number]
        yield event_of(trace, request, 200, where)


def _opens(actor: Actor, one: Hospital, uid: str | None = None) -> bool:
    """Whether a hospital's exams open to somebody in an emergency."""
    subject = Subject(kind=SubjectKind.EXAM, hospital=one.number, study_uid=uid, emergency=one.emergency)
    return not one.disabled and decide(actor, Action.BREAK_GLASS, subject).allowed


def _place(connection: Connection, where: Site, actor: Actor, uid: str) -> tuple[Hospital, bool]:
    """The hospital whose exam is opened, and whether it has results of it: the one that it belongs to goes first.

    Others that hold objects of the same study come after it, of them the actor's own first.

    Raises
    ------
    InputError
        ``archive.no-exam-fits``: the same whether there is no such exam or it may not be opened.
    """
    whose = owner(connection, uid)
    judged = _assessed(connection, uid)
    places = {one.number: one for one in hospitals(connection)}
    for number in dict.fromkeys((whose, actor.hospital, *places)):
        one = None if number is None else places.get(number)
        if one is None or not _opens(actor, one, uid):
            continue
        results = judged and one.number == whose
        if results or where.objects.instances_of([hospital_space(one.number)], uid):
            return one, results
    raise InputError(NO_EXAM_FITS)
