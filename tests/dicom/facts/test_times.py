# ruff: noqa: DTZ001 - a header's times are local to its scanner and have no zone
from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.facts.times import (
    acquisition_moment,
    date_of,
    last_before,
    moment_of,
    nearest,
    series_moment,
    time_of,
    time_of_day,
)


@pytest.mark.parametrize("written", ["20240229", "2024.02.29", " 20240229 "])
def test_dates_of_new_and_old_objects_are_read(written):
    assert date_of(written) == date(2024, 2, 29)


@pytest.mark.parametrize("written", [None, "", "20240230", "garbage", "2024", "00000000", "00010101", "202402291"])
def test_dates_that_are_none_have_no_value(written):
    assert date_of(written) is None


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("07", 25200), ("0703", 25380), ("070305", 25385), ("070305.5", 25385.5), ("07:03:05", 25385), ("235960", 86400)],
)
def test_times_shortened_or_with_colons_are_read(written, seconds):
    assert time_of(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize("written", [None, "", "240000", "126000", "1", "noon", "12345x"])
def test_times_that_are_none_have_no_value(written):
    assert time_of(written) is None


@pytest.mark.parametrize("written", ["20240101083045", "20240101083045.000000 ", "20240101083045.0+0800"])
def test_moments_are_local_times_of_the_scanner(written):
    assert moment_of(written) == datetime(2024, 1, 1, 8, 30, 45)


@pytest.mark.parametrize("written", ["19000101000000", "19000101000000.000000", "19000101000000+0000"])
def test_the_dummy_of_a_moment_is_none(written):
    assert moment_of(written) is None
    assert moment_of("19000101083045") == datetime(1900, 1, 1, 8, 30, 45)


@pytest.mark.parametrize("written", ["20240101", "2024", "", None, "20241301083045"])
def test_moment_without_a_time_or_with_a_wrong_date_has_no_value(written):
    assert moment_of(written) is None


@given(st.text(max_size=30))
def test_no_text_raises(written):
    assert isinstance(date_of(written), date | None)
    assert isinstance(time_of(written), timedelta | None)
    assert isinstance(moment_of(written), datetime | None)


moments = st.datetimes(datetime(1950, 1, 2), datetime(2100, 1, 1))


@given(moments, st.timedeltas(timedelta(0), timedelta(hours=24) - timedelta.resolution))
def test_nearest_and_last_before_keep_the_time_of_day(anchor, time):
    assert time_of_day(nearest(time, anchor)) == time
    assert abs(nearest(time, anchor) - anchor) <= timedelta(hours=12)
    assert timedelta(0) <= anchor - last_before(time, anchor) < timedelta(days=1)


def test_acquisition_without_a_date_takes_the_series_date():
    dataset = Dataset()
    dataset.SeriesDate, dataset.AcquisitionTime = "20240105", "101500"
    assert acquisition_moment(Tags(dataset)) == datetime(2024, 1, 5, 10, 15)


def test_series_without_a_date_takes_the_study_date():
    dataset = Dataset()
    dataset.StudyDate, dataset.SeriesTime = "20240105", "101500"
    assert series_moment(Tags(dataset)) == datetime(2024, 1, 5, 10, 15)
