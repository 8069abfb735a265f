"""The bytes of a file, read where they are looked at.

A mapped file would be as easy to walk through, but a disk that can't give a page of it ends the whole program by a
signal, as does a file that was cut meanwhile. Here both are errors like any other.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from struct import Struct
from typing import Any, BinaryIO

from bingcheng.archive.objects.problems import damaged, storage_failed

WINDOW = 1 << 16
"""Bytes that are read at once where only the heads of elements are looked at."""
Unpacked = Callable[[Any, int], tuple[Any, ...]]


class FileBytes:
    """What an open file holds, while it is open.

    Raises
    ------
    RemoteError
        Whatever is looked at: ``archive.storage-failed``, ``archive.object-damaged``.
    """

    def __init__(self, stream: BinaryIO, length: int) -> None:
        self._file = stream.fileno()
        self._length = length
        self._begin = 0
        self._window = b""

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, part: slice) -> bytes:
        start, stop, _ = part.indices(self._length)
        return self._read(start, max(0, stop - start))

    def unpacker(self, form: Struct) -> Unpacked:
        """What ``form.unpack_from`` is to bytes; near the end of the file it raises `struct.error` as that does."""
        size, unpack = form.size, form.unpack_from

        def unpacked(_: object, at: int) -> tuple[Any, ...]:
            place = at - self._begin
            if not 0 <= place <= len(self._window) - size:
                self._begin, place = at, 0
                self._window = self._read(at, min(WINDOW, max(0, self._length - at)))
            return unpack(self._window, place)

        return unpacked

    def _read(self, at: int, length: int) -> bytes:
        try:
            found = os.pread(self._file, length, at)
            while len(found) < length:  # one call gives two gigabytes at most
                more = os.pread(self._file, length - len(found), at + len(found))
                if not more:
                    raise damaged()
                found += more
        except OSError as error:
            raise storage_failed(error) from error
        return found
