"""Deflated datasets are unpacked piece by piece, and never without a limit."""

from __future__ import annotations

import tracemalloc
import zipfile
import zlib
from functools import cache, partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian
from tests.dicom.making import image, save

from bingcheng.core.errors import InputError
from bingcheng.dicom.exam import FrameSource
from bingcheng.dicom.index import inflated as unpacking
from bingcheng.dicom.index.elements import LARGEST_HEADER, read_elements
from bingcheng.dicom.index.inflated import (
    LARGEST_MIB,
    MIB,
    Broken,
    Inflated,
    TooLarge,
    inflate,
    inflated_head,
    inflated_size,
    pieces,
)
from bingcheng.dicom.index.scan import index
from bingcheng.dicom.pixels.frames import PixelFile
from bingcheng.dicom.sources import open_source

NOISE = np.random.default_rng(1).integers(0, 200, 2 * MIB + 77, dtype=np.uint8).tobytes()


@cache
def deflated(data: bytes) -> bytes:
    squeezer = zlib.compressobj(1, wbits=-zlib.MAX_WBITS)
    return squeezer.compress(data) + squeezer.flush()


def zeros(mebibytes: int, behind: bytes = b"") -> bytes:
    """Deflated zeros, a thousandth of their size; made in no time."""
    squeezer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    head = squeezer.compress(behind) + squeezer.flush(zlib.Z_FULL_FLUSH)
    block = squeezer.compress(bytes(MIB)) + squeezer.flush(zlib.Z_FULL_FLUSH)
    return head + block * mebibytes + squeezer.flush()


def deflated_image(number: int = 0) -> bytes:
    written = image(number)
    written.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    stream = BytesIO()
    written.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def bomb(mebibytes: int) -> bytes:
    """A small file that says it is an image of some kilobytes, with gigabytes behind it."""
    honest = deflated_image()
    meta = pydicom.dcmread(BytesIO(honest), stop_before_pixels=True).file_meta
    start = 132 + 12 + meta.FileMetaInformationGroupLength
    return honest[:start] + zeros(mebibytes, behind=inflate(honest[start:]))


@pytest.mark.parametrize("data", [b"", b"DICOM", bytes(3 * MIB), NOISE])
def test_what_comes_out_is_what_went_in(data: bytes) -> None:
    small = deflated(data)
    assert inflate(small) == b"".join(pieces(small)) == data
    assert inflated_size(small) == len(data)
    assert all(len(one) <= MIB for one in pieces(small))
    for length in (0, 1, 100, len(data)):
        head = inflated_head(small, length)
        assert data.startswith(head)
        assert len(head) >= min(length, len(data))


def test_as_much_as_is_allowed_passes_and_a_byte_more_does_not() -> None:
    assert inflate(zeros(2), largest=2 * MIB) == bytes(2 * MIB)
    for read in (inflate, inflated_size):
        with pytest.raises(TooLarge):
            read(zeros(2), largest=2 * MIB - 1)


def test_a_cut_stream_gives_what_can_be_read_and_a_damaged_one_nothing() -> None:
    small = deflated(NOISE)
    cut = inflate(small[: len(small) // 2])
    assert NOISE.startswith(cut)
    assert len(cut) > MIB // 2
    with pytest.raises(Broken):
        inflate(b"\xff" * 100)


def test_where_all_of_it_is_wanted_a_cut_stream_gives_an_error_at_its_end() -> None:
    small = deflated(NOISE)
    assert b"".join(pieces(small + b"\0", whole=True)) == NOISE  # padded to an even length
    for end in (0, 1, len(small) // 2, len(small) - 1):
        with pytest.raises(Broken):
            list(pieces(small[:end], whole=True))


def test_parts_are_read_in_any_order() -> None:
    found = Inflated(deflated(NOISE))
    for offset, length in ((10, 20), (MIB - 5, 10), (MIB + 4, MIB), (0, 7), (len(NOISE) - 3, 100), (1 << 40, 5)):
        assert found.at(offset, length) == NOISE[offset : offset + length]


def test_a_bomb_is_refused_with_little_memory_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = 32
    smaller = partial(inflated_size, largest=allowed * MIB)  # the true limit takes a second to reach
    monkeypatch.setattr("bingcheng.dicom.index.elements.inflated_size", smaller)
    (tmp_path / "a.dcm").write_bytes(bomb(allowed + 1))
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside", deflated_image(1))
    save(image(2), tmp_path / "c.dcm")
    assert (tmp_path / "a.dcm").stat().st_size < MIB // 10
    tracemalloc.start()
    found = index([tmp_path])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < allowed * MIB // 2
    assert [(one.code, one.subject) for one in found.refusals] == [("dicom.too-large", "a.dcm")]
    assert str(LARGEST_MIB) in str(found.refusals[0].reason)
    assert len(found.headers) == 2
    with (tmp_path / "a.dcm").open("rb") as stream, pytest.raises(InputError, match=r"dicom\.too-large"):
        PixelFile(stream)


def test_a_member_of_an_archive_that_claims_gigabytes_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("large", bytes(2 * MIB))
        archive.writestr("small", b"DICM")
    monkeypatch.setattr("bingcheng.dicom.sources.LARGEST_MIB", 1)
    assert open_source(FrameSource(path=tmp_path / "x.zip", member="small")).read() == b"DICM"
    with pytest.raises(InputError, match=r"dicom\.too-large"):
        open_source(FrameSource(path=tmp_path / "x.zip", member="large"))


class Endless:
    """A file that is read as long as anybody reads: one attribute behind the other."""

    def __init__(self, head: bytes) -> None:
        self.left, self.given = head, 0

    def read(self, size: int = -1, /) -> bytes:
        self.given += size
        made, self.left = self.left[:size].ljust(size, b"\0"), b""
        return made


def test_a_header_without_end_is_not_read_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bingcheng.dicom.index.elements.LARGEST_HEADER", 20 * MIB)
    assert LARGEST_HEADER > 20 * MIB
    head = b"\x08\0\x60\0CS\x02\0MR" + b"\x09\0\1\x10OB\0\0" + (1 << 30).to_bytes(4, "little")
    stream = Endless(head)
    with pytest.raises(TooLarge):
        read_elements(stream, 1 << 32, {0x00080060})
    assert stream.given <= 20 * MIB


def test_frames_of_a_deflated_file_come_out_as_of_a_plain_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "_PIECE", 100)
    plain = image(0)
    stream = BytesIO(deflated_image(0))
    ((_, pixels),) = PixelFile(stream).frames([0])
    np.testing.assert_array_equal(pixels, plain.pixel_array)
