"""The intraclass correlation: against its definition, against simulation, and at its edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.compare.reliability import FEWEST_LESIONS, Reliability, Robustness, reliability
from bingcheng.core.errors import Undefined


def simulated(*, between, within, lesions, repetitions, seed):
    """Values and uncertainties of lesions, from repetitions that are thrown away afterwards."""
    generator = np.random.default_rng(seed)
    truth = generator.normal(0.0, between, lesions)
    repeated = truth[:, None] + generator.normal(0.0, within, (lesions, repetitions))
    return truth + generator.normal(0.0, within, lesions), repeated.std(axis=1, ddof=1)


def test_certain_values_are_wholly_reliable():
    found = reliability(np.arange(12.0), np.zeros(12), repetitions=30)
    assert found.icc == found.low == found.high == 1.0
    assert found.grade is Robustness.EXCELLENT


def test_the_interval_holds_the_truth_as_often_as_it_says():
    between, within = 2.0, 1.0
    truth = between**2 / (between**2 + within**2)
    hits, estimates = 0, []
    for seed in range(400):
        x, u = simulated(between=between, within=within, lesions=20, repetitions=30, seed=seed)
        found = reliability(x, u, repetitions=30)
        hits += found.low <= truth <= found.high
        estimates.append(found.icc)
    # 400 runs at 95 %: 380 expected, binomial standard deviation 4.4; four of them either way.
    assert 362 <= hits <= 398
    assert np.median(estimates) == pytest.approx(truth, abs=0.02)


def test_it_agrees_with_shrout_and_fleiss_where_the_mean_of_the_repetitions_is_the_value():
    # With one value a lesion, ICC(1,1) = (MSB - MSW) / (MSB + (k - 1) MSW) at k = 1 is 1 - MSW / MSB.
    x, u = simulated(between=1.0, within=0.7, lesions=15, repetitions=12, seed=3)
    between, within = x.var(ddof=1), np.mean(u**2)
    assert reliability(x, u, repetitions=12).icc == pytest.approx((between - within) / between)


def test_lesions_that_differ_less_than_their_uncertainty_are_graded_poor():
    x, u = simulated(between=0.1, within=1.0, lesions=40, repetitions=30, seed=1)
    assert reliability(x, u, repetitions=30).grade is Robustness.POOR


@pytest.mark.parametrize(
    ("low", "grade"),
    [(0.49, "poor"), (0.5, "moderate"), (0.74, "moderate"), (0.75, "good"), (0.89, "good"), (0.9, "excellent")],
)
def test_the_grade_goes_by_the_lower_bound(low, grade):
    assert Reliability(icc=0.99, low=low, high=1.0, lesions=30).grade == grade


def test_too_few_lesions_have_no_grade_but_a_reason():
    count = FEWEST_LESIONS - 1
    with pytest.raises(Undefined) as caught:
        reliability(np.arange(float(count)), np.full(count, 0.1), repetitions=30)
    assert caught.value.code == "compare.too-few-lesions-to-grade"


def test_lesions_all_alike_have_no_grade_but_a_reason():
    with pytest.raises(Undefined) as caught:
        reliability(np.full(20, 3.0), np.full(20, 0.1), repetitions=30)
    assert caught.value.code == "compare.lesions-all-alike"


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 100.0), st.floats(-50.0, 50.0), st.integers(0, 99))
def test_scaling_and_shifting_the_values_changes_nothing(scale, shift, seed):
    x, u = simulated(between=2.0, within=0.5, lesions=12, repetitions=10, seed=seed)
    one, other = reliability(x, u, repetitions=10), reliability(scale * x + shift, scale * u, repetitions=10)
    assert other.icc == pytest.approx(one.icc, rel=1e-6, abs=1e-9)
    assert other.low == pytest.approx(one.low, rel=1e-6, abs=1e-9)
