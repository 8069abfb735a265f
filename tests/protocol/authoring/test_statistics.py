"""What values agree on, by analytic cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.protocol.attributes import attributes
from bingcheng.protocol.authoring.statistics import Agreement, Scattered, Seen, Spread, agreement
from bingcheng.protocol.rules import operators

UPTAKE, VOLTAGE, THICKNESS, KERNEL, FLAG, B_VALUES = (
    attributes()[key]
    for key in (
        "derived.uptake_min",
        "KVP",
        "SliceThickness",
        "ConvolutionKernel",
        "derived.fat_suppressed",
        "derived.b_values",
    )
)


def seen(values, vendors="A"):
    return [
        Seen(value=value, device=f"{vendor} scanner", vendor=vendor)
        for value, vendor in zip(values, (vendors * len(values))[: len(values)], strict=True)
    ]


def test_median_and_median_absolute_deviation_of_a_textbook_case():
    # 1, 1, 2, 2, 4, 6, 9: median 2, absolute deviations 1, 1, 0, 0, 2, 4, 7, whose median is 1.
    found = Spread.of([1, 1, 2, 2, 4, 6, 9])
    assert (found.median, found.mad, found.low, found.high) == (2.0, 1.0, 1.0, 9.0)


def test_one_setting_is_asked_for_as_it_is():
    assert agreement(VOLTAGE, seen([120.0] * 3), least=3) == Agreement(operator="==", value=120.0)


def test_a_setting_within_the_rounding_of_headers_is_one():
    found = agreement(THICKNESS, seen([2.5, 2.5003, 2.4998]), least=3)
    assert isinstance(found, Agreement)
    assert found.operator == "=="
    assert found.value == pytest.approx(2.5, abs=0.005)  # the tolerance of the quantity


def test_a_range_is_the_median_and_three_robust_standard_deviations():
    values = [58.0, 59.0, 60.0, 61.0, 62.0]
    found = agreement(UPTAKE, seen(values), least=3)
    assert isinstance(found, Agreement)
    low, high = found.value
    # MAD 1: 60 -+ 3 x 1.4826 = 55.55 to 64.45, rounded outward by at most one step of 0.5.
    assert 55.0 <= low <= 55.6
    assert 64.4 <= high <= 65.0


def test_one_value_far_from_the_others_leaves_their_range_as_it_is():
    found = agreement(UPTAKE, seen([58.0, 59.0, 60.0, 61.0, 62.0, 120.0]), least=3)
    assert isinstance(found, Scattered)
    assert found.beyond == 1
    assert found.usual is not None
    assert found.usual[1] < 75.0


def test_vendors_that_agree_each_for_itself_get_limits_of_their_own():
    found = agreement(THICKNESS, seen([2.5, 3.0] * 3, vendors=["SIEMENS", "GE"]), least=3)
    assert found == Agreement(operator="between", by_vendor={"GE": (3.0, 3.0), "SIEMENS": (2.5, 2.5)})


def test_without_the_vendor_of_every_exam_no_limit_depends_on_it():
    found = agreement(THICKNESS, seen([2.5, 3.0] * 3, vendors=["SIEMENS", None]), least=3)
    assert found == Agreement(operator="in", value=(2.5, 3.0))


def test_words_that_differ_in_writing_only_are_one():
    assert agreement(KERNEL, seen(["B30f", "b30F ", "B30f"]), least=3) == Agreement(operator="==", value="B30f")


def test_yes_here_and_no_there_is_no_agreement():
    assert isinstance(agreement(FLAG, seen([True, True, False]), least=3), Scattered)


def test_of_lists_what_all_hold_is_asked_for():
    found = agreement(B_VALUES, seen([(0.0, 50.0, 800.0), (0.0, 800.5), (0.0, 400.0, 800.0)]), least=3)
    assert found == Agreement(operator="contains_all", value=(0.0, 800.0))


def test_too_few_values_are_no_agreement():
    assert isinstance(agreement(VOLTAGE, seen([120.0, 120.0]), least=3), Scattered)


@settings(deadline=None)
@given(st.lists(st.floats(1.0, 1e4), min_size=3, max_size=30))
def test_whatever_is_asked_for_is_met_by_every_value(values):
    found = agreement(UPTAKE, seen(values), least=3)
    if isinstance(found, Scattered):
        return
    holds = operators()[found.operator].holds
    assert all(holds(value, found.value, UPTAKE.tolerance) for value in values)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 1000.0))
def test_a_change_of_scale_changes_the_range_by_no_more_than_its_rounding(seed, scale):
    values = np.random.default_rng(seed).normal(60.0, 1.5, 15)
    first, second = (agreement(UPTAKE, seen([float(v) * s for v in values]), least=3) for s in (1.0, scale))
    if (
        isinstance(first, Agreement)
        and isinstance(second, Agreement)
        and first.operator == second.operator == "between"
    ):
        # Ends are rounded outward to a hundredth of the larger end at most, once in each.
        for one, other in zip(first.value, second.value, strict=True):
            assert abs(other / scale - one) <= 0.02 * max(first.value)
