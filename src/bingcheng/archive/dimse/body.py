"""The data set of a message while it comes in: small ones in memory, large ones in a file without a name."""

from __future__ import annotations

import mmap
import tempfile
from pathlib import Path
from typing import IO

IN_MEMORY = 8 << 20
"""Bytes above which a data set goes to disk: most images are smaller, and sixty-four at once still fit in memory."""
KEPT = 1 << 20
"""Bytes of memory that an association keeps between two messages."""
_CHUNK = 1 << 18
_FIRST = 1 << 16


class Body:
    """What the fragments of one message put together.

    Parameters
    ----------
    spool : folder for large ones; None keeps all in memory.
    limit : bytes, head included, beyond which nothing is kept and `too_large` is set.
    """

    __slots__ = ("_buffer", "_file", "_limit", "_mapped", "_spool", "size", "too_large")

    def __init__(self, spool: Path | None, limit: int) -> None:
        self._spool = spool
        self._limit = limit
        self._buffer = bytearray(_FIRST)
        self._file: IO[bytes] | None = None
        self._mapped: mmap.mmap | None = None
        self.size = 0
        self.too_large = False

    def another(self) -> Body:
        """An empty one of the same kind, for the next message while this one waits."""
        return Body(self._spool, self._limit)

    def begin(self, head: bytes = b"") -> None:
        """Start a message; `head` goes before what comes in."""
        self.end()
        self._buffer[: len(head)] = head
        self.size = len(head)

    def room(self, wanted: int) -> memoryview:
        """Where the next bytes are read into: at least one, at most `wanted`."""
        if self._file is not None or self.too_large:
            return memoryview(self._buffer)[: min(wanted, _CHUNK)]
        needed = self.size + wanted
        if needed > len(self._buffer):
            if needed > IN_MEMORY and self._spool is not None:
                self._to_disk(self._spool)
                return self.room(wanted)
            larger = bytearray(max(needed, 2 * len(self._buffer)))
            larger[: self.size] = memoryview(self._buffer)[: self.size]
            self._buffer = larger
        return memoryview(self._buffer)[self.size : needed]

    def came(self, count: int) -> None:
        """So many bytes were read into the room."""
        self.size += count
        if self._file is not None and not self.too_large:
            self._file.write(memoryview(self._buffer)[:count])
        if self.size > self._limit and not self.too_large:
            self.too_large = True
            self._let_go()

    @property
    def endless(self) -> bool:
        """Whether so much more than the limit came that its end is not worth waiting for."""
        return self.size > 2 * self._limit

    def data(self) -> memoryview:
        """All of it, until `end` or the next `begin`."""
        if self._file is None:
            return memoryview(self._buffer)[: self.size]
        self._file.flush()
        self._mapped = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        return memoryview(self._mapped)

    def end(self) -> None:
        """Let go of what is large."""
        self._let_go()
        self.size = 0
        self.too_large = False

    def _to_disk(self, folder: Path) -> None:
        # A file without a name vanishes with the process, however it ends.
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by `end`
        self._file.write(memoryview(self._buffer)[: self.size])
        self._buffer = bytearray(_CHUNK)

    def _let_go(self) -> None:
        self._mapped = None  # closed when the last view of it is gone
        if self._file is not None:
            self._file.close()
            self._file = None
        if len(self._buffer) > KEPT or len(self._buffer) < _FIRST:
            self._buffer = bytearray(_CHUNK)
