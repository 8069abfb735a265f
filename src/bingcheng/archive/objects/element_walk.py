"""The elements of a header one after the other, as places in its bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from struct import Struct

from bingcheng.archive.objects.file_bytes import FileBytes, Unpacked
from bingcheng.archive.objects.problems import TRUNCATED
from bingcheng.core.errors import InputError
from bingcheng.dicom.index.elements import DEEPEST, ITEM, ITEM_END, PIXEL_TAGS, SEQUENCE_END, Coding
from bingcheng.dicom.index.vrs import LONG_VRS, SHORT_VRS

Bytes = bytes | memoryview | FileBytes
"""What can be walked through; of a file only that is read in which heads of elements stand."""

_UNDEFINED = 0xFFFFFFFF
_IMPLICIT = Coding(explicit=False, little=True)


@dataclass(slots=True)
class Element:
    """An element: where its value is, or its items; pixel values have no end here."""

    tag: int
    vr: str
    at: int
    length: int
    items: Sequence[Walk] | None = None


class Walk:
    """The elements of a dataset or an item.

    Iterating reads each once; a `Walk` may be iterated again.

    Raises
    ------
    InputError
        ``archive.truncated-object``: what was received was whole, so the file was changed since.
    """

    def __init__(self, data: Bytes, at: int, end: int, coding: Coding, depth: int = 0) -> None:
        self.data = data
        self.coding = coding
        self.depth = depth
        self._at, self._end = at, end

    def __iter__(self) -> Iterator[Element]:
        try:
            yield from self._elements()
        except struct.error:
            raise InputError(TRUNCATED) from None

    def value(self, element: Element) -> bytes:
        """The bytes of an element's value."""
        return bytes(self.data[element.at : element.at + element.length])

    def _elements(self) -> Iterator[Element]:
        data, at, end, explicit, order = self.data, self._at, self._end, self.coding.explicit, self.coding.order
        heads = _unpacker(data, Struct(order + ("HH2sH" if explicit else "HHI")))
        longs = _unpacker(data, Struct(order + "I"))
        while at + 8 <= end:
            value = at + 8
            if explicit:
                group, number, raw_vr, length = heads(data, at)
                if raw_vr not in SHORT_VRS and self._is_long(group, raw_vr):
                    (length,) = longs(data, value)
                    value += 4
                tag = group << 16 | number
                vr = raw_vr.decode("latin-1")
            else:
                group, number, length = heads(data, at)
                tag = group << 16 | number
                vr = vr_of(tag)
            if group == 0xFFFE:
                return
            if tag in PIXEL_TAGS and self.depth == 0:
                yield Element(tag, vr, value, len(data) - value if length == _UNDEFINED else length)
                return
            if vr == "SQ" or length == _UNDEFINED:
                coding = _IMPLICIT if vr == "UN" else self.coding
                try:
                    items, at = self._items(value, length, coding)
                except InputError:
                    if length == _UNDEFINED or value + length > end:
                        raise
                    # Its length still says where the next element is.
                    at = value + length
                    yield Element(tag, "UN", value, length)
                    continue
                yield Element(tag, vr, value, at - value, items)
                continue
            at = value + length
            if at > end:
                raise InputError(TRUNCATED)
            yield Element(tag, vr, value, length)

    def _is_long(self, group: int, vr: bytes) -> bool:
        """Whether the length takes four bytes, where it is not one of two."""
        # Delimiters have no VR, nor have zeros that pad a file; of another the length can't be known.
        if vr not in LONG_VRS and group != 0xFFFE and (self.depth or vr != b"\0\0"):
            raise InputError(TRUNCATED)
        return vr in LONG_VRS

    def _items(self, at: int, length: int, coding: Coding) -> tuple[list[Walk], int]:
        """The items of a sequence, and the offset behind it."""
        if self.depth >= DEEPEST:
            raise InputError(TRUNCATED)
        end = self._end if length == _UNDEFINED else at + length
        tags = _unpacker(self.data, Struct(coding.order + "HHI"))
        found: list[Walk] = []
        while at + 8 <= end:
            group, number, size = tags(self.data, at)
            tag = group << 16 | number
            at += 8
            if tag == SEQUENCE_END:
                return found, at
            if tag != ITEM:
                raise InputError(TRUNCATED)
            stop = at + size if size != _UNDEFINED else self._item_end(at, coding)
            if stop > end:
                raise InputError(TRUNCATED)
            found.append(Walk(self.data, at, stop, coding, self.depth + 1))
            at = stop if size != _UNDEFINED else stop + 8
        return found, at

    def _item_end(self, at: int, coding: Coding) -> int:
        """Where the delimiter of an item of undefined length stands."""
        walk = Walk(self.data, at, self._end, coding, self.depth + 1)
        stop = at
        for element in walk:
            stop = element.at + element.length
        group, number, _ = _unpacker(self.data, Struct(coding.order + "HHI"))(self.data, stop)
        if group << 16 | number != ITEM_END:
            raise InputError(TRUNCATED)
        return stop


def _unpacker(data: Bytes, form: Struct) -> Unpacked:
    return data.unpacker(form) if isinstance(data, FileBytes) else form.unpack_from


@cache
def vr_of(tag: int) -> str:
    """The VR that the dictionary gives a tag, for files that do not say; of private ones nothing is known."""
    if tag >> 16 & 1:
        return "LO" if 0x10 <= tag & 0xFFFF <= 0xFF else "UN"
    if not tag & 0xFFFF:
        return "UL"
    from pydicom.datadict import dictionary_VR  # noqa: PLC0415 - needed for implicit VR only, and slow to load

    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"
