"""One audit event, in the sense of DICOM PS3.15 A.5 (RFC 3881, ATNA): who did what to what, when, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from bingcheng.archive.audit.event_code import EventCode, EventType


class EventAction(StrEnum):
    """EventActionCode (PS3.15 A.5.2)."""

    CREATE = "C"
    READ = "R"
    UPDATE = "U"
    DELETE = "D"
    EXECUTE = "E"


class EventOutcome(IntEnum):
    """EventOutcomeIndicator (PS3.15 A.5.2)."""

    SUCCESS = 0
    MINOR_FAILURE = 4
    SERIOUS_FAILURE = 8
    MAJOR_FAILURE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One event. It holds no patient's name or number: a patient stands in it by the workspace's pseudonym.

    Parameters
    ----------
    at : UTC.
    what : the action that was asked for, a word of `Action` or of the room that records.
    login, person, roles : who asked; the login is an AE title for a DIMSE peer, empty for nobody.
    hospital : number of the hospital whose data or people it is about; None for what is the installation's.
    actor_hospital : number of the hospital whose person asked.
    address : IP address from which it was asked.
    request : number of the request, by which the access log and this trail are joined.
    studies : Study Instance UIDs.
    patient : pseudonym.
    case : number of a case.
    subject : what else it was about, e.g. ``person/4``.
    count : how many objects, or how many times within the span that one event stands for.
    reason : words of a person, e.g. why an exam was opened in an emergency.
    """

    code: EventCode
    action: EventAction
    outcome: EventOutcome
    at: datetime
    what: str
    type_code: EventType | None = None
    login: str = ""
    person: int | None = None
    roles: tuple[str, ...] = ()
    hospital: int | None = None
    actor_hospital: int | None = None
    address: str = ""
    request: str = ""
    studies: tuple[str, ...] = ()
    patient: str = ""
    case: int | None = None
    subject: str = ""
    count: int = 1
    reason: str = ""
