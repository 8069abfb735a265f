"""The lane of what is sent: exams to peers, several peers at once, one exam a peer.

A peer that is slow or gone holds up what goes to itself and nothing else. What it does not take for a reason that may
pass is tried again, ever more slowly; another try sends what the peer did not confirm before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

from bingcheng.archive.audit.event import AuditEvent, EventAction, EventOutcome
from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.audit.trail import record
from bingcheng.archive.dimse.peers import Peer, peers
from bingcheng.archive.dimse.problems import NO_SUCH_PEER
from bingcheng.archive.dimse.sending import Sent, send
from bingcheng.archive.jobs.queue import STOPPED, Job, Lane, due, end, put_off, take
from bingcheng.archive.jobs.taken import note_taken, taken
from bingcheng.archive.jobs.target import Target
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.origins import derived
from bingcheng.archive.ownership import HOSPITALS
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError, InputError, Owner, Problem, RemoteError
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.core.wording import Text, text
from bingcheng.server.background.calling import Calling
from bingcheng.server.background.faults import refused_by_fault
from bingcheng.server.background.telling import NotWanted, Telling
from bingcheng.server.site import utc_now

NOT_ALL_TAKEN = Problem(
    code="server.not-all-taken",
    says="the peer did not take {failed} of {count} objects",
    remedy="Look at the log of the peer, let it take these kinds of objects, and send the exam again.",
    owner=Owner.OPERATOR,
)
NO_ROOM_THERE = Problem(
    code="server.no-room-there",
    says="the peer had no room for {failed} of {count} objects, or broke off before it had them",
    remedy="It is tried again by itself. If it persists, see that the peer has room on its disk.",
    owner=Owner.OPERATOR,
)
NOTHING_TO_SEND = Problem(
    code="server.nothing-to-send",
    says="the archive holds no objects of this exam",
    remedy="They were deleted since. If the peer needs them, send them from where they were made.",
    owner=Owner.OPERATOR,
)
STEP = text("Sending objects")
PEERS_AT_ONCE = 8
LOOK_EVERY_S = 0.5
"""How soon it is seen that another exam waits, for a peer that is free."""
NOTED_EVERY_S = 0.5
"""How often it is written down what a peer took. What it took since a process was killed is sent twice."""

Progress = Callable[[Text, int, int], None]


def send_waiting(workspace: Workspace, objects: Objects, calling: Calling) -> int:
    """Send all exams that wait and may be tried now; returns how many were begun."""
    begun = 0
    running: set[Future[None]] = set()
    with ThreadPoolExecutor(PEERS_AT_ONCE, thread_name_prefix="sending") as pool:
        while True:
            jobs = _taken(workspace, PEERS_AT_ONCE - len(running))
            running |= {pool.submit(_sent, workspace, objects, job, calling) for job in jobs}
            begun += len(jobs)
            if not running:
                return begun
            # More may have been asked for meanwhile, for a peer that is free.
            ended, running = wait(running, 0.0 if jobs else LOOK_EVERY_S, return_when=FIRST_COMPLETED)
            for one in ended:
                one.result()


def _taken(workspace: Workspace, most: int) -> tuple[Job, ...]:
    if not most:
        return ()
    with workspace.reading() as connection:
        if not due(connection, utc_now(), Lane.NETWORK):
            return ()
    with workspace.writing() as connection:
        return take(connection, utc_now(), most=most, lane=Lane.NETWORK)


def _sent(workspace: Workspace, objects: Objects, job: Job, calling: Calling) -> None:
    """Send one exam, and say in the queue what became of it."""
    error: BingchengError | None = None
    refusal: Refusal | None = None
    try:
        error = send_exam(workspace, objects, job, calling, Telling(workspace, [job]))
    except NotWanted:
        return
    except Exception as fault:  # noqa: BLE001 - a fault of this program costs one sending and is said, not hidden
        refusal = refused_by_fault(fault, job)
    if error is not None:
        refusal = Refusal.of(error, kind=SubjectKind.EXAM, subject=job.study_uid, study_uid=job.study_uid)
    with workspace.writing() as connection:
        if refusal is not None and isinstance(error, RemoteError):
            put_off(connection, job, utc_now(), refusal)
        else:
            end(connection, job.number, utc_now(), refusal, tries=job.tries)


def send_exam(
    workspace: Workspace, objects: Objects, job: Job, calling: Calling, progress: Progress
) -> BingchengError | None:
    """Send an exam's objects to the peer that `job` names; what became of it stands in the audit trail too.

    Returns why not all of it arrived; a `RemoteError` may have passed at the next try.

    Raises
    ------
    NotWanted
        What `progress` raises: the sending stops after the object that is under way.
    """
    sent, peer = Sent(), None
    error: BingchengError | None = None
    try:
        peer, wanted = _wanted(workspace, objects, job)
        total = len(wanted)
        left = _left(workspace, job, wanted)
        progress(STEP, total - len(left), total)
        taken_now = _Taken(workspace, job)

        def tell(state: Sent) -> None:
            nonlocal sent
            sent = state
            taken_now.add(state.taken)
            progress(STEP, total - state.remaining, total)

        if left:
            _begin(workspace, job, calling, peer, len(left))
        try:
            sent = send(calling.caller(), peer, objects, left, tell)
        finally:
            taken_now.write()
        error = _shortfall(sent, total)
    except BingchengError as raised:
        error = raised
    except NotWanted:
        _record(workspace, job, calling, peer, sent, InputError(STOPPED))
        raise
    _record(workspace, job, calling, peer, sent, error)
    return error


class _Taken:
    """What a peer takes, written down now and then."""

    def __init__(self, workspace: Workspace, job: Job) -> None:
        self._workspace = workspace
        self._job = job
        self._found: dict[str, str] = {}
        self._written_at = time.monotonic()

    def add(self, one: Instance | None) -> None:
        """The peer took this one; None for nothing."""
        if one is not None:
            self._found[one.sop_uid] = one.sha256
        if time.monotonic() - self._written_at >= NOTED_EVERY_S:
            self.write()

    def write(self) -> None:
        """Write down what was not yet."""
        if self._found:
            with self._workspace.writing() as connection:
                note_taken(connection, self._job.number, self._found, utc_now())
            self._found = {}
        self._written_at = time.monotonic()


def _left(workspace: Workspace, job: Job, wanted: Sequence[Instance]) -> Sequence[Instance]:
    """What the peer did not take at an earlier try, or took with other bytes."""
    with workspace.reading() as connection:
        before = taken(connection, job.number, utc_now())
    return [one for one in wanted if before.get(one.sop_uid) != one.sha256]


def _shortfall(sent: Sent, total: int) -> BingchengError | None:
    if not sent.failed:
        return None
    if sent.later:
        return RemoteError(NO_ROOM_THERE, failed=len(sent.failed), count=total)
    return InputError(NOT_ALL_TAKEN, failed=len(sent.failed), count=total)


def _wanted(workspace: Workspace, objects: Objects, job: Job) -> tuple[Peer, Sequence[Instance]]:
    """To whom, and what: as things are now, not as they were when it was asked for."""
    target = Target.of(job.target or "")
    with workspace.reading() as connection:
        found = [one for one in peers(connection, [job.space]) if one.number == target.peer]
        ours = derived(connection, job.space, job.study_uid)
    if not found:
        raise InputError(NO_SUCH_PEER, number=target.peer)
    instances = objects.instances_of([job.space], job.study_uid)
    wanted = instances if target.derived else [one for one in instances if one.sop_uid not in ours]
    if not wanted:
        raise InputError(NOTHING_TO_SEND)
    return found[0], wanted


def _begin(workspace: Workspace, job: Job, calling: Calling, peer: Peer, count: int) -> None:
    """Record that objects are about to leave; what keeps it from being recorded keeps them here."""
    told = _told(job, calling, peer)
    begun = replace(told, code=EventCode.BEGIN_TRANSFERRING_INSTANCES, what="dimse-sending", count=count)
    with workspace.writing() as connection:
        record(connection, begun)


def _record(
    workspace: Workspace, job: Job, calling: Calling, peer: Peer | None, sent: Sent, error: BingchengError | None
) -> None:
    told = replace(
        _told(job, calling, peer),
        outcome=EventOutcome.SUCCESS if error is None else EventOutcome.MINOR_FAILURE,
        count=max(sent.completed + sent.warned, 1),
        reason="" if error is None else error.code,
    )
    with workspace.writing() as connection:
        record(connection, told)


def _told(job: Job, calling: Calling, peer: Peer | None) -> AuditEvent:
    hospital = int(job.space.removeprefix(HOSPITALS))
    return AuditEvent(
        code=EventCode.INSTANCES_TRANSFERRED,
        action=EventAction.READ,
        outcome=EventOutcome.SUCCESS,
        at=utc_now(),
        what="dimse-sent",
        login=calling.ae_title,
        hospital=hospital,
        actor_hospital=hospital,
        address="" if peer is None else peer.host or "",
        studies=(job.study_uid,),
        subject="" if peer is None else peer.ae_title,
    )
