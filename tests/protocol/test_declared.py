"""What a header declares twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.exams_ct_pet import F18_S, ct, dwi, pet

from bingcheng.protocol.attributes import ExamFacts, attributes

sizes_mm = st.floats(0.2, 20.0)


def read(key, series):
    return attributes()[key].read(ExamFacts(acquisitions=(series,)), series)


def fdg(**facts):
    return replace(pet("1", tracer="FDG", half_life_s=F18_S, uptake_min=60.0, mbq_per_kg=3.5), **facts)


@given(interval_mm=sizes_mm, declared_mm=sizes_mm)
def test_the_declared_distance_is_compared_with_the_positions(interval_mm, declared_mm):
    series = ct("1", reconstruction_interval_mm=interval_mm, spacing_between_slices_mm=declared_mm)
    reading = read("derived.interval_over_declared_spacing", series)
    assert reading.value == pytest.approx(interval_mm / declared_mm)


def test_a_gap_written_in_place_of_the_distance_is_told():
    series = ct("1", slice_thickness_mm=5.0, reconstruction_interval_mm=6.0, spacing_between_slices_mm=1.0)
    assert "the gap stands there" in str(read("derived.interval_over_declared_spacing", series).remark)
    other = ct("1", slice_thickness_mm=5.0, reconstruction_interval_mm=6.0, spacing_between_slices_mm=3.0)
    assert "the gap" not in str(read("derived.interval_over_declared_spacing", other).remark)


def test_an_image_that_was_reduced_without_its_pixel_size_is_seen():
    # 384 mm of 512 pixels; resampled to 256 pixels that still claim 0.75 mm the image is only 192 mm wide.
    series = ct("1", rows=256, columns=256)
    assert read("derived.field_over_diameter", series).value == pytest.approx(0.5)
    assert read("derived.field_over_diameter", ct("1")).value == pytest.approx(1.0)


def test_weight_and_height_that_were_exchanged_make_no_person():
    assert read("derived.body_mass_index", fdg()).value == pytest.approx(70.0 / 1.7**2)
    assert read("derived.body_mass_index", fdg(weight_kg=170.0, height_m=0.7)).value == pytest.approx(346.9, abs=0.1)


def test_a_scan_before_its_injection_has_a_negative_uptake_in_half_lives():
    series = fdg()
    early = replace(series, started_at=series.injected_at - timedelta(minutes=30))
    # 30 min are 1800 s of a half-life of 6586.2 s.
    assert read("derived.uptake_half_lives", early).value == pytest.approx(-1800.0 / 6586.2)
    assert read("derived.uptake_half_lives", series).value == pytest.approx(3600.0 / 6586.2)


def test_a_repetition_time_in_seconds_lies_below_the_echo_time():
    assert read("derived.echo_over_repetition", replace(dwi(), repetition_time_ms=6.0)).value == pytest.approx(70 / 6)


SILENT = {
    "derived.interval_over_declared_spacing": ct("1", spacing_between_slices_mm=None),
    "derived.field_over_diameter": ct("1", reconstruction_diameter_mm=None),
    "derived.body_mass_index": ct("1", height_m=None),
    "derived.uptake_half_lives": fdg(half_life_s=None),
    "derived.echo_over_repetition": replace(dwi(), echo_times_ms=()),
    "SpacingBetweenSlices": ct("1", spacing_between_slices_mm=None),
}


@pytest.mark.parametrize("key", SILENT)
def test_what_is_said_once_only_can_not_contradict_itself(key):
    reading = read(key, SILENT[key])
    assert reading.value is None
    assert reading.why is not None
