"""One pass over the encoded elements of a dataset: wanted ones are kept, everything else is stepped over.

Both byte orders, implicit and explicit VR (PS3.5 section 7). Nothing here raises for bad data but `Broken`, `NeedMore`
and what `struct` raises where the bytes end, which stay inside this floor.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from bingcheng.dicom.index.inflated import Broken
from bingcheng.dicom.index.vrs import LONG_VRS, SHORT_VRS

UNDEFINED_LENGTH = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_DATA = 0x7FE00010
PIXEL_TAGS = frozenset((0x7FE00008, 0x7FE00009, PIXEL_DATA))
DEEPEST = 32
"""Sequences nested deeper than this are no honest file's."""
PrivateElements = Mapping[int, Collection[int]]
"""Wanted private elements: by group, the low bytes of the element number, whichever block they are in."""
META = frozenset((0x00020002, 0x00020010))
"""What is kept of the meta header: class of the object, and transfer syntax."""


class NeedMore(Exception):  # noqa: N818 - a signal between two functions of this floor
    """The bytes given end before the header does."""


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


@dataclass(slots=True)
class Found:
    """What a walk keeps of one dataset: raw bytes by tag, and where the pixels are."""

    values: dict[int, bytes] = field(default_factory=dict)
    private: dict[int, bytes] = field(default_factory=dict)
    pixels_at: int | None = None
    pixels_length: int | None = None
    pixels_tag: int | None = None


@dataclass(slots=True)
class Walker:
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
        found: Found,
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
            if 0x00020000 | element in META:
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
        at = self.walk(at, self.size, coding, (), NO_PRIVATE, Found(), depth + 1)
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
    walker = Walker(data=raw, size=len(raw))
    unpack = _TAGS[coding.little]
    at = 0
    try:
        while at + 8 <= len(raw):
            group, element, length = unpack(raw, at)
            if group << 16 | element != ITEM:
                break
            inside = Found()
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
