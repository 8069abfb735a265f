"""Recording each access in the audit trail before its answer leaves the server.

What changes something or was refused is recorded each time. A viewer reads an exam by hundreds of requests: the first
of them is recorded before it is answered, those that follow within `SPAN_S` are counted and recorded as one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from threading import Lock
from types import MappingProxyType

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bingcheng.archive.audit.event import AuditEvent, EventAction, EventOutcome
from bingcheng.archive.audit.event_code import EventCode, EventType
from bingcheng.archive.audit.trail import record
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.decision import Ground, decide
from bingcheng.archive.authorisation.subject import Subject, SubjectKind
from bingcheng.archive.problems import DISK_FULL
from bingcheng.core.errors import BingchengError, RemoteError
from bingcheng.server.security.csrf import SAFE
from bingcheng.server.security.problems import NO_ROOM_TO_RECORD, NOT_RECORDED
from bingcheng.server.security.traced import Trace, traced
from bingcheng.server.site import Site

EMERGENCY = "emergency"
"""What an access is about that only an exam opened in an emergency allowed."""
SPAN_S = 600.0
MOST_OPEN = 10_000

CODES: Mapping[Action, EventCode] = MappingProxyType(
    {
        Action.READ_EXAM: EventCode.INSTANCES_ACCESSED,
        Action.READ_CASE: EventCode.INSTANCES_ACCESSED,
        Action.JUDGE_EXAM: EventCode.PROCEDURE_RECORD,
        Action.LINK_LESIONS: EventCode.PROCEDURE_RECORD,
        Action.SEND_OBJECTS: EventCode.INSTANCES_TRANSFERRED,
        Action.DELETE_OBJECTS: EventCode.STUDY_DELETED,
        Action.SETTLE_CONFLICTS: EventCode.INSTANCES_ACCESSED,
        Action.BREAK_GLASS: EventCode.SECURITY_ALERT,
        Action.READ_NUMBERS: EventCode.QUERY,
        Action.COMPARE_HOSPITALS: EventCode.QUERY,
        Action.PUBLISH_CASE: EventCode.EXPORT,
        Action.GRANT_CASE: EventCode.SECURITY_ALERT,
        Action.READ_AUDIT: EventCode.AUDIT_LOG_USED,
        Action.VERIFY_AUDIT: EventCode.AUDIT_LOG_USED,
        Action.MANAGE_PEOPLE: EventCode.SECURITY_ALERT,
        Action.MANAGE_HOSPITAL: EventCode.SECURITY_ALERT,
        Action.MANAGE_HOSPITALS: EventCode.SECURITY_ALERT,
        Action.OWN_ACCOUNT: EventCode.SECURITY_ALERT,
        Action.PAIR: EventCode.SECURITY_ALERT,
    }
)
"""The kind of event (PS3.15 A.5.3) that an action usually is; all others are application activity."""
TYPES: Mapping[Action, EventType] = MappingProxyType(
    {
        Action.BREAK_GLASS: EventType.EMERGENCY_OVERRIDE_STARTED,
        Action.GRANT_CASE: EventType.OBJECT_SECURITY_ATTRIBUTES_CHANGED,
        Action.MANAGE_PEOPLE: EventType.USER_SECURITY_ATTRIBUTES_CHANGED,
        Action.MANAGE_HOSPITAL: EventType.SECURITY_CONFIGURATION,
        Action.MANAGE_HOSPITALS: EventType.SECURITY_CONFIGURATION,
        Action.OWN_ACCOUNT: EventType.USER_SECURITY_ATTRIBUTES_CHANGED,
        Action.PAIR: EventType.NETWORK_CONFIGURATION,
    }
)
READS = frozenset(
    {
        Action.READ_EXAM,
        Action.READ_CASE,
        Action.READ_NUMBERS,
        Action.COMPARE_HOSPITALS,
        Action.READ_AUDIT,
        Action.VERIFY_AUDIT,
    }
)
"""Actions whose reading has a kind of its own; to read with any other is the use of a restricted function."""
_ACTIONS = {
    "GET": EventAction.READ,
    "HEAD": EventAction.READ,
    "OPTIONS": EventAction.READ,
    "POST": EventAction.EXECUTE,
    "PUT": EventAction.UPDATE,
    "PATCH": EventAction.UPDATE,
    "DELETE": EventAction.DELETE,
}
EACH = frozenset({EventCode.EXPORT, EventCode.USER_AUTHENTICATION})
"""Kinds of events that are recorded each time: what is taken away twice lies in two places."""
SURE_S = 1.0
"""How long after an event was added another one can be taken to be possible."""
UNRECORDED = frozenset({Action.OWN_ACCOUNT})
"""Actions whose mere reading shows a person nothing but the own account."""

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Events to be written.

    Parameters
    ----------
    due : repetitions whose span is over.
    first : the event that has just happened, if it repeats none.
    opens : whether those that repeat it from now on are counted.
    changed : whether something was changed: that can't be undone, and is recorded later if it can't be now.
    """

    due: list[AuditEvent]
    first: AuditEvent | None = None
    opens: bool = False
    changed: bool = False

    @property
    def events(self) -> list[AuditEvent]:
        """All of them, in order."""
        return [*self.due, *(() if self.first is None else (self.first,))]


