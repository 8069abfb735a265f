"""A folder that is replaced whole: readers and other runs see the old content or the new, never a part."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from bingcheng.core.errors import InputError
from bingcheng.engine.problems import CANNOT_WRITE

ABANDONED_S = 86400.0
"""What a run on another machine left behind when it was killed is cleared away after a day: no exam takes longer."""


@contextmanager
def writing(what: str) -> Iterator[None]:
    """While it lasts, what the system refuses is said of `what`, a part of the workspace.

    Raises
    ------
    InputError
        ``engine.cannot-write``.
    """
    try:
        yield
    except OSError as error:
        raise InputError(CANNOT_WRITE, what=what, error=type(error).__name__) from error


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """An empty folder to write into; it takes the place of `folder` if all goes well, else it is cleared away.

    If nothing was written, nothing stands in that place afterwards. What runs that were killed left beside it is
    cleared away first.

    Raises
    ------
    InputError
        ``engine.cannot-write``.
    """
    with writing(folder.parent.name):
        folder.parent.mkdir(parents=True, exist_ok=True)
        _clear_abandoned(folder.parent)
        made, lock = _made(folder)
    try:
        with writing(folder.parent.name):
            yield made
            _put(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
        os.close(lock)


@contextmanager
def staying(folder: Path) -> Iterator[None]:
    """While it lasts, no run of this machine puts another folder into the place of `folder`, nor of its neighbours.

    For whoever adds a file to a folder that is replaced whole: else it may be gone under the file's feet.

    Raises
    ------
    InputError
        ``engine.cannot-write``.
    """
    with writing(folder.parent.name):
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with writing(folder.parent.name):
            fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)  # a process that was forked meanwhile holds the same lock
    finally:
        os.close(lock)


def _made(folder: Path) -> tuple[Path, int]:
    """A new folder beside, and the lock on it that tells others of this machine that its run lives."""
    while True:
        made = Path(mkdtemp(dir=folder.parent, prefix=f".{folder.name}.{_machine()}_"))
        try:
            lock = os.open(made, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # taken for a dead run's before it was opened
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            made.chmod(folder.parent.stat().st_mode & 0o777)  # a temporary folder is its owner's only
        except FileNotFoundError:
            os.close(lock)  # taken for a dead run's before it was locked
        except BaseException:
            os.close(lock)
            raise
        else:
            return made, lock


def _machine() -> str:
    """A short name of this machine: locks of others may not be seen here."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def _put(made: Path, folder: Path) -> None:
    old = made.with_name(f"{made.name}_old")
    try:
        with staying(folder):
            with suppress(FileNotFoundError):
                folder.rename(old)
            if any(made.iterdir()):
                made.rename(folder)
    except OSError:
        # Another run, on a machine whose locks aren't seen here, has put its equal objects of the exam here just now.
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _clear_abandoned(parent: Path) -> None:
    """Clear away what was left of any folder beside, not of one only: it may never be written again."""
    ours = f".{_machine()}_"
    for left in parent.glob(".*.*"):
        with suppress(OSError):
            if ours in left.name:
                _clear_if_free(left)
            elif time.time() - left.stat().st_mtime > ABANDONED_S:
                shutil.rmtree(left, ignore_errors=True)


def _clear_if_free(left: Path) -> None:
    lock = os.open(left, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(left, ignore_errors=True)
    finally:
        os.close(lock)
