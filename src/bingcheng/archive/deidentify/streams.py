"""Pixel values reduced to pixels: comments, application segments, boxes, and what stands behind them, go.

Nothing that an image needs is touched; a stream that holds nothing else keeps its bytes. Every transfer syntax is
either known here or refused: what can't be walked through may hold anything.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from functools import partial

from bingcheng.archive.deidentify.blank import written_anew
from bingcheng.archive.deidentify.elements import EXPLICIT, Element, Object
from bingcheng.archive.deidentify.jpeg_2000_stream import jpeg_2000
from bingcheng.archive.deidentify.jpeg_stream import jpeg
from bingcheng.archive.deidentify.native import (
    OFFSETS,
    PIXEL_TAGS,
    PIXELS,
    in_byte_order,
    layout,
    pixel_element,
    stated_frames,
)
from bingcheng.archive.deidentify.problems import PIXELS_NOT_READ, UNKNOWN_SYNTAX
from bingcheng.archive.deidentify.run_lengths import run_lengths
from bingcheng.archive.deidentify.walked import Walked
from bingcheng.core.errors import InputError
from bingcheng.dicom.index.elements import BIG_ENDIAN, IMPLICIT

NATIVE = frozenset((IMPLICIT, EXPLICIT, BIG_ENDIAN))
_RLE = "1.2.840.10008.1.2.5"
_JPEG = re.compile(r"1\.2\.840\.10008\.1\.2\.4\.(?:5[0-9]|6[0-6]|70|80|81)")
_JPEG_2000 = re.compile(r"1\.2\.840\.10008\.1\.2\.4\.(?:9[0-3]|20[1-3])")
_ITEM_HEAD = 8


def is_known(syntax: str) -> bool:
    """Whether objects in a transfer syntax can be looked through; films and those that only point elsewhere can't."""
    return syntax in NATIVE or syntax == _RLE or bool(_JPEG.fullmatch(syntax) or _JPEG_2000.fullmatch(syntax))


def without_others(found: Object) -> None:
    """Take all that is no pixel out of the pixel value, in place.

    Raises
    ------
    InputError
        ``archive.deidentify-unknown-syntax``; ``archive.pixels-not-read`` for pixels that can't be walked through, that
        aren't written as their transfer syntax says, or that are there twice.
    """
    if not is_known(found.syntax):
        raise InputError(UNKNOWN_SYNTAX)
    several = [one for one in found.elements if one.tag in PIXEL_TAGS]
    if not several:
        found.elements = [one for one in found.elements if one.tag not in OFFSETS]
        if found.syntax not in NATIVE:
            found.syntax = EXPLICIT if found.explicit else IMPLICIT
        return
    element = several[0]
    if (
        len(several) > 1
        or element.encapsulated is (found.syntax in NATIVE)
        or (element.encapsulated and _floats(element))
    ):
        raise InputError(PIXELS_NOT_READ)
    if element.encapsulated:
        _compressed(found, element)
    else:
        _native(found, element)


def _floats(element: Element) -> bool:
    return element.tag != PIXELS


def _native(found: Object, element: Element) -> None:
    """Cut what stands behind the pixels."""
    found.elements = [one for one in found.elements if one.tag not in OFFSETS]
    if found.number(0x00280100) == 1 and not _floats(element):  # a segmentation: eight pixels in a byte (PS3.5 8.1.1)
        count = stated_frames(found) * found.number(0x00280010) * found.number(0x00280011)
        length = (count + 7) // 8
        element.value = element.value[: length + length % 2]
        return
    form = layout(found)
    length = form.bits_allocated // 8
    for size in form.shape:
        length *= size
    if not length or len(element.value) < length:
        raise InputError(PIXELS_NOT_READ)
    if len(element.value) > length:
        ordered = in_byte_order(found, form, element.value)[:length] + bytes(length % 2)
        element.value = in_byte_order(found, form, ordered)


def _compressed(found: Object, element: Element) -> None:
    walk, frame_count = _walk_of(found), stated_frames(found)
    try:
        table, fragments = _fragments(element.value)
        streams = _streams(table, fragments, frame_count)
        walked = [walk(one) for one in streams]
    except (struct.error, IndexError, ValueError) as error:
        raise InputError(PIXELS_NOT_READ) from error
    if any(one.reads_as_text for one in walked):
        written_anew(found)
        return
    bare = [one.stream for one in walked]
    if bare == streams and table in (b"", _table(fragments)) and _offsets_hold(found, fragments):
        return
    found.elements = [one for one in found.elements if one.tag not in OFFSETS]
    element.value = _item(b"") + b"".join(map(_item, bare))


def streams(found: Object) -> list[bytes]:
    """The stream of each frame of compressed pixels.

    Raises
    ------
    InputError
        ``archive.pixels-not-read``.
    """
    try:
        table, fragments = _fragments(pixel_element(found).value)
        return _streams(table, fragments, stated_frames(found))
    except (struct.error, IndexError) as error:
        raise InputError(PIXELS_NOT_READ) from error


def _walk_of(found: Object) -> Callable[[bytes], Walked]:
    rows, columns = found.number(0x00280010), found.number(0x00280011)
    if found.syntax == _RLE:
        return partial(run_lengths, plane=rows * columns)
    return partial(jpeg if _JPEG.fullmatch(found.syntax) else jpeg_2000, rows=rows, columns=columns)


def _offsets_hold(found: Object, fragments: Sequence[bytes]) -> bool:
    """Whether extended tables say what is so (PS3.3 C.7.6.3.1.8): eight bytes a frame, in which much can be written."""
    at, begins = 0, []
    for one in fragments:
        begins.append(at)
        at += _ITEM_HEAD + len(one)
    lengths = [len(one) for one in fragments]
    true = dict(zip(sorted(OFFSETS), (begins, lengths, [sum(lengths)]), strict=True))
    return all(
        one.value == struct.pack(f"<{len(true[one.tag])}Q", *true[one.tag]) for one in found.elements if one.tag in true
    )


def _fragments(value: bytes) -> tuple[bytes, list[bytes]]:
    at, items = 0, []
    while at + _ITEM_HEAD <= len(value):
        length = struct.unpack_from("<I", value, at + 4)[0]
        items.append(value[at + _ITEM_HEAD : at + _ITEM_HEAD + length])
        at += _ITEM_HEAD + length
    return items[0], items[1:]


def _streams(table: bytes, fragments: list[bytes], frame_count: int) -> list[bytes]:
    """The stream of each frame."""
    if len(fragments) == frame_count:
        return fragments
    if frame_count == 1:
        return [b"".join(fragments)]
    starts = struct.unpack(f"<{frame_count}I", table)
    streams: list[bytes] = []
    at = 0
    for one in fragments:
        if at in starts:
            streams.append(b"")
        streams[-1] += one
        at += _ITEM_HEAD + len(one)
    if len(streams) != frame_count:
        raise ValueError
    return streams


def _table(fragments: Sequence[bytes]) -> bytes:
    """The offsets of fragments of which each is a frame (PS3.5 A.4)."""
    at, offsets = 0, []
    for one in fragments:
        offsets.append(at & 0xFFFFFFFF)
        at += _ITEM_HEAD + len(one)
    return struct.pack(f"<{len(offsets)}I", *offsets)


def _item(value: bytes) -> bytes:
    padded = value + bytes(len(value) % 2)
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(padded)) + padded
