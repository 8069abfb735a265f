"""Whether the processes that use a store still live: each holds a lock on a folder of its own while it does."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path
from uuid import uuid4


class Presence:
    """A folder that is this process's own while it lives, beside those of other processes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.own = root / uuid4().hex
        self.own.mkdir(parents=True)
        lock = os.open(self.own / "lock", os.O_CREAT | os.O_RDWR, 0o640)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self._lock: int | None = lock

    def left(self) -> list[Path]:
        """The folders whose processes ended without closing: killed, or their machine lost its power."""
        found = []
        for folder in self._root.iterdir():
            try:
                lock = os.open(folder / "lock", os.O_RDWR)
            except (FileNotFoundError, NotADirectoryError):
                continue  # being made, or being removed, at this moment
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                found.append(folder)
            except BlockingIOError:
                pass
            finally:
                os.close(lock)
        return [folder for folder in found if folder != self.own]

    def close(self) -> None:
        """Leave, in good order. Twice is as once: the number of a closed file may be another file's by then."""
        shutil.rmtree(self.own, ignore_errors=True)
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)
