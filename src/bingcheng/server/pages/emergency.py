"""Break-glass: opening one exam for an hour, with a reason."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy import Connection, select
from starlette.responses import RedirectResponse, Response

from bingcheng.archive import schema
from bingcheng.archive.audit.event import EventAction
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide
from bingcheng.archive.authorisation.spaces import hospital_space
from bingcheng.archive.authorisation.subject import Subject, SubjectKind
from bingcheng.archive.people.emergency import break_glass
from bingcheng.archive.people.hospital import Hospital, hospital_of_site, hospitals
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import BingchengError, InputError
from bingcheng.server.pages.page import page
from bingcheng.server.pages.told import told
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
    """Open the exam; the audit trail and the administrators are told."""
    uid, trace = study_uid.strip(), traced(request)
    trace.event_action, trace.reason = EventAction.EXECUTE, reason[:500]
    try:
        if not UID.fullmatch(uid):
            raise InputError(NO_SUCH_THING)
        trace.studies = [uid]
        with where.workspace.writing() as connection:
            owner = _owner(connection, where, actor, uid)
            trace.hospital = owner.number
            break_glass(connection, actor, hospital=owner.number, study_uid=uid, reason=reason, now=where.now())
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
    known = "/exam/{study_uid}" in request.app.state.paths
    return RedirectResponse(f"/exam/{uid}" if known else "/", 303)


def _owner(connection: Connection, where: Site, actor: Actor, uid: str) -> Hospital:
    """The hospital that has the exam and whose exams the actor may open in an emergency.

    Raises
    ------
    InputError
        ``archive.not-found``: the same whether there is no such exam or it may not be opened.
    """
    assessed = connection.scalar(select(schema.exam.c.site).where(schema.exam.c.uid == uid))
    assessed_at = None if assessed is None else hospital_of_site(connection, assessed)
    for one in hospitals(connection):
        subject = Subject(kind=SubjectKind.EXAM, hospital=one.number, study_uid=uid, emergency=one.emergency)
        if not decide(actor, Action.BREAK_GLASS, subject).allowed:
            continue
        if assessed_at == one.number or where.objects.instances_of([hospital_space(one.number)], uid):
            return one
    raise InputError(NO_SUCH_THING)
