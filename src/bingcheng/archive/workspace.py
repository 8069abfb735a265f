"""The workspace: one folder that holds the database and all outputs. Opening it says plainly why it can't be used."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b32encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, select
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError

from bingcheng.archive import schema
from bingcheng.core.errors import InputError, Owner, Problem, RemoteError
from bingcheng.dicom.exam import Patient

READ_ONLY = Problem(
    code="archive.read-only",
    says="the workspace can't be written to",
    remedy="Choose another folder with --workspace, or ask for write permission on this one.",
    owner=Owner.OPERATOR,
)
DISK_FULL = Problem(
    code="archive.disk-full",
    says="the disk that holds the workspace is full",
    remedy="Free some space and run the same command again: finished exams are kept, the rest goes on from there.",
    owner=Owner.OPERATOR,
)
NEWER_WORKSPACE = Problem(
    code="archive.newer-workspace",
    says="the workspace was made by a newer release (its version is {found}, this release knows {known})",
    remedy="Update Bingcheng, or choose another folder with --workspace.",
    owner=Owner.OPERATOR,
)
NOT_A_WORKSPACE = Problem(
    code="archive.not-a-workspace",
    says="the file '{file}' in the workspace folder is not a Bingcheng database, or is damaged",
    remedy="Choose another folder with --workspace, or restore the file from its backup.",
    owner=Owner.OPERATOR,
)
DATABASE_FAILED = Problem(
    code="archive.database-failed",
    says="the database did not answer ({error})",
    remedy="Check that the database server runs and that the address and the rights are correct, then run again.",
    owner=Owner.OPERATOR,
)

DATABASE_FILE = "bingcheng.sqlite"
BUSY_TIMEOUT_S = 60.0


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
        """The workspace in `folder`, made if it does not exist.

        Parameters
        ----------
        database_url : SQLAlchemy URL of a database server; None for a SQLite file in the folder.

        Raises
        ------
        InputError
            ``archive.read-only``, ``archive.disk-full``, ``archive.newer-workspace``, ``archive.not-a-workspace``.
        RemoteError
            ``archive.database-failed``.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(READ_ONLY) from error
        engine = _engine(folder, database_url)
        with said_plainly():
            _prepare(engine)
            with engine.connect().execution_options(read_only=True) as connection:
                rows = connection.execute(select(schema.about.c.key, schema.about.c.value)).all()
        stored: dict[str, str] = {row.key: row.value for row in rows}
        if int(stored["version"]) > schema.VERSION:
            raise InputError(NEWER_WORKSPACE, found=int(stored["version"]), known=schema.VERSION)
        return Workspace(folder, engine, bytes.fromhex(stored["secret"]))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read from; database trouble is said plainly."""
        with said_plainly(), self.engine.connect().execution_options(read_only=True) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it is stored, or nothing."""
        with said_plainly(), self.engine.begin() as connection:
            yield connection

    def pseudonym(self, patient: Patient, site: str) -> str:
        """The name by which a patient goes outside the identity table.

        The same number means the same person only under one issuer; without an issuer, only within one hospital.
        """
        whose = "\x1f".join((patient.issuer or f"site:{site}", patient.patient_id))
        digest = hmac.new(self.secret, whose.encode(), hashlib.sha256).digest()
        return f"P-{b32encode(digest)[:6].decode('ascii')}"

    def close(self) -> None:
        """Give the database back."""
        self.engine.dispose()


@contextmanager
def said_plainly() -> Iterator[None]:
    """Turn the database's errors into ours."""
    try:
        yield
    except (OperationalError, DatabaseError, OSError) as error:
        raise _plain(error) from error


def _plain(error: Exception) -> InputError | RemoteError:
    words = str(getattr(error, "orig", error)).lower()
    if "readonly" in words or "read-only" in words or "unable to open" in words or isinstance(error, PermissionError):
        return InputError(READ_ONLY)
    if "full" in words or "no space" in words:
        return InputError(DISK_FULL)
    if "not a database" in words or "malformed" in words:
        return InputError(NOT_A_WORKSPACE, file=DATABASE_FILE)
    return RemoteError(DATABASE_FAILED, error=type(getattr(error, "orig", error)).__name__)


def _engine(folder: Path, database_url: str | None) -> Engine:
    if database_url is not None:
        return create_engine(database_url, pool_pre_ping=True)
    engine = create_engine(f"sqlite:///{folder / DATABASE_FILE}", connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_immediately)
    return engine


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy says BEGIN itself, see _begin_immediately
    cursor = connection.cursor()
    # Readers and one writer at once; a commit survives kill -9 (and with NORMAL at worst loses the last on power loss).
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_immediately(connection: Connection) -> None:
    # Taking the write lock at once lets a second process wait for it; upgrading a read lock later would fail instead.
    immediate = connection.get_execution_options().get("read_only") is None
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _prepare(engine: Engine) -> None:
    with engine.connect().execution_options(read_only=True) as connection:
        if engine.dialect.has_table(connection, schema.about.name):
            return
    with engine.begin() as connection:
        schema.metadata.create_all(connection)
        if connection.execute(select(schema.about.c.key)).first() is None:
            _insert_about(connection)


def _insert_about(connection: Connection) -> None:
    rows = [{"key": "version", "value": str(schema.VERSION)}, {"key": "secret", "value": secrets.token_hex(32)}]
    try:
        with connection.begin_nested():
            connection.execute(insert(schema.about), rows)
    except IntegrityError:  # another process made the workspace at the same moment: its rows hold
        return
