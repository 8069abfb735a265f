"""An exam sent to a peer, as a job of the working process."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bingcheng.archive.audit.event import AuditEvent, EventAction, EventOutcome
from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.audit.trail import record
from bingcheng.archive.dimse.peers import Peer, peers
from bingcheng.archive.dimse.problems import NO_SUCH_PEER
from bingcheng.archive.dimse.sending import Sent, send
from bingcheng.archive.jobs.queue import Job
from bingcheng.archive.jobs.target import Target
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.origins import derived
from bingcheng.archive.ownership import HOSPITALS
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError, InputError, Owner, Problem, RemoteError
from bingcheng.core.wording import Text, text
from bingcheng.engine.received.assessing import Outcome, refused
from bingcheng.server.background.calling import Calling
from bingcheng.server.site import utc_now

NOT_ALL_TAKEN = Problem(
    code="server.not-all-taken",
    says="the peer did not take {failed} of {count} objects",
    remedy="Look at the log of the peer, let it take these kinds of objects, and send the exam again.",
    owner=Owner.OPERATOR,
)
NOTHING_TO_SEND = Problem(
    code="server.nothing-to-send",
    says="the archive holds no objects of this exam",
    remedy="They were deleted since. If the peer needs them, send them from where they were made.",
    owner=Owner.OPERATOR,
)
STEP = text("Sending objects")

Progress = Callable[[Text, int, int], None]


def send_exam(workspace: Workspace, objects: Objects, job: Job, calling: Calling, progress: Progress) -> Outcome:
    """Send an exam's objects to the peer that `job` names; what became of it stands in the audit trail too."""
    sent, peer = Sent(), None
    error: BingchengError | None = None
    try:
        peer, wanted = _wanted(workspace, objects, job)
        total = len(wanted)
        progress(STEP, 0, total)
        sent = send(
            calling.caller(), peer, objects, wanted, lambda state: progress(STEP, total - state.remaining, total)
        )
        if sent.failed:
            error = RemoteError(NOT_ALL_TAKEN, failed=len(sent.failed), count=total)
    except BingchengError as raised:
        error = raised
    _record(workspace, job, calling, peer, sent, error)
    return Outcome(job=job, digest="", refusal=None if error is None else refused(error, job))


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


def _record(
    workspace: Workspace, job: Job, calling: Calling, peer: Peer | None, sent: Sent, error: BingchengError | None
) -> None:
    hospital = int(job.space.removeprefix(HOSPITALS))
    told = AuditEvent(
        code=EventCode.INSTANCES_TRANSFERRED,
        action=EventAction.READ,
        outcome=EventOutcome.SUCCESS if error is None else EventOutcome.MINOR_FAILURE,
        at=utc_now(),
        what="dimse-sent",
        login=calling.ae_title,
        hospital=hospital,
        actor_hospital=hospital,
        address="" if peer is None else peer.host or "",
        studies=(job.study_uid,),
        subject="" if peer is None else peer.ae_title,
        count=max(sent.completed + sent.warned, 1),
        reason="" if error is None else error.code,
    )
    with workspace.writing() as connection:
        record(connection, told)
