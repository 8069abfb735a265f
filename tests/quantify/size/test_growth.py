"""Growth between two examinations, and mass."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.core.errors import InputError, Undefined
from bingcheng.core.measure import Estimate
from bingcheng.quantify.size.growth import growth_of_diameter, growth_of_volume, mass_mg


def test_a_volume_that_doubles_in_90_days_has_that_doubling_time():
    found = growth_of_volume(Estimate(500.0, 25.0), Estimate(1000.0, 50.0), 90.0)
    time = found.doubling_time_d()
    assert time.value == pytest.approx(90.0)
    # ln 2 over the bounds of the rate: 5 % of each volume is sqrt(2) * 5 % of their ratio.
    reach = 1.959964 * np.sqrt(2.0) * 0.05
    assert time.lower == pytest.approx(90.0 * np.log(2.0) / (np.log(2.0) + reach))
    assert time.upper == pytest.approx(90.0 * np.log(2.0) / (np.log(2.0) - reach))


def test_a_diameter_grows_by_the_cube_root():
    volume = growth_of_volume(Estimate(1000.0, 30.0), Estimate(2000.0, 60.0), 100.0)
    diameter = growth_of_diameter(Estimate(10.0, 0.1), Estimate(10.0 * 2 ** (1 / 3), 0.1 * 2 ** (1 / 3)), 100.0)
    assert diameter.rate_per_d == pytest.approx(volume.rate_per_d)
    assert diameter.rate_uncertainty_per_d == pytest.approx(volume.rate_uncertainty_per_d)


def test_what_shrinks_has_a_negative_time_with_bounds_in_order():
    time = growth_of_volume(Estimate(1000.0, 20.0), Estimate(500.0, 10.0), 30.0).doubling_time_d()
    assert time.value == pytest.approx(-30.0)
    assert time.lower < time.value < time.upper < 0.0


@pytest.mark.parametrize(("later", "measurable"), [(1.38, False), (1.40, True), (1 / 1.38, False), (1 / 1.40, True)])
def test_within_the_repeatability_coefficient_there_is_no_growth(later, measurable):
    # A coefficient of variation of 12 %: exp(2.77 * 0.12) = 1.395.
    found = growth_of_volume(Estimate(1.0, 0.12), Estimate(later, 0.12 * later), 90.0)
    if measurable:
        assert np.sign(found.doubling_time_d().value) == np.sign(later - 1.0)
    else:
        with pytest.raises(Undefined, match="no-measurable-growth") as told:
            found.doubling_time_d()
        assert told.value.reason.facts["repeatability_percent"] == pytest.approx(39.5, abs=0.1)
    assert found.rate.lower < found.rate.value < found.rate.upper


def test_without_uncertainties_there_is_a_time_but_no_bounds():
    time = growth_of_volume(Estimate(1.0), Estimate(2.0, 0.1), 10.0).doubling_time_d()
    assert (time.value, time.lower, time.upper) == (pytest.approx(10.0), None, None)
    with pytest.raises(Undefined, match="no-measurable-growth"):
        growth_of_volume(Estimate(2.0), Estimate(2.0), 10.0).doubling_time_d()


@given(st.floats(1.0, 1e5), st.floats(1.05, 8.0), st.floats(1.0, 2000.0), st.floats(0.001, 100.0))
def test_unit_and_direction_of_time(volume, ratio, days, scale):
    forth = growth_of_volume(Estimate(volume), Estimate(volume * ratio), days).doubling_time_d().value
    back = growth_of_volume(Estimate(volume * ratio * scale), Estimate(volume * scale), days).doubling_time_d().value
    assert back == pytest.approx(-forth)


@pytest.mark.parametrize(
    ("first", "second", "days"), [(0.0, 1.0, 1.0), (1.0, -1.0, 1.0), (1.0, 2.0, 0.0), (1.0, np.nan, 1.0)]
)
def test_sizes_and_times_must_be_above_zero(first, second, days):
    for growth in (growth_of_volume, growth_of_diameter):
        with pytest.raises(InputError, match="growth-not-positive"):
            growth(Estimate(first), Estimate(second), days)


def test_mass_is_volume_times_density():
    found = mass_mg(Estimate(1000.0, 100.0), Estimate(-400.0, 20.0))
    assert found.value == pytest.approx(600.0)
    assert found.standard_uncertainty == pytest.approx(np.hypot(60.0, 20.0))
    assert mass_mg(Estimate(1000.0), Estimate(40.0, 1.0)) == Estimate(pytest.approx(1040.0), None)
    with pytest.raises(InputError, match="growth-not-positive"):
        mass_mg(Estimate(1000.0), Estimate(-1000.0))
