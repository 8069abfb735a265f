"""An object without its pixels: all that can tell of a person in its header, in memory that its pixels don't fill.

Encodings: PS3.5 section 7 and annex A; meta header: PS3.10 section 7.1.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from bingcheng.archive.objects.fragments import behind_fragments
from bingcheng.archive.pairing.problems import NOT_WHITELISTED
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text
from bingcheng.dicom.index.elements import (
    DEFLATED,
    PREFIXES,
    Broken,
    Elements,
    NeedMore,
    NotDicom,
    dataset_start,
    scan,
)

LARGEST_HEADER = 256 << 20
"""Bytes of all but the pixels: the points of a structure set, the tables of a report."""
_PIECE = 1 << 20
_NOTHING: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shortened:
    """An object without its pixels.

    Parameters
    ----------
    data : the bytes of a file that holds all other elements.
    pixels : whether there were any.
    """

    data: bytes
    pixels: bool


def shortened(stream: BinaryIO) -> Shortened:
    """The file in `stream` without its pixels.

    Raises
    ------
    InputError
        ``archive.not-whitelisted``: it can't be read, or is larger without its pixels than `LARGEST_HEADER`.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    try:
        return _shortened(stream, size)
    except (Broken, NotDicom, struct.error, zlib.error, IndexError) as error:
        raise InputError(NOT_WHITELISTED, what=text("an object that can't be read")) from error


def _shortened(stream: BinaryIO, size: int) -> Shortened:
    data = stream.read(PREFIXES[0])
    if _is_deflated(data, size):
        # Its pixels lie among the compressed bytes: it is looked through whole, so it must not grow without end.
        _check_inflated(stream)
        return Shortened(data=_all(stream, size), pixels=False)
    found, data = _scanned(stream, data, size)
    if found.pixels_at is None:
        return Shortened(data=_all(stream, size), pixels=False)
    end = _end_of_pixels(stream, found, size)
    if end > size:
        raise Broken
    stream.seek(end)
    begins = _head_of_pixels(data, found)
    return Shortened(data=data[:begins] + _all(stream, size, end, size - end + begins), pixels=True)


def _scanned(stream: BinaryIO, data: bytes, size: int) -> tuple[Elements, bytes]:
    """What `scan` finds, and as many bytes of the beginning as it needed."""
    for limit in (*PREFIXES, min(size, LARGEST_HEADER)):
        data += stream.read(max(limit - len(data), 0))
        try:
            return scan(data, size, _NOTHING), data
        except NeedMore:
            continue
    raise _too_large()


def _head_of_pixels(data: bytes, found: Elements) -> int:
    """Where the element begins whose value is the pixels."""
    assert found.pixels_at is not None
    assert found.pixels_tag is not None
    tag = struct.pack(found.coding.order + "HH", found.pixels_tag >> 16, found.pixels_tag & 0xFFFF)
    for length in (12, 8) if found.coding.explicit else (8,):
        begins = found.pixels_at - length
        if data[begins : begins + 4] == tag:
            return begins
    raise Broken


def _end_of_pixels(stream: BinaryIO, found: Elements, size: int) -> int:
    """The offset behind the pixels; encapsulated ones are followed fragment by fragment."""
    at = found.pixels_at or 0
    if found.pixels_length is not None:
        return at + found.pixels_length

    def read(first: int, last: int) -> bytes:
        stream.seek(first)
        return stream.read(last - first)

    return behind_fragments(read, at, size)


def _is_deflated(data: bytes, size: int) -> bool:
    start = dataset_start(data, size)
    return b"\x02\x00\x10\x00UI" in data[:start] and DEFLATED.encode() in data[:start]


def _check_inflated(stream: BinaryIO) -> None:
    """Raise if a deflated file grows beyond what is looked through; nothing that it grows to is kept."""
    stream.seek(0)
    head = stream.read(PREFIXES[0])
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    waiting, grown = head[dataset_start(head, len(head)) :], 0
    while waiting and not inflater.eof:
        grown += len(inflater.decompress(waiting, _PIECE))
        if grown > LARGEST_HEADER:
            raise _too_large()
        waiting = inflater.unconsumed_tail or stream.read(_PIECE)


def _all(stream: BinaryIO, size: int, start: int = 0, kept: int | None = None) -> bytes:
    """The bytes from `start` on, if all that is `kept` together is not too much."""
    if (size if kept is None else kept) > LARGEST_HEADER:
        raise _too_large()
    stream.seek(start)
    return stream.read()


def _too_large() -> InputError:
    return InputError(NOT_WHITELISTED, what=text("an object that is too large to be looked through"))
