"""Whole objects in explicit VR little endian (PS3.18 8.7.3.5.2)."""

from __future__ import annotations

import io

import numpy as np
import pydicom
import pytest
from benchmarks.exchange_objects import encapsulated, file_of, image

from bingcheng.archive.dicomweb.transcoding import can_transcode, transcoded
from bingcheng.core.errors import InputError

EXPLICIT = "1.2.840.10008.1.2.1"
RAMP = (np.arange(2 * 20 * 16).reshape(2, 20, 16) * 5 % 4001).astype(np.uint16)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"])
def test_native_objects_keep_every_value(syntax):
    made = image(pixels=RAMP)
    before = image(pixels=RAMP)
    if syntax == "1.2.840.10008.1.2.2":
        made.PixelData = RAMP.astype(">u2").tobytes()
    found = pydicom.dcmread(io.BytesIO(transcoded(io.BytesIO(file_of(made, syntax)))))
    assert found.file_meta.TransferSyntaxUID == EXPLICIT
    assert found == before
    np.testing.assert_array_equal(found.pixel_array, RAMP)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80"])
def test_lossless_objects_keep_every_pixel(syntax):
    made = image(pixels=RAMP)
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = EXPLICIT
    made.compress(syntax, generate_instance_uid=False, encapsulate_ext=True)
    stream = io.BytesIO(file_of(made, syntax))
    assert can_transcode(stream)
    found = pydicom.dcmread(io.BytesIO(transcoded(stream)))
    assert found == image(pixels=RAMP)


def test_what_has_no_pixels_is_only_written_anew():
    made = image()
    del made.PixelData
    stream = io.BytesIO(file_of(made, "1.2.840.10008.1.2"))
    assert can_transcode(stream)
    assert pydicom.dcmread(io.BytesIO(transcoded(stream))).PatientID == made.PatientID


def test_a_video_stays_what_it_is():
    stream = io.BytesIO(encapsulated(image(pixels=np.zeros((8, 8), np.uint8)), [b"film"], "1.2.840.10008.1.2.4.102"))
    assert not can_transcode(stream)
    with pytest.raises(InputError) as refused:
        transcoded(stream)
    assert refused.value.code == "archive.undecodable"
