"""A PNG without what tells where it comes from. Its compressed data stays as it is: no pixel changes.

Portable Network Graphics (PNG) Specification, third edition (W3C, 2025), 5 and 11.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from bingcheng.archive.cases.attached.colour_profile import LARGEST, nameless
from bingcheng.archive.cases.attached.orientation import UPRIGHT, orientation_of, tells_place, turned
from bingcheng.archive.cases.attached.taken import Taken, refuse
from bingcheng.core.wording import text

_SIGNATURE = 8
# What a picture is decoded and shown by; of a moving one its first, still picture stays.
_KEPT = frozenset(
    (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"sBIT", b"sRGB", b"cICP", b"bKGD", b"pHYs")
)
_WORDS: Mapping[bytes, Taken] = MappingProxyType(
    {b"tEXt": Taken.WORDS, b"zTXt": Taken.WORDS, b"iTXt": Taken.WORDS, b"tIME": Taken.DESCRIPTION}
)
_XMP = b"XML:com.adobe.xmp\0"


def clean_png(content: bytes) -> tuple[bytes, frozenset[Taken]]:
    """The picture alone, and what was taken out.

    Raises
    ------
    InputError
        ``archive.attachment-not-cleaned``.
    """
    made, taken = [content[:_SIGNATURE]], set[Taken]()
    names = []
    for name, data in _chunks(content, taken):
        names.append(name)
        if name in _KEPT:
            made.append(_chunk(name, data))
        elif name == b"iCCP":
            made.append(_profile(data, taken))
        elif name == b"eXIf":
            made.append(_turn(data, taken))
        elif (
            name[0] & 0x20 == 0
        ):  # a critical chunk (5.4) that isn't known: what is shown without it isn't known either
            refuse(text("it is damaged"))
        else:
            taken.add(Taken.DESCRIPTION if data.startswith(_XMP) else _WORDS.get(name, Taken.HIDDEN))
    if names[:1] != [b"IHDR"] or b"IDAT" not in names or names[-1] != b"IEND":
        refuse(text("it is no whole picture"))
    return b"".join(made), frozenset(taken)


def _chunks(content: bytes, taken: set[Taken]) -> Iterator[tuple[bytes, bytes]]:
    at = _SIGNATURE
    while True:
        size, name = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        end = at + 12 + size
        if len(name) < 4 or end > len(content):
            refuse(text("it is damaged"))
        data = content[at + 8 : end - 4]
        if zlib.crc32(name + data) != int.from_bytes(content[end - 4 : end]):
            refuse(text("it is damaged"))
        yield name, data
        at = end
        if name == b"IEND":
            if at < len(content):
                taken.add(Taken.HIDDEN)
            return


def _chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)


def _profile(data: bytes, taken: set[Taken]) -> bytes:
    """The colour profile (11.3.2.3): its name, 0, the method 0, then compressed."""
    called, _, packed = data.partition(b"\0")
    try:
        unpacking = zlib.decompressobj()
        before = unpacking.decompress(packed[1:], LARGEST + 1)
    except zlib.error:
        before = b""
    profile = nameless(before)
    if profile != before or called != b"ICC":
        taken.add(Taken.PROFILE)
    return b"" if profile is None else _chunk(b"iCCP", b"ICC\0\0" + zlib.compress(profile))


def _turn(data: bytes, taken: set[Taken]) -> bytes:
    orientation = orientation_of(data)
    if data != turned(orientation):
        taken.add(Taken.CAMERA)
    taken |= {Taken.PLACE} if tells_place(data) else set()
    return b"" if orientation == UPRIGHT else _chunk(b"eXIf", turned(orientation))
