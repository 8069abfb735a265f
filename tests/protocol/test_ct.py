"""Quantities of CT series."""

from __future__ import annotations

import pytest
from tests.protocol.exams_ct_pet import ct

from bingcheng.protocol.attributes import ExamFacts, attributes


def scan_mode(**facts):
    series = ct("1", **facts)
    return attributes()["derived.scan_mode"].read(ExamFacts(acquisitions=(series,)), series).value


@pytest.mark.parametrize(
    ("acquisition_type", "pitch", "mode"),
    [
        ("SPIRAL", None, "helical"),
        ("SEQUENCED", None, "axial"),
        (None, 0.9, "helical"),
        (None, None, None),
        ("CONSTANT_ANGLE", None, None),
        ("STATIONARY", None, None),
    ],
)
def test_the_motion_of_the_table_is_told_by_the_acquisition_type_or_by_a_pitch(acquisition_type, pitch, mode):
    assert scan_mode(acquisition_type=acquisition_type, pitch=pitch) == mode


def test_axial_in_the_image_type_names_a_plane_and_no_motion():
    assert scan_mode(acquisition_type=None, pitch=None, image_type=("ORIGINAL", "PRIMARY", "AXIAL")) is None
