"""Room on the disk: the last of it is kept for what must always be possible to write.

A disk fills in steps. First no new objects are taken, which are what fills it; people go on working, and may remove
something. With less than what the audit trail needs nothing is changed any more, for it could not be recorded.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

_MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """What is left free of a disk.

    Parameters
    ----------
    most_bytes : this much.
    most_share : or this share of the disk if that is less, so that a small disk can be used at all.
    """

    most_bytes: int
    most_share: float

    def kept(self, folder: Path, size: int = 0) -> bool:
        """Whether it is still free on the disk of `folder` after `size` bytes were written there.

        A disk that does not tell counts as large: what writes to it is told when it is full.
        """
        try:
            found = os.statvfs(folder)
        except OSError:
            return True
        whole, left = found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
        return left - size >= min(self.most_bytes, whole * self.most_share)


OBJECTS = Reserve(most_bytes=64 * _MIB, most_share=0.02)
"""What objects leave free: SQLite's log and the fold of it into the file need the most, some 16 MiB each."""
RECORDS = Reserve(most_bytes=8 * _MIB, most_share=0.005)
"""What must be free for a change, which may be of some hundred kilobytes, and the record of it after."""


def demand_room(folder: Path, size: int) -> None:
    """Raise unless `size` bytes of an object may be written to the disk of `folder`.

    Raises
    ------
    OSError
        ``ENOSPC``, as from the system when the disk is full altogether.
    """
    if not OBJECTS.kept(folder, size):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
