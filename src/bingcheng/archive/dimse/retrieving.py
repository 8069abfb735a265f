"""C-MOVE and C-GET: objects sent to a third, or back over the same association (PS3.4 C.4.2, C.4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bingcheng.archive.dimse.association import Message
from bingcheng.archive.dimse.commands import Value, is_uid, number, response, words
from bingcheng.archive.dimse.endings import Ended
from bingcheng.archive.dimse.events import EventKind
from bingcheng.archive.dimse.finding import WrongIdentifier, level_of
from bingcheng.archive.dimse.identifiers import Identifier, Unreadable, read, written
from bingcheng.archive.dimse.negotiation import PATIENT_ROOT
from bingcheng.archive.dimse.peers import Peer, destination
from bingcheng.archive.dimse.sending import Originator, Sent, sending, store
from bingcheng.archive.dimse.session import Answer, Session
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.query import Query
from bingcheng.core.errors import BingchengError

SUCCESS, PENDING, CANCELLED, SOME_FAILED = 0x0000, 0xFF00, 0xFE00, 0xB000
NO_MATCHES_CALCULATED, NONE_SENT = 0xA701, 0xA702
UNKNOWN_DESTINATION, NOT_OF_ITS_CLASS, CANNOT_PROCESS = 0xA801, 0xA900, 0xC000
"""PS3.4 Tables C.4-2 and C.4-3."""
UNRECORDED = "The audit trail does not answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    """How a retrieval came to its end; `broken` if nobody is left to be told."""

    sent: Sent
    broken: Ended | None = None
    cancelled: bool = False
    comment: str = ""
    status: int | None = None

    def verdict(self) -> int:
        """Its status: what was given, else what the numbers say."""
        if self.status is not None:
            return self.status
        if self.cancelled:
            return CANCELLED
        if not self.sent.failed and not self.sent.warned:
            return SUCCESS
        return SOME_FAILED if self.sent.completed or self.sent.warned else NONE_SENT


def moved(session: Session, message: Message) -> Answer:
    """Send what is asked for to another peer of the same space; the last answer is returned."""
    title = words(message.command, "MoveDestination")
    try:
        with session.house.workspace.reading() as connection:
            target = destination(connection, title, session.peer.space)
    except BingchengError as error:  # nobody can be looked up now; that is no fault of the destination
        return _refused(session, message, *_why(error), title)
    if target is None:
        return _refused(session, message, UNKNOWN_DESTINATION, "The destination is not known", title)
    try:
        chosen = _chosen(session, message)
    except (WrongIdentifier, Unreadable, BingchengError) as error:
        return _refused(session, message, *_why(error), title)
    if not _recorded(session, chosen, target.ae_title):
        return _refused(session, message, NONE_SENT, UNRECORDED, title)
    return _last(session, message, chosen, _moved(session, message, target, chosen), target.ae_title)


def got(session: Session, message: Message) -> Answer:
    """Send what is asked for back over the same association; the last answer is returned."""
    try:
        chosen = _chosen(session, message)
    except (WrongIdentifier, Unreadable, BingchengError) as error:
        return _refused(session, message, *_why(error), session.peer.ae_title)
    if not _recorded(session, chosen, session.peer.ae_title):
        return _refused(session, message, NONE_SENT, UNRECORDED, session.peer.ae_title)
    return _last(session, message, chosen, _got(session, message, chosen), session.peer.ae_title)


def _recorded(session: Session, chosen: Sequence[Instance], to: str) -> bool:
    """Whether the audit knows that these objects are about to leave; without that, none does."""
    if not chosen:
        return True
    try:
        session.before(EventKind.RETRIEVING, study_uids=_studies_of(chosen), completed=len(chosen), destination=to)
    except BingchengError:
        return False
    return True


def _studies_of(chosen: Sequence[Instance]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.study_uid for one in chosen))


def selected(session: Session, identifier: Identifier, sop_class: str) -> list[Instance]:
    """The objects that an identifier of a retrieval names.

    Raises
    ------
    WrongIdentifier
    """
    level = level_of(identifier, sop_class)
    objects, spaces = session.house.objects, session.spaces
    if level == "PATIENT":
        patients = identifier.values("PatientID")
        if len(patients) != 1 or "*" in patients[0] or "?" in patients[0]:
            raise WrongIdentifier("One PatientID is needed")
        theirs = objects.studies(Query(match={"PatientID": patients[0]}), spaces)
        return [one for row in theirs for one in objects.instances_of(spaces, row.study_uid, None)]
    studies: Sequence[str] = _uids(identifier, "StudyInstanceUID")
    if sop_class.startswith(PATIENT_ROOT):
        # The number of the patient is a key above (PS3.4 C.4.2.2.1): another patient's study is no match.
        whose = {"PatientID": identifier.values("PatientID")[0], "StudyInstanceUID": studies}
        studies = [row.study_uid for row in objects.studies(Query(match=whose), spaces)]
        if not studies:
            return []
    if level == "STUDY":
        return [one for study in studies for one in objects.instances_of(spaces, study, None)]
    series = _uids(identifier, "SeriesInstanceUID")
    if level == "SERIES":
        return [one for uid in series for one in objects.instances_of(spaces, studies[0], uid)]
    wanted = _uids(identifier, "SOPInstanceUID")
    each = (objects.instance(spaces, studies[0], series[0], uid) for uid in wanted)
    return [one for one in each if one is not None]


def _chosen(session: Session, message: Message) -> list[Instance]:
    return selected(session, read(message), message.context.abstract_syntax)


def _uids(identifier: Identifier, keyword: str) -> tuple[str, ...]:
    values = identifier.values(keyword)
    if not values or not all(is_uid(one) for one in values):
        raise WrongIdentifier(f"{keyword} is needed, without wildcards")
    return values


def _why(error: Exception) -> tuple[int, str]:
    if isinstance(error, WrongIdentifier):
        return NOT_OF_ITS_CLASS, str(error)
    if isinstance(error, Unreadable):
        return CANNOT_PROCESS, "The identifier can't be read"
    return NO_MATCHES_CALCULATED, "The index can't be searched"


def _moved(session: Session, message: Message, target: Peer, chosen: Sequence[Instance]) -> _Ending:
    house, asked_as = session.house, number(message.command, "MessageID")
    state = Sent(remaining=len(chosen))
    originator = Originator(ae_title=session.peer.ae_title, message_id=asked_as)
    steps = sending(house.caller, target, house.objects, chosen, originator)
    try:
        for state in steps:
            if session.association.cancelled(asked_as):
                return _Ending(sent=state, cancelled=True)
            if state.remaining:
                _report(session, message, state)
    except BingchengError as error:
        # No association with the destination came about: none of those that are left can be sent.
        left = tuple(one.sop_uid for one in chosen[len(chosen) - state.remaining :])
        lost = Sent(completed=state.completed, warned=state.warned, failed=(*state.failed, *left))
        return _Ending(sent=lost, comment=f"The destination failed: {error.code}")
    except Ended as ended:
        return _Ending(sent=state, broken=ended, status=CANNOT_PROCESS)
    finally:
        steps.close()
    return _Ending(sent=state)


def _got(session: Session, message: Message, chosen: Sequence[Instance]) -> _Ending:
    asked_as = number(message.command, "MessageID")
    state = Sent(remaining=len(chosen))
    stops: list[int] = []
    try:
        for place, instance in enumerate(chosen):
            status = store(session.association, session.house.objects, instance, place % 65535 + 1, stop=stops.append)
            state = state.after(instance, status)
            if asked_as in stops or session.association.cancelled(asked_as):
                return _Ending(sent=state, cancelled=True)
            if state.remaining:
                _report(session, message, state)
    except Ended as ended:
        return _Ending(sent=state, broken=ended, status=CANNOT_PROCESS)
    return _Ending(sent=state)


def _report(session: Session, message: Message, state: Sent) -> None:
    counts = {**_counts(state), "NumberOfRemainingSuboperations": min(state.remaining, 0xFFFF)}
    session.association.send(message.context, {**response(message.command, PENDING), **counts})


def _counts(state: Sent) -> dict[str, Value]:
    return {
        "NumberOfCompletedSuboperations": min(state.completed, 0xFFFF),
        "NumberOfFailedSuboperations": min(len(state.failed), 0xFFFF),
        "NumberOfWarningSuboperations": min(state.warned, 0xFFFF),
    }


def _last(session: Session, message: Message, chosen: Sequence[Instance], ending: _Ending, to: str) -> Answer:
    status, state = ending.verdict(), ending.sent
    more = _counts(state)
    if status == CANCELLED:
        more["NumberOfRemainingSuboperations"] = min(state.remaining, 0xFFFF)
    answer = {**response(message.command, status, ending.comment), **more}
    session.tell(
        EventKind.RETRIEVED,
        succeeded=status == SUCCESS,
        code=f"{status:04X}",
        study_uids=_studies_of(chosen),
        completed=state.completed + state.warned,
        failed=len(state.failed),
        destination=to,
    )
    if ending.broken is not None:
        raise ending.broken
    if state.failed and status != SUCCESS:
        failed = {"FailedSOPInstanceUIDList": "\\".join(state.failed)}
        return Answer(command=answer, data=written(failed, message.context.transfer_syntax))
    return Answer(command=answer)


def _refused(session: Session, message: Message, status: int, comment: str, to: str) -> Answer:
    session.tell(EventKind.RETRIEVED, succeeded=False, code=f"{status:04X}", destination=to or None)
    return Answer(command=response(message.command, status, comment))
