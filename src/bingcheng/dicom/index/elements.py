"""The raw elements of a DICOM header, without an object per element: what makes an index of many files quick.

Only the bytes of wanted elements are kept; everything else is stepped over. Both byte orders, implicit and explicit
VR, deflated files and files without meta header are read. Encodings: PS3.5 section 7 and annex A; meta header: PS3.10
section 7.1. Nothing here raises for bad data but `Broken`, `NeedMore` and `NotDicom`, which stay inside this floor.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from bingcheng.dicom.index import inflated
from bingcheng.dicom.index.inflated import MIB, TooLarge, inflated_head, inflated_size
from bingcheng.dicom.index.vrs import LONG_VRS, SHORT_VRS

UNDEFINED_LENGTH = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_DATA = 0x7FE00010
PIXEL_TAGS = frozenset((0x7FE00008, 0x7FE00009, PIXEL_DATA))
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
IMPLICIT = "1.2.840.10008.1.2"
DEEPEST = 32
"""Sequences nested deeper than this are no honest file's."""
PrivateElements = Mapping[int, Collection[int]]
"""Wanted private elements: by group, the low bytes of the element number, whichever block they are in."""

PREFIXES = (8 << 10, 64 << 10, 1 << 20, 16 << 20)
"""How much of a file is read at first, and then if its header is longer; thereafter the whole."""
LARGEST_HEADER = 512 * MIB
"""No more of a file is read for its header."""

_VRS = LONG_VRS | SHORT_VRS


Broken = inflated.Broken


class NeedMore(Exception):  # noqa: N818 - a signal between two functions of this floor
    """The bytes given end before the header does."""


class NotDicom(Exception):  # noqa: N818
    """The bytes are not DICOM."""


@dataclass(frozen=True, slots=True)
class Coding:
    """How elements are written."""

    explicit: bool
    little: bool

    @property
    def order(self) -> str:
        """The sign of the byte order for `struct`."""
        return "<" if self.little else ">"


NO_PRIVATE: PrivateElements = MappingProxyType({})
_META_CODING = Coding(explicit=True, little=True)
_CODINGS = [Coding(explicit=explicit, little=little) for explicit in (True, False) for little in (True, False)]
_HEADERS = MappingProxyType(
    {c: struct.Struct(c.order + ("HH2sH" if c.explicit else "HHI")).unpack_from for c in _CODINGS}
)
_LENGTHS = MappingProxyType({True: struct.Struct("<I").unpack_from, False: struct.Struct(">I").unpack_from})
_TAGS = MappingProxyType({True: struct.Struct("<HHI").unpack_from, False: struct.Struct(">HHI").unpack_from})


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


@dataclass(slots=True)
class _Found:
    values: dict[int, bytes] = field(default_factory=dict)
    private: dict[int, bytes] = field(default_factory=dict)
    pixels_at: int | None = None
    pixels_length: int | None = None
    pixels_tag: int | None = None


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
    found = _Found(values={tag: value for tag, value in meta.items() if tag in wanted})
    walker = _Walker(data=data, size=size)
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
    return _Walker(data=data, size=size).meta(at)


_META = frozenset((0x00020002, 0x00020010))


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


