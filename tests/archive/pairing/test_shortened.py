"""An object looked through without its pixels: nothing that tells of a person is left out, and memory does not grow."""

from __future__ import annotations

import io
import tracemalloc
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
)
from tests.archive.deidentify.making import ct
from tests.archive.pairing.making import image

from bingcheng.archive.deidentify.elements import PIXEL_DATA, read
from bingcheng.archive.pairing import shortened as module
from bingcheng.archive.pairing.shortened import shortened
from bingcheng.core.errors import InputError

NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)


def file(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    dataset.file_meta.TransferSyntaxUID = syntax
    stream = io.BytesIO()
    dcmwrite(
        stream,
        dataset,
        enforce_file_format=True,
        little_endian=syntax != ExplicitVRBigEndian,
        implicit_vr=syntax == ImplicitVRLittleEndian,
    )
    return stream.getvalue()


def sliced(syntax: str = ExplicitVRLittleEndian, **more: object) -> Dataset:
    made = dcmread(io.BytesIO(image(1)))
    for keyword, value in more.items():
        setattr(made, keyword, value)
    return made


def tags(data: bytes) -> list[int]:
    return [one.tag for one in read(data).elements]


@pytest.mark.parametrize("syntax", NATIVE)
def test_all_but_the_pixels_is_there(syntax):
    data = file(sliced(), syntax)
    short = shortened(io.BytesIO(data))
    assert short.pixels
    assert len(short.data) < len(data) - 8000
    assert tags(short.data) == [one for one in tags(data) if one != PIXEL_DATA]


def test_what_stands_behind_the_pixels_is_there_too():
    made = sliced()
    made.add_new(0xFFFAFFFA, "SQ", [Dataset()])
    short = shortened(io.BytesIO(file(made)))
    assert tags(short.data)[-1] == 0xFFFAFFFA


def test_fragments_are_followed_to_their_end():
    made = sliced()
    made.PixelData = encapsulate([bytes(range(250)) * 4, b"\xfe\xff\xdd\xe0" * 50])
    made["PixelData"].is_undefined_length = True
    made["PixelData"].VR = "OB"
    made.add_new(0xFFFCFFFC, "OB", bytes(8))
    short = shortened(io.BytesIO(file(made, JPEGLSLossless)))
    assert short.pixels
    assert tags(short.data)[-1] == 0xFFFCFFFC
    assert PIXEL_DATA not in tags(short.data)


def test_an_object_without_pixels_is_there_whole():
    made = sliced()
    del made.PixelData
    data = file(made)
    short = shortened(io.BytesIO(data))
    assert (short.data, short.pixels) == (data, False)


def test_a_deflated_one_is_there_whole():
    data = file(sliced(), DeflatedExplicitVRLittleEndian)
    assert shortened(io.BytesIO(data)).data == data


def test_a_deflated_one_that_grows_without_end_is_refused_and_not_kept(monkeypatch):
    monkeypatch.setattr(module, "LARGEST_HEADER", 4 << 20)
    whole = file(sliced(), DeflatedExplicitVRLittleEndian)
    start = module.dataset_start(whole, len(whole))
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = whole[:start] + deflater.compress(bytes(256 << 20)) + deflater.flush()
    assert len(bomb) < 1 << 20
    tracemalloc.start()
    with pytest.raises(InputError, match=r"archive\.not-whitelisted"):
        shortened(io.BytesIO(bomb))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 << 20


def test_a_header_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(module, "LARGEST_HEADER", 1 << 20)
    made = ct(ImageComments="x" * 9000)
    made.add_new(0x00091010, "OB", bytes(2 << 20))
    with pytest.raises(InputError) as raised:
        shortened(io.BytesIO(file(made)))
    assert "too large" in str(raised.value)


def test_a_large_object_takes_little_memory(tmp_path):
    path = tmp_path / "large"
    data = file(sliced(NumberOfFrames=1))
    at = data.rindex(b"\xe0\x7f\x10\x00OW")
    with path.open("wb") as stream:
        stream.write(data[:at] + b"\xe0\x7f\x10\x00OW\0\0" + (512 << 20).to_bytes(4, "little"))
        stream.truncate(at + 12 + (512 << 20))  # a hole: it takes no room on the disk
    tracemalloc.start()
    with path.open("rb") as stream:
        short = shortened(stream)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert short.pixels
    assert peak < 4 << 20


@given(st.integers(0, 20_000), st.binary(min_size=1, max_size=12))
@settings(max_examples=80)
def test_damaged_ones_are_refused_or_shortened_and_nothing_else(at, damage):
    data = bytearray(file(sliced()))
    data[at % len(data) : at % len(data) + len(damage)] = damage
    with suppress(InputError):
        shortened(io.BytesIO(bytes(data[: len(data) - at % 7])))
