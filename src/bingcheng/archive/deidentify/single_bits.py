"""Pixels of one bit each: packed without a gap, also between rows and frames (PS3.5 8.1.1, annex D)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bingcheng.archive.deidentify.elements import Object, plain
from bingcheng.archive.deidentify.problems import PIXELS_NOT_BLANKED
from bingcheng.core.errors import InputError

_PIXELS, _BITS_ALLOCATED, _FRAMES = 0x7FE00010, 0x00280100, 0x00280008
_MOST_FRAMES = 100_000


def are_single(found: Object) -> bool:
    """Whether pixels are of one bit, and not compressed."""
    one = found.first(_PIXELS)
    return one is not None and not one.encapsulated and found.number(_BITS_ALLOCATED) == 1


def unpacked(found: Object) -> NDArray[np.uint8]:
    """The pixels, (frames, rows, columns), zero or one.

    Raises
    ------
    InputError
        ``archive.pixels-not-blanked``.
    """
    shape = _shape(found)
    value, count = _value(found), math.prod(shape)
    if not count or len(value) * 8 < count:
        raise InputError(PIXELS_NOT_BLANKED)
    return np.unpackbits(np.frombuffer(value, np.uint8), count=count, bitorder="little").reshape(shape)


def put_back(found: Object, pixels: NDArray[np.uint8]) -> None:
    """Write the pixels over those of the object."""
    one = found.first(_PIXELS)
    if one is not None:
        packed = np.packbits(pixels.reshape(-1), bitorder="little").tobytes()
        one.value = _ordered(found, packed + bytes(len(packed) % 2))


def _shape(found: Object) -> tuple[int, int, int]:
    one = found.first(_FRAMES)
    said = plain(one.value) if one is not None else ""
    frames = int(said) if said.isascii() and said.isdecimal() and len(said) < len(str(_MOST_FRAMES)) else 1
    if found.number(0x00280002, 1) != 1:
        raise InputError(PIXELS_NOT_BLANKED)
    return max(1, frames), found.number(0x00280010), found.number(0x00280011)


def _value(found: Object) -> bytes:
    one = found.first(_PIXELS)
    return _ordered(found, one.value) if one is not None else b""


def _ordered(found: Object, value: bytes) -> bytes:
    """Bytes as they follow each other; in words of sixteen bits big endian swaps them."""
    one = found.first(_PIXELS)
    if found.little or one is None or one.vr != "OW":
        return value
    return np.frombuffer(value + bytes(len(value) % 2), dtype="<u2").byteswap().tobytes()
