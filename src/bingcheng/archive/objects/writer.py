"""The rows of arrivals, written together by whoever comes first for all who wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from bingcheng.archive.held_connection import HeldConnection
from bingcheng.archive.objects.index import Arrival, KnownError, Standing, write, write_new
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError

MOST_AT_ONCE = 100

Beside = Callable[[Connection, Arrival], None]
"""Writes what belongs to an arrival in the transaction that writes its row; again, if that is rolled back and tried
again."""


class _Ticket:
    """An arrival that waits for its row, and what came of it."""

    def __init__(self, arrival: Arrival, beside: Beside | None) -> None:
        self.arrival = arrival
        self.beside = beside
        self.standing: Standing | None = None
        self.error: BingchengError | None = None
        self.done = False


class Writer:
    """Writes rows of arrivals: threads that wait meanwhile are served by one transaction."""

    def __init__(self, workspace: Workspace) -> None:
        self._connection = HeldConnection(workspace)
        self._waiting: list[_Ticket] = []
        self._queue = threading.Lock()
        self._turn = threading.Lock()

    def add(self, arrival: Arrival, beside: Beside | None = None) -> Standing:
        """What is stored under the UID afterwards: the arrival, or what was there before it.

        Parameters
        ----------
        beside : is called if it is the arrival.

        Raises
        ------
        InputError, RemoteError
            What `Workspace.writing` raises; nothing was written then.
        """
        ticket = _Ticket(arrival, beside)
        with self._queue:
            self._waiting.append(ticket)
        with self._turn:
            while not ticket.done:
                with self._queue:
                    batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                self._write(batch)
        if ticket.error is not None:
            raise ticket.error
        assert ticket.standing is not None
        return ticket.standing

    def close(self) -> None:
        """Give back what is held."""
        with self._turn:
            self._connection.close()

    def _write(self, batch: list[_Ticket]) -> None:
        try:
            found = self._written(batch)
        except BingchengError as error:
            if len(batch) > 1:
                # One that can't be stored must not fail those that came with it.
                for ticket in batch:
                    self._write([ticket])
                return
            batch[0].error = error
            batch[0].done = True
            return
        except BaseException:
            for ticket in batch:
                ticket.done = True  # none shall wait for what will not come; see the assertion in `add`
            raise
        for ticket, standing in zip(batch, found, strict=True):
            ticket.standing, ticket.done = standing, True

    def _written(self, batch: Sequence[_Ticket]) -> list[Standing]:
        arrivals = [ticket.arrival for ticket in batch]
        try:
            with self._connection.writing() as connection:
                return _with_besides(connection, batch, write_new(connection, arrivals))
        except KnownError:
            with self._connection.writing() as connection:
                return _with_besides(connection, batch, write(connection, arrivals))


def _with_besides(connection: Connection, batch: Sequence[_Ticket], found: list[Standing]) -> list[Standing]:
    for ticket, standing in zip(batch, found, strict=True):
        if ticket.beside is not None and standing.file == ticket.arrival.file:
            ticket.beside(connection, ticket.arrival)
    return found
