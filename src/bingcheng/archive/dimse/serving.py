"""One association from its request to its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from bingcheng.archive.dimse.association import Message
from bingcheng.archive.dimse.commands import (
    C_CANCEL,
    C_ECHO,
    C_FIND,
    C_GET,
    C_MOVE,
    C_STORE,
    N_ACTION,
    RESPONSE,
    response,
)
from bingcheng.archive.dimse.committing import committed
from bingcheng.archive.dimse.endings import Ended, Ending
from bingcheng.archive.dimse.events import EventKind
from bingcheng.archive.dimse.finding import found
from bingcheng.archive.dimse.negotiation import (
    FIND,
    GET,
    MOVE,
    PATIENT_ROOT,
    STORAGE_COMMITMENT,
    STUDY_ROOT,
    VERIFICATION,
    is_storage,
)
from bingcheng.archive.dimse.retrieving import got, moved
from bingcheng.archive.dimse.session import Answer, Session
from bingcheng.archive.dimse.storing import stored

UNKNOWN_OPERATION = 0x0211
"""PS3.7 Annex C.5.23."""


def serve(session: Session) -> Ending:
    """Answer what comes until the association ends; how it ended."""
    try:
        while True:
            message = session.association.receive()
            answer = _answered(session, message)
            if answer is None:
                continue
            session.association.send(message.context, answer.command, answer.data)
            if answer.then is not None:
                answer.then()
    except Ended as ended:
        if ended.ending is not Ending.RELEASED:
            session.tell(EventKind.ABORTED, succeeded=False, code=ended.ending.name.lower())
        if ended.ending in (Ending.VIOLATED, Ending.SLOW):
            session.association.abort(ended)
        return ended.ending
    finally:
        session.tell_what_was_stored()


def _answered(session: Session, message: Message) -> Answer | None:
    kind, service = message.kind, message.context.abstract_syntax
    if kind & RESPONSE or kind == C_CANCEL:
        return None  # of something that is over
    if kind == C_STORE and is_storage(service):
        return stored(session, message)
    do = _SERVICES.get((kind, service))
    return Answer(command=response(message.command, UNKNOWN_OPERATION)) if do is None else do(session, message)


def _echoed(session: Session, message: Message) -> Answer:
    session.tell(EventKind.ECHOED, succeeded=True, code="0000")
    return Answer(command=response(message.command, 0))


_SERVICES: Mapping[tuple[int, str], Callable[[Session, Message], Answer]] = MappingProxyType(
    {
        (C_ECHO, VERIFICATION): _echoed,
        (N_ACTION, STORAGE_COMMITMENT): committed,
        **{(C_FIND, root + FIND): found for root in (PATIENT_ROOT, STUDY_ROOT)},
        **{(C_MOVE, root + MOVE): moved for root in (PATIENT_ROOT, STUDY_ROOT)},
        **{(C_GET, root + GET): got for root in (PATIENT_ROOT, STUDY_ROOT)},
    }
)
