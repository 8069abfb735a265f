"""One peer's association with us: who it is, what it may see, what was done so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypedDict, Unpack

from bingcheng.archive.dimse.association import Association
from bingcheng.archive.dimse.calling import Caller
from bingcheng.archive.dimse.commands import Command
from bingcheng.archive.dimse.events import DimseEvent, EventKind, OnEvent
from bingcheng.archive.dimse.peers import Peer
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.received import Received
from bingcheng.archive.workspace import Workspace

OnReceived = Callable[[Received], None]
"""Called from many threads, after the object is durable; must not take long."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class House:
    """What every session works with.

    Parameters
    ----------
    caller : how others are called, for C-MOVE and storage commitment.
    on_event : told what happened; does not raise.
    on_access : told what is about to leave; raises what keeps it here.
    report : lets peers be called that wait for a verdict of storage commitment.
    """

    workspace: Workspace
    objects: Objects
    caller: Caller
    on_received: OnReceived
    on_event: OnEvent
    on_access: OnEvent
    report: Callable[[], None]


@dataclass(slots=True, kw_only=True, eq=False)
class Tally:
    """What became of the objects that a session stored, by study."""

    completed: Counter[str] = field(default_factory=Counter)
    failed: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a message is answered with.

    Parameters
    ----------
    then : what is done after the answer was sent.
    """

    command: Command
    data: bytes | None = None
    then: Callable[[], None] | None = None


class _Told(TypedDict, total=False):
    """What an event may say beside its kind: see `DimseEvent`."""

    study_uids: tuple[str, ...]
    completed: int
    failed: int
    destination: str | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Session:
    """One peer's association.

    Parameters
    ----------
    peer : whose it is; its space is all that it sees.
    address : that it calls from.
    """

    house: House
    association: Association
    peer: Peer
    address: str
    tally: Tally = field(default_factory=Tally)

    @property
    def spaces(self) -> tuple[str, ...]:
        """What it may see."""
        return (self.peer.space,)

    def tell(self, kind: EventKind, *, succeeded: bool, code: str, **more: Unpack[_Told]) -> None:
        """Tell the audit what happened."""
        self.house.on_event(self._event(kind, succeeded=succeeded, code=code, **more))

    def before(self, kind: EventKind, **more: Unpack[_Told]) -> None:
        """Tell the audit what is about to leave.

        Raises
        ------
        BingchengError
            It can't be recorded: nothing may leave.
        """
        self.house.on_access(self._event(kind, succeeded=True, code="0000", **more))

    def _event(self, kind: EventKind, *, succeeded: bool, code: str, **more: Unpack[_Told]) -> DimseEvent:
        return DimseEvent(
            at=datetime.now(UTC).replace(tzinfo=None),
            kind=kind,
            ae_title=self.peer.ae_title,
            address=self.address,
            succeeded=succeeded,
            code=code,
            peer=self.peer.number,
            space=self.peer.space,
            **more,
        )

    def tell_what_was_stored(self) -> None:
        """One event for all that the session stored: a thousand slices are one act."""
        completed, failed = self.tally.completed.total(), self.tally.failed.total()
        if completed or failed:
            codes = ",".join(f"{status:04X}" for status in sorted(self.tally.failed)) or "0000"
            self.tell(
                EventKind.STORED,
                succeeded=not failed,
                code=codes,
                study_uids=tuple(self.tally.completed),
                completed=completed,
                failed=failed,
            )
