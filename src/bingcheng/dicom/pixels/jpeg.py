"""Whether the header of a JPEG or JPEG-LS code stream is sound and fits the DICOM header.

Decoders written in C trust what a stream says of itself, and a damaged one can take the whole program down with it.
Each stream is therefore walked, marker by marker, up to its first scan, before a decoder sees it. Marker syntax:
ISO/IEC 10918-1 annex B (JPEG), 14495-1 annex C (JPEG-LS).
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator

BASELINE, EXTENDED, LOSSLESS, JPEG_LS = 0xC0, 0xC1, 0xC3, 0xF7
"""Start-of-frame markers, without their leading FF."""

_SOI, _SOS, _EOI, _DHT = 0xD8, 0xDA, 0xD9, 0xC4
_STANDALONE = frozenset((0x01, *range(0xD0, 0xD8)))
_LEAST = 0xC0
"""Below it nothing stands in a stream but what stands alone (table B.1); zero is no marker at all."""
_FORBIDDEN = (frozenset(range(0xC0, 0xD0)) - {_DHT, 0xC8, 0xCC}) | {_SOI, _EOI}
"""Frames of other processes, and another image, before the first scan."""


def is_sound(stream: bytes, *, kinds: Collection[int], rows: int, columns: int, bits: int) -> bool:
    """Whether a stream has one frame of one of `kinds`, of one component, of this size and with at most `bits` bits.

    Its Huffman tables must be possible ones, too. Entropy-coded data are not looked into.
    """
    try:
        return _walk(stream, kinds, (rows, columns, bits))
    except (struct.error, IndexError):
        return False


def _walk(stream: bytes, kinds: Collection[int], size: tuple[int, int, int]) -> bool:
    framed = False
    for marker, segment, _ in _segments(stream):
        if marker == _SOS:
            return framed and _scan_is_sound(segment, kinds)
        if marker in kinds:
            if framed or not _frame_fits(segment, size):
                return False
            framed = True
        elif marker in _FORBIDDEN or (marker == _DHT and not _tables_are_sound(segment)):
            return False
    return False


def _segments(stream: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Marker segments behind the start of the image, each with its offset; they end where one can't be."""
    at = 2 if stream[:2] == bytes((0xFF, _SOI)) else len(stream)
    while at + 4 <= len(stream) and stream[at] == 0xFF:
        marker = stream[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _STANDALONE:
            at += 2
        elif marker < _LEAST:
            return
        else:
            (length,) = struct.unpack_from(">H", stream, at + 2)
            segment = stream[at + 4 : at + 2 + length]
            if length < 2 or len(segment) != length - 2:
                return
            yield marker, segment, at + 4
            at += 2 + length


def _frame_fits(segment: bytes, size: tuple[int, int, int]) -> bool:
    """One component of the expected size; a precision that fits into what is allocated (B.2.2)."""
    precision, height, width, components = struct.unpack_from(">BHHB", segment)
    rows, columns, bits = size
    fits = (height, width, components) == (rows, columns, 1) and 2 <= precision <= min(bits, 16)
    # Sampling factors say nothing where there is one component, but decoders size their buffers by them.
    return fits and len(segment) == 9 and all(1 <= factor <= 4 for factor in divmod(segment[7], 16))


def _tables_are_sound(segment: bytes) -> bool:
    """Huffman tables: at most 256 codes, none longer than its length allows, filling the segment exactly (B.2.4.2)."""
    at = 0
    while at < len(segment):
        kind, place = divmod(segment[at], 16)
        counts = segment[at + 1 : at + 17]
        total = sum(counts)
        if kind > 1 or place > 3 or len(counts) != 16 or total > 256:
            return False
        room = 1
        for count in counts:
            room = 2 * room - count
            if room < 0:
                return False
        at += 17 + total
    return at == len(segment)


def _scan_is_sound(segment: bytes, kinds: Collection[int]) -> bool:
    """A scan of the one component, with parameters of its process (B.2.3; 14495-1 C.2.3)."""
    if len(segment) != 6 or segment[0] != 1:
        return False
    start, end, approximation = segment[3], segment[4], segment[5]
    if JPEG_LS in kinds:
        return end == 0 and approximation & 0xF0 == 0
    if LOSSLESS in kinds:
        return 1 <= start <= 7 and end == 0 and approximation < 16
    # A sequential scan has all coefficients (B.2.3: 0 to 63); some encoders of twelve bits leave the field empty.
    return (start, end, approximation) == (0, 63, 0) or (EXTENDED in kinds and (start, end, approximation) == (0, 0, 0))


def precision(stream: bytes) -> int:
    """Bits of a sample, as the frame of a sound stream says."""
    return next(segment[0] for marker, segment, _ in _segments(stream) if marker in (BASELINE, EXTENDED, LOSSLESS))


def with_whole_band(stream: bytes) -> bytes:
    """A sound sequential stream whose scan says that it has all coefficients: libjpeg complains where it doesn't."""
    scan = next(at for marker, _, at in _segments(stream) if marker == _SOS)
    return stream[: scan + 4] + bytes((63,)) + stream[scan + 5 :]
