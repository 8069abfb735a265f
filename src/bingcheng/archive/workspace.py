"""The workspace: one folder that holds the database and all outputs. Opening it says plainly why it can't be used."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, select
from sqlalchemy.exc import SQLAlchemyError

from bingcheng.archive import prepared, rooms, schema
from bingcheng.archive.problems import (
    DATABASE_FILE,
    NEWER_WORKSPACE,
    NO_WORKSPACE,
    NOT_A_WORKSPACE,
    OLDER_WORKSPACE,
    WRONG_ADDRESS,
    said_plainly,
)
from bingcheng.archive.pseudonym import pseudonym
from bingcheng.archive.upgrade import outdated, upgrade, version_of
from bingcheng.archive.workspace_copy import keep_copy
from bingcheng.archive.workspace_tables import INCOMPLETE_WORKSPACE, lacks
from bingcheng.core.errors import InputError
from bingcheng.dicom.exam import Patient

BUSY_TIMEOUT_S = 60.0
LARGEST_LOG_BYTES = 64 << 20
FOLDED_PAGES = 4000
"""Pages of SQLite's log, of 4 KiB each, at which it is folded into the file."""
ONE_WRITER = 8_130_447_291_553_260_017
"""Key of the advisory lock that a transaction holds while it writes to a PostgreSQL server; any number of our own."""


@dataclass(frozen=True, slots=True, eq=False)
class Workspace:
    """An open workspace.

    Parameters
    ----------
    folder : where outputs go, and the database unless `engine` speaks to a server.
    engine : the database.
    secret : key of the pseudonyms; a workspace's pseudonyms can't be joined with another's.
    """

    folder: Path
    engine: Engine
    secret: bytes

    @staticmethod
    def open(folder: Path, database_url: str | None = None) -> Workspace:
        """The workspace in `folder`, made if it does not exist, and brought to this release if it is of an earlier one.

        Before a database file is changed, a copy of it is kept beside it (`bingcheng.archive.workspace_copy`).

        Parameters
        ----------
        database_url : SQLAlchemy URL of a database server; None for a SQLite file in the folder.

        Raises
        ------
        InputError
            ``archive.read-only``, ``archive.not-a-folder``, ``archive.disk-full``, ``archive.busy``,
            ``archive.newer-workspace``, ``archive.not-a-workspace``, ``archive.wrong-address``,
            ``archive.cannot-complete``.
        RemoteError
            ``archive.database-failed``.
        """
        with said_plainly():
            folder.mkdir(parents=True, exist_ok=True)
        engine = _sqlite(folder / DATABASE_FILE) if database_url is None else _server(database_url)
        return _opened(folder, engine, make=True)

    @staticmethod
    def look_into(folder: Path, database_url: str | None = None) -> Workspace:
        """The workspace in `folder` to read from; nothing is made, and no right to write is needed.

        Raises
        ------
        InputError
            ``archive.no-workspace``, ``archive.older-workspace``, ``archive.incomplete-workspace``, and what `open`
            raises.
        RemoteError
            ``archive.database-failed``.
        """
        if database_url is not None:
            return _opened(folder, _server(database_url), make=False)
        file = folder / DATABASE_FILE
        if not file.is_file():
            raise InputError(NO_WORKSPACE, folder=str(folder))
        effective = os.access in os.supports_effective_ids
        writable = all(os.access(path, os.W_OK, effective_ids=effective) for path in (folder, file))
        return _opened(folder, _sqlite(file) if writable else _sqlite_for_reading(file), make=False)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read from; all that is read through it is of one moment."""
        with said_plainly(), self.engine.connect().execution_options(read_only=True) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it is stored, or nothing. Writers go one at a time, whatever the database."""
        with said_plainly(), self.engine.begin() as connection:
            yield connection

    def pseudonym(self, patient: Patient, site: str, exam_uid: str) -> str:
        """The name by which a patient goes outside the identity table.

        The same number means the same person only under one issuer; without an issuer, only within one hospital.
        Without a number, name and birth date together mean one person; else each exam is a person of its own.
        """
        return pseudonym(self.secret, patient, site, exam_uid)

    def close(self) -> None:
        """Give the database back."""
        self.engine.dispose()


def _opened(folder: Path, engine: Engine, *, make: bool) -> Workspace:
    try:
        with said_plainly():
            if make:
                _prepare(engine)
            return Workspace(folder, engine, _secret(folder, engine, complete=make))
    except BaseException:
        engine.dispose()
        raise


