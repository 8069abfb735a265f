"""What keeps text out of pixels must leave a segmentation as it was: every bit of it is a pixel."""

from __future__ import annotations

import io

import pydicom
import pytest
from tests.engine.making import ct

from bingcheng.archive.deidentify.batch import State, deidentified
from bingcheng.archive.deidentify.key import Key
from bingcheng.archive.deidentify.profile import Profile


@pytest.mark.parametrize("profile", ["basic", "research-follow-up", "teaching"])
def test_a_segmentation_of_one_bit_goes_with_its_case_pixel_for_pixel(tmp_path, profile):
    ct(tmp_path)
    before = pydicom.dcmread(tmp_path / "seg.dcm")
    assert before.BitsAllocated == 1
    (found,) = deidentified([tmp_path / "seg.dcm"], Profile.named(profile), Key(bytes(32)), site="North")
    assert found.state is State.DONE, found.problem
    after = pydicom.dcmread(io.BytesIO(found.data))
    assert after.PixelData == before.PixelData
    assert after.SOPInstanceUID != before.SOPInstanceUID
