"""HTJ2K of another encoder: the picture keeps its bytes, what is hidden beside it goes, what is blanked is blank."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import ExplicitVRLittleEndian
from tests.archive.deidentify.making import KEY, ct, read, written
from tests.archive.deidentify.pictures import encapsulated

from bingcheng.archive.deidentify.batch import Approval, Deidentifier, State
from bingcheng.archive.deidentify.devices import Region
from bingcheng.archive.deidentify.profile import Profile

STREAMS = Path(__file__).parents[2] / "dicom" / "pixels" / "code_streams"
SYNTAXES = [f"1.2.840.10008.1.2.4.{number}" for number in (201, 202, 203)]
Y, X = np.mgrid[0:24, 0:32]
VALUES = (37 * Y + 91 * X + Y * X) % 2000  # tests/dicom/pixels/code_streams/README.md
CANARY = b"Elbonia Mission Clinic 77"


def image(stream, syntax, signed=False):
    dataset = ct(Rows=24, Columns=32, BitsStored=16, HighBit=15, PixelRepresentation=int(signed), PixelData=b"")
    return encapsulated(dataset, [stream], syntax)


def bare(name):
    """A stream without the comment of its encoder, and the same with more beside the picture."""
    stream = (STREAMS / name).read_bytes()
    at = stream.find(b"\xff\x64")
    if at > 0:
        stream = stream[:at] + stream[at + 2 + struct.unpack_from(">H", stream, at + 2)[0] :]
    tile = stream.index(b"\xff\x90")
    comment = b"\xff\x64" + struct.pack(">HH", len(CANARY) + 4, 1) + CANARY
    return stream, stream[:tile] + comment + stream[tile:] + CANARY


def cleaned(dataset, regions=()):
    approvals = {str(dataset.SOPInstanceUID): Approval(regions=regions)}
    return Deidentifier(profile=Profile.named("teaching"), key=KEY, approvals=approvals).one(written(dataset))


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize(("name", "signed"), [("htj2k_lossless.jhc", False), ("htj2k_lossless_signed.jhc", True)])
def test_a_picture_keeps_its_bytes_and_loses_what_is_beside_it(syntax, name, signed):
    plain, hiding = bare(name)
    for stream in (plain, hiding):
        result = cleaned(image(stream, syntax, signed))
        assert result.state is State.DONE, result.problem
        found = read(result.data)
        assert found.file_meta.TransferSyntaxUID == syntax
        assert plain in found.PixelData
        assert CANARY not in result.data


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_what_is_blanked_is_written_without_any_loss(syntax):
    result = cleaned(image(bare("htj2k_lossless.jhc")[0], syntax), (Region(x=0, y=0, width=32, height=8),))
    assert result.state is State.DONE, result.problem
    found = read(result.data)
    assert found.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian  # too small for the encoder of JPEG 2000
    pixels = found.pixel_array
    assert not (pixels[:8] - VALUES.min()).any()
    np.testing.assert_array_equal(pixels[8:], VALUES[8:])


def test_a_cut_stream_is_refused():
    stream = bare("htj2k_lossless.jhc")[0]
    assert cleaned(image(stream[: len(stream) // 2], SYNTAXES[0])).state is State.REFUSED