def _secret(folder: Path, engine: Engine, *, complete: bool) -> bytes:
    """The key of the pseudonyms, of a workspace that this release may use.

    Parameters
    ----------
    complete : whether it has been seen to that no table of this release is missing.
    """
    about = schema.about
    with engine.connect().execution_options(read_only=True) as connection:
        if not engine.dialect.has_table(connection, about.name):
            raise InputError(NO_WORKSPACE, folder=str(folder))
        stored: dict[str, str] = {row.key: row.value for row in connection.execute(select(about.c.key, about.c.value))}
        incomplete = not complete and lacks(connection).unusable
    if not stored.get("version", "").isdecimal() or "secret" not in stored:
        raise InputError(NOT_A_WORKSPACE, file=DATABASE_FILE)
    if int(stored["version"]) > schema.VERSION:
        raise InputError(NEWER_WORKSPACE, found=int(stored["version"]), known=schema.VERSION)
    if int(stored["version"]) < schema.VERSION:
        raise InputError(OLDER_WORKSPACE, found=int(stored["version"]), known=schema.VERSION)
    if incomplete:
        raise InputError(INCOMPLETE_WORKSPACE)
    return bytes.fromhex(stored["secret"])


def _server(address: str) -> Engine:
    try:
        # Said, whatever the server's own default is: a writer that has waited for its turn must see what the one before
        # wrote. A snapshot of the whole transaction would be taken before the wait (postgresql.org/docs, 13.2.2).
        engine = create_engine(address, pool_pre_ping=True, pool_use_lifo=True, isolation_level="READ COMMITTED")
    except (SQLAlchemyError, ImportError, ValueError) as error:
        # Neither the address (a password may stand in it) nor the library's words, which repeat it.
        raise InputError(WRONG_ADDRESS, error=type(error).__name__) from error
    if engine.dialect.name != "postgresql":
        raise InputError(WRONG_ADDRESS, error=engine.dialect.name)
    event.listen(engine, "begin", _begin_on_server)
    return engine


def _sqlite(file: Path) -> Engine:
    # A URL made of parts: a folder's name may hold what has a meaning in a written URL.
    engine = create_engine(
        URL.create("sqlite", database=str(file)), connect_args={"timeout": BUSY_TIMEOUT_S}, pool_use_lifo=True
    )
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_on_file)
    return engine


def _sqlite_for_reading(file: Path) -> Engine:
    # Without the right to write SQLite can't make the index of its log beside the file. A log that is absent needs
    # none: the file alone is the database (sqlite.org/wal.html, "Read-Only Databases").
    logged = file.with_name(f"{file.name}-wal").exists()
    mode = "mode=ro" if logged else "mode=ro&immutable=1"
    return create_engine(f"sqlite:///file:{quote(str(file.resolve()))}?{mode}&uri=true")


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy says BEGIN itself, see _begin_on_file
    cursor = connection.cursor()
    # Readers and one writer at once; a commit survives kill -9 (and with NORMAL at worst loses the last on power loss).
    if cursor.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    # Whoever commits when the log is so long folds it into the file, with two flushes: at SQLite's own 1,000 pages one
    # of a hundred objects that come in a row waits for that. So many are found by one table of the log's index still
    # (sqlite.org/walformat.html 2.2.2: 4,062), so that readers are as quick.
    cursor.execute(f"PRAGMA wal_autocheckpoint={FOLDED_PAGES}")
    # A log that grew while somebody read for long is cut again, instead of keeping its size for good.
    cursor.execute(f"PRAGMA journal_size_limit={LARGEST_LOG_BYTES}")
    cursor.close()


def _writes(connection: Connection) -> bool:
    return connection.get_execution_options().get("read_only") is None


def _begin_on_file(connection: Connection) -> None:
    # Taking the write lock at once lets a second process wait for it; upgrading a read lock later would fail instead.
    prepared.said(connection, "BEGIN IMMEDIATE" if _writes(connection) else "BEGIN")


def _begin_on_server(connection: Connection) -> None:
    # The same as on a file: one writer at a time, and a reader sees one moment.
    if _writes(connection):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ONE_WRITER})")
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


def _prepare(engine: Engine) -> None:
    about = schema.about
    with engine.connect().execution_options(read_only=True) as connection:
        if engine.dialect.has_table(connection, about.name) and not outdated(connection):
            return
    with engine.begin() as connection:  # the lock of a writer: whoever comes second finds the work done
        if not engine.dialect.has_table(connection, about.name):
            rooms.metadata.create_all(connection)
            rows = [{"key": "version", "value": str(schema.VERSION)}, {"key": "secret", "value": secrets.token_hex(32)}]
            connection.execute(insert(about), rows)
        elif outdated(connection):
            if engine.dialect.name == "sqlite":
                keep_copy(Path(str(engine.url.database)), str(version_of(connection)))
            upgrade(connection)
