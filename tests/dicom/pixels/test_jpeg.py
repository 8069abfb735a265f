"""Damaged JPEG streams are recognised before a decoder written in C sees them."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.dicom.pixels.jpeg import BASELINE, LOSSLESS, is_sound


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def frame(
    marker: int = LOSSLESS, *, precision: int = 12, rows: int = 4, columns: int = 6, components: int = 1
) -> bytes:
    return segment(marker, struct.pack(">BHHB", precision, rows, columns, components) + b"\1\x11\0")


TABLE = segment(0xC4, b"\0" + bytes((0, 2, 1) + (0,) * 13) + b"\0\1\2")
SCAN = segment(0xDA, b"\1\1\0\1\0\0")
START = b"\xff\xd8"


def sound(stream: bytes) -> bool:
    return is_sound(stream, kinds=(LOSSLESS,), rows=4, columns=6, bits=16)


def test_a_sound_stream_is_sound() -> None:
    assert sound(START + frame() + TABLE + SCAN + b"data")
    assert sound(START + segment(0xFE, b"a comment") + b"\xff" + frame() + TABLE + SCAN)


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        START,
        frame() + TABLE + SCAN,
        START + SCAN,
        START + frame() + frame() + SCAN,
        START + frame(BASELINE) + SCAN,
        START + frame(precision=188) + SCAN,
        START + frame(rows=5) + SCAN,
        START + frame(columns=6000) + SCAN,
        START + frame(components=3) + SCAN,
        START + frame() + segment(0xDA, b"\1\1\0\x09\0\0"),
        START + frame() + segment(0xDA, b"\2\1\0\1\0\0"),
        # Three codes of one bit can't be.
        START + frame() + segment(0xC4, b"\0" + bytes((3,) + (0,) * 15) + b"\0\1\2") + SCAN,
        START + frame() + segment(0xC4, b"\0" + bytes((0, 2, 1) + (0,) * 13) + b"\0\1") + SCAN,
        START + frame()[:-1],
        START + b"\xff\xc3\0\1",
        # No markers: decoders look for the next one where these should be.
        START + segment(0x00, b"x") + frame() + TABLE + SCAN,
        START + segment(0x80, b"x") + frame() + TABLE + SCAN,
    ],
)
def test_a_damaged_stream_is_not(stream: bytes) -> None:
    assert not sound(stream)


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail(tail: bytes) -> None:
    assert sound(START + tail) in (True, False)
