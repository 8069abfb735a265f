"""What happens on the wire, told to the audit: who, from where, did what to which studies, with what outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EventKind(StrEnum):
    """What happened."""

    REJECTED = "rejected"
    ECHOED = "echoed"
    STORED = "stored"
    QUERIED = "queried"
    RETRIEVING = "retrieving"
    """Objects are about to leave; RETRIEVED says afterwards how many did."""
    RETRIEVED = "retrieved"
    COMMITTED = "committed"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True, kw_only=True)
class DimseEvent:
    """One thing that happened. It holds identifiers of studies, never what a study says about its patient.

    Parameters
    ----------
    at : UTC, without a zone, as the columns of the workspace.
    ae_title, address : of the peer, as it called itself; the title is not proven where `peer` is None.
    peer, space : of the peer's rule; None for a caller that no rule knows.
    succeeded : whether all of it went well.
    code : why not, or how: the reason of a rejection, the status of the answer.
    study_uids : the studies that it is about.
    completed, failed : numbers of objects.
    destination : title of the peer that objects went to.
    """

    at: datetime
    kind: EventKind
    ae_title: str
    address: str
    succeeded: bool
    code: str
    peer: int | None = None
    space: str | None = None
    study_uids: tuple[str, ...] = ()
    completed: int = 0
    failed: int = 0
    destination: str | None = None


OnEvent = Callable[[DimseEvent], None]
"""Called from many threads; must not take long.

What it raises about something that has happened is logged. What it raises before something leaves keeps it here.
"""
