"""Lossless JPEG written plainly from the text of T.81, for tests of what reads it."""

from __future__ import annotations

import struct

import numpy as np

CODE_BITS = 5
"""Of each of the seventeen sizes of a difference: a table without any wit."""


def encoded(values, predictor=1, precision=8, *, lines=0, shift=0, table=0):
    """A stream of `values`, (rows, columns, components); `lines`: restarts after so many, none where it is zero."""
    rows, columns, count = values.shape
    coded = values.astype(np.int64) >> shift
    each, pieces = lines or rows, []
    for begin in range(0, rows, each):
        bits = "".join(_written(one) for one in _differences(coded[begin : begin + each], predictor, precision - shift))
        bits += "1" * (-len(bits) % 8)
        pieces.append(int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00"))
    restarts = [b"\xff" + bytes((0xD0 + number % 8,)) for number in range(len(pieces))]
    data = pieces[0] + b"".join(restart + piece for restart, piece in zip(restarts, pieces[1:], strict=False))
    counts = bytes(17 if length == CODE_BITS else 0 for length in range(1, 17))
    frame = struct.pack(">BHHB", precision, rows, columns, count) + b"".join(
        bytes((one, 0x11, 0)) for one in range(count)
    )
    scan = bytes((count, *(part for one in range(count) for part in (one, table << 4)), predictor, 0, shift))
    segments = [(0xC3, frame), (0xC4, bytes((table,)) + counts + bytes(range(17))), (0xDA, scan)]
    if lines:
        segments.insert(0, (0xDD, struct.pack(">H", lines * columns)))
    head = b"".join(b"\xff" + bytes((marker,)) + struct.pack(">H", len(one) + 2) + one for marker, one in segments)
    return b"\xff\xd8" + head + data + b"\xff\xd9"


def _differences(values, predictor, precision):
    rows, columns, count = values.shape
    for row in range(rows):
        for column in range(columns):
            for component in range(count):
                a = values[row, column - 1, component] if column else 0
                b = values[row - 1, column, component] if row else 0
                c = values[row - 1, column - 1, component] if row and column else 0
                if not row:
                    guess = a if column else 1 << (precision - 1)
                elif not column:
                    guess = b
                else:
                    table = (0, a, b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) >> 1)
                    guess = table[predictor]
                found = (int(values[row, column, component]) - int(guess)) & 0xFFFF
                yield found if found <= 1 << 15 else found - (1 << 16)


def _written(difference):
    size = abs(difference).bit_length()
    code = f"{size:0{CODE_BITS}b}"
    if not size or size == 16:
        return code
    return code + f"{difference if difference > 0 else difference + (1 << size) - 1:0{size}b}"
