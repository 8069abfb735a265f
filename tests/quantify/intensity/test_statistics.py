"""The statistics family against its definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.core.errors import Undefined
from bingcheng.quantify.intensity.statistics import FEATURES, order_statistics, statistics

VALUES = st.lists(st.floats(-1000.0, 1000.0, width=32), min_size=1, max_size=60).map(
    lambda values: np.array(values, dtype=np.float32)
)


def by_definition(values):
    x = values.astype(np.float64)
    p10, p25, p75, p90 = np.percentile(x, (10, 25, 75, 90), method="inverted_cdf")
    d = x - x.mean()
    middle = x[(x >= p10) & (x <= p90)]
    return {
        "stat_mean": x.mean(),
        "stat_var": (d**2).mean(),
        "stat_median": np.median(x),
        "stat_min": x.min(),
        "stat_p10": p10,
        "stat_p90": p90,
        "stat_max": x.max(),
        "stat_iqr": p75 - p25,
        "stat_range": np.ptp(x),
        "stat_mad": np.abs(d).mean(),
        "stat_rmad": np.abs(middle - middle.mean()).mean(),
        "stat_medad": np.abs(x - np.median(x)).mean(),
        "stat_energy": (x**2).sum(),
        "stat_rms": np.sqrt((x**2).mean()),
    }


def test_every_value_of_the_digital_phantom(phantom, agrees):
    assert agrees("stat_", statistics(phantom)) == len(FEATURES) == 18


@given(VALUES)
def test_they_are_what_the_manual_defines(roi_of, values):
    found = statistics(roi_of(values))
    assert found.keys() == {feature.tag for feature in FEATURES}
    for tag, expect in by_definition(values).items():
        assert found[tag] == pytest.approx(expect, rel=1e-9, abs=1e-9), tag
    for value in found.values():
        assert isinstance(value, Undefined) or (isinstance(value, float) and math.isfinite(value))


@given(st.integers(0, 1000), st.floats(0.01, 100.0), st.floats(-500.0, 500.0))
def test_offset_and_scale_change_them_as_their_power_says(roi_of, seed, scale, offset):
    values = np.random.default_rng(seed).gamma(2.0, 10.0, 50)
    first, second = statistics(roi_of(values)), statistics(roi_of(values * scale + offset))
    moves = {"stat_mean", "stat_median", "stat_min", "stat_max", "stat_p10", "stat_p90"}
    for feature in FEATURES:
        if feature.tag in {"stat_energy", "stat_rms", "stat_cov", "stat_qcod"}:
            continue
        expect = first[feature.tag] * scale**feature.intensity_power + (offset if feature.tag in moves else 0.0)
        assert second[feature.tag] == pytest.approx(expect, rel=1e-7, abs=1e-7 * (1.0 + abs(offset))), feature.tag


def test_skewness_and_kurtosis_of_a_known_distribution(roi_of):
    # Quantiles of an exponential distribution: skewness 2, excess kurtosis 6 in the limit of many.
    n = 1_000_000
    values = -np.log1p(-(np.arange(n) + 0.5) / n)
    found = statistics(roi_of(values))
    # What lies beyond the last quantile, 1 / (2 n), holds these parts of the third and fourth moment.
    assert found["stat_skew"] == pytest.approx(2.0, abs=0.01)
    assert found["stat_kurt"] == pytest.approx(6.0, abs=0.15)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=200))
def test_percentiles_are_values_that_occur(values):
    found = order_statistics(np.array(values, dtype=np.float32))
    expect = np.percentile(values, (10, 25, 75, 90), method="inverted_cdf")
    assert (found.p10, found.p25, found.p75, found.p90) == tuple(expect)


@pytest.mark.parametrize("value", [0.1, -0.1, 40.0, 0.0])
@pytest.mark.parametrize("n", [1, 7, 1000])
def test_a_constant_has_no_spread_and_no_skew(roi_of, value, n):
    found = statistics(roi_of(np.full(n, value, dtype=np.float32)))
    for tag in ("stat_var", "stat_skew", "stat_kurt", "stat_range", "stat_mad", "stat_rmad", "stat_medad"):
        assert found[tag] == 0.0
    assert isinstance(found["stat_cov"], Undefined) == (value == 0.0)


def test_ratios_without_a_denominator_are_undefined(roi_of):
    found = statistics(roi_of(np.array([-2.0, -1.0, 1.0, 2.0])))
    assert found["stat_cov"].code == "quantify.mean-intensity-zero"
    found = statistics(roi_of(np.array([-3.0, -3.0, -1.0, 3.0, 3.0, 2.0])))
    assert found["stat_qcod"].code == "quantify.quartile-sum-zero"


def test_an_empty_intensity_mask_has_none(roi_of):
    found = statistics(roi_of(np.ones(3), inside=np.zeros((1, 1, 3), dtype=bool)))
    assert {value.code for value in found.values()} == {"quantify.no-voxel-in-intensity-range"}


def test_single_and_double_precision_agree(roi_of):
    values = np.random.default_rng(1).normal(40.0, 20.0, 5000).astype(np.float32)
    first, second = statistics(roi_of(values)), statistics(roi_of(values.astype(np.float64)))
    assert second == pytest.approx(first, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-90, 1e-160])
def test_tiny_intensities_have_the_skewness_and_kurtosis_of_large_ones(roi_of, scale):
    values = np.random.default_rng(3).gamma(2.0, size=200)
    tiny, usual = (statistics(roi_of(values * factor)) for factor in (scale, 1.0))
    for tag in ("stat_skew", "stat_kurt"):
        assert tiny[tag] == pytest.approx(usual[tag], rel=1e-9)
