"""Lossless JPEG in colour is read as it was written; nothing that is wrong with it is taken for a picture."""

from __future__ import annotations

import shutil
import struct
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.encaps import generate_frames
from tests.archive.deidentify.making import written
from tests.archive.deidentify.pictures import COLUMNS, ROWS, eight_bits
from tests.dicom.pixels.lossless import encoded

from bingcheng.dicom.pixels.lossless_jpeg import decoded

NOISE = np.random.default_rng(11).integers(0, 256, (9, 13, 3), dtype=np.uint8)
DEEP = np.random.default_rng(12).integers(0, 1 << 16, (9, 13, 3), dtype=np.uint16)


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("lines", [0, 1, 4])
@pytest.mark.parametrize("table", [0, 3])
def test_each_predictor_with_and_without_restarts(predictor, lines, table):
    found = decoded(encoded(NOISE, predictor, lines=lines, table=table), *NOISE.shape)
    assert found.dtype == np.uint8
    assert np.array_equal(found, NOISE)


@pytest.mark.parametrize("predictor", range(1, 8))
def test_sixteen_bits(predictor):
    """Noise of sixteen bits has differences of every size, also the largest, which has no bits of its own."""
    values = DEEP.copy()
    values[0, :2] = ((0, 0, 0), (1 << 15, 1 << 15, 1 << 15))
    assert np.array_equal(decoded(encoded(values, predictor, 16), *values.shape), values)


def test_twelve_bits_and_bits_that_were_left_out():
    values = DEEP >> 4
    assert np.array_equal(decoded(encoded(values, 4, 12), *values.shape), values)
    assert np.array_equal(decoded(encoded(values, 4, 12, shift=2), *values.shape), values >> 2 << 2)


@pytest.mark.parametrize("options", [["+e1"], *(["+el", "+sv", str(number)] for number in range(2, 8))])
def test_what_another_program_writes(tmp_path, options):
    program = shutil.which("dcmcjpeg")
    if program is None:
        pytest.skip("no dcmcjpeg on this machine")
    values = np.random.default_rng(1).integers(0, 255, (ROWS, COLUMNS, 3)).astype(np.uint8)
    values[20:60] = np.arange(COLUMNS)[None, :, None]
    plain, packed = tmp_path / "plain.dcm", tmp_path / "packed.dcm"
    plain.write_bytes(written(eight_bits(values, "RGB", samples=3)))
    subprocess.run([program, *options, str(plain), str(packed)], check=True)
    (stream,) = generate_frames(dcmread(packed).PixelData, number_of_frames=1)
    assert np.array_equal(decoded(stream, *values.shape), values)


STREAM = encoded(NOISE, 7, lines=3)


@given(st.integers(0, len(STREAM) - 1), st.integers(0, 255), st.sampled_from(["change", "cut", "drop", "double"]))
@settings(deadline=None)
def test_a_damaged_stream_is_refused_or_a_picture_of_the_same_size(at, value, damage):
    stream = {
        "change": STREAM[:at] + bytes((value,)) + STREAM[at + 1 :],
        "cut": STREAM[:at],
        "drop": STREAM[:at] + STREAM[at + 1 + value % 9 :],
        "double": STREAM[:at] + STREAM[at : at + value % 9] + STREAM[at:],
    }[damage]
    try:
        found = decoded(stream, *NOISE.shape)
    except (ValueError, IndexError, struct.error):
        return
    assert found.shape == NOISE.shape
    assert damage != "cut"


@pytest.mark.parametrize(
    "stream",
    [
        STREAM.replace(b"\xff\xc3", b"\xff\xc0", 1),
        STREAM.replace(b"\xff\xc4", b"\xff\xfe", 1),
        STREAM.replace(b"\x00\x11\x00\x01\x11", b"\x00\x22\x00\x01\x11", 1),
        STREAM[:-2] + b"\xff\xda\0\2\xff\xd9",
        STREAM[:-2],
        b"",
    ],
    ids=["another process", "no table", "sampled otherwise", "another scan", "no end", "nothing"],
)
def test_what_is_coded_otherwise_or_not_whole_is_refused(stream):
    with pytest.raises((ValueError, IndexError)):
        decoded(stream, *NOISE.shape)


@pytest.mark.parametrize("shape", [(9, 13, 1), (13, 9, 3), (10, 13, 3)])
def test_another_size_than_the_header_says_is_refused(shape):
    with pytest.raises(ValueError):
        decoded(STREAM, *shape)
