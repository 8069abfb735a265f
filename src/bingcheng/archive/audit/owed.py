"""Events of what has happened already and could not be recorded: kept until they can be."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

from bingcheng.archive.audit.event import AuditEvent
from bingcheng.archive.audit.trail import record_all
from bingcheng.archive.free_space import RECORDS
from bingcheng.archive.problems import DISK_FULL
from bingcheng.core.errors import BingchengError, InputError

if TYPE_CHECKING:
    from bingcheng.archive.workspace import Workspace

LOG = logging.getLogger(__name__)


class Owed:
    """Writes events to the trail of a workspace, what is owed first; safe to use from many threads.

    It is asked before a change whether there is room to record it. That may be answered wrongly: another program fills
    the disk meanwhile, or a database server goes away. Then the change stands and its event does not: it is owed. As
    long as anything is owed nothing else is changed.
    """

    def __init__(self) -> None:
        self._events: list[AuditEvent] = []
        self._guard = Lock()

    def __len__(self) -> int:
        return len(self._events)

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
            owed = list(self._events)
            if not owed and not events:
                return
            try:
                with workspace.writing() as connection:
                    record_all(connection, (*owed, *events))
            except BingchengError as error:
                if happened and events:
                    self._events.extend(events)
                    LOG.warning("audit: %s events wait to be recorded: %s", len(self._events), error.code)
                raise
            self._events.clear()
        if owed:
            LOG.info("audit: %s events that waited were recorded", len(owed))

    def settle(self, workspace: Workspace) -> None:
        """See that nothing is owed, and that there is room for more: before something is changed.

        Raises
        ------
        InputError, RemoteError
            ``archive.disk-full``, and what `Workspace.writing` raises.
        """
        if not _has_room(workspace):
            raise InputError(DISK_FULL)
        self.write(workspace, ())

    def settled(self, workspace: Workspace) -> bool:
        """Whether nothing is owed and there is room for more, told without asking the database."""
        return not self._events and _has_room(workspace)


def _has_room(workspace: Workspace) -> bool:
    # In SQLite's log a transaction takes room only when it is committed: to try one and to undo it tells nothing.
    return workspace.engine.dialect.name != "sqlite" or RECORDS.kept(workspace.folder)
