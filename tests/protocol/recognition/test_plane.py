"""Planes and tilts from the normal of the slices."""

from __future__ import annotations

from math import cos, radians, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.recognition.conftest import mr, read

PLANES = {"sagittal": 0, "coronal": 1, "axial": 2}


@given(
    plane=st.sampled_from(sorted(PLANES)),
    tilt=st.floats(0.0, 43.4),
    towards=st.sampled_from([1, 2]),
    sign=st.sampled_from([-1.0, 1.0]),
)
def test_slices_tilted_by_less_than_half_way_keep_their_plane(plane, tilt, towards, sign):
    normal = [0.0, 0.0, 0.0]
    normal[PLANES[plane]] = sign * cos(radians(tilt))
    normal[(PLANES[plane] + towards) % 3] = sin(radians(tilt))
    series = mr(slice_normal=tuple(normal))
    reading = read("derived.plane", series)
    # From 43.5 degrees on, a degree and a half short of half way, two planes are taken to be equally near.
    assert reading.value == plane
    # acos loses half of the digits near one: 1e-6 degrees there.
    assert read("derived.obliquity_deg", series).value == pytest.approx(tilt, abs=2e-6)


@pytest.mark.parametrize(
    ("name", "plane"), [("t2_tse_cor_obl", "coronal"), ("T2 轴位", "axial"), ("t2 sag", None), (None, None)]
)
def test_half_way_between_two_planes_the_name_says_which_of_the_two(name, plane):
    half = radians(45.0)
    reading = read("derived.plane", mr(slice_normal=(0.0, sin(half), cos(half)), series_description=name))
    assert reading.value == plane
    assert plane is None or reading.certainty <= 0.6


def test_without_a_normal_no_name_gives_a_plane():
    assert read("derived.plane", mr(series_description="t2_tse_sag")).value is None
    assert read("derived.plane", mr(slice_normal=(0.0, 0.0, 0.0))).value is None
