"""A DICOM object as a tree of raw elements: read whole, walked, and written again without interpreting what is kept.

Both byte orders, implicit and explicit VR, and deflated files (which are written inflated). What isn't changed keeps
its bytes. Encodings: PS3.5 section 7 and annex A.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from pydicom.datadict import dictionary_VR

from bingcheng.archive.deidentify.problems import BROKEN, NOT_DICOM
from bingcheng.core.errors import InputError
from bingcheng.dicom.index import vrs
from bingcheng.dicom.index.elements import BIG_ENDIAN, DEFLATED, IMPLICIT, NotDicom
from bingcheng.dicom.index.inflated import LARGEST_MIB, TOO_LARGE, Broken, TooLarge, inflate

ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
EXPLICIT = "1.2.840.10008.1.2.1"
PIXEL_DATA = 0x7FE00010
UNDEFINED = 0xFFFFFFFF
DEEPEST = 32
LONG_VRS = frozenset(vr.decode() for vr in vrs.LONG_VRS)
_SPACED = frozenset(
    (*("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"),)
)
"""VRs whose values are filled up with a space, all others with a zero byte (PS3.5 6.2)."""
_VRS = {vr: vr.decode() for vr in vrs.LONG_VRS | vrs.SHORT_VRS}


@dataclass(slots=True)
class Element:
    """One element: its value as bytes, or its items.

    Parameters
    ----------
    vr : as written; in implicit VR from the dictionary, UN where that doesn't know the tag.
    value : raw bytes; of a sequence empty.
    items : of a sequence; None for all others.
    encapsulated : whether the value is a sequence of fragments (compressed pixels).
    """

    tag: int
    vr: str
    value: bytes
    items: list[list[Element]] | None = None
    encapsulated: bool = False


@dataclass(slots=True)
class Object:
    """One DICOM object.

    Parameters
    ----------
    explicit, little : how it is written.
    syntax : transfer syntax UID.
    elements : in the order of the file, without the meta header.
    pixels_at : where the pixel value lies in what `written` gave last; None without pixels.
    """

    syntax: str
    explicit: bool
    little: bool
    elements: list[Element]
    pixels_at: tuple[int, int] | None = field(default=None)

    def first(self, tag: int) -> Element | None:
        """The element at the top with this tag."""
        return next((one for one in self.elements if one.tag == tag), None)

    def words(self, tag: int) -> str:
        """The value of a text element of the default repertoire; empty if it is absent."""
        found = self.first(tag)
        return "" if found is None else plain(found.value)

    def number(self, tag: int, default: int = 0) -> int:
        """The first value of an unsigned short; `default` if it is absent."""
        found = self.first(tag)
        if found is None or len(found.value) < 2:
            return default
        number: int = struct.unpack_from("<H" if self.little else ">H", found.value)[0]
        return number


def plain(value: bytes) -> str:
    """A value of the default repertoire as text, without padding."""
    return value.decode("latin-1").strip("\0 ")


def read(data: bytes) -> Object:
    """The object that a file holds.

    Raises
    ------
    InputError
        ``archive.deidentify-not-dicom``, ``archive.deidentify-broken``, ``dicom.too-large``.
    """
    try:
        return _read(data)
    except NotDicom as error:
        raise InputError(NOT_DICOM) from error
    except TooLarge as error:
        raise InputError(TOO_LARGE, limit_mib=LARGEST_MIB) from error
    except (Broken, struct.error, IndexError) as error:
        raise InputError(BROKEN) from error


def _read(data: bytes) -> Object:
    start, syntax = _meta(data)
    if syntax == DEFLATED:
        data, start, syntax = inflate(data[start:]), 0, EXPLICIT
    little = syntax != BIG_ENDIAN
    if not syntax:
        little = struct.unpack_from("<H", data, start)[0] < 0x0100
    # The first element shows the truth: files that claim one VR encoding and use the other are common enough.
    explicit = data[start + 4 : start + 6] in _VRS
    walker = _Walker(data, explicit=explicit, little=little)
    elements, end = walker.dataset(start, len(data), 0)
    if any(data[end:]):
        raise Broken  # an item that no sequence holds: what follows it would be lost
    if syntax in ("", IMPLICIT, EXPLICIT, BIG_ENDIAN):
        syntax = (EXPLICIT if explicit else IMPLICIT) if little else BIG_ENDIAN
    return Object(syntax, explicit, little, elements)


def _meta(data: bytes) -> tuple[int, str]:
    """Where the dataset starts, and its transfer syntax; the group length isn't trusted."""
    at = 132 if data[128:132] == b"DICM" else 0
    if at == 0 and data[:2] not in (b"\x02\0", b"\x08\0", b"\0\x08"):
        raise NotDicom
    syntax = ""
    while data[at : at + 2] == b"\x02\0":
        element, vr, length = struct.unpack_from("<H2sH", data, at + 2)
        value = at + 8
        if _VRS.get(vr) in LONG_VRS:
            (length,) = struct.unpack_from("<I", data, value)
            value += 4
        at = value + length
        if at > len(data):
            raise Broken
        if element == 0x0010:
            syntax = plain(data[value:at])
    return at, syntax


