"""The one thing of Exif that a picture needs to be seen as it was: how it is turned.

A turned picture keeps its pixels, and an Exif block that says nothing else (Exif 2.32, 4.6.2; TIFF 6.0, section 2).
"""

from __future__ import annotations

import struct

UPRIGHT = 1
_ORIENTATION, _PLACE, _THUMBNAIL, _SHORT = 0x0112, 0x8825, 0x0201, 3
_ENTRY = 12
_MOST_ENTRIES = 1000


def orientation_of(tiff: bytes) -> int:
    """How the picture is turned, 1 to 8; 1 (upright) where that is not said or not understood."""
    found = _entries(tiff, 0)
    said = found[0].get(_ORIENTATION, UPRIGHT)
    return said if 1 <= said <= 8 else UPRIGHT


def tells_place(tiff: bytes) -> bool:
    """Whether it says where the picture was made."""
    return _PLACE in _entries(tiff, 0)[0]


def has_thumbnail(tiff: bytes) -> bool:
    """Whether it holds a smaller picture, in the second directory."""
    _, following = _entries(tiff, 0)
    return bool(following) and _THUMBNAIL in _entries(tiff, following)[0]


def turned(orientation: int) -> bytes:
    """An Exif block (TIFF) that says how a picture is turned, and nothing else."""
    entry = struct.pack(">HHIHH", _ORIENTATION, _SHORT, 1, orientation, 0)
    return b"MM\0*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 0)


def _entries(tiff: bytes, at: int) -> tuple[dict[int, int], int]:
    """Tags of a directory with the first short of their values, and where the next directory is (0: none).

    `at` 0 means the first one. What is not understood is as if it weren't there: it is taken out anyway.
    """
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    try:
        if order is None:
            return {}, 0
        at = at or struct.unpack_from(f"{order}I", tiff, 4)[0]
        (count,) = struct.unpack_from(f"{order}H", tiff, at)
        if count > _MOST_ENTRIES:
            return {}, 0
        read = (struct.unpack_from(f"{order}HHIH", tiff, at + 2 + number * _ENTRY) for number in range(count))
        found = {tag: value for tag, _, _, value in read}
        return found, struct.unpack_from(f"{order}I", tiff, at + 2 + count * _ENTRY)[0]
    except struct.error:
        return {}, 0
