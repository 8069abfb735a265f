"""Pixels of one bit each are blanked where they stand, though rows end within bytes."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from tests.archive.deidentify.making import KEY, SC, ct, read, written

from bingcheng.archive.deidentify.approvals import Approval
from bingcheng.archive.deidentify.batch import Deidentifier, State
from bingcheng.archive.deidentify.devices import Region
from bingcheng.archive.deidentify.pictures import before_and_after, views
from bingcheng.archive.deidentify.profile import Profile

REGION = Region(x=3, y=2, width=10, height=4)


def bits(frames, rows, columns, photometric="MONOCHROME2"):
    """A picture of random bits, and these bits (frames, rows, columns)."""
    pixels = np.random.default_rng(9).integers(0, 2, (frames, rows, columns), dtype=np.uint8)
    packed = np.packbits(pixels.reshape(-1), bitorder="little").tobytes()
    dataset = ct(
        SOPClassUID=SC,
        Modality="OT",
        Rows=rows,
        Columns=columns,
        BitsAllocated=1,
        BitsStored=1,
        HighBit=0,
        PhotometricInterpretation=photometric,
        NumberOfFrames=frames,
        PixelData=packed + bytes(len(packed) % 2),
    )
    return dataset, pixels


def blanked(dataset):
    approvals = {str(dataset.SOPInstanceUID): Approval(regions=(REGION,), face_allowed=True)}
    result = Deidentifier(profile=Profile.named("basic"), key=KEY, approvals=approvals).one(written(dataset))
    assert result.state is State.DONE, result.problem
    return read(result.data)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize(("frames", "rows", "columns"), [(1, 16, 16), (1, 7, 13), (3, 7, 13), (5, 9, 31)])
@pytest.mark.parametrize(("photometric", "dark"), [("MONOCHROME2", 0), ("MONOCHROME1", 1)])
def test_the_region_is_dark_in_every_frame_and_no_other_bit_changes(frames, rows, columns, photometric, dark, syntax):
    dataset, pixels = bits(frames, rows, columns, photometric)
    dataset.file_meta.TransferSyntaxUID = syntax
    pixels[:, 2:6, 3:13] = dark
    found = blanked(dataset)
    np.testing.assert_array_equal(found.pixel_array.reshape(frames, rows, columns), pixels)
    assert found.file_meta.TransferSyntaxUID == syntax
    assert found.BurnedInAnnotation == "NO"


def test_big_endian_words_are_blanked_in_their_order():
    dataset, pixels = bits(1, 7, 13)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    dataset["PixelData"].VR = "OW"
    dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").byteswap().tobytes()
    pixels[:, 2:6, 3:13] = 0
    raw = np.frombuffer(blanked(dataset).PixelData, ">u2").astype("<u2").tobytes()
    got = np.unpackbits(np.frombuffer(raw, np.uint8), count=7 * 13, bitorder="little").reshape(1, 7, 13)
    np.testing.assert_array_equal(got, pixels)


def test_a_person_sees_them():
    dataset, pixels = bits(3, 40, 61)
    first, brightest = views(written(dataset))
    np.testing.assert_array_equal(first > 127, pixels[0] == 1)
    np.testing.assert_array_equal(brightest > 127, pixels.max(axis=0) == 1)
    assert before_and_after(written(dataset), (REGION,)).startswith(b"\x89PNG")


def test_a_value_that_is_too_short_is_refused():
    dataset, _ = bits(1, 16, 16)
    dataset.Rows = 4000
    approvals = {str(dataset.SOPInstanceUID): Approval(regions=(REGION,), face_allowed=True)}
    result = Deidentifier(profile=Profile.named("basic"), key=KEY, approvals=approvals).one(written(dataset))
    assert result.state is State.REFUSED