@cache
def dictionary_vr(tag: int) -> str:
    """The VR that the standard gives a tag; UN for one that it doesn't know."""
    if tag >> 16 & 1:
        return "LO" if 0x10 <= tag & 0xFFFF <= 0xFF else "UN"
    try:
        return dictionary_VR(tag)[:2]  # of "OB or OW" the first
    except KeyError:
        return "UN"


class _Walker:
    """One pass over bytes."""

    def __init__(self, data: bytes, *, explicit: bool, little: bool) -> None:
        self.data, self.explicit, self.little = data, explicit, little
        order = "<" if little else ">"
        self._explicit = struct.Struct(f"{order}HH2sH").unpack_from
        self._implicit = struct.Struct(f"{order}HHI").unpack_from
        self._length = struct.Struct(f"{order}I").unpack_from

    def dataset(self, at: int, end: int, depth: int) -> tuple[list[Element], int]:
        """The elements up to `end` or a delimiter, and where they ended."""
        if depth > DEEPEST:
            raise Broken
        data, last = self.data, 0
        found: list[Element] = []
        while at + 8 <= end:
            group, element = self._implicit(data, at)[:2]
            tag = group << 16 | element
            if group == 0xFFFE or (not tag and not depth and not any(data[at:end])):
                break
            if tag <= last and any(one.tag == tag for one in found):
                raise Broken  # PS3.5 7.1: once at most; every reader would take another one for the true one
            last = tag
            tag, vr, length, value = self._header(at, tag)
            if length == UNDEFINED:
                one, at = self._undefined(tag, vr, value, end, depth)
            else:
                at = value + length
                if at > end:
                    raise Broken
                one = self._defined(tag, vr, value, at, depth)
            found.append(one)
        else:
            if at != end and any(data[at:end]):
                raise Broken
        return found, at

    def _header(self, at: int, tag: int) -> tuple[int, str, int, int]:
        if not self.explicit:
            return tag, dictionary_vr(tag), self._implicit(self.data, at)[2], at + 8
        _, _, raw, length = self._explicit(self.data, at)
        vr = _VRS.get(raw)
        if vr is None:
            raise Broken
        if vr in LONG_VRS:
            return tag, vr, self._length(self.data, at + 8)[0], at + 12
        return tag, vr, length, at + 8

    def _defined(self, tag: int, vr: str, at: int, end: int, depth: int) -> Element:
        if vr == "SQ":
            return Element(tag, vr, b"", self.items(at, end, depth)[0])
        if vr == "UN" and dictionary_vr(tag) == "SQ":
            inner = _Walker(self.data, explicit=False, little=True)
            return Element(tag, "SQ", b"", inner.items(at, end, depth)[0])
        return Element(tag, vr, self.data[at:end])

    def _undefined(self, tag: int, vr: str, at: int, end: int, depth: int) -> tuple[Element, int]:
        if tag == PIXEL_DATA or vr in ("OB", "OW"):
            stop = self._fragments_end(at)
            return Element(tag, vr, self.data[at:stop], None, encapsulated=True), stop + 8
        # An unknown VR of undefined length is a sequence in implicit VR little endian (PS3.5 6.2.2, note 2).
        inner = _Walker(self.data, explicit=False, little=True) if vr == "UN" and self.explicit else self
        items, at = inner.items(at, end, depth, delimited=True)
        return Element(tag, "SQ", b"", items), at

    def items(self, at: int, end: int, depth: int, *, delimited: bool = False) -> tuple[list[list[Element]], int]:
        items: list[list[Element]] = []
        while at + 8 <= end:
            group, element, length = self._implicit(self.data, at)
            tag, at = group << 16 | element, at + 8
            if tag == SEQUENCE_END:
                return items, at
            if tag != ITEM:
                raise Broken
            stop = end if length == UNDEFINED else at + length
            if stop > end:
                raise Broken
            inside, at = self.dataset(at, stop, depth + 1)
            if length == UNDEFINED:
                group, element, _ = self._implicit(self.data, at)
                if group << 16 | element != ITEM_END:
                    raise Broken
                at += 8
            items.append(inside)
        if delimited or at != end:
            raise Broken
        return items, at

    def _fragments_end(self, at: int) -> int:
        while True:
            group, element, length = self._implicit(self.data, at)
            tag = group << 16 | element
            if tag == SEQUENCE_END:
                return at
            if tag != ITEM:
                raise Broken
            at += 8 + length
            if at > len(self.data):
                raise Broken


