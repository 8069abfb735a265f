from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.archive.deidentify.dates import capped_age, moved


@given(st.dates(date(1910, 1, 1), date(2100, 1, 1)), st.integers(1, 1825))
def test_dates_move_back_by_the_days(day, days):
    assert moved(f"{day:%Y%m%d}", "DA", days) == f"{day - timedelta(days=days):%Y%m%d}"
    assert moved(f"{day:%Y.%m.%d}", "DA", days) == f"{day - timedelta(days=days):%Y%m%d}"


@pytest.mark.parametrize(
    ("words", "vr", "told"),
    [
        ("20240213", "DA", "20240212"),
        ("20240301\\20240213", "DA", "20240229\\20240212"),
        ("", "DA", ""),
        ("20240213101112.123456+0800", "DT", "20240212101112.123456+0800"),
        ("202402131011", "DT", "202402121011"),
        ("202402", "DT", "202401"),
        ("2024", "DT", "2024"),
        ("20240230", "DA", None),
        ("yesterday", "DA", None),
        ("20240213-20240214", "DA", None),
    ],
)
def test_every_form_of_a_date_is_moved_or_refused(words, vr, told):
    assert moved(words, vr, 1) == told


@pytest.mark.parametrize(
    ("age", "told"), [("034Y", "034Y"), ("090Y", "090Y"), ("120Y", "090Y"), ("011M", "011M"), ("Meier", ""), ("", "")]
)
def test_ages(age, told):
    assert capped_age(age) == told
