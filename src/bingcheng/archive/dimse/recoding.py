"""Where the data set of a file begins, and a data set in another transfer syntax for peers that don't take its own."""

from __future__ import annotations

import struct
from typing import BinaryIO

from bingcheng.archive.dimse.negotiation import BIG_ENDIAN, EXPLICIT, IMPLICIT

_META = b"\x02\x00"
_LONG = frozenset((b"OB", b"OW", b"SQ", b"UN", b"UT", b"UC", b"UR", b"OD", b"OF", b"OL", b"OV", b"SV", b"UV"))


def to_data_set(file: BinaryIO) -> BinaryIO:
    """`file` itself, which then stands behind its meta header, where the data set begins (PS3.10 7.1)."""
    start = file.read(132)
    at = 132 if start[128:] == b"DICM" else 0
    file.seek(at)
    while True:
        head = file.read(8)
        if len(head) < 8 or head[:2] != _META:
            file.seek(at)
            return file
        at += 8
        length = struct.unpack("<H", head[6:])[0]
        if head[4:6] in _LONG:
            length = struct.unpack("<I", file.read(4))[0]
            at += 4
        at += length
        file.seek(at)


def recoded(file: BinaryIO, syntax: str) -> bytes:
    """The data set of `file` in Explicit or Implicit VR Little Endian, its pixels decompressed.

    Raises
    ------
    ValueError
        It can't be told faithfully: the pixels of a Big Endian object are not ours to swap.
    Exception
        Whatever the decoder of its pixels finds wrong.
    """
    # Only objects that a peer does not take as they are need them.
    from pydicom import dcmread  # noqa: PLC0415
    from pynetdicom.dsutils import encode  # noqa: PLC0415

    if syntax not in (EXPLICIT, IMPLICIT):
        raise ValueError(syntax)
    data_set = dcmread(file, force=True)
    stored = data_set.file_meta.TransferSyntaxUID
    if stored == BIG_ENDIAN:
        raise ValueError(stored)
    if stored.is_compressed and not stored.is_deflated and "PixelData" in data_set:
        data_set.decompress(generate_instance_uid=False)
    encoded = encode(data_set, syntax == IMPLICIT, True)
    if encoded is None:
        raise ValueError(stored)
    return encoded
