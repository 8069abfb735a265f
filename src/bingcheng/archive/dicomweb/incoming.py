"""The parts of a body that is being received: kept in memory while small, in a file without a name beyond that."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from bingcheng.archive.dicomweb.media_types import MediaType
from bingcheng.archive.dicomweb.multipart import PartData, PartEnd, PartHead, PartScanner
from bingcheng.archive.dicomweb.problems import TOO_LARGE
from bingcheng.core.errors import InputError

MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a body may be.

    Parameters
    ----------
    body, part : bytes of the whole and of one object.
    parts : how many objects.
    in_memory : bytes of a part beyond which it goes into a file.
    silence_s : how long nothing may come.
    """

    body: int = 4096 * MIB
    part: int = 2048 * MIB
    parts: int = 10_000
    in_memory: int = 8 * MIB
    silence_s: float = 60.0

    def check_announced(self, length: int | None) -> None:
        """Refuse a body whose announced length is beyond the limit, before any of it is read.

        Raises
        ------
        InputError
            ``archive.body-too-large``.
        """
        if length is not None and length > self.body:
            raise InputError(TOO_LARGE, what="body", limit=self.body)


@dataclass(slots=True, eq=False)
class IncomingPart:
    """One part; `write` until it is whole, then `content`, then `close`."""

    fields: Mapping[str, str]
    limits: Limits
    folder: Path | None = None
    length: int = 0
    _memory: bytearray = field(default_factory=bytearray)
    _file: IO[bytes] | None = None

    def write(self, data: bytes | memoryview) -> None:
        """Take more of it.

        Raises
        ------
        InputError
            ``archive.body-too-large``.
        """
        self.length += len(data)
        if self.length > self.limits.part:
            raise InputError(TOO_LARGE, what="object", limit=self.limits.part)
        if self._file is None and self.length > self.limits.in_memory:
            self._file = tempfile.TemporaryFile(dir=self.folder)  # noqa: SIM115 - it lives as long as the part
            self._file.write(self._memory)
            self._memory = bytearray()
        if self._file is None:
            self._memory += data
        else:
            self._file.write(data)

    @contextmanager
    def content(self) -> Iterator[memoryview]:
        """Its bytes, valid inside the context."""
        if self._file is None:
            yield memoryview(self._memory).toreadonly()
            return
        self._file.flush()
        with mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            view = memoryview(mapped)
            try:
                yield view
            finally:
                view.release()

    def close(self) -> None:
        """Give memory or file back."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._memory = bytearray()


@dataclass(slots=True, eq=False)
class Intake:
    """Makes parts of the pieces of a body, within limits.

    Parameters
    ----------
    boundary : None for a body that is one object.
    kind : of the body, where it is one object.
    folder : where parts go that are too large for memory; None for the system's.
    """

    limits: Limits
    boundary: str | None
    kind: MediaType
    folder: Path | None = None
    received: int = 0
    count: int = 0
    _scanner: PartScanner | None = None
    _part: IncomingPart | None = None

    def __post_init__(self) -> None:
        if self.boundary is not None:
            self._scanner = PartScanner(self.boundary)
        else:
            self._part = self._new({"content-type": self.kind.kind})

    def feed(self, piece: bytes) -> Iterator[IncomingPart]:
        """The parts that are whole by these bytes.

        Raises
        ------
        InputError
            ``archive.body-too-large``, ``archive.bad-multipart``.
        """
        self.received += len(piece)
        if self.received > self.limits.body:
            raise InputError(TOO_LARGE, what="body", limit=self.limits.body)
        if self._scanner is None:
            assert self._part is not None
            self._part.write(piece)
            return
        for event in self._scanner.feed(piece):
            if isinstance(event, PartHead):
                self._part = self._new(event.fields)
            elif isinstance(event, PartData) and self._part is not None:
                self._part.write(event.data)
            elif isinstance(event, PartEnd) and self._part is not None:
                whole, self._part = self._part, None
                yield whole

    def finish(self) -> Iterator[IncomingPart]:
        """Say that nothing follows; the part of a body that is one object.

        Raises
        ------
        InputError
            ``archive.bad-multipart``.
        """
        if self._scanner is not None:
            self._scanner.finish()
        elif self._part is not None:
            whole, self._part = self._part, None
            yield whole

    def close(self) -> None:
        """Give back what an unfinished part holds."""
        if self._part is not None:
            self._part.close()
            self._part = None

    def _new(self, fields: Mapping[str, str]) -> IncomingPart:
        self.count += 1
        if self.count > self.limits.parts:
            raise InputError(TOO_LARGE, what="number of objects", limit=self.limits.parts)
        return IncomingPart(fields=fields, limits=self.limits, folder=self.folder)
