"""What the audit trail says of what passes between installations."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bingcheng.archive.audit.event import AuditEvent, EventAction, EventOutcome
from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.audit.trail import record
from bingcheng.archive.pairing.peers import Peer


def crossed(
    connection: Connection,
    peer: Peer,
    what: str,
    now: datetime,
    *,
    code: EventCode,
    action: EventAction = EventAction.EXECUTE,
    outcome: EventOutcome = EventOutcome.SUCCESS,
    subject: str = "",
    case: int | None = None,
    count: int = 1,
    address: str = "",
    reason: str = "",
) -> None:
    """Record one thing that passed between this installation and a peer, or did not.

    Parameters
    ----------
    what : a word, after ``pairing-``.
    """
    event = AuditEvent(
        code=code,
        action=action,
        outcome=outcome,
        at=now,
        what=f"pairing-{what}",
        login=login_of(peer),
        address=address,
        case=case,
        subject=subject or f"peer/{peer.number}",
        count=count,
        reason=reason,
    )
    record(connection, event)


def login_of(peer: Peer) -> str:
    """How an installation stands in the trail in the place of a person: by its key, since names can be chosen."""
    return f"installation/{peer.keyid[:16]}"
