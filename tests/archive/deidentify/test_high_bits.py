"""The bits above those stored hold nothing that leaves, however the pixels are compressed."""

from __future__ import annotations

import numpy as np
import pytest
from openjpeg.utils import encode_array
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless
from tests.archive.deidentify.making import KEY, ct, read, written
from tests.archive.deidentify.pictures import COLUMNS, ROWS, compressed, encapsulated, grey, with_text

from bingcheng.archive.deidentify.batch import Approval, Deidentifier, State
from bingcheng.archive.deidentify.profile import Profile

PLAIN = with_text("")
LETTERS = with_text("QUIXWORTH") == 4095
SYNTAXES = (ExplicitVRLittleEndian, RLELossless, JPEGLSLossless, JPEG2000Lossless)


def looked_at(dataset):
    approvals = {str(dataset.SOPInstanceUID): Approval(regions=())}
    return Deidentifier(profile=Profile.named("basic"), key=KEY, approvals=approvals).one(written(dataset))


def sixteen(values, syntax, signed=0):
    """Pixels of sixteen bits in a syntax, in a header that tells of twelve."""
    dataset = grey(values, BitsStored=16, HighBit=15, PixelRepresentation=signed)
    if syntax != ExplicitVRLittleEndian:
        dataset = compressed(dataset, syntax)
    dataset.BitsStored, dataset.HighBit = 12, 11
    return dataset


def every_bit(dataset):
    dataset.BitsStored, dataset.HighBit = 16, 15
    return dataset.pixel_array


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda one: one.name)
def test_letters_in_the_high_bits_go_and_the_picture_stays(syntax):
    hidden = np.where(LETTERS, PLAIN | 0x8000, PLAIN).astype("<u2")
    hidden[60:64, :40] |= 0x1000
    result = looked_at(sixteen(hidden, syntax))
    assert result.state is State.DONE, result.problem
    found = read(result.data)
    assert found.file_meta.TransferSyntaxUID == syntax
    np.testing.assert_array_equal(every_bit(found), PLAIN)


def coded(value):
    """Of JPEG 2000 what follows its headers: the encoder writes its own name into a comment, which goes."""
    return value[max(0, value.find(b"\xff\x93")) :].rstrip(b"\0")


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda one: one.name)
def test_pixels_without_any_keep_their_bytes_though_the_stream_has_room(syntax):
    for values, signed in ((PLAIN, 0), ((PLAIN.astype("<i2") - 700).view("<u2"), 1)):
        dataset = sixteen(values, syntax, signed)
        before = coded(dataset.PixelData)
        assert coded(read(looked_at(dataset).data).PixelData) == before


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda one: one.name)
def test_one_value_that_pads_the_picture_stays(syntax):
    padded = PLAIN.copy()
    padded[:, :20] = 0xF830
    dataset = sixteen(padded, syntax)
    before = coded(dataset.PixelData)
    assert coded(read(looked_at(dataset).data).PixelData) == before


def test_bits_that_do_not_begin_at_the_lowest_are_refused_and_not_spoilt():
    dataset = ct(BitsStored=12, HighBit=15)
    result = looked_at(dataset)
    assert result.state is State.REFUSED
    assert result.problem.code == "archive.pixels-not-blanked"


def test_colours_whose_stream_says_another_depth_than_the_header_are_refused():
    colours = np.random.default_rng(2).integers(0, 60000, (ROWS, COLUMNS, 3)).astype("<u2")
    dataset = ct(Rows=ROWS, Columns=COLUMNS, SamplesPerPixel=3, PhotometricInterpretation="RGB", PixelData=b"")
    dataset.PlanarConfiguration = 0
    stream = encode_array(colours, bits_stored=16, photometric_interpretation=1, use_mct=False)
    result = looked_at(encapsulated(dataset, [stream], JPEG2000Lossless))
    assert result.problem.code == "archive.pixels-not-read"
