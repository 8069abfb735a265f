"""HTJ2K: two code streams of another encoder, whose pixels follow a formula, come out to the last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.encaps import encapsulate
from tests.dicom.making import image

from bingcheng.dicom.grouping.exams import exams
from bingcheng.dicom.index.scan import index
from bingcheng.dicom.pixels.read import read_volume

STREAMS = Path(__file__).parent / "code_streams"
LOSSLESS, LOSSLESS_RPCL, ANY = (f"1.2.840.10008.1.2.4.{number}" for number in (201, 202, 203))
Y, X = np.mgrid[0:24, 0:32]
VALUES = (37 * Y + 91 * X + Y * X) % 2000


@pytest.mark.parametrize("transfer_syntax", [LOSSLESS, LOSSLESS_RPCL, ANY])
@pytest.mark.parametrize(("name", "signed"), [("htj2k_lossless", False), ("htj2k_lossless_signed", True)])
def test_the_pixels_of_another_encoder_come_out_to_the_last_bit(tmp_path, transfer_syntax, name, signed):
    for number in range(2):
        written = image(number)
        written.file_meta.TransferSyntaxUID = transfer_syntax
        written.Rows, written.Columns = VALUES.shape
        written.PixelRepresentation = int(signed)
        written.RescaleIntercept = 0 if signed else -1024
        written.PixelData = encapsulate([(STREAMS / f"{name}.jhc").read_bytes()])
        written["PixelData"].VR = "OB"
        written.save_as(tmp_path / f"{number}.dcm", enforce_file_format=True)
    found = exams(index([tmp_path]))
    ((series,),) = (exam.series for exam in found.exams)
    volume = read_volume(series.volumes[0])
    np.testing.assert_array_equal(volume.voxels, np.broadcast_to(VALUES - 1024, volume.voxels.shape))