@dataclass(slots=True, eq=False)
class Recorder:
    """Writes events, and holds back the repetitions of reads until their span is over."""

    site: Site
    _open: dict[Key, tuple[float, AuditEvent]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _added: float = -math.inf

    def take(self, event: AuditEvent, *, repeats: bool, changed: bool = False) -> Taken:
        """What must be written now: this event unless it repeats one, and those whose span is over."""
        now = time.monotonic()
        with self._lock:
            due = self._due(now)
            if not repeats:
                return Taken(due=due, first=event, opens=False, changed=changed)
            key = _key(event)
            started = self._open.get(key)
            if started is None:
                return Taken(due=due, first=event, opens=True)
            self._open[key] = (started[0], replace(event, count=started[1].count + event.count))
            return Taken(due=due)

    def due(self, request: Request, found: Trace, status: int) -> Taken:
        """What must be written of a request that will be answered with this status."""
        if found.recorded or not _worth(found, request.method, status):
            return Taken(due=[])
        event = event_of(found, request, status, self.site)
        # Who is not signed in can be refused as often as it likes, but must not fill the disk with it.
        repeats = status >= 400 if found.actor.person is None else request.method in SAFE and status < 400
        each = found.each or (event.code in EACH and status < 400)
        changed = request.method not in SAFE and status < 400
        return self.take(event, repeats=repeats and not each, changed=changed)

    def record(self, request: Request, status: int) -> None:
        """Record a request from the thread that did its work, before another is asked to: the answer only follows.

        Raises
        ------
        RemoteError
            ``server.not-recorded``, ``server.disk-full``.
        """
        found = traced(request)
        taken = self.due(request, found, status)
        found.recorded = True
        self.add(taken)

    def add(self, taken: Taken) -> None:
        """`write`, whose failure is told as what it means to who asked.

        Raises
        ------
        RemoteError
            ``server.not-recorded``, ``server.disk-full``.
        """
        try:
            self.write(taken)
        except BingchengError as error:
            raise _unrecorded(error) from error

    def write(self, taken: Taken) -> None:
        """Add events to the trail. What could not be added is not forgotten, and nothing counts as its repetition."""
        try:
            self.site.owed.write(self.site.workspace, taken.events, happened=taken.changed)
        except BingchengError:
            self._added = -math.inf
            if not taken.changed:
                self._hold(taken.due)
            raise
        if taken.events:
            self.was_added()
        if taken.opens and taken.first is not None:
            self._hold([replace(taken.first, count=0)])

    def was_added(self) -> None:
        """Note that an event was added just now."""
        self._added = time.monotonic()

    def flush(self) -> None:
        """Write what is held back: the server ends, or somebody reads the trail."""
        with self._lock:
            held = [event for _, event in self._open.values() if event.count]
            self._open.clear()
        self.write(Taken(due=held))

    def is_sure(self) -> bool:
        """Whether an event can be added now, as one was a moment ago: nothing needs to be tried then.

        What comes between is the same as comes between a trial and the change: then the event is owed.
        """
        return time.monotonic() - self._added < SURE_S and self.site.owed.settled(self.site.workspace)

    def waits(self) -> bool:
        """Whether events wait to be written before any other: such as are owed, or whose span is over."""
        with self._lock:
            first = next(iter(self._open.values()), None)
        over = first is not None and time.monotonic() - first[0] > SPAN_S
        return over or not self.site.owed.settled(self.site.workspace)

    def check(self) -> None:
        """Raise unless an event could be added now: what changes something is not begun without that.

        Raises
        ------
        RemoteError
            ``server.not-recorded``, ``server.disk-full``.
        """
        event = AuditEvent(
            code=EventCode.APPLICATION_ACTIVITY,
            action=EventAction.EXECUTE,
            outcome=EventOutcome.SUCCESS,
            at=self.site.now(),
            what="check",
        )
        try:
            self.site.owed.settle(self.site.workspace)
            with self.site.workspace.writing() as connection:
                record(connection, event)
                connection.rollback()
        except BingchengError as error:
            raise _unrecorded(error) from error

    def _hold(self, events: list[AuditEvent]) -> None:
        now = time.monotonic()
        with self._lock:
            for event in events:
                began, held = self._open.get(_key(event), (now, None))
                count = event.count + (0 if held is None else held.count)
                self._open[_key(event)] = (began, replace(event, count=count))

    def _due(self, now: float) -> list[AuditEvent]:
        # Those that began first stand first: of thousands that are open, one is looked at.
        over = list(takewhile(lambda key: now - self._open[key][0] > SPAN_S, self._open))
        if len(self._open) - len(over) > MOST_OPEN:
            over = list(self._open)
        ended = [self._open.pop(key)[1] for key in over]
        return [event for event in ended if event.count]


class AuditTrail:
    """ASGI middleware that records what the route's guard and handler traced, before the answer begins."""

    def __init__(self, app: ASGIApp, recorder: Recorder) -> None:
        self._app = app
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on; record before the answer's first byte."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        begun = False

        async def recorded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                await self._record(scope, message["status"])
            await send(message)

        try:
            await self._app(scope, receive, recorded)
        except Exception:
            if not begun:
                await self._record(scope, 500)
            raise

    async def _record(self, scope: Scope, status: int) -> None:
        found: Trace | None = scope["state"].get("trace")
        if found is None:
            return
        request = Request(scope)
        if request.method not in SAFE and (found.action is None or found.action in _CHANGE_PEOPLE):
            self._recorder.site.believed.forget()
        taken = self._recorder.due(request, found, status)
        if taken.events:
            await run_in_threadpool(self._recorder.add, taken)


def _unrecorded(error: BingchengError) -> RemoteError:
    return RemoteError(NO_ROOM_TO_RECORD if error.problem is DISK_FULL else NOT_RECORDED)


_CHANGE_PEOPLE = frozenset(
    {
        Action.OWN_ACCOUNT,
        Action.MANAGE_PEOPLE,
        Action.MANAGE_HOSPITAL,
        Action.MANAGE_HOSPITALS,
        Action.BREAK_GLASS,
    }
)


def event_of(found: Trace, request: Request, status: int, site: Site) -> AuditEvent:
    """The event that a request is."""
    action, actor = found.action, found.actor
    code, type_code = _kind_of(action, request.method)
    hospital = found.hospital if found.hospital is not None else actor.hospital
    subject = found.subject or (EMERGENCY if _in_emergency(found, hospital) else "")
    return AuditEvent(
        code=found.code or code,
        type_code=found.type_code or (None if found.code else type_code),
        action=found.event_action or _ACTIONS.get(request.method, EventAction.EXECUTE),
        outcome=outcome_of(status),
        at=site.now(),
        what=action.value if action else request.scope["route"].name,
        login=actor.login,
        person=actor.person,
        roles=tuple(sorted(actor.roles)),
        hospital=hospital,
        actor_hospital=actor.hospital,
        address=client_address(request),
        request=request.state.request,
        studies=tuple(found.studies),
        patient=found.patient,
        case=found.case,
        subject=subject or (request.scope["route"].path if not found.studies else ""),
        count=found.count,
        reason=found.reason,
    )


def _in_emergency(found: Trace, hospital: int | None) -> bool:
    """Whether an exam was seen by no right, but because it was opened in an emergency."""
    exams = (Subject(kind=SubjectKind.EXAM, hospital=hospital, study_uid=uid) for uid in found.studies)
    return found.action is Action.READ_EXAM and any(
        decide(found.actor, Action.READ_EXAM, one).ground is Ground.BROKEN_GLASS for one in exams
    )


def _key(event: AuditEvent) -> Key:
    """What repetitions of an event have in common: all but the time, the number of the request, and the count."""
    return (
        (event.person, event.login, event.address, event.roles, event.hospital, event.actor_hospital),
        (event.code, event.type_code, event.action, event.outcome, event.what),
        (event.studies, event.patient, event.case, event.subject),
    )


def _kind_of(action: Action | None, method: str) -> tuple[EventCode, EventType | None]:
    if action is None:
        return EventCode.APPLICATION_ACTIVITY, None
    if method in SAFE and action not in READS:
        return EventCode.SECURITY_ALERT, EventType.USE_OF_RESTRICTED_FUNCTION
    return CODES.get(action, EventCode.APPLICATION_ACTIVITY), TYPES.get(action)


def outcome_of(status: int) -> EventOutcome:
    """How it ended, by the status of the answer: refused is a minor failure, a fault a serious one."""
    if status < 400:
        return EventOutcome.SUCCESS
    return EventOutcome.MINOR_FAILURE if status < 500 else EventOutcome.SERIOUS_FAILURE


def client_address(request: Request) -> str:
    """The IP address of who asks; the proxy's word is taken only from those that the settings trust."""
    return request.client.host if request.client else ""


def _worth(found: Trace, method: str, status: int) -> bool:
    """Whether there is something to record: signing in, refusals and changes always, reads of others' things."""
    if found.code is EventCode.USER_AUTHENTICATION:
        return True
    if (found.silent and status < 400) or (found.action is None and (method in SAFE or status < 400)):
        return False
    if method in SAFE and found.action in UNRECORDED:
        return status == 403
    return found.actor.person is not None or status in (401, 403)
