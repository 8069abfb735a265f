"""The fragments of encapsulated pixels (PS3.5 A.4), of which nothing but their lengths is read."""

from __future__ import annotations

import struct
from collections.abc import Callable

from bingcheng.dicom.index.elements import ITEM, SEQUENCE_END, Broken

_HEAD = struct.Struct("<HHI")


def behind_fragments(read: Callable[[int, int], bytes | memoryview], at: int, size: int) -> int:
    """The offset behind the delimiter of the fragments that begin at `at`.

    Parameters
    ----------
    read : the bytes from one offset to another.
    size : of the whole file, in bytes.

    Raises
    ------
    Broken
        they don't end, or something else stands between them.
    """
    while at + _HEAD.size <= size:
        group, element, length = _HEAD.unpack(read(at, at + _HEAD.size))
        at += _HEAD.size
        tag = group << 16 | element
        if tag == SEQUENCE_END:
            return at
        if tag != ITEM:
            break
        at += length
    raise Broken
