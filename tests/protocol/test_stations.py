"""How far the stations of whole-body diffusion reach together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol import exams_mr

from bingcheng.protocol.attributes import ExamFacts, attributes


def station(number: int, first_mm: float, **facts):
    made = {"slice_count": 40, "slice_thickness_mm": 5.0, "reconstruction_interval_mm": 5.0, "first_slice_mm": first_mm}
    return exams_mr.diffusion(number, number, **(made | facts))


def coverage(*series):
    return attributes()["derived.dwi_coverage_mm"].read(ExamFacts(acquisitions=series))


@given(overlap_mm=st.floats(0.0, 200.0), count=st.integers(2, 7))
def test_overlaps_of_stations_count_once(overlap_mm, count):
    stations = [station(n, -n * (200.0 - overlap_mm)) for n in range(count)]
    together_mm = 200.0 + (count - 1) * (200.0 - overlap_mm)
    assert coverage(*stations).value == pytest.approx(together_mm)
    assert coverage(*reversed(stations)).value == pytest.approx(together_mm)


def test_what_lies_between_two_stations_is_not_covered():
    assert coverage(station(1, 0.0), station(2, -300.0)).value == pytest.approx(400.0)


def test_stations_counted_from_the_other_end_lie_at_the_same_place():
    down = station(2, 0.0)
    up = replace(down, series_uid="1.5.9", slice_normal=(0.0, 0.0, -1.0), first_slice_mm=-195.0)
    assert coverage(station(1, 200.0), up).value == pytest.approx(coverage(station(1, 200.0), down).value)


def test_a_series_for_each_b_value_and_an_adc_map_cover_no_more():
    apart = [station(n, 0.0, b_values_s_per_mm2=(b,)) for n, b in ((1, 50.0), (2, 900.0))]
    assert coverage(*apart, exams_mr.adc(3, 3, first_slice_mm=500.0)).value == pytest.approx(200.0)


@pytest.mark.parametrize(
    "unplaced",
    [
        {"first_slice_mm": None},
        {"slice_normal": None},
        {"slice_normal": (1.0, 0.0, 0.0)},
        {"frame_of_reference_uid": "7"},
    ],
)
def test_stations_whose_place_is_not_known_give_no_length(unplaced):
    told = coverage(station(1, 0.0), replace(station(2, -190.0), **unplaced))
    assert told.value is None
    assert "overlap" in str(told.why)


def test_one_series_has_its_own_length_wherever_it_lies():
    assert coverage(station(1, 0.0, first_slice_mm=None)).value == pytest.approx(200.0)
