"""Messages of several parts (RFC 2046 5.1, RFC 2387): written, and read piece by piece within bounds."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bingcheng.archive.dicomweb.media_types import MULTIPART, MediaType
from bingcheng.archive.dicomweb.problems import BAD_MULTIPART
from bingcheng.core.errors import InputError

LONGEST_HEAD = 16 * 1024
"""Bytes of the header fields of one part."""
LONGEST_PREAMBLE = 64 * 1024
"""Bytes before the first part."""
LONGEST_PADDING = 64
"""Spaces that a transport may add behind a boundary (RFC 2046 5.1.1)."""

# RFC 2046 5.1.1 names these characters, the last not a space, and 70 of them at most; Orthanc sends 73.
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,199}[0-9A-Za-z'()+_,\-./:=?]")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartHead:
    """A part begins; its header fields by their names in lower case."""

    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PartData:
    """Some bytes of the part that began last, without a copy of them."""

    data: memoryview


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The part that began last is whole."""


Event = PartHead | PartData | PartEnd


def boundary_of(kind: MediaType) -> str:
    """The boundary that a Content-Type names.

    Raises
    ------
    InputError
        ``archive.bad-multipart``.
    """
    boundary = kind.parameters.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise InputError(BAD_MULTIPART, what="boundary")
    return boundary


@dataclass(slots=True)
class PartScanner:
    """Splits a body that arrives in pieces of any size; holds back no more than one boundary or one part's header.

    Parameters
    ----------
    boundary : as the Content-Type names it.
    """

    boundary: str
    _held: bytes = field(default=b"\r\n", init=False)  # a first boundary needs no CRLF
    _at: int = field(default=0, init=False)  # what lies before has been told of
    _state: str = field(default="preamble", init=False)
    _skipped: int = field(default=0, init=False)
    _mark: bytes = field(default=b"", init=False)

    def __post_init__(self) -> None:
        self._mark = b"\r\n--" + self.boundary.encode("latin-1")

    def feed(self, piece: bytes) -> Iterator[Event]:
        """What has become certain by these bytes.

        Raises
        ------
        InputError
            ``archive.bad-multipart``.
        """
        if self._state == "over":  # an epilogue is ignored
            return
        rest = self._held[self._at :]
        seam = rest + piece[: len(self._mark)]
        if rest and self._state == "body" and len(piece) >= len(self._mark) and self._mark not in seam:
            # No boundary begins in what was held back. To put the piece behind it would be a copy of all.
            yield PartData(memoryview(rest))
            rest = b""
        self._held, self._at = rest + piece, 0
        going = True
        while going:
            if self._state == "head":
                found = self._head()
                going = found is not None
                if found is not None:
                    yield found
            else:
                at, after, last = self._next_mark()
                yield from self._passed(at)
                going = after > 0
                if going:
                    yield from self._turn(after, last=last)
                    going = not last

    def finish(self) -> None:
        """Say that nothing follows.

        Raises
        ------
        InputError
            ``archive.bad-multipart``: the last boundary is missing.
        """
        if self._state != "over":
            raise InputError(BAD_MULTIPART, what="cut off")

    def _next_mark(self) -> tuple[int, int, bool]:
        """Where what precedes the next boundary ends; where that does (0: not seen yet); whether it is the last."""
        at = self._at
        while True:
            at = self._held.find(self._mark, at)
            if at < 0:
                return max(self._at, len(self._held) - len(self._mark) + 1), 0, False
            after = at + len(self._mark)
            tail = self._held[after : after + LONGEST_PADDING + 2]
            if tail.startswith(b"--"):
                return at, after + 2, True
            padding = tail.lstrip(b" \t")
            if padding.startswith(b"\r\n"):
                return at, after + len(tail) - len(padding) + 2, False
            if padding in (b"", b"\r", b"-") and len(tail) < LONGEST_PADDING + 2:
                return at, 0, False  # what it is will be seen by the next bytes
            at += 2  # the mark with something behind it is content

    def _passed(self, end: int) -> Iterator[Event]:
        if end == self._at:
            return
        if self._state == "body":
            yield PartData(memoryview(self._held)[self._at : end])
        else:
            self._skipped += end - self._at
            if self._skipped > LONGEST_PREAMBLE:
                raise InputError(BAD_MULTIPART, what="no boundary")
        self._at = end

    def _turn(self, end: int, *, last: bool) -> Iterator[Event]:
        """Pass the boundary that ends there."""
        if self._state == "body":
            yield PartEnd()
        self._state, self._at = "over" if last else "head", end
        if last:
            self._held, self._at = b"", 0

    def _head(self) -> PartHead | None:
        if self._held.startswith(b"\r\n", self._at):  # no fields at all
            self._state, self._at = "body", self._at + 2
            return PartHead(fields={})
        end = self._held.find(b"\r\n\r\n", self._at, self._at + LONGEST_HEAD + 4)
        if end < 0:
            if len(self._held) - self._at > LONGEST_HEAD:
                raise InputError(BAD_MULTIPART, what="header of a part")
            return None
        fields = _fields(self._held[self._at : end])
        self._state, self._at = "body", end + 4
        return PartHead(fields=fields)


def _fields(block: bytes) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in block.decode("latin-1").split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or name[0] in " \t":
            raise InputError(BAD_MULTIPART, what="header of a part")
        fields[name.strip().lower()] = value.strip()
    return fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part to send.

    Parameters
    ----------
    content_type : its media type.
    pieces : its bytes, made when they are sent.
    length : how many; None if that is known only then.
    location : address under which it can be had alone (PS3.18 8.6.1.2.1).
    """

    content_type: str
    pieces: Iterable[bytes]
    length: int | None = None
    location: str | None = None

    def head(self, boundary: str) -> bytes:
        """The boundary and the header fields before it."""
        length = "" if self.length is None else f"Content-Length: {self.length}\r\n"
        location = "" if self.location is None else f"Content-Location: {self.location}\r\n"
        return f"\r\n--{boundary}\r\nContent-Type: {self.content_type}\r\n{length}{location}\r\n".encode("latin-1")


def new_boundary() -> str:
    """A boundary that occurs in no part: 128 random bits."""
    return f"bingcheng-{secrets.token_hex(16)}"


def content_type_of(kind: str, boundary: str) -> str:
    """The Content-Type of a message whose parts are of type `kind`."""
    return f'{MULTIPART}; type="{kind}"; boundary={boundary}'


def written(parts: Iterable[Part], boundary: str) -> Iterator[bytes]:
    """The message, in pieces."""
    for part in parts:
        yield part.head(boundary)
        yield from part.pieces
    yield _ending(boundary)


def length_of(parts: Iterable[Part], boundary: str) -> int | None:
    """Bytes of the message; None if a part does not know its own."""
    total = len(_ending(boundary))
    for part in parts:
        if part.length is None:
            return None
        total += len(part.head(boundary)) + part.length
    return total


def _ending(boundary: str) -> bytes:
    return f"\r\n--{boundary}--\r\n".encode("latin-1")
