"""A copy of a workspace's database file as it is, kept beside it before its tables are changed."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from bingcheng.archive.problems import plain


def copy_name(file: Path, version: str) -> Path:
    """Where the copy of a database of a version stands."""
    return file.with_name(f"{file.name}.version-{version}")


def keep_copy(file: Path, version: str) -> Path:
    """Copy a SQLite database as it was committed last, and give the copy its name when it is whole.

    The caller holds the lock of a writer, so that nothing is written meanwhile. A copy of the same version that stands
    there already is replaced: it is of an upgrade that did not come to its end. Who may read the database may read the
    copy, and nobody else.

    Raises
    ------
    InputError
        ``archive.disk-full``, ``archive.read-only``; then there is no copy, and nothing may be upgraded.
    RemoteError
        ``archive.database-failed``.
    """
    final = copy_name(file, version)
    partial = final.with_name(f"{final.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(partial)) as target:
            source.backup(target)
        partial.chmod(file.stat().st_mode & 0o777)
        partial.replace(final)
    except (OSError, sqlite3.Error) as error:
        partial.unlink(missing_ok=True)
        raise plain(error) from error
    return final
