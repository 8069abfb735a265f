"""What the audit trail will say of a request: begun by the route's guard, completed by its handler."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select
from starlette.requests import HTTPConnection

from bingcheng.archive.audit.event import EventAction
from bingcheng.archive.audit.event_code import EventCode, EventType
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import NOBODY, Actor
from bingcheng.archive.cases.tables import shared_case
from bingcheng.server.site import site_of

_UID = re.compile(r"[0-9.]{1,64}")
CASE, HOSPITAL = "case", "hospital"
"""With what spaces begin: see `archive.authorisation.spaces`."""


@dataclass(slots=True, eq=False)
class Trace:
    """What is known so far of what a request does.

    Parameters
    ----------
    action : what was asked for; None on public routes.
    code, type_code, event_action : set by a handler that knows better than the action's usual ones.
    hospital : whose data it is about, if that is not the actor's own.
    recorded : the handler has recorded it itself, within its transaction or in its thread.
    silent : nothing about anybody was done or seen (a form that was shown, a list of nothing); what was refused is
        recorded all the same.
    each : recorded each time, however often it is repeated.
    """

    actor: Actor = NOBODY
    action: Action | None = None
    required: tuple[Action, ...] = ()
    code: EventCode | None = None
    type_code: EventType | None = None
    event_action: EventAction | None = None
    studies: list[str] = field(default_factory=list)
    patient: str = ""
    case: int | None = None
    hospital: int | None = None
    subject: str = ""
    count: int = 1
    reason: str = ""
    recorded: bool = False
    silent: bool = False
    each: bool = False


def traced(request: HTTPConnection) -> Trace:
    """What the audit trail will say of this request; a handler adds to it what it finds."""
    found: Trace | None = getattr(request.state, "trace", None)
    if found is None:
        found = request.state.trace = Trace()
    return found


def trace(request: HTTPConnection, *, actor: Actor, action: Action | None, required: tuple[Action, ...]) -> Trace:
    """Begin: who asks for what. A Study UID in the path is taken along; what is none may be anything, also a name."""
    found = traced(request)
    found.actor, found.action, found.required = actor, action, required
    uid = request.path_params.get("study_uid") or request.path_params.get("study")
    if isinstance(uid, str) and _UID.fullmatch(uid) and uid not in found.studies:
        found.studies.append(uid)
    return found


def saw_studies(request: HTTPConnection, uids: Iterable[str]) -> None:
    """Add studies that the answer shows."""
    found = traced(request)
    found.studies.extend(uid for uid in dict.fromkeys(uids) if uid not in found.studies)


def saw_space(request: HTTPConnection, space: str) -> None:
    """Say out of which space the answer is: the hospital whose exam or case it shows must find it in its trail."""
    found, (kind, _, number) = traced(request), space.partition("/")
    if kind == HOSPITAL:
        found.hospital = int(number)
    elif kind == CASE and found.case != int(number):
        found.case = int(number)
        with site_of(request).workspace.reading() as connection:
            found.hospital = connection.scalar(select(shared_case.c.hospital).where(shared_case.c.id == found.case))