def written(found: Object, meta: Sequence[tuple[int, str, bytes]]) -> bytes:
    """The object as a file: an empty preamble, a meta header of the given elements, and the dataset.

    Parameters
    ----------
    meta : element number, VR and value of the meta header's elements (explicit VR little endian).
    """
    header = b"".join(_encoded(0x00020000 | number, vr, value, explicit=True, order="<") for number, vr, value in meta)
    length = _encoded(0x00020000, "UL", struct.pack("<I", len(header)), explicit=True, order="<")
    parts = [bytes(128), b"DICM", length, header]
    order = "<" if found.little else ">"
    found.pixels_at = None
    at = 132 + len(length) + len(header)
    for one in found.elements:
        pieces = list(_pieces(one, explicit=found.explicit, order=order))
        size = sum(map(len, pieces))
        if one.tag == PIXEL_DATA:
            ahead = len(pieces[0])
            found.pixels_at = (at + ahead, at + ahead + len(one.value))
        parts += pieces
        at += size
    return b"".join(parts)


def _pieces(one: Element, *, explicit: bool, order: str) -> Iterator[bytes]:
    """The header of an element, its value, and what ends it."""
    if one.encapsulated:
        yield _head(one.tag, one.vr, UNDEFINED, explicit=explicit, order=order)
        yield one.value
        yield _tag(SEQUENCE_END, order) + bytes(4)
    elif one.items is not None:
        items = b"".join(_item(inside, explicit=explicit, order=order) for inside in one.items)
        yield _head(one.tag, "SQ", len(items), explicit=explicit, order=order) + items
    else:
        value = one.value
        yield _head(one.tag, one.vr, len(value) + len(value) % 2, explicit=explicit, order=order)
        yield value
        if len(value) % 2:
            yield b" " if one.vr in _SPACED else b"\0"


def _item(inside: Sequence[Element], *, explicit: bool, order: str) -> bytes:
    body = b"".join(piece for one in inside for piece in _pieces(one, explicit=explicit, order=order))
    return _tag(ITEM, order) + struct.pack(order + "I", len(body)) + body


def _encoded(tag: int, vr: str, value: bytes, *, explicit: bool, order: str) -> bytes:
    return b"".join(_pieces(Element(tag, vr, value), explicit=explicit, order=order))


def _tag(tag: int, order: str) -> bytes:
    return struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)


def _head(tag: int, vr: str, length: int, *, explicit: bool, order: str) -> bytes:
    if not explicit:
        return struct.pack(order + "HHI", tag >> 16, tag & 0xFFFF, length)
    if vr in LONG_VRS:
        return struct.pack(order + "HH2sHI", tag >> 16, tag & 0xFFFF, vr.encode(), 0, length)
    if length > 0xFFFF:  # PS3.5 6.2.2: too long for its VR
        return struct.pack(order + "HH2sHI", tag >> 16, tag & 0xFFFF, b"UN", 0, length)
    return struct.pack(order + "HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), length)
