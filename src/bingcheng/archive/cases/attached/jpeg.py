"""A JPEG without what tells where it comes from. Its compressed data stays as it is: no pixel changes.

ITU-T T.81, B.1 and B.2: segments and their markers; T.871: JFIF; T.872, 6.5.3: the Adobe segment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from bingcheng.archive.cases.attached.colour_profile import nameless
from bingcheng.archive.cases.attached.orientation import (
    UPRIGHT,
    has_thumbnail,
    orientation_of,
    tells_place,
    turned,
)
from bingcheng.archive.cases.attached.taken import Taken, refuse
from bingcheng.core.wording import text

_BEGIN, _END, _SCAN = 0xD8, 0xD9, 0xDA
_JFIF, _EXIF, _ICC, _ADOBE, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
# Frames, tables, restart interval, number of lines: what a picture is decoded by (T.81, table B.1; not hierarchical).
_NEEDED = frozenset((*range(0xC0, 0xD0), 0xDB, 0xDC, 0xDD, _SCAN)) - {0xC8}
_FRAMES = _NEEDED & frozenset(range(0xC0, 0xD0)) - {0xC4, 0xCC}
_APPLICATION = frozenset((*range(0xE0, 0xF0), _COMMENT))
# What ends compressed data: a marker that is neither a stuffed byte nor a restart (B.1.1.5).
_AFTER_SCAN = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")
_EXIF_BEGINS, _ICC_BEGINS, _MOST_PARTS = b"Exif\0\0", b"ICC_PROFILE\0", 255


@dataclass(slots=True)
class _Parts:
    """What is found: the segments that stay, and what the others said."""

    picture: list[bytes] = field(default_factory=list)
    jfif: bytes = b""
    adobe: bytes = b""
    orientation: int = UPRIGHT
    profile: dict[int, bytes] = field(default_factory=dict)
    frames: int = 0
    scans: int = 0
    taken: set[Taken] = field(default_factory=set)


def clean_jpeg(content: bytes, *, bare: bool = False) -> tuple[bytes, frozenset[Taken]]:
    """The picture alone, and what was taken out.

    Parameters
    ----------
    bare : without its turn and colour profile: of a picture within a PDF, where readers heed neither.

    Raises
    ------
    InputError
        ``archive.attachment-not-cleaned``.
    """
    found = _Parts()
    for marker, segment in _segments(content, found.taken):
        _sort(found, marker, segment)
    if found.frames != 1 or not found.scans:
        refuse(text("it is no whole picture"))
    head = [b"\xff\xd8", found.jfif]
    if not bare:
        head.append(_turn(found.orientation))
        head.extend(_profile(found))
    return b"".join((*head, found.adobe, *found.picture, b"\xff\xd9")), frozenset(found.taken)


def _segments(content: bytes, taken: set[Taken]) -> Iterator[tuple[int, bytes]]:
    """Each marker with its whole segment and the compressed data after it; to the end of the picture."""
    at = 2
    while True:
        begin = at
        while content[at : at + 1] == b"\xff":
            at += 1
        if at == begin or at >= len(content):
            refuse(text("it is damaged"))
        marker, at = content[at], at + 1
        if marker == _END:
            if content[at:].strip(b"\0"):
                taken.add(Taken.HIDDEN)
            return
        size = int.from_bytes(content[at : at + 2])
        end = at + size
        if marker not in _NEEDED | _APPLICATION or size < 2 or end > len(content):
            refuse(text("it is damaged"))
        if marker == _SCAN:
            following = _AFTER_SCAN.search(content, end)
            if following is None:
                refuse(text("it is damaged"))
            end = following.start()
        yield marker, b"\xff" + bytes((marker,)) + content[at:end]
        at = end


def _sort(found: _Parts, marker: int, segment: bytes) -> None:
    said = segment[4:]
    if marker in _NEEDED:
        found.frames += marker in _FRAMES
        found.scans += marker == _SCAN
        found.picture.append(segment)
    elif marker == _JFIF and said.startswith(b"JFIF\0"):
        # Version and density; the sizes of the thumbnail as none (T.871, 10.1).
        found.jfif = b"\xff\xe0\x00\x10" + said[:12].ljust(12, b"\0") + b"\0\0"
        found.taken |= {Taken.THUMBNAIL} if said[12:14].strip(b"\0") else set()
    elif marker == _EXIF and said.startswith(_EXIF_BEGINS):
        _exif(found, said[len(_EXIF_BEGINS) :])
    elif marker == _ICC and said.startswith(_ICC_BEGINS) and len(said) > len(_ICC_BEGINS) + 2:
        found.profile[said[len(_ICC_BEGINS)]] = said[len(_ICC_BEGINS) + 2 :]
    elif marker == _ADOBE and said.startswith(b"Adobe") and len(said) >= 12:
        # How colours are coded: without it they would be wrong.
        found.adobe = b"\xff\xee\x00\x0e" + said[:12]
    else:
        found.taken.add(_kind(marker, said))


def _exif(found: _Parts, tiff: bytes) -> None:
    found.orientation = orientation_of(tiff)
    if tiff != turned(found.orientation):
        found.taken.add(Taken.CAMERA)
    found.taken |= {Taken.PLACE} if tells_place(tiff) else set()
    found.taken |= {Taken.THUMBNAIL} if has_thumbnail(tiff) else set()


def _kind(marker: int, said: bytes) -> Taken:
    if marker == _COMMENT:
        return Taken.WORDS
    if marker == _JFIF:
        return Taken.THUMBNAIL  # JFXX
    if said.startswith((b"http://ns.adobe.com/", b"Photoshop ")):
        return Taken.DESCRIPTION
    return Taken.HIDDEN


def _turn(orientation: int) -> bytes:
    if orientation == UPRIGHT:
        return b""
    said = _EXIF_BEGINS + turned(orientation)
    return b"\xff\xe1" + (len(said) + 2).to_bytes(2) + said


def _profile(found: _Parts) -> list[bytes]:
    """The colour profile without names, in parts of the size that a segment has (ICC.1:2022, B.4)."""
    if not found.profile:
        return []
    before = b"".join(found.profile[number] for number in sorted(found.profile))
    profile = nameless(before)
    if profile != before:
        found.taken.add(Taken.PROFILE)
    if profile is None:
        return []
    most = 65_000
    parts = [profile[at : at + most] for at in range(0, len(profile), most)][:_MOST_PARTS]
    return [
        b"\xff\xe2" + (len(part) + 16).to_bytes(2) + _ICC_BEGINS + bytes((number, len(parts))) + part
        for number, part in enumerate(parts, start=1)
    ]
