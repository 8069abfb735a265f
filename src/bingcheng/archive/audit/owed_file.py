"""A file of the workspace that keeps what the audit trail is owed: its room is taken before anybody needs it.

Its records stand one behind the other. Each begins with the mark of the debt that it belongs to, its own length and a
CRC-32 over all of it: what a power cut left half written is told from a record, and so are those of an earlier debt.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bingcheng.archive.audit.event import AuditEvent
from bingcheng.archive.codec import decoded, encoded

NAME = "audit-owed"
SIZE = 1 << 20
"""Bytes that the file takes, whatever it holds: some three thousand events."""
_HEAD = struct.Struct("<8sII")
_NOBODYS = bytes(8)


class OwedFile:
    """The file, which several processes that use one workspace may open in turn."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def is_there(self) -> bool:
        """Whether there is a file with all its room."""
        try:
            return self.path.stat().st_size >= SIZE
        except OSError:
            return False

    @contextmanager
    def opened(self) -> Iterator[Debt]:
        """What it holds; made with all its room if it is missing. Nobody else opens it meanwhile.

        Raises
        ------
        OSError
            ``ENOSPC`` if there is no room for it, and whatever else the system says.
        """
        file = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            _take_room(file, self.path.parent)
            yield Debt(file)
        finally:
            os.close(file)


class Debt:
    """What an open file holds.

    Parameters
    ----------
    mark : the name of this debt, under which the database knows how much of it was paid; empty where nothing is owed.
    records : events as they were written, the first first.
    torn : whether a record behind them was written by half; nobody was told that it is kept.
    """

    def __init__(self, file: int) -> None:
        self._file = file
        held = os.pread(file, SIZE, 0)
        self._mark = held[:8]
        self._end = 0
        self.records: list[str] = []
        self.torn = False
        while (record := self._at(held, self._end)) is not None:
            self.records.append(record)
            self._end += _HEAD.size + len(record.encode())
        self.mark = self._mark.hex() if self.records else ""

    def events(self, first: int = 0) -> list[AuditEvent]:
        """The events from the one of that number on.

        Raises
        ------
        InputError
            ``archive.damaged-row``.
        """
        return [decoded(AuditEvent, record) for record in self.records[first:]]

    def add(self, events: Sequence[AuditEvent]) -> None:
        """Write events behind what is held; when this returns they are on the disk.

        Raises
        ------
        OSError
            ``ENOSPC`` if they don't fit in; none of them is held then.
        """
        mark = self._mark if self.records else secrets.token_bytes(8)
        written = [encoded(event) for event in events]
        data = b"".join(_record(mark, one.encode()) for one in written)
        if self._end + len(data) > SIZE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        _write(self._file, data, self._end)
        self._end += len(data)
        self.records += written
        self._mark, self.mark = mark, mark.hex()

    def clear(self) -> None:
        """Hold nothing any more: without the mark of the first no record counts."""
        _write(self._file, bytes(_HEAD.size), 0)
        self._mark, self.mark, self._end = _NOBODYS, "", 0
        self.records = []

    def _at(self, held: bytes, at: int) -> str | None:
        """The record at a place; None if there is none."""
        if at + _HEAD.size > len(held):
            return None
        mark, length, crc = _HEAD.unpack_from(held, at)
        if mark in (_NOBODYS, b"") or mark != self._mark:
            return None
        body = held[at + _HEAD.size : at + _HEAD.size + length]
        if len(body) < length or zlib.crc32(body, zlib.crc32(held[at : at + 12])) != crc:
            self.torn = True
            return None
        return body.decode()


def _record(mark: bytes, body: bytes) -> bytes:
    named = mark + struct.pack("<I", len(body))
    return named + struct.pack("<I", zlib.crc32(body, zlib.crc32(named))) + body


def _take_room(file: int, folder: Path) -> None:
    """Have all of the file stand on the disk, so that to write in it needs none."""
    held = os.fstat(file).st_size
    if held >= SIZE:
        return
    try:
        os.posix_fallocate(file, 0, SIZE)
        # Written, too: the first writing into room that was only promised changes the lists of what is where.
        _write(file, bytes(SIZE - held), held)
        names = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(names)
        finally:
            os.close(names)
    except OSError:
        os.ftruncate(file, held)
        raise


def _write(file: int, data: bytes, at: int) -> None:
    rest = memoryview(data)
    while rest:
        done = os.pwrite(file, rest, at)
        rest, at = rest[done:], at + done
    os.fsync(file)
