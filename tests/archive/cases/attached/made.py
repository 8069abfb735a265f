"""Files that tell all they can of whose they are, in every place that a format has for it."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress

from PIL import Image, ImageCms

CANARY = "KANARI ZHANG"
"""What must not be left, in any encoding."""
PLACE = (39.0, 54.0, 12.3456)
TURNED = 6
XMP = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><dc:creator>{CANARY}</dc:creator></x:xmpmeta>'.encode()


def leaks(content: bytes) -> list[str]:
    """In which encodings the canary stands in what is stored, or in what is packed within it."""
    texts = [content, *_unpacked(content)]
    found = {"ascii": CANARY.encode(), "utf-16-le": CANARY.encode("utf-16-le"), "utf-16-be": CANARY.encode("utf-16-be")}
    found |= {"hex": CANARY.encode().hex().encode(), "hex16": CANARY.encode("utf-16-be").hex().encode()}
    return sorted(name for name, words in found.items() if any(words in one.replace(b"\n", b"") for one in texts))


def _unpacked(content: bytes) -> list[bytes]:
    """All that zlib can read, wherever it begins."""
    made, at = [], 0
    while (at := content.find(b"\x78", at)) >= 0:
        unpacking = zlib.decompressobj()
        with suppress(zlib.error):
            made.append(unpacking.decompress(content[at:], 1 << 22))
        at += 1
    return made


def picture(mode: str = "RGB", side: int = 24) -> Image.Image:
    """A picture of which no two pixels are alike."""
    made = Image.new("RGB", (side, side * 2))
    made.putdata([(x * 9, y * 5, (x * y) % 256) for y in range(side * 2) for x in range(side)])
    return made.convert(mode)


def exif() -> bytes:
    """An Exif block: names in ASCII and UTF-16, a place, a thumbnail, and how the picture is turned."""
    made = Image.Exif()
    made[0x010E], made[0x010F], made[0x013B], made[0x0112] = CANARY, CANARY, CANARY, TURNED
    made[0x9C9D] = CANARY.encode("utf-16-le")  # XPAuthor
    inner = made.get_ifd(0x8769)
    inner[0x9003], inner[0x9286] = "2024:01:02 03:04:05", b"UNICODE\0" + CANARY.encode("utf-16-le")
    place = made.get_ifd(0x8825)
    place[1], place[2], place[29] = "N", PLACE, CANARY
    return _with_thumbnail(made.tobytes())


def _with_thumbnail(block: bytes) -> bytes:
    """The same with a second directory, which holds a picture (Exif 2.32, 4.5.5)."""
    small = io.BytesIO()
    picture(side=4).save(small, "JPEG", comment=CANARY.encode())
    tiff = bytearray(block.removeprefix(b"Exif\0\0"))
    order = "<" if tiff[:2] == b"II" else ">"
    (first,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, first)
    struct.pack_into(f"{order}I", tiff, first + 2 + 12 * count, len(tiff))
    at = len(tiff) + 2 + 24 + 4
    tiff += struct.pack(f"{order}HHHIIHHIII", 2, 0x0201, 4, 1, at, 0x0202, 4, 1, len(small.getvalue()), 0)
    return b"Exif\0\0" + bytes(tiff) + small.getvalue()


def profile() -> bytes:
    """A colour profile that is called after somebody."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for _ in range(made.count("sRGB".encode("utf-16-be"))):
        at = made.find("sRGB".encode("utf-16-be"))
        made[at : at + 8] = "ZHAN".encode("utf-16-be")
    return bytes(made)


def jpeg(mode: str = "RGB", **more: object) -> bytes:
    """A JPEG with all of it."""
    stream = io.BytesIO()
    picture(mode).save(
        stream,
        "JPEG",
        quality=90,
        exif=exif(),
        icc_profile=profile(),
        comment=CANARY.encode(),
        xmp=XMP,
        dpi=(96, 96),
        **more,
    )
    said = stream.getvalue()
    extra = b""
    for marker, words in (
        (0xED, b"Photoshop 3.0\0" + CANARY.encode()),
        (0xEC, b"Ducky" + CANARY.encode("utf-16-be")),
        (0xE0, b"JFXX\0\x10" + CANARY.encode()),
        (0xE2, b"FPXR\0" + CANARY.encode()),
    ):
        extra += b"\xff" + bytes((marker,)) + (len(words) + 2).to_bytes(2) + words
    return said[:2] + extra + said[2:] + CANARY.encode("utf-16-le")


def png(mode: str = "RGB") -> bytes:
    """A PNG with all of it."""
    stream = io.BytesIO()
    picture(mode).save(stream, "PNG", exif=exif(), icc_profile=profile(), dpi=(96, 96))
    said = stream.getvalue()
    words = CANARY.encode()
    chunks = (
        (b"tEXt", b"Author\0" + words),
        (b"zTXt", b"Comment\0\0" + zlib.compress(words)),
        (b"iTXt", b"Title\0\0\0zh\0\0" + words),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
        (b"iTXt", b"Title\0\x01\0zh\0\0" + zlib.compress(words)),
        (b"tIME", bytes((7, 232, 1, 2, 3, 4, 5))),
        (b"prVt", words),
    )
    at = said.index(b"IDAT") - 4
    return said[:at] + b"".join(chunk(*one) for one in chunks) + said[at:] + words


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)
