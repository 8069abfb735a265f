"""The raw elements of a DICOM header, without an object per element: what makes an index of many files quick.

Only the bytes of wanted elements are kept; everything else is stepped over. Both byte orders, implicit and explicit
VR, deflated files and files without meta header are read. Encodings: PS3.5 section 7 and annex A; meta header: PS3.10
section 7.1. Nothing here raises for bad data but `Broken`, `NeedMore` and `NotDicom`, which stay inside this floor.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from bingcheng.dicom.index.inflated import MIB, Broken, TooLarge, inflated_head, inflated_size
from bingcheng.dicom.index.vrs import LONG_VRS, SHORT_VRS
from bingcheng.dicom.index.walk import (
    DEEPEST,
    ITEM,
    ITEM_END,
    NO_PRIVATE,
    PIXEL_TAGS,
    SEQUENCE_END,
    Coding,
    Found,
    NeedMore,
    PrivateElements,
    Walker,
    first_item,
    items,
)

__all__ = [
    "BIG_ENDIAN",
    "DEEPEST",
    "DEFLATED",
    "IMPLICIT",
    "ITEM",
    "ITEM_END",
    "LARGEST_HEADER",
    "NO_PRIVATE",
    "PIXEL_TAGS",
    "PREFIXES",
    "SEQUENCE_END",
    "Broken",
    "Coding",
    "Elements",
    "NeedMore",
    "NotDicom",
    "PrivateElements",
    "Readable",
    "dataset_start",
    "first_item",
    "items",
    "read_elements",
    "scan",
]

DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
IMPLICIT = "1.2.840.10008.1.2"

PREFIXES = (8 << 10, 64 << 10, 1 << 20, 16 << 20)
"""How much of a file is read at first, and then if its header is longer; thereafter the whole."""
LARGEST_HEADER = 512 * MIB
"""No more of a file is read for its header."""

_VRS = LONG_VRS | SHORT_VRS


class NotDicom(Exception):  # noqa: N818
    """The bytes are not DICOM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elements:
    """The wanted elements of one file.

    Parameters
    ----------
    values : raw bytes by tag; those of a sequence are its items (see `items`).
    private : raw bytes of short private elements by tag, of the wanted groups, creators included.
    coding : of the dataset.
    transfer_syntax : as the meta header says, None without one.
    pixels_at : offset of the pixel value in the file (in the inflated dataset of a deflated one); None without pixels.
    pixels_length : in bytes, None if encapsulated.
    pixels_tag : Pixel Data, Float Pixel Data or Double Float Pixel Data.
    size : of the file (of the inflated dataset).
    """

    values: Mapping[int, bytes]
    private: Mapping[int, bytes]
    coding: Coding
    transfer_syntax: str | None
    pixels_at: int | None
    pixels_length: int | None
    pixels_tag: int | None
    size: int

    @property
    def pixels_cut_off(self) -> bool:
        """Whether fewer bytes follow than the pixel element claims."""
        return (
            self.pixels_at is not None
            and self.pixels_length is not None
            and self.pixels_at + self.pixels_length > self.size
        )


def scan(data: bytes, size: int, wanted: Collection[int], private_groups: PrivateElements = NO_PRIVATE) -> Elements:
    """The wanted elements of a file of `size` bytes that begins with `data`.

    Raises
    ------
    NeedMore
        The header goes on beyond `data`, which is shorter than the file.
    Broken
        The file ends within its header, or an element can't be; `TooLarge` if it unpacks to more than is read.
    NotDicom
        It isn't DICOM at all.
    """
    try:
        start, meta = _meta(data, size)
        syntax = _uid(meta.get(0x00020010))
        if syntax != DEFLATED:
            return _scan(data, start, size, meta, wanted, private_groups)
    except (struct.error, IndexError):
        raise (NeedMore if len(data) < size else Broken) from None
    if len(data) < size:
        raise NeedMore
    return _scan_deflated(memoryview(data)[start:], meta, wanted, private_groups)


