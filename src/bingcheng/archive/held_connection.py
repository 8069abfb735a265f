"""A connection that a writer keeps between its transactions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from bingcheng.archive.problems import said_plainly
from bingcheng.archive.workspace import Workspace


class HeldConnection:
    """Transactions of one writer: to fetch a connection for each, and give it back, takes as long as to insert a row.

    Only one thread at a time may use it. None to a server is kept: that may be restarted meanwhile, which the
    workspace's pool looks for whenever it lends one.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._keeps = workspace.engine.dialect.name == "sqlite"
        self._connection: Connection | None = None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, as `Workspace.writing` gives it."""
        if not self._keeps:
            with self._workspace.writing() as connection:
                yield connection
            return
        with said_plainly():
            try:
                if self._connection is None:
                    self._connection = self._workspace.engine.connect()
                with self._connection.begin():
                    yield self._connection
            except BaseException:
                self.close()  # the pool sees to it that whoever has it next finds it as it should be
                raise

    def close(self) -> None:
        """Give it back; another is fetched if one is needed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
