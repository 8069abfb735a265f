"""One frame of stored pixels, read by seeking to it (PS3.5 8.1, A.4)."""

from __future__ import annotations

import struct
from typing import BinaryIO

import numpy as np

from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.problems import NO_FRAME_BOUNDS, NO_PIXELS, NO_SUCH_FRAME
from bingcheng.core.errors import InputError
from bingcheng.dicom.index.elements import ITEM

Place = tuple[int, int]
"""Offset in the file, and length."""


def frame(stream: BinaryIO, instance: Instance, number: int) -> bytes:
    """The bytes of a frame, counted from 1; fragments of one frame are joined.

    A frame of single bits that does not begin on a byte is moved so that it does.
    """
    if instance.pixel_offset is None:
        raise InputError(NO_PIXELS)
    if not 1 <= number <= instance.frame_count:
        raise InputError(NO_SUCH_FRAME, number=number, count=instance.frame_count)
    if instance.pixel_length is None:
        return b"".join(_read(stream, place) for place in _fragments_of(stream, instance, number))
    return _native(stream, instance, instance.pixel_length, number)


def _read(stream: BinaryIO, place: Place) -> bytes:
    stream.seek(place[0])
    return stream.read(place[1])


def _native(stream: BinaryIO, instance: Instance, length: int, number: int) -> bytes:
    shape = (instance.rows, instance.columns, instance.bits_allocated)
    if instance.frame_count == 1:
        return _read(stream, (instance.pixel_offset or 0, length))
    if None in shape:
        raise InputError(NO_FRAME_BOUNDS)
    bits = (instance.rows or 0) * (instance.columns or 0) * (instance.samples or 1) * (instance.bits_allocated or 0)
    first = bits * (number - 1)
    start, over = divmod(first, 8)
    end = -(-(first + bits) // 8)
    if end > length:
        raise InputError(NO_FRAME_BOUNDS)
    read = _read(stream, ((instance.pixel_offset or 0) + start, end - start))
    if not over and not bits % 8:
        return read
    # PS3.5 8.1.1: bits of one frame follow those of the one before it, the least significant of a byte first.
    spread = np.unpackbits(np.frombuffer(read, dtype=np.uint8), bitorder="little")[over : over + bits]
    return np.packbits(spread, bitorder="little").tobytes()


def _fragments_of(stream: BinaryIO, instance: Instance, number: int) -> list[Place]:
    table, fragments = _fragments(stream, instance.pixel_offset or 0)
    count = instance.frame_count
    if count == 1:
        return fragments
    if len(fragments) == count:
        return [fragments[number - 1]]
    if len(table) != count:
        raise InputError(NO_FRAME_BOUNDS)
    # Offsets are those of an item's tag, from the first byte behind the table (PS3.5 A.4).
    base = fragments[0][0] - 8 if fragments else 0
    first = base + table[number - 1]
    last = base + table[number] if number < count else None
    return [place for place in fragments if place[0] - 8 >= first and (last is None or place[0] - 8 < last)]


def _fragments(stream: BinaryIO, at: int) -> tuple[tuple[int, ...], list[Place]]:
    """The basic offset table, and where the fragments lie."""
    table: tuple[int, ...] = ()
    places: list[Place] = []
    first = True
    while True:
        stream.seek(at)
        group, element, length = struct.unpack("<HHI", stream.read(8))
        if group << 16 | element != ITEM:
            return table, places
        at += 8
        if first:
            table = struct.unpack(f"<{length // 4}I", stream.read(length // 4 * 4))
            first = False
        else:
            places.append((at, length))
        at += length
