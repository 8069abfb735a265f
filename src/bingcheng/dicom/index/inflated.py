"""Deflated datasets unpacked piece by piece (PS3.5 A.5: RFC 1951 without a zlib header), never without a limit.

A kilobyte may claim to hold a megabyte, a file of some megabytes more than any machine's memory.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from bingcheng.core.errors import Owner, Problem

MIB = 1 << 20
LARGEST_MIB = 1024
"""What a dataset may grow to; the same as what is taken in by network."""
TOO_LARGE = Problem(
    code="dicom.too-large",
    says="unpacked it is larger than {limit_mib} MiB, or its header alone is",
    remedy="Ask the archive for it uncompressed, unpack zip archives before, or leave it out.",
    owner=Owner.ARCHIVE,
)
_FED, _PIECE = 1 << 16, MIB


class Broken(Exception):  # noqa: N818
    """An element can't be where the file says: the header is damaged or cut off."""


class TooLarge(Broken):
    """The dataset unpacks to more than is read, or its header is longer."""


def pieces(deflated: bytes | memoryview, *, whole: bool = False) -> Iterator[bytes]:
    """The dataset of a deflated file, a mebibyte at a time.

    Parameters
    ----------
    whole : whether its end must be there; else of a file that is cut off comes what can be read.

    Raises
    ------
    Broken
        The compressed bytes are damaged; or `whole`, and they stop before their end (RFC 1951 3.2.3, BFINAL).
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    view = memoryview(deflated)
    try:
        # Fed little by little: what isn't consumed is copied each time.
        for at in range(0, len(view), _FED):
            left: bytes | memoryview = view[at : at + _FED]
            while left and not inflater.eof:
                made = inflater.decompress(left, _PIECE)
                left = inflater.unconsumed_tail
                if made:
                    yield made
            if inflater.eof:
                return
        rest = inflater.flush()
    except zlib.error:
        raise Broken from None
    if rest:
        yield rest
    if whole and not inflater.eof:
        raise Broken


def inflate(deflated: bytes | memoryview, largest: int = LARGEST_MIB * MIB) -> bytes:
    """The whole dataset of a deflated file.

    Parameters
    ----------
    largest : bytes that it may grow to.

    Raises
    ------
    TooLarge
        It grows to more.
    Broken
        The compressed bytes are damaged.
    """
    inflated_size(deflated, largest)  # first, so that what is refused fills no memory
    return b"".join(pieces(deflated))


def inflated_size(deflated: bytes | memoryview, largest: int = LARGEST_MIB * MIB) -> int:
    """How many bytes the dataset of a deflated file has; nothing of it is held. Raises as `inflate` does."""
    size = 0
    for piece in pieces(deflated):
        size += len(piece)
        if size > largest:
            raise TooLarge
    return size


def inflated_head(deflated: bytes | memoryview, length: int) -> bytes:
    """At least the first `length` bytes of the dataset of a deflated file, or all of it. Raises as `pieces` does."""
    found, size = [], 0
    for piece in pieces(deflated):
        found.append(piece)
        size += len(piece)
        if size >= length:
            break
    return b"".join(found)


class Inflated:
    """A deflated dataset of which parts are read, cheaply if one after the other."""

    def __init__(self, deflated: bytes) -> None:
        self._deflated = deflated
        self._restart()

    def _restart(self) -> None:
        self._pieces = pieces(self._deflated)
        self._begins, self._piece = 0, b""

    def at(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset` on; fewer where the dataset ends. Raises as `pieces` does."""
        if offset < self._begins:
            self._restart()
        parts = []
        while length > 0:
            part = self._piece[offset - self._begins :][:length]
            parts.append(part)
            offset, length = offset + len(part), length - len(part)
            if length and not self._next():
                break
        return b"".join(parts)

    def _next(self) -> bool:
        self._begins += len(self._piece)
        self._piece = next(self._pieces, b"")
        return bool(self._piece)
