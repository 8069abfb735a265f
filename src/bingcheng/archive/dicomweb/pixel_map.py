"""Where the frames of a stored file lie, so that one of them is read without the rest."""

from __future__ import annotations

import os
import struct
import zlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import BinaryIO

from bingcheng.archive.dicomweb.problems import NO_PICTURE
from bingcheng.archive.objects.problems import NO_FRAME_BOUNDS, NO_PIXELS
from bingcheng.core.errors import InputError
from bingcheng.dicom.index.elements import (
    DEFLATED,
    ITEM,
    SEQUENCE_END,
    Broken,
    Elements,
    NotDicom,
    dataset_start,
    read_elements,
    scan,
)
from bingcheng.dicom.index.values import count_of, integer, plain

EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
IMPLICIT_LITTLE = "1.2.840.10008.1.2"
NATIVE = frozenset((IMPLICIT_LITTLE, EXPLICIT_LITTLE, "1.2.840.10008.1.2.2", DEFLATED))

_SAMPLES, _PHOTOMETRIC, _PLANAR, _FRAMES = 0x00280002, 0x00280004, 0x00280006, 0x00280008
_ROWS, _COLUMNS, _ALLOCATED, _STORED = 0x00280010, 0x00280011, 0x00280100, 0x00280101
_HIGHEST, _SIGNED = 0x00280102, 0x00280103
FLOATS = frozenset((0x7FE00008, 0x7FE00009))
"""Float and Double Float Pixel Data (PS3.3 C.7.6.24, C.7.6.25)."""
_OFFSETS, _LENGTHS = 0x7FE00001, 0x7FE00002
_WANTED = frozenset(
    (
        *(_SAMPLES, _PHOTOMETRIC, _PLANAR, _FRAMES, _ROWS, _COLUMNS),
        *(_ALLOCATED, _STORED, _HIGHEST, _SIGNED, _OFFSETS, _LENGTHS),
    )
)
_ENDINGS = (b"\xff\xd9", b"\xff\xd9\0")
"""End of a JPEG, JPEG-LS or JPEG 2000 stream, padded or not."""

PREFIX = 1024
"""Bytes in which a file says that it is deflated: the preamble and a meta header, which is a few hundred."""
LARGEST_INFLATED = 512 << 20
"""Bytes of a dataset that is inflated in memory."""

