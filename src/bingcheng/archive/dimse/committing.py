"""Storage commitment, push model (PS3.4 Annex J): a peer asks whether we keep its objects for good, and is told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom.dsutils import decode, encode

from bingcheng.archive.dimse.association import Association, Context, Message
from bingcheng.archive.dimse.calling import first_context, opened
from bingcheng.archive.dimse.commands import N_EVENT_REPORT, Command, is_uid, number, response, words
from bingcheng.archive.dimse.endings import Ended
from bingcheng.archive.dimse.events import EventKind
from bingcheng.archive.dimse.identifiers import Unreadable
from bingcheng.archive.dimse.negotiation import EXPLICIT, IMPLICIT, STORAGE_COMMITMENT
from bingcheng.archive.dimse.session import Answer, Session
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

TRIES_AFTER_S = (0.0, 5.0, 30.0)
"""A peer that can't be reached is tried again: its listener may be late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Referenced:
    sop_class: str
    sop_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """What is kept of what was asked for, and what is not, with its reason."""

    transaction: str
    kept: tuple[_Referenced, ...]
    failed: tuple[tuple[_Referenced, int], ...]
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
    verdict = _judged(session, transaction, asked)
    answer = response(command, 0, ActionTypeID=REQUEST_COMMITMENT)
    if session.peer.host is None:
        return Answer(command=answer, then=lambda: _tell_here(session, message.context, verdict))
    return Answer(command=answer, then=lambda: session.house.later(lambda: _call_and_tell(session, verdict)))


def _read(message: Message) -> tuple[str, list[_Referenced]]:
    if message.body is None or message.body.too_large:
        raise Unreadable
    try:
        data_set = decode(BytesIO(message.body.data()), message.context.transfer_syntax == IMPLICIT, True)
        transaction = str(data_set.TransactionUID)
        asked = [
            _Referenced(sop_class=str(item.ReferencedSOPClassUID), sop_uid=str(item.ReferencedSOPInstanceUID))
            for item in data_set.ReferencedSOPSequence
        ]
    except Exception as error:  # whatever pydicom stumbles over in a damaged one
        raise Unreadable from error
    if not is_uid(transaction) or not all(is_uid(one.sop_class) and is_uid(one.sop_uid) for one in asked):
        raise Unreadable
    return transaction, asked


def _judged(session: Session, transaction: str, asked: Sequence[_Referenced]) -> _Verdict:
    kept: list[_Referenced] = []
    failed: list[tuple[_Referenced, int]] = []
    studies: dict[str, None] = {}
    for one in asked:
        try:
            held = session.house.objects.instance(session.spaces, None, None, one.sop_uid)
        except BingchengError:
            failed.append((one, PROCESSING_FAILURE))
            continue
        if held is None:
            failed.append((one, NO_SUCH_OBJECT))
        elif held.sop_class_uid != one.sop_class:
            failed.append((one, CLASS_DIFFERS))
        else:
            kept.append(one)
            studies[held.study_uid] = None
    return _Verdict(transaction=transaction, kept=tuple(kept), failed=tuple(failed), study_uids=tuple(studies))


def _tell_here(session: Session, context: Context, verdict: _Verdict) -> None:
    """Over the association that the peer asked over; it may be released meanwhile, which leaves the peer untold."""
    told = False
    try:
        told = _report(session.association, context, verdict)
    finally:
        _audit(session, verdict, told=told)


def _call_and_tell(session: Session, verdict: _Verdict) -> None:
    """Over an association of its own, on which we are the provider though we call (PS3.4 J.3.3)."""
    told = False
    for pause_s in TRIES_AFTER_S:
        time.sleep(pause_s)
        try:
            association = opened(
                session.house.caller,
                session.peer,
                [(STORAGE_COMMITMENT, [EXPLICIT, IMPLICIT])],
                scp_of=(STORAGE_COMMITMENT,),
            )
        except RemoteError:
            continue
        try:
            told = _report(association, first_context(association), verdict)
            association.release()
            break
        except Ended as ended:
            association.abort(ended)
    _audit(session, verdict, told=told)


def _report(association: Association, context: Context, verdict: _Verdict) -> bool:
    command: Command = {
        "CommandField": N_EVENT_REPORT,
        "MessageID": 1,
        "AffectedSOPClassUID": STORAGE_COMMITMENT,
        "AffectedSOPInstanceUID": WELL_KNOWN_INSTANCE,
        "EventTypeID": verdict.event,
    }
    association.send(context, command, _written(verdict, context.transfer_syntax))
    return number(association.answer_to(1).command, "Status") == 0


def _written(verdict: _Verdict, syntax: str) -> bytes:
    data_set = Dataset()
    data_set.TransactionUID = verdict.transaction
    if verdict.kept:
        data_set.ReferencedSOPSequence = [_item(one) for one in verdict.kept]
    if verdict.failed:
        data_set.FailedSOPSequence = [_item(one, FailureReason=reason) for one, reason in verdict.failed]
    return encode(data_set, syntax == IMPLICIT, True) or b""


def _item(one: _Referenced, **more: Any) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = one.sop_class
    item.ReferencedSOPInstanceUID = one.sop_uid
    for keyword, value in more.items():
        setattr(item, keyword, value)
    return item


def _audit(session: Session, verdict: _Verdict, *, told: bool) -> None:
    session.tell(
        EventKind.COMMITTED,
        succeeded=told and not verdict.failed,
        code=f"event {verdict.event}" if told else "untold",
        study_uids=verdict.study_uids,
        completed=len(verdict.kept),
        failed=len(verdict.failed),
    )
