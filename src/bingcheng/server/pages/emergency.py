"""Break-glass: opening one exam for an hour, with a reason."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy import Connection, select
from starlette.responses import RedirectResponse, Response

from bingcheng.archive import schema
from bingcheng.archive.audit.event import EventAction
from bingcheng.archive.audit.trail import record
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide
from bingcheng.archive.authorisation.spaces import hospital_space
from bingcheng.archive.authorisation.subject import Subject, SubjectKind
from bingcheng.archive.ownership import owner
from bingcheng.archive.people.emergency import break_glass
from bingcheng.archive.people.hospital import Hospital, hospitals
from bingcheng.archive.people.problems import NO_SUCH_THING
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


@router.get("/emergency", dependencies=[allowed(Action.BREAK_GLASS)])
def form(request: Request, study_uid: str = "") -> Response:
    """The form."""
    traced(request).silent = True
    return page(request, "emergency.html.jinja", study_uid=study_uid, reason="", problem=None, until=None)


@router.post("/emergency")
def open_exam(
    request: Request,
    actor: Annotated[Actor, allowed(Action.BREAK_GLASS)],
    where: Annotated[Site, Depends(site)],
    study_uid: Annotated[str, Form(max_length=200)] = "",
    reason: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Open the exam; the audit trail and the administrators are told, or it stays shut."""
    uid, trace = study_uid.strip(), traced(request)
    trace.event_action, trace.reason = EventAction.EXECUTE, reason[:500]
    try:
        if not UID.fullmatch(uid):
            raise InputError(NO_SUCH_THING)
        trace.studies = [uid]
        with where.workspace.writing() as connection:
            place, judged = _place(connection, where, actor, uid)
            trace.hospital = place.number
            break_glass(connection, actor, hospital=place.number, study_uid=uid, reason=reason, now=where.now())
            record(connection, event_of(trace, request, 303, where))
    except BingchengError as error:
        return page(
            request,
            "emergency.html.jinja",
            actor=actor,
            status=status_of(error),
            study_uid=uid,
            reason=reason,
            problem=told(error),
        )
    trace.recorded = True
    return RedirectResponse(f"/exam/{uid}" if judged else f"/quicklook/{uid}", 303)


def _place(connection: Connection, where: Site, actor: Actor, uid: str) -> tuple[Hospital, bool]:
    """The hospital whose exam is opened, and whether it has results of it: the one that it belongs to goes first.

    Others that hold objects of the same study come after it, of them the actor's own first.

    Raises
    ------
    InputError
        ``archive.not-found``: the same whether there is no such exam or it may not be opened.
    """
    whose = owner(connection, uid)
    judged = connection.scalar(select(schema.exam.c.uid).where(schema.exam.c.uid == uid)) is not None
    places = {one.number: one for one in hospitals(connection) if not one.disabled}
    for number in dict.fromkeys((whose, actor.hospital, *places)):
        one = None if number is None else places.get(number)
        if one is None:
            continue
        subject = Subject(kind=SubjectKind.EXAM, hospital=one.number, study_uid=uid, emergency=one.emergency)
        results = judged and one.number == whose
        if decide(actor, Action.BREAK_GLASS, subject).allowed and (
            results or where.objects.instances_of([hospital_space(one.number)], uid)
        ):
            return one, results
    raise InputError(NO_SUCH_THING)
