"""What can be wrong with a workspace, and how the database's own errors are said plainly."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from bingcheng.core.errors import InputError, Owner, Problem, RemoteError

READ_ONLY = Problem(
    code="archive.read-only",
    says="the workspace can't be written to",
    remedy="Choose another folder with --workspace, or ask for write permission on this one.",
    owner=Owner.OPERATOR,
)
NOT_A_FOLDER = Problem(
    code="archive.not-a-folder",
    says="a file stands where the workspace folder should be",
    remedy="Choose another folder with --workspace.",
    owner=Owner.OPERATOR,
)
DISK_FULL = Problem(
    code="archive.disk-full",
    says="the disk that holds the workspace is full",
    remedy="Free some space and run the same command again: finished exams are kept, the rest goes on from there.",
    owner=Owner.OPERATOR,
)
BUSY = Problem(
    code="archive.busy",
    says="another program has kept the workspace's database to itself for more than a minute",
    remedy="Wait until the other run has ended, then run the same command again.",
    owner=Owner.OPERATOR,
)
NEWER_WORKSPACE = Problem(
    code="archive.newer-workspace",
    says="the workspace was made by a newer release (its version is {found}, this release knows {known})",
    remedy="Update Bingcheng, or choose another folder with --workspace.",
    owner=Owner.OPERATOR,
)
OLDER_WORKSPACE = Problem(
    code="archive.older-workspace",
    says="the workspace was made by an earlier release (its version is {found}, this release writes {known})",
    remedy="Run `bingcheng assess` with this workspace once: it is brought up to date and keeps what it holds.",
    owner=Owner.OPERATOR,
)
NO_SUCH_STATEMENT = Problem(
    code="archive.no-such-statement",
    says="there is no statement {number} that holds; {count} do",
    remedy="List them with `bingcheng protocol statements`.",
    owner=Owner.OPERATOR,
)
NOT_A_WORKSPACE = Problem(
    code="archive.not-a-workspace",
    says="the file '{file}' in the workspace folder is not a Bingcheng database, or is damaged",
    remedy="Choose another folder with --workspace, or restore the file from its backup.",
    owner=Owner.OPERATOR,
)
NO_WORKSPACE = Problem(
    code="archive.no-workspace",
    says="there is no workspace in '{folder}'",
    remedy="Name the folder of a workspace with --workspace, or make one with `bingcheng assess`.",
    owner=Owner.OPERATOR,
)
WRONG_ADDRESS = Problem(
    code="archive.wrong-address",
    says="the address of the database can't be used ({error})",
    remedy="Write it as postgresql+psycopg://user@host/name, and install Bingcheng with its extra 'postgresql'.",
    owner=Owner.OPERATOR,
)
DATABASE_FAILED = Problem(
    code="archive.database-failed",
    says="the database did not answer ({error})",
    remedy="Check that the database server runs and that the address and the rights are correct, then run again.",
    owner=Owner.OPERATOR,
)

DATABASE_FILE = "bingcheng.sqlite"

_SIGNS = (
    # What SQLite and PostgreSQL say (sqlite.org/rescode.html; PostgreSQL's message catalogue), in lower case.
    (READ_ONLY, ("readonly", "read-only", "unable to open", "permission denied")),
    # On a full disk SQLite can't extend its shared-memory index either, which it reports as an I/O error.
    (DISK_FULL, ("disk is full", "no space left", "disk full", "disk i/o error")),
    (NOT_A_WORKSPACE, ("not a database", "malformed", "no such table", "no such column")),
    (BUSY, ("is locked",)),
)


@contextmanager
def said_plainly() -> Iterator[None]:
    """Turn the database's errors into ours."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise plain(error) from error


def plain(error: Exception) -> InputError | RemoteError:
    """What an error of the database or of the file system means for the person who runs the program."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, OSError):
        return _of_files(cause)
    words = str(cause).lower()
    for problem, signs in _SIGNS:
        if any(sign in words for sign in signs):
            return InputError(problem, **({"file": DATABASE_FILE} if problem is NOT_A_WORKSPACE else {}))
    return RemoteError(DATABASE_FAILED, error=type(cause).__name__)


def _of_files(error: OSError) -> InputError | RemoteError:
    if isinstance(error, FileExistsError | NotADirectoryError):
        return InputError(NOT_A_FOLDER)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InputError(DISK_FULL)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT):
        return InputError(READ_ONLY)
    return RemoteError(DATABASE_FAILED, error=type(error).__name__)
