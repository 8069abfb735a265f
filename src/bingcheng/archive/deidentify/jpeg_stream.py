"""JPEG and JPEG-LS reduced to their picture: no comments, no foreign segments, nothing behind the end.

Only segments that a decoder needs stay, each as long as its content says (ITU-T T.81 annex B, T.87 annex C).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence

from bingcheng.archive.deidentify.walked import Walked, whole

_END, _SCAN, _COMMENT = 0xD9, 0xDA, 0xFE
_NEXT_MARKER = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
"""What ends entropy-coded data of JPEG and JPEG-LS: no stuffed byte, no restart marker (T.81 B.1.1.2, T.87 A.1)."""
_FRAMES = frozenset((0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA, 0xCB, 0xF7))
"""Starts of frames, not of hierarchical ones; the last is of JPEG-LS."""
_HUFFMAN, _ARITHMETIC, _QUANTISATION, _LINES, _INTERVAL, _PARAMETERS = 0xC4, 0xCC, 0xDB, 0xDC, 0xDD, 0xF8
_APPLICATIONS = range(0xE0, 0xF0)
_COLOURS: Sequence[tuple[int, bytes, int]] = ((0xE0, b"JFIF\0", 14), (0xEE, b"Adobe", 12), (0xE8, b"mrfx", 5))
"""Application segments by which a decoder knows the colours, and how long they are without thumbnails and the like."""
_HEAD = 4
"""Marker and length of a segment."""


def jpeg(stream: bytes, rows: int, columns: int) -> Walked:
    """A stream of JPEG or JPEG-LS without comments, foreign application segments and what follows its end.

    Parameters
    ----------
    rows, columns : of the picture; a larger one would show more than anybody looked at.

    Raises
    ------
    ValueError, IndexError, struct.error
        it can't be walked through.
    """
    if stream[:2] != b"\xff\xd8":
        raise ValueError
    kept, at = [stream[:2]], 2
    coded: list[bytes] = []
    while True:
        if stream[at] != 0xFF:
            raise ValueError
        marker = stream[at + 1]
        if marker == 0xFF:  # fill bytes
            at += 1
            continue
        if marker == _END:
            kept.append(stream[at : at + 2])
            return Walked(whole(kept, stream, at + 2), tuple(coded))
        end = at + 2 + struct.unpack_from(">H", stream, at + 2)[0]
        kept.append(_segment(marker, stream[at:end], (rows, columns)))
        at = end
        if marker == _SCAN:
            following = _NEXT_MARKER.search(stream, at)
            if following is None:
                raise ValueError
            coded.append(stream[at : following.start()])
            kept.append(coded[-1])
            at = following.start()


def _segment(marker: int, segment: bytes, size: tuple[int, int]) -> bytes:
    """What stays of a segment."""
    if marker == _COMMENT:
        return b""
    if marker in _APPLICATIONS:
        return _colours(marker, segment)
    content = segment[_HEAD:]
    if marker in _FRAMES:
        fits = len(content) == 6 + 3 * content[5] and _is_size(content, size)
    elif marker == _SCAN:
        fits = len(content) == 4 + 2 * content[0]
    else:
        fits = _is_table(marker, content)
    if not fits:
        raise ValueError(marker)
    return segment


def _colours(marker: int, segment: bytes) -> bytes:
    for known, begins, length in _COLOURS:
        if marker == known and segment[_HEAD:].startswith(begins) and len(segment) >= _HEAD + length:
            content = segment[_HEAD : _HEAD + length]
            if marker == 0xE0:  # no thumbnail follows
                content = content[:12] + bytes(2)
            return segment[:2] + struct.pack(">H", len(content) + 2) + content
    return b""


def _is_size(content: bytes, size: tuple[int, int]) -> bool:
    rows, columns = struct.unpack_from(">HH", content, 1)
    return (rows in (0, size[0])) and columns == size[1]  # without rows, a segment behind the scan tells them


def _is_table(marker: int, content: bytes) -> bool:
    """Whether a segment of tables or numbers is as long as it says itself."""
    if marker == _QUANTISATION:
        return _filled(content, lambda head: 1 + (128 if head[0] >> 4 else 64))
    if marker == _HUFFMAN:
        return _filled(content, lambda head: 17 + sum(head[1:17]))
    if marker == _ARITHMETIC:
        return not len(content) % 2
    if marker in (_LINES, _INTERVAL):
        return len(content) == 2
    return marker == _PARAMETERS and len(content) == 11 and content[0] == 1  # T.87 C.2.4.1.1


def _filled(content: bytes, length_of: Callable[[bytes], int]) -> bool:
    """Whether tables, one behind the other, fill the content."""
    at = 0
    while at < len(content):
        at += length_of(content[at:])
    return at == len(content)
