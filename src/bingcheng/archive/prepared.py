"""Statements that the driver runs as they stand: of what an object costs, SQLAlchemy's care for one takes the most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.exc import DBAPIError

from bingcheng.archive.problems import said_plainly

if TYPE_CHECKING:
    from bingcheng.archive.workspace import Workspace

Values = Mapping[str, Any]
Found = tuple[Any, ...]


def said(connection: Connection, words: str) -> None:
    """Run words that give nothing back and need nothing, as every transaction's first are."""
    with _as_sqlalchemy(connection.dialect):
        cursor = connection.connection.cursor()
        cursor.execute(words)
        cursor.close()


def first(connection: Connection, statement: Executable, values: Values) -> Found | None:
    """The first row of a statement, within the connection's transaction."""
    compiled = _compiled(statement, connection.dialect)
    with _as_sqlalchemy(connection.dialect):
        return _first(connection.connection.cursor(), compiled, values)


def each(connection: Connection, statement: Executable, rows: Sequence[Values]) -> None:
    """Run a statement for each of the rows, which name all its parameters."""
    compiled = _compiled(statement, connection.dialect)
    with _as_sqlalchemy(connection.dialect):
        cursor = connection.connection.cursor()
        cursor.executemany(compiled.words, [compiled.given(row) for row in rows])
        cursor.close()


def looked_up(workspace: Workspace, statement: Executable, values: Values) -> Found | None:
    """The first row of a query that needs no transaction, being the only one."""
    dialect = workspace.engine.dialect
    compiled = _compiled(statement, dialect)
    with said_plainly():
        connection = workspace.engine.raw_connection()
        try:
            with _as_sqlalchemy(dialect):
                return _first(connection.cursor(), compiled, values)
        finally:
            connection.close()


def _first(cursor: Any, compiled: _Compiled, values: Values) -> Found | None:
    cursor.execute(compiled.words, compiled.given(values))
    found: Found | None = cursor.fetchone()
    cursor.close()
    return found if found is None else compiled.taken(found)


@contextmanager
def _as_sqlalchemy(dialect: Dialect) -> Iterator[None]:
    """Give the driver's errors the types that SQLAlchemy gives them, without the values that they were about."""
    driver = dialect.dbapi
    assert driver is not None
    try:
        yield
    except driver.Error as error:
        raise DBAPIError.instance(None, None, error, driver.Error, dialect=dialect) from error


class _Compiled:
    """A statement in the words of one database."""

    __slots__ = ("_names", "_positional", "_read", "_written", "words")

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.words = str(compiled)
        self._positional = compiled.positional
        self._names = tuple(compiled.positiontup if compiled.positional else compiled.binds)
        kinds = {name: compiled.binds[name].type.dialect_impl(dialect) for name in self._names}
        found = {name: kind.bind_processor(dialect) for name, kind in kinds.items()}
        self._written = {name: write for name, write in found.items() if write is not None}
        told = enumerate(getattr(statement, "exported_columns", ()))
        kept = ((place, column.type.dialect_impl(dialect)) for place, column in told)
        ways = ((place, kind.result_processor(dialect, None)) for place, kind in kept)
        self._read = tuple((place, read) for place, read in ways if read is not None)

    def given(self, values: Values) -> Any:
        """The parameters in the form that the driver takes."""
        if self._written:
            values = {**values, **{name: write(values[name]) for name, write in self._written.items()}}
        if self._positional:
            return tuple([values[name] for name in self._names])
        return {name: values[name] for name in self._names}

    def taken(self, row: Found) -> Found:
        """A row with its values in the types of the columns; the driver gives times as words, say."""
        if not self._read:
            return row
        values = list(row)
        for place, read in self._read:
            values[place] = read(values[place])
        return tuple(values)


@lru_cache(maxsize=32)
def _compiled(statement: Executable, dialect: Dialect) -> _Compiled:
    return _Compiled(statement, dialect)
