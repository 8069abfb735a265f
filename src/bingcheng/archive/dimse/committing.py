"""Storage commitment, push model (PS3.4 Annex J): a peer asks whether we keep its objects for good, and is told.

What was asked is kept in the workspace before it is accepted (`commitments`), and told by `reporting`, so that the end
of the program leaves nobody untold. The verdict is of the moment in which it is told.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom.dsutils import decode, encode

from bingcheng.archive.dimse import commitments
from bingcheng.archive.dimse.association import Association, Context, Message
from bingcheng.archive.dimse.commands import N_EVENT_REPORT, Command, is_uid, number, response, words
from bingcheng.archive.dimse.commitments import Referenced, Requested
from bingcheng.archive.dimse.events import DimseEvent, EventKind
from bingcheng.archive.dimse.identifiers import Unreadable
from bingcheng.archive.dimse.negotiation import IMPLICIT, STORAGE_COMMITMENT
from bingcheng.archive.dimse.peers import Peer
from bingcheng.archive.dimse.session import Answer, Session
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.problems import DAMAGED_FILE, NO_FILE
from bingcheng.core.errors import BingchengError, RemoteError

WELL_KNOWN_INSTANCE = "1.2.840.10008.1.20.1.1"
REQUEST_COMMITMENT = 1
ALL_COMMITTED, SOME_NOT = 1, 2
PROCESSING_FAILURE, NO_SUCH_OBJECT, NO_SUCH_ACTION, INVALID_ARGUMENT, CLASS_DIFFERS = (
    0x0110,
    0x0112,
    0x0123,
    0x0115,
    0x0119,
)
"""PS3.4 J.3.2, J.3.3; reasons of failure: PS3.3 C.14.1.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is kept of what was asked for, and what is not, with its reason."""

    transaction: str
    kept: tuple[Referenced, ...]
    failed: tuple[tuple[Referenced, int], ...]
    study_uids: tuple[str, ...]

    @property
    def event(self) -> int:
        """Type of the event that says so."""
        return SOME_NOT if self.failed else ALL_COMMITTED


def committed(session: Session, message: Message) -> Answer:
    """The answer to an N-ACTION; the verdict follows it as an event."""
    command = message.command
    if number(command, "ActionTypeID") != REQUEST_COMMITMENT:
        return Answer(command=response(command, NO_SUCH_ACTION))
    if words(command, "RequestedSOPInstanceUID") != WELL_KNOWN_INSTANCE:
        return Answer(command=response(command, NO_SUCH_OBJECT))
    try:
        transaction, asked = _read(message)
    except Unreadable:
        session.tell(EventKind.COMMITTED, succeeded=False, code=f"{INVALID_ARGUMENT:04X}")
        return Answer(command=response(command, INVALID_ARGUMENT, "The request can't be read"))
    try:
        with session.house.workspace.writing() as connection:
            commitments.keep(connection, session.peer.number, transaction, asked, _now())
    except BingchengError:
        # Nothing is promised that may be forgotten; the peer asks again.
        session.tell(EventKind.COMMITTED, succeeded=False, code=f"{PROCESSING_FAILURE:04X}")
        return Answer(command=response(command, PROCESSING_FAILURE, "The request can't be kept"))
    answer = response(command, 0, ActionTypeID=REQUEST_COMMITMENT)
    if session.peer.host is None:
        return Answer(command=answer, then=lambda: _tell_here(session, message.context))
    return Answer(command=answer, then=session.house.report)


def _read(message: Message) -> tuple[str, list[Referenced]]:
    if message.body is None or message.body.too_large:
        raise Unreadable
    try:
        data_set = decode(BytesIO(message.body.data()), message.context.transfer_syntax == IMPLICIT, True)
        transaction = str(data_set.TransactionUID)
        asked = [
            Referenced(sop_class=str(item.ReferencedSOPClassUID), sop_uid=str(item.ReferencedSOPInstanceUID))
            for item in data_set.ReferencedSOPSequence
        ]
    except Exception as error:  # whatever pydicom stumbles over in a damaged one
        raise Unreadable from error
    # One item at the least (PS3.4 Table J.3-1): of none nothing can be promised.
    if not asked or not is_uid(transaction) or not all(is_uid(one.sop_class) and is_uid(one.sop_uid) for one in asked):
        raise Unreadable
    return transaction, asked


def judged(objects: Objects, space: str, asked: Requested) -> Verdict:
    """What of a request is kept in `space` now.

    Raises
    ------
    RemoteError
        The index or the store does not answer: nothing can be said.
    """
    kept: list[Referenced] = []
    failed: list[tuple[Referenced, int]] = []
    studies: dict[str, None] = {}
    for one in asked.references:
        held = objects.instance((space,), None, None, one.sop_uid)
        if held is None or not _is_there(objects, held):
            failed.append((one, NO_SUCH_OBJECT))
        elif held.sop_class_uid != one.sop_class:
            failed.append((one, CLASS_DIFFERS))
        else:
            kept.append(one)
            studies[held.study_uid] = None
    return Verdict(transaction=asked.transaction, kept=tuple(kept), failed=tuple(failed), study_uids=tuple(studies))


def _is_there(objects: Objects, held: Instance) -> bool:
    """Whether all bytes of an object are there: who believes us deletes its own."""
    try:
        objects.open_bytes(held).close()
    except RemoteError as error:
        if error.problem in (NO_FILE, DAMAGED_FILE):
            return False
        raise
    return True


def report(association: Association, context: Context, verdict: Verdict) -> int:
    """Tell a verdict over an association; the status by which the peer answers.

    Raises
    ------
    Ended
    """
    command: Command = {
        "CommandField": N_EVENT_REPORT,
        "MessageID": 1,
        "AffectedSOPClassUID": STORAGE_COMMITMENT,
        "AffectedSOPInstanceUID": WELL_KNOWN_INSTANCE,
        "EventTypeID": verdict.event,
    }
    association.send(context, command, _written(verdict, context.transfer_syntax))
    return number(association.answer_to(1).command, "Status")


def told_of(peer: Peer, address: str, verdict: Verdict, now: datetime, *, told: bool) -> DimseEvent:
    """What the audit is told of a verdict."""
    return DimseEvent(
        at=now,
        kind=EventKind.COMMITTED,
        ae_title=peer.ae_title,
        address=address,
        succeeded=told and not verdict.failed,
        code=f"event {verdict.event}" if told else "untold",
        peer=peer.number,
        space=peer.space,
        study_uids=verdict.study_uids,
        completed=len(verdict.kept),
        failed=len(verdict.failed),
    )


def _tell_here(session: Session, context: Context) -> None:
    """Over the association that the peer asked over: all that it waits for, as it can't be called.

    The association may be released meanwhile; then the peer is told when it asks the next time.
    """
    house, peer = session.house, session.peer
    with suppress(BingchengError):
        with house.workspace.reading() as connection:
            waiting = commitments.pending(connection, peer.number)
        for one in waiting:
            verdict = judged(house.objects, peer.space, one)
            status = report(session.association, context, verdict)
            with house.workspace.writing() as connection:
                commitments.settled(connection, one.number)
            house.on_event(told_of(peer, session.address, verdict, _now(), told=status == 0))


def _written(verdict: Verdict, syntax: str) -> bytes:
    data_set = Dataset()
    data_set.TransactionUID = verdict.transaction
    if verdict.kept:
        data_set.ReferencedSOPSequence = [_item(one) for one in verdict.kept]
    if verdict.failed:
        data_set.FailedSOPSequence = [_item(one, FailureReason=reason) for one, reason in verdict.failed]
    return encode(data_set, syntax == IMPLICIT, True) or b""


def _item(one: Referenced, **more: Any) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = one.sop_class
    item.ReferencedSOPInstanceUID = one.sop_uid
    for keyword, value in more.items():
        setattr(item, keyword, value)
    return item


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
