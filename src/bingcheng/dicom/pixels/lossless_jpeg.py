"""Lossless JPEG of several components (ITU-T T.81 annex H) decoded, so that no damaged stream can end the program.

The library that decodes grey ones ends the process where a coloured one is damaged. Decoded here is what is written in
practice: Huffman coding, one scan with all components, each of them sampled alike, any predictor.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

_FRAME, _HUFFMAN, _SCAN, _INTERVAL = 0xC3, 0xC4, 0xDA, 0xDD
_OTHER_FRAMES = frozenset((0xC0, 0xC1, 0xC2, *range(0xC5, 0xC8), *range(0xC9, 0xD0), 0xDC))
"""Other processes, arithmetic coding, and a number of lines that comes later."""
_END = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]")
_RESTART = re.compile(rb"\xff+[\xd0-\xd7]")
_PREFIXES, _LONGEST = 1 << 16, 16
_MOST_COMPONENTS = 4
_HELD = 32
"""Bits that are at least ready: a code and a difference have no more (T.81 table H.2)."""


@dataclass(slots=True)
class _Said:
    """What the segments before the scan say."""

    precision: int = 0
    rows: int = 0
    columns: int = 0
    components: bytes = b""
    interval: int = 0
    tables: dict[int, NDArray[np.uint16]] = field(default_factory=dict)


def decoded(stream: bytes, rows: int, columns: int, samples: int) -> NDArray[Any]:
    """The samples of one frame, (rows, columns, samples), as they were coded: no colour is converted.

    Raises
    ------
    ValueError, IndexError, struct.error
        it is damaged, of another size, or coded in another way.
    """
    said = _Said()
    for marker, segment, following in _segments(stream):
        if marker == _SCAN:
            if (said.rows, said.columns, len(said.components)) != (rows, columns, samples):
                raise ValueError(marker)
            return _scan(said, segment, stream[following:])
        _READ.get(marker, _nothing)(said, segment)
        if marker in _OTHER_FRAMES:
            raise ValueError(marker)
    raise ValueError


def _segments(stream: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Each segment with its marker, and where the next one begins."""
    if stream[:2] != b"\xff\xd8":
        raise ValueError
    at = 2
    while True:
        if stream[at] != 0xFF:
            raise ValueError
        marker = stream[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        (length,) = struct.unpack_from(">H", stream, at + 2)
        following = at + 2 + length
        if length < 2 or following > len(stream):
            raise ValueError
        yield marker, stream[at + 4 : following], following
        at = following


def _nothing(said: _Said, segment: bytes) -> None:
    """Comments and the like."""


def _frame(said: _Said, segment: bytes) -> None:
    said.precision, said.rows, said.columns, count = struct.unpack_from(">BHHB", segment)
    parts = segment[6:]
    alike = all(one == 0x11 for one in parts[1::3])
    if said.components or not 1 <= count <= _MOST_COMPONENTS or len(parts) != 3 * count or not alike:
        raise ValueError
    if not 2 <= said.precision <= _LONGEST:
        raise ValueError
    said.components = parts[::3]


def _huffman(said: _Said, segment: bytes) -> None:
    at = 0
    while at < len(segment):
        counts = segment[at + 1 : at + 17]
        values = segment[at + 17 : at + 17 + sum(counts)]
        said.tables[segment[at]] = _by_prefix(counts, values)
        at += 17 + len(values)


def _by_prefix(counts: bytes, values: bytes) -> NDArray[np.uint16]:
    """By the next sixteen bits how long the code is with which they begin, times 256, and its value; zero for none."""
    if len(counts) != _LONGEST or len(values) != sum(counts) or any(value > _LONGEST for value in values):
        raise ValueError
    table = np.zeros(_PREFIXES, np.uint16)
    begin, place = 0, 0
    for length, count in enumerate(counts, start=1):
        span = _PREFIXES >> length
        for value in values[place : place + count]:
            if begin + span > _PREFIXES:
                raise ValueError
            table[begin : begin + span] = length << 8 | value
            begin += span
        place += count
    return table


def _restarts(said: _Said, segment: bytes) -> None:
    (said.interval,) = struct.unpack(">H", segment)


_READ: Mapping[int, Any] = MappingProxyType({_FRAME: _frame, _HUFFMAN: _huffman, _INTERVAL: _restarts})


def _scan(said: _Said, segment: bytes, coded: bytes) -> NDArray[Any]:
    count = segment[0]
    predictor, end, shifts = segment[1 + 2 * count :]
    if segment[1 : 1 + 2 * count : 2] != said.components or not 1 <= predictor <= 7 or end or shifts >= said.precision:
        raise ValueError
    tables = np.stack(
        [said.tables.get(one >> 4, np.zeros(_PREFIXES, np.uint16)) for one in segment[2 : 1 + 2 * count : 2]]
    )
    stop = _END.search(coded)
    if stop is None or stop.group()[-1] != 0xD9:
        raise ValueError  # cut off, or more scans follow
    values = np.empty((said.rows, said.columns, count), np.uint16)
    pieces = [piece.replace(b"\xff\x00", b"\xff") for piece in _RESTART.split(coded[: stop.start()])]
    for lines, piece in zip(_lines(said, pieces), pieces, strict=True):
        data = np.frombuffer(piece, np.uint8)
        if not _differences(data, tables, values[lines], predictor, 1 << (said.precision - shifts - 1)):
            raise ValueError
    values <<= shifts
    if (values >> said.precision).any():
        raise ValueError
    return values.astype(np.uint8) if said.precision <= 8 else values


def _lines(said: _Said, pieces: Sequence[bytes]) -> Iterator[slice]:
    """Which rows each piece between restarts holds: whole ones (T.81 H.1.1)."""
    each, rest = divmod(said.interval, said.columns) if said.interval else (said.rows, 0)
    if rest or len(pieces) != -(-said.rows // each):
        raise ValueError
    yield from (slice(begin, begin + each) for begin in range(0, said.rows, each))


@numba.njit(cache=True, nogil=True)
def _differences(data: NDArray[Any], tables: NDArray[Any], values: NDArray[Any], predictor: int, middle: int) -> bool:
    """Fill `values` from coded differences (T.81 H.1.2, H.2.2); False where the bits are no such thing."""
    bits: Any = 0  # 64 bits with a sign, as all numbers here: of mixed ones numba makes fractions
    held: Any = 0
    at = 0
    rows, columns, components = values.shape
    for row in range(rows):
        for column in range(columns):
            for component in range(components):
                while held <= _HELD:
                    bits = (bits << 8) | (np.int64(data[at]) if at < data.size else 0xFF)
                    held += 8
                    at += 1
                found: Any = np.int64(tables[component, bits >> (held - _LONGEST)])
                held -= found >> 8
                size = found & 0xFF
                held -= size % _LONGEST  # the largest difference is one value: no bits tell which
                if found == 0 or at * 8 - held > data.size * 8:
                    return False
                bits &= (1 << held + size % _LONGEST) - 1
                difference = bits >> held
                bits &= (1 << held) - 1
                if size == _LONGEST:
                    difference = 1 << (_LONGEST - 1)
                elif size and difference < 1 << (size - 1):
                    difference -= (1 << size) - 1
                guess = _guess(values, row, column, component, predictor, middle)
                values[row, column, component] = (guess + difference) & 0xFFFF
    return bool(data.size * 8 - (at * 8 - held) < 8)  # all bits are used up but those that fill the last byte


@numba.njit(cache=True, nogil=True)
def _guess(values: NDArray[Any], row: int, column: int, component: int, predictor: int, middle: int) -> Any:
    """What a sample is expected to be from its neighbours (T.81 table H.1)."""
    if row == 0:
        return np.int64(middle) if column == 0 else np.int64(values[row, column - 1, component])
    above: Any = np.int64(values[row - 1, column, component])
    if column == 0:
        return above
    left: Any = np.int64(values[row, column - 1, component])
    corner: Any = np.int64(values[row - 1, column - 1, component])
    if predictor < 4:
        return left if predictor == 1 else above if predictor == 2 else corner
    if predictor == 4:
        return left + above - corner
    if predictor == 7:
        return (left + above) >> 1
    return left + ((above - corner) >> 1) if predictor == 5 else above + ((left - corner) >> 1)