def _scan_deflated(
    deflated: memoryview, meta: Mapping[int, bytes], wanted: Collection[int], private_groups: PrivateElements
) -> Elements:
    """The wanted elements of a deflated dataset, of which no more is held than its header."""
    size = inflated_size(deflated)
    for limit in (*PREFIXES[1:], LARGEST_HEADER):
        head = inflated_head(deflated, limit)
        try:
            return _scan(head, 0, size, meta, wanted, private_groups)
        except (NeedMore, struct.error, IndexError):
            if len(head) == size:
                raise Broken from None
    raise TooLarge


def _scan(
    data: bytes,
    start: int,
    size: int,
    meta: Mapping[int, bytes],
    wanted: Collection[int],
    private_groups: PrivateElements,
) -> Elements:
    syntax = _uid(meta.get(0x00020010))
    coding = _coding(data, start, syntax, prefixed=bool(meta))
    found = Found(values={tag: value for tag, value in meta.items() if tag in wanted})
    walker = Walker(data=data, size=size)
    walker.walk(start, size, coding, wanted, private_groups, found)
    return Elements(
        values=found.values,
        private=found.private,
        coding=coding,
        transfer_syntax=syntax,
        pixels_at=found.pixels_at,
        pixels_length=found.pixels_length,
        pixels_tag=found.pixels_tag,
        size=size,
    )


class Readable(Protocol):
    """What bytes can be read from: a file or a member of an archive."""

    def read(self, size: int = -1, /) -> bytes | None:
        """Up to `size` bytes."""


def read_elements(
    stream: Readable, size: int, wanted: Collection[int], private_groups: PrivateElements = NO_PRIVATE
) -> Elements:
    """The wanted elements of a file of `size` bytes, of which no more is read than its header needs.

    Raises
    ------
    Broken, NotDicom
        See `scan`.
    """
    data = b""
    for limit in (*PREFIXES, min(size, LARGEST_HEADER)):
        if len(data) >= min(limit, size):
            continue
        more = stream.read(min(limit, size) - len(data))
        data += more or b""
        if len(data) < min(limit, size):
            break  # shorter than it said: what is there is all there is
        try:
            return scan(data, size, wanted, private_groups)
        except NeedMore:
            continue
    if len(data) >= LARGEST_HEADER:
        raise TooLarge
    try:
        return scan(data, len(data), wanted, private_groups)
    except NeedMore:
        raise Broken from None


def dataset_start(data: bytes, size: int) -> int:
    """The offset at which the dataset begins, behind preamble and meta header (see `scan` for what it raises)."""
    return _meta(data, size)[0]


def _meta(data: bytes, size: int) -> tuple[int, dict[int, bytes]]:
    """Where the dataset starts, and the meta elements; the group length is not trusted."""
    at = 132 if data[128:132] == b"DICM" else 0
    if at + 8 > size or not (at or _plausible(data)):
        raise NotDicom
    return Walker(data=data, size=size).meta(at)


def _plausible(data: bytes) -> bool:
    """Whether bytes without a preamble begin like a dataset: group 2 or 8, with a VR or a short length."""
    for order in "<>":
        group, element = struct.unpack_from(order + "HH", data)
        if group not in (0x0002, 0x0008) or element > 0x0100:
            continue
        if data[4:6] in _VRS or struct.unpack_from(order + "I", data, 4)[0] < 1024:
            return True
    return False


def _coding(data: bytes, at: int, syntax: str | None, *, prefixed: bool) -> Coding:
    """The coding that the first element shows; the transfer syntax decides only where that says nothing.

    Files that claim one VR encoding and use the other are common enough.
    """
    little = syntax != BIG_ENDIAN
    if len(data) < at + 8:
        raise struct.error
    if not prefixed:
        # A dataset begins with a low group: read in the wrong order, 0008 becomes 0800.
        little = struct.unpack_from("<H", data, at)[0] < 0x0100
    return Coding(explicit=data[at + 4 : at + 6] in _VRS, little=little)


def _uid(raw: bytes | None) -> str | None:
    return raw.decode("ascii", "replace").strip("\0 ") or None if raw else None
