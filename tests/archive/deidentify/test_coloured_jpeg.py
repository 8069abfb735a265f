"""Names burned into pictures of lossless JPEG in colour, and of progressive JPEG, are blanked; all else stays."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pydicom.pixels import pixel_array
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGLSLossless, RLELossless
from tests.archive.deidentify.making import KEY, read, written
from tests.archive.deidentify.pictures import COLUMNS, TEXT_ROWS, compressed, eight_bits, encapsulated, with_text
from tests.dicom.pixels.lossless import encoded

from bingcheng.archive.deidentify.batch import Approval, Deidentifier, State
from bingcheng.archive.deidentify.devices import Region
from bingcheng.archive.deidentify.pictures import one_frame, views
from bingcheng.archive.deidentify.profile import Profile

PROCESS_14, FIRST_ORDER = (UID(f"1.2.840.10008.1.2.4.{end}") for end in (57, 70))
SPECTRAL, PROGRESSIVE = (UID(f"1.2.840.10008.1.2.4.{end}") for end in (53, 55))
TOP = Region(x=0, y=0, width=COLUMNS, height=TEXT_ROWS)
GREY = (with_text() >> 4).astype(np.uint8)
COLOURS = np.stack([GREY, GREY // 2, 255 - GREY], axis=-1)


def deidentified(dataset, *regions):
    approvals = {str(dataset.SOPInstanceUID): Approval(regions=regions, face_allowed=True)}
    return Deidentifier(profile=Profile.named("teaching"), key=KEY, approvals=approvals).one(written(dataset))


def lossless(frames, syntax, photometric, **changes):
    dataset = eight_bits(frames, photometric, samples=3, NumberOfFrames=len(frames), **changes)
    predictor = 1 if syntax == FIRST_ORDER else 6
    return encapsulated(dataset, [encoded(frame, predictor, dataset.BitsStored) for frame in frames], syntax)


@pytest.mark.parametrize("syntax", [PROCESS_14, FIRST_ORDER])
@pytest.mark.parametrize(("photometric", "black"), [("RGB", (0, 0, 0)), ("YBR_FULL", (0, 128, 128))])
def test_lossless_jpeg_in_colour_loses_what_is_blanked_and_not_a_bit_else(syntax, photometric, black):
    frames = np.stack([COLOURS, COLOURS[::-1].copy()])
    result = deidentified(lossless(frames, syntax, photometric), TOP)
    assert result.state is State.DONE, result.problem
    found = read(result.data)
    assert found.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert (found.PhotometricInterpretation, found.PlanarConfiguration) == (photometric, 0)
    assert "LossyImageCompression" not in found
    values = np.frombuffer(found.PixelData, np.uint8).reshape(frames.shape)
    assert (values[:, :TEXT_ROWS] == black).all()
    assert np.array_equal(values[:, TEXT_ROWS:], frames[:, TEXT_ROWS:])


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
@pytest.mark.parametrize(("photometric", "black"), [("RGB", (0, 0, 0)), ("YBR_FULL", (0, 128, 128))])
def test_other_lossless_families_keep_each_bit_and_the_form_of_their_colours(syntax, photometric, black):
    dataset = compressed(eight_bits(COLOURS, photometric, samples=3), syntax)
    result = deidentified(dataset, TOP)
    assert result.state is State.DONE, result.problem
    found = read(result.data)
    assert (found.file_meta.TransferSyntaxUID, found.PhotometricInterpretation) == (syntax, photometric)
    values = pixel_array(found, raw=True)
    assert (values[:TEXT_ROWS] == black).all()
    assert np.array_equal(values[TEXT_ROWS:], COLOURS[TEXT_ROWS:])


def test_a_history_of_loss_stays_said():
    dataset = lossless(COLOURS[None], FIRST_ORDER, "RGB", LossyImageCompression="01", LossyImageCompressionRatio="12")
    found = read(deidentified(dataset, TOP).data)
    assert (found.LossyImageCompression, found.LossyImageCompressionRatio) == ("01", 12)


def test_nothing_to_blank_keeps_every_byte_of_the_picture():
    dataset = lossless(COLOURS[None], FIRST_ORDER, "RGB")
    found = read(deidentified(dataset).data)
    assert found.file_meta.TransferSyntaxUID == FIRST_ORDER
    assert found.PixelData == dataset.PixelData


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
def test_a_person_sees_lossless_jpeg_in_colour(photometric):
    data = written(lossless(COLOURS[None], FIRST_ORDER, photometric))
    (view,) = views(data)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(one_frame(data, 0)))), view)
    if photometric == "RGB":
        assert np.array_equal(view, COLOURS)


@pytest.mark.parametrize("damage", ["cut", "drop"])
def test_damaged_lossless_jpeg_in_colour_is_refused(damage):
    stream = encoded(COLOURS)
    hurt = stream[: len(stream) // 2] + (b"\xff\xd9" if damage == "cut" else stream[len(stream) // 2 + 50 :])
    dataset = eight_bits(COLOURS, "RGB", samples=3)
    result = deidentified(encapsulated(dataset, [hurt], FIRST_ORDER), TOP)
    assert result.state is State.REFUSED
    assert result.problem.code == "archive.pixels-not-blanked"


def progressive(values, photometric):
    stream = io.BytesIO()
    image = Image.fromarray(values)
    more = {} if values.ndim == 2 else {"keep_rgb": photometric == "RGB", "subsampling": 0}
    image.save(stream, format="JPEG", quality=95, progressive=True, **more)
    samples = 1 if values.ndim == 2 else 3
    dataset = eight_bits(values, photometric, samples=samples)
    seen = np.asarray(Image.open(io.BytesIO(stream.getvalue())))
    return encapsulated(dataset, [stream.getvalue()], PROGRESSIVE), seen


@pytest.mark.parametrize(
    ("values", "photometric"),
    [(GREY, "MONOCHROME2"), (COLOURS, "YBR_FULL"), (COLOURS, "RGB"), (COLOURS, "YBR_FULL_422")],
)
@pytest.mark.parametrize("syntax", [SPECTRAL, PROGRESSIVE])
def test_progressive_jpeg_is_blanked_and_stays_described_as_lossy(values, photometric, syntax):
    dataset, seen = progressive(values, photometric)
    dataset.file_meta.TransferSyntaxUID = syntax
    result = deidentified(dataset, TOP)
    assert result.state is State.DONE, result.problem
    found = read(result.data)
    assert found.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert found.PhotometricInterpretation == ("MONOCHROME2" if values.ndim == 2 else "RGB")
    assert found.LossyImageCompression == "01"
    after = found.pixel_array
    assert len(np.unique(after[:TEXT_ROWS].reshape(-1, after.shape[2] if after.ndim == 3 else 1), axis=0)) == 1
    # Two ways from brightness and differences to colours may round to neighbours.
    assert np.abs(after[TEXT_ROWS:].astype(int) - seen[TEXT_ROWS:]).max() <= 2