@dataclass(slots=True)
class _Walker:
    """One pass over bytes; `size` is that of the whole file, `data` may be its beginning only."""

    data: bytes
    size: int

    def walk(  # noqa: C901, PLR0912 - one loop with everything in it: it runs some hundred times a file
        self,
        at: int,
        end: int,
        coding: Coding,
        wanted: Collection[int],
        private_groups: PrivateElements,
        found: _Found,
        depth: int = 0,
    ) -> int:
        """Keep wanted elements from `at` on; where the walk ended (at `end`, a delimiter, or pixels)."""
        data, have, explicit = self.data, len(self.data), coding.explicit
        unpack, long = _HEADERS[coding], _LENGTHS[coding.little]
        short_vrs, long_vrs = SHORT_VRS, LONG_VRS
        last = end - 8
        vr = b""
        while at <= last:
            value = at + 8
            if explicit:
                group, element, vr, length = unpack(data, at)
                if vr not in short_vrs:
                    if vr not in long_vrs:
                        break
                    (length,) = long(data, value)
                    value += 4
            else:
                group, element, length = unpack(data, at)
            tag = group << 16 | element
            stop = value + length
            if length == UNDEFINED_LENGTH or group >= 0x7FE0:
                if group == 0xFFFE:
                    return at  # a delimiter: the item ends here
                if tag in PIXEL_TAGS and depth == 0:
                    found.pixels_at, found.pixels_tag = value, tag
                    found.pixels_length = None if length == UNDEFINED_LENGTH else length
                    return at
                if length == UNDEFINED_LENGTH:
                    stop = self.after_items(value, vr, coding, depth)
            if stop > end:
                break
            if tag in wanted:
                if stop > have:
                    raise NeedMore
                found.values[tag] = data[value:stop]
            elif group & 1 and group in private_groups and (element < 0x100 or element & 0xFF in private_groups[group]):
                if stop > have:
                    raise NeedMore
                found.private[tag] = data[value:stop]
            at = stop
        else:
            return at
        if group == 0xFFFE:
            return at
        raise Broken

    def meta(self, at: int) -> tuple[int, dict[int, bytes]]:
        """Where the group of the meta header, always explicit VR little endian, ends; and its wanted elements."""
        values: dict[int, bytes] = {}
        while at + 8 <= self.size and self.data[at : at + 2] == b"\x02\x00":
            _, element, vr, length = _HEADERS[_META_CODING](self.data, at)
            value = at + 8
            if vr in LONG_VRS:
                (length,) = _LENGTHS[True](self.data, value)
                value += 4
            at = value + length
            if at > self.size:
                raise Broken
            if 0x00020000 | element in _META:
                values[0x00020000 | element] = self.data[value:at]
        return at, values

    def after_items(self, at: int, vr: bytes, coding: Coding, depth: int) -> int:
        """The offset behind the delimiter of a sequence of undefined length."""
        if depth >= DEEPEST:
            raise Broken
        # An unknown VR of undefined length is a sequence in implicit VR little endian (PS3.5 6.2.2, note 2).
        inner = Coding(explicit=False, little=True) if vr == b"UN" else coding
        unpack = _TAGS[inner.little]
        while True:
            group, element, length = unpack(self.data, at)
            tag = group << 16 | element
            at += 8
            if tag == SEQUENCE_END:
                return at
            if tag != ITEM:
                raise Broken
            at = at + length if length != UNDEFINED_LENGTH else self.after_item(at, inner, depth)
            if at > self.size:
                raise Broken

    def after_item(self, at: int, coding: Coding, depth: int) -> int:
        """The offset behind the delimiter of an item of undefined length."""
        at = self.walk(at, self.size, coding, (), NO_PRIVATE, _Found(), depth + 1)
        group, element, _ = _TAGS[coding.little](self.data, at)
        if group << 16 | element != ITEM_END:
            raise Broken
        return at + 8


_NOTHING: Mapping[int, bytes] = MappingProxyType({})


def items(raw: bytes | None, coding: Coding, wanted: Collection[int]) -> list[Mapping[int, bytes]]:
    """The items of a sequence value, each with its wanted elements; damaged ones end the list.

    Parameters
    ----------
    raw : the value of the sequence, as `Elements.values` holds it; None gives no items.
    """
    found: list[Mapping[int, bytes]] = []
    if raw is None:
        return found
    walker = _Walker(data=raw, size=len(raw))
    unpack = _TAGS[coding.little]
    at = 0
    try:
        while at + 8 <= len(raw):
            group, element, length = unpack(raw, at)
            if group << 16 | element != ITEM:
                break
            inside = _Found()
            start = at + 8
            end = len(raw) if length == UNDEFINED_LENGTH else start + length
            stop = walker.walk(start, end, coding, wanted, NO_PRIVATE, inside, 1)
            found.append(inside.values)
            at = stop + 8 if length == UNDEFINED_LENGTH else end
    except (struct.error, Broken, NeedMore):
        return found
    return found


def first_item(raw: bytes | None, coding: Coding, wanted: Collection[int]) -> Mapping[int, bytes]:
    """The first item of a sequence value, empty if there is none."""
    return next(iter(items(raw, coding, wanted)), _NOTHING)


def _uid(raw: bytes | None) -> str | None:
    return raw.decode("ascii", "replace").strip("\0 ") or None if raw else None