Piece = tuple[int, int]
"""Offset in the file and length, in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelMap:
    """The pixel element of a file: how its values are written, and where each frame is.

    Parameters
    ----------
    syntax : UID of the transfer syntax.
    photometric, rows, columns, samples, bits_allocated, bits_stored, signed : the header's (PS3.3 C.7.6.3).
    high_bit : of the stored value; what stands below it is none, as what stands above it.
    floating : whether the values are floating point numbers.
    planar : whether each colour has a plane of its own.
    frame_count : at least 1.
    little : byte order of native pixels.
    at, length : of native pixels; offset in the inflated dataset where the file is deflated.
    pieces : of encapsulated pixels, the fragments of each frame.
    """

    syntax: str
    photometric: str
    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    signed: bool
    planar: bool
    frame_count: int
    little: bool
    at: int
    length: int | None
    pieces: tuple[tuple[Piece, ...], ...] = ()
    high_bit: int | None = None
    floating: bool = False

    @property
    def encapsulated(self) -> bool:
        """Whether the frames are compressed streams."""
        return self.length is None

    @property
    def frame_bits(self) -> int:
        """Of one frame without compression."""
        if self.photometric == "YBR_FULL_422" and not self.encapsulated:
            # Two chroma samples are shared by two pixels (PS3.3 C.7.6.3.1.2).
            return self.rows * self.columns * 2 * self.bits_allocated
        return self.rows * self.columns * self.samples * self.bits_allocated


class PixelMaps:
    """The maps of files that were asked for lately; safe to use from many threads.

    Parameters
    ----------
    most : how many are kept.
    """

    def __init__(self, most: int = 2048) -> None:
        self._most = most
        self._kept: OrderedDict[str, PixelMap] = OrderedDict()
        self._lock = Lock()

    def of(self, key: str, opened: Callable[[], BinaryIO]) -> PixelMap:
        """The map of the file known as `key`, whose content never changes under that name.

        Raises
        ------
        InputError
            See `pixel_map`.
        """
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
                return known
        with opened() as stream:
            found = pixel_map(stream)
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return found


def pixel_map(stream: BinaryIO) -> PixelMap:
    """Where the frames of a file lie.

    Raises
    ------
    InputError
        ``archive.no-picture``, ``archive.no-pixel-data``, ``archive.no-frame-bounds``.
    """
    try:
        found = _elements(stream)
    except (Broken, NotDicom) as error:
        raise InputError(NO_PICTURE, why="damaged") from error
    if found.pixels_at is None:
        raise InputError(NO_PIXELS)
    get, coding = found.values.get, found.coding
    frames = max(1, integer(get(_FRAMES)) or 1)
    pieces: tuple[tuple[Piece, ...], ...] = ()
    if found.pixels_length is None:
        pieces = _grouped(stream, found, frames)
    return PixelMap(
        syntax=found.transfer_syntax or (EXPLICIT_LITTLE if coding.explicit else IMPLICIT_LITTLE),
        photometric=(plain(get(_PHOTOMETRIC)) or "MONOCHROME2").upper(),
        rows=count_of(get(_ROWS), coding) or 0,
        columns=count_of(get(_COLUMNS), coding) or 0,
        samples=count_of(get(_SAMPLES), coding) or 1,
        bits_allocated=count_of(get(_ALLOCATED), coding) or 8,
        bits_stored=count_of(get(_STORED), coding) or count_of(get(_ALLOCATED), coding) or 8,
        signed=count_of(get(_SIGNED), coding) == 1,
        planar=count_of(get(_PLANAR), coding) == 1,
        frame_count=frames,
        little=coding.little,
        at=found.pixels_at,
        length=found.pixels_length,
        pieces=pieces,
        high_bit=count_of(get(_HIGHEST), coding),
        floating=found.pixels_tag in FLOATS,
    )


def _elements(stream: BinaryIO) -> Elements:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    begins = stream.read(PREFIX)
    if DEFLATED.encode() in begins:
        data = inflated(stream)
        return replace(scan(data, len(data), _WANTED), transfer_syntax=DEFLATED)
    stream.seek(0)
    return read_elements(stream, size, _WANTED)


def inflated(stream: BinaryIO) -> bytes:
    """The dataset of a deflated file, as long as it is not longer than `LARGEST_INFLATED`.

    Raises
    ------
    InputError
        ``archive.no-picture``.
    """
    stream.seek(0)
    data = stream.read()
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        found = inflater.decompress(data[dataset_start(data, len(data)) :], LARGEST_INFLATED)
    except (zlib.error, struct.error, IndexError, Broken, NotDicom) as error:
        raise InputError(NO_PICTURE, why="damaged") from error
    if not inflater.eof:
        raise InputError(NO_PICTURE, why="too large")
    return found


def _grouped(stream: BinaryIO, found: Elements, frames: int) -> tuple[tuple[Piece, ...], ...]:
    """The fragments of each frame (PS3.5 A.4).

    One frame has all of them; as many fragments as frames is one each; else the offset table tells, extended or
    basic; and without a table, the ends of the streams.
    """
    start = found.pixels_at or 0
    table, fragments = _fragments(stream, start)
    if not fragments:
        raise InputError(NO_PIXELS)
    if frames == 1:
        return (tuple(fragments),)
    if len(fragments) == frames:
        return tuple((one,) for one in fragments)
    extended = found.values.get(_OFFSETS)
    if extended is not None and len(extended) == 8 * frames:
        return _by_offsets(fragments, struct.unpack(f"<{frames}Q", extended))
    if len(table) == 4 * frames:
        return _by_offsets(fragments, struct.unpack(f"<{frames}I", table))
    grouped = _by_endings(stream, fragments)
    if len(grouped) != frames:
        raise InputError(NO_FRAME_BOUNDS)
    return grouped


def _fragments(stream: BinaryIO, at: int) -> tuple[bytes, list[Piece]]:
    """The basic offset table, and where each fragment lies; a cut-off sequence ends with what is whole."""
    size = stream.seek(0, os.SEEK_END)
    table: bytes | None = None
    found: list[Piece] = []
    while at + 8 <= size:
        stream.seek(at)
        group, element, length = struct.unpack("<HHI", stream.read(8))
        tag = group << 16 | element
        at += 8
        if tag == SEQUENCE_END:
            break
        if tag != ITEM or at + length > size:
            raise InputError(NO_PICTURE, why="damaged")
        if table is None:
            table = stream.read(length)
        else:
            found.append((at, length))
        at += length
    return table or b"", found


def _by_offsets(fragments: Sequence[Piece], offsets: Sequence[int]) -> tuple[tuple[Piece, ...], ...]:
    """Fragments by the frame whose offset they reach; offsets count from the first fragment's item tag."""
    origin = fragments[0][0] - 8
    places = {place - 8 - origin: number for number, (place, _) in enumerate(fragments)}
    try:
        starts = [places[offset] for offset in offsets]
    except KeyError:
        raise InputError(NO_PICTURE, why="damaged") from None
    ends = [*starts[1:], len(fragments)]
    if any(end <= start for start, end in zip(starts, ends, strict=True)):
        raise InputError(NO_PICTURE, why="damaged")
    return tuple(tuple(fragments[start:end]) for start, end in zip(starts, ends, strict=True))


def _by_endings(stream: BinaryIO, fragments: Sequence[Piece]) -> tuple[tuple[Piece, ...], ...]:
    frames: list[tuple[Piece, ...]] = []
    current: list[Piece] = []
    for at, length in fragments:
        current.append((at, length))
        stream.seek(at + max(0, length - 3))
        if stream.read(min(3, length)).endswith(_ENDINGS):
            frames.append(tuple(current))
            current = []
    if current:
        frames.append(tuple(current))
    return tuple(frames)
