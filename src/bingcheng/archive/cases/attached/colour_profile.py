"""A colour profile without names: the tags that colours are computed by, under a header and a description of ours.

Profiles of screens are called after people and computers. ICC.1:2022 (profile version 4.4) and ICC.1:2001-04 (2.4).
"""

from __future__ import annotations

import struct

LARGEST = 4 << 20
_HEADER, _ENTRY, _MOST_TAGS = 128, 12, 100
_CLASSES = (b"mntr", b"scnr", b"prtr", b"spac")
# ICC.1:2022, 9.2: tags by which colours are computed; those left out say in words whose the profile is.
_TAGS = frozenset(
    (
        *(b"wtpt", b"bkpt", b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"chad", b"cicp"),
        *(b"A2B0", b"A2B1", b"A2B2", b"B2A0", b"B2A1", b"B2A2", b"gamt"),
    )
)
# 10: types of those tags that hold numbers alone.
_TYPES = frozenset((b"XYZ ", b"curv", b"para", b"sf32", b"mft1", b"mft2", b"mAB ", b"mBA ", b"cicp"))
_CALLED = "Colour profile"
_MADE = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)


def nameless(profile: bytes) -> bytes | None:
    """The same profile without names, dates and private parts; None of one that can't be understood."""
    if not _HEADER < len(profile) <= LARGEST or profile[36:40] != b"acsp" or profile[12:16] not in _CLASSES:
        return None
    try:
        kept = _kept(profile)
    except struct.error:
        return None
    return None if kept is None else _written(profile[:_HEADER], {**_described(new=profile[8] >= 4), **kept})


def _kept(profile: bytes) -> dict[bytes, bytes] | None:
    (count,) = struct.unpack_from(">I", profile, _HEADER)
    if not 0 < count <= _MOST_TAGS:
        return None
    found: dict[bytes, bytes] = {}
    for number in range(count):
        tag, at, size = struct.unpack_from(">4sII", profile, _HEADER + 4 + number * _ENTRY)
        data = profile[at : at + size]
        if at < _HEADER or len(data) != size:
            return None
        if tag in _TAGS and data[:4] in _TYPES:
            found[tag] = data
    return found or None


def _described(*, new: bool) -> dict[bytes, bytes]:
    """The description and the copyright that each profile must have (8.2), saying nothing."""
    if new:  # 10.15 multiLocalizedUnicodeType
        words = _CALLED.encode("utf-16-be")
        said = b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(words), 28) + words
        return {b"desc": said, b"cprt": said}
    words = _CALLED.encode("ascii") + b"\0"
    # ICC.1:2001-04, 6.5.17 textDescriptionType and 6.5.18 textType.
    described = b"desc\0\0\0\0" + struct.pack(">I", len(words)) + words + bytes(8 + 3 + 67)
    return {b"desc": described, b"cprt": b"text\0\0\0\0" + words}


def _written(header: bytes, tags: dict[bytes, bytes]) -> bytes:
    table, body, begin = [], bytearray(), _HEADER + 4 + len(tags) * _ENTRY
    for tag, data in tags.items():
        table.append(struct.pack(">4sII", tag, begin + len(body), len(data)))
        body += data + bytes(-len(data) % 4)
    # Kept of the header (7.2): version, class, colour spaces, how it is meant, the white of the connection space.
    said = bytes(4) + header[8:24] + _MADE + b"acsp" + bytes(16) + header[56:80] + bytes(48)
    return struct.pack(">I", begin + len(body)) + said + struct.pack(">I", len(tags)) + b"".join(table) + bytes(body)
