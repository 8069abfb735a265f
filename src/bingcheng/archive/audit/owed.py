"""Events of what has happened already and could not be recorded: kept until they can be."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

from bingcheng.archive.about import held, hold
from bingcheng.archive.audit.event import AuditEvent
from bingcheng.archive.audit.owed_file import Debt, OwedFile
from bingcheng.archive.audit.trail import record_all
from bingcheng.archive.free_space import RECORDS
from bingcheng.archive.objects.retrieval import settled
from bingcheng.archive.problems import DISK_FULL, plain, said_plainly
from bingcheng.core.errors import BingchengError, InputError

if TYPE_CHECKING:
    from bingcheng.archive.workspace import Workspace

LOG = logging.getLogger(__name__)
PAID = "audit-paid/"
"""Under this with the mark of a debt the database holds how many of its events stand in the trail."""


class Owed:
    """Writes events to the trail of a workspace, what is owed first; safe to use from many threads.

    It is asked before a change whether there is room to record it. That may be answered wrongly: another program fills
    the disk meanwhile, or a database server goes away. Then the change stands and its event does not: it is owed. As
    long as anything is owed nothing else is changed.

    What is owed stands in a file of the workspace (`bingcheng.archive.audit.owed_file`), and whoever uses the workspace
    next, after a kill or a power cut, begins by recording it. It is recorded once: the same transaction notes how much
    of the file was.
    """

    def __init__(self) -> None:
        self._held: int | None = None
        """How many events the file holds that are owed; None until it was looked at."""
        self._unkept: list[AuditEvent] = []
        """Owed, too, but the file could not take them."""
        self._guard = Lock()

    def __len__(self) -> int:
        return (self._held or 0) + len(self._unkept)

    def begin(self, workspace: Workspace) -> None:
        """Record what an earlier program owed, and take the room for what this one may: before anything else is done.

        What can't be done now is said, and tried again before the first change.
        """
        try:
            self.write(workspace, ())
        except BingchengError as error:
            LOG.warning("audit: what is owed can't be kept or recorded now: %s", error.code)

    def write(self, workspace: Workspace, events: Sequence[AuditEvent], *, happened: bool = False) -> None:
        """Add what is owed, and then `events`, to the trail.

        Parameters
        ----------
        happened : whether they are of what can't be undone, and are owed if they can't be added now.

        Raises
        ------
        InputError, RemoteError
            What `Workspace.writing` raises; nothing was added then.
        """
        with self._guard:
            try:
                if self._held is None or len(self):
                    self._pay(workspace, events)
                elif events:
                    with workspace.writing() as connection:
                        record_all(connection, events)
            except BingchengError as error:
                if happened and events:
                    self._owe(workspace, events)
                    LOG.warning("audit: %s events wait to be recorded: %s", len(self), error.code)
                raise

    def settle(self, workspace: Workspace) -> None:
        """See that nothing is owed, and that there is room for more: before something is changed.

        Raises
        ------
        InputError, RemoteError
            ``archive.disk-full``, and what `Workspace.writing` raises.
        """
        if not _has_room(workspace):
            raise InputError(DISK_FULL)
        if not OwedFile(workspace.folder).is_there():
            with self._guard, said_plainly(), OwedFile(workspace.folder).opened():
                pass
        self.write(workspace, ())

    def settled(self, workspace: Workspace) -> bool:
        """Whether nothing is owed and there is room for more, told without asking the database."""
        return self._held == 0 and not self._unkept and _has_room(workspace)

    def _pay(self, workspace: Workspace, events: Sequence[AuditEvent]) -> None:
        try:
            with OwedFile(workspace.folder).opened() as debt:
                if debt.torn:
                    LOG.warning("audit: the last event that was owed is torn, the power went off while it was written")
                owed = self._record(workspace, debt, events)
                self._held = 0
                self._forget(workspace, debt)
        except OSError as error:
            if not events:
                raise plain(error) from error
            # Whatever the file holds comes later: what can be recorded is.
            owed = self._record(workspace, None, events)
        if owed:
            LOG.info("audit: %s events that waited were recorded", owed)

    def _record(self, workspace: Workspace, debt: Debt | None, events: Sequence[AuditEvent]) -> int:
        """Add all to the trail; how many of them were owed."""
        records = debt.records if debt else []
        if not records and not self._unkept and not events:
            return 0
        with workspace.writing() as connection:
            owed = list(self._unkept)
            if debt and records:
                paid = int(held(connection, PAID + debt.mark) or 0)
                owed = [*debt.events(paid), *owed]
                hold(connection, PAID + debt.mark, str(len(records)))
            record_all(connection, (*owed, *events))
        self._unkept = []
        return len(owed)

    def _forget(self, workspace: Workspace, debt: Debt) -> None:
        """Empty the file of what was paid. If that fails nothing is lost, and nothing is paid twice."""
        if not debt.records and not debt.torn:
            return
        note = PAID + debt.mark
        try:
            # The log of SQLite may be in the system's caches only: what a power cut leaves is the file.
            with said_plainly():
                settled(workspace)
                debt.clear()
            with workspace.writing() as connection:
                hold(connection, note, None)
        except BingchengError as error:
            LOG.warning("audit: what was owed is recorded, but still stands in its file: %s", error.code)

    def _owe(self, workspace: Workspace, events: Sequence[AuditEvent]) -> None:
        try:
            with OwedFile(workspace.folder).opened() as debt:
                debt.add(events)
                self._held = len(debt.records)
        except OSError as error:
            self._unkept.extend(events)
            LOG.error("audit: %s events are in memory only: %s", len(self._unkept), type(error).__name__)  # noqa: TRY400 - what is to be known is said


def _has_room(workspace: Workspace) -> bool:
    # In SQLite's log a transaction takes room only when it is committed: to try one and to undo it tells nothing.
    return workspace.engine.dialect.name != "sqlite" or RECORDS.kept(workspace.folder)
