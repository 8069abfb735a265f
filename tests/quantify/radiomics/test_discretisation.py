"""Grey levels by the manual's formulas, at the edges of bins and of what makes sense."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from bingcheng.core.errors import InputError
from bingcheng.quantify.radiomics.discretisation import (
    MOST_LEVELS,
    FixedBinNumber,
    FixedBinSize,
    NoDiscretisation,
    texture_levels,
    volume_histogram_levels,
)
from bingcheng.quantify.radiomics.resegmentation import Resegmentation

NO_RULES = Resegmentation()
whole_numbers = st.lists(st.integers(-2000, 2000), min_size=1, max_size=30)


def levels(values, method, rules=NO_RULES, of=texture_levels, dtype=np.float32):
    image = np.asarray(values, dtype=dtype).reshape(1, 1, -1)
    return of(image, np.ones(image.shape, dtype=bool), method, rules)


@effort(max_examples=60, deadline=None)
@given(whole_numbers, st.integers(1, 64))
def test_fixed_bin_number_by_exact_arithmetic(values, count):
    low, high = min(values), max(values)
    expect = [count if v == high else math.floor(Fraction(count * (v - low), high - low)) + 1 for v in values]
    found = levels(values, FixedBinNumber(count=count))
    assert found.index.ravel().tolist() == expect
    assert found.count == count


@effort(max_examples=60, deadline=None)
@given(whole_numbers, st.integers(1, 200), st.none() | st.just(-2000))
def test_fixed_bin_size_by_exact_arithmetic(values, width, lowest):
    start = min(values) if lowest is None else lowest
    expect = [math.floor(Fraction(v - start, width)) + 1 for v in values]
    found = levels(values, FixedBinSize(width=width, lowest=lowest))
    assert found.index.ravel().tolist() == expect
    assert (found.count, found.lowest, found.width) == (max(expect), start, width)


@pytest.mark.parametrize("width", [49, 98, 103, 107, 161])
def test_an_intensity_on_an_edge_belongs_to_the_upper_bin(width):
    """Widths whose reciprocal, multiplied by them again, gives less than one in double precision."""
    assert width * (1.0 / width) < 1.0
    assert levels([0, width], FixedBinSize(width=width)).index.ravel().tolist() == [1, 2]
    assert levels([0, 1, width], FixedBinNumber(count=width)).index.ravel().tolist() == [1, 2, width]


def test_the_range_of_resegmentation_fixes_the_first_bin():
    found = levels([-480, 0], FixedBinSize(width=25.0), Resegmentation(low=-500.0, high=400.0))
    assert found.index.ravel().tolist() == [1, 21]
    assert found.lowest == -500.0


def test_an_explicit_first_bin_goes_before_the_range():
    found = levels([0.0, 10.0], FixedBinSize(width=1.0, lowest=-5.0), Resegmentation(low=0.0))
    assert found.index.ravel().tolist() == [6, 16]


def test_a_constant_lesion_has_the_highest_level():
    """By the manual's second case: the maximum has level Ng."""
    assert levels([7, 7, 7], FixedBinNumber(count=32)).index.ravel().tolist() == [32, 32, 32]
    assert levels([-7, -7], FixedBinSize(width=25)).index.ravel().tolist() == [1, 1]


def test_negative_intensities_are_levels_like_others():
    assert levels([-1024, -1000, -976], FixedBinNumber(count=2)).index.ravel().tolist() == [1, 2, 2]


def test_outside_of_the_mask_there_is_no_level():
    image = np.array([[[1.0, 2.0, np.float32(1e30)]]], dtype=np.float32)
    found = texture_levels(image, np.array([[[True, True, False]]]), FixedBinNumber(count=4), NO_RULES)
    assert found.index.ravel().tolist() == [1, 4, 0]


@pytest.mark.parametrize("method", [FixedBinNumber(count=8), FixedBinSize(width=2.0), NoDiscretisation()])
def test_an_empty_mask_has_no_levels(method):
    image = np.ones((2, 2, 2), dtype=np.float32)
    found = texture_levels(image, np.zeros(image.shape, dtype=bool), method, NO_RULES)
    assert not found.index.any()


def test_grey_levels_stay_as_they_are():
    found = levels([1, 3, 4, 6], NoDiscretisation())
    assert found.index.ravel().tolist() == [1, 3, 4, 6]
    assert (found.count, found.lowest) == (6, 1.0)


@pytest.mark.parametrize("values", [[0, 1], [-3, 2], [1.5, 2.0]])
def test_intensities_that_are_no_levels_are_refused(values):
    with pytest.raises(InputError) as caught:
        levels(values, NoDiscretisation())
    assert caught.value.code == "quantify.radiomics-not-levels"


def test_an_intensity_below_the_first_bin_is_refused():
    with pytest.raises(InputError) as caught:
        levels([-0.01, 3.0], FixedBinSize(width=0.25, lowest=0.0))
    assert caught.value.code == "quantify.radiomics-below-first-bin"


@pytest.mark.parametrize("width", [1e-3, 1e-300])
def test_more_levels_than_any_image_has_are_refused(width):
    with pytest.raises(InputError) as caught:
        levels([0.0, 1000.0], FixedBinSize(width=width))
    assert caught.value.code == "quantify.radiomics-too-many-levels"
    with pytest.raises(InputError):
        levels([1, MOST_LEVELS + 1], NoDiscretisation(), dtype=np.float64)


def test_the_volume_histogram_of_whole_intensities_spans_the_range():
    """IBSI reference manual, discrete calibrated intensities: the total range is that of re-segmentation."""
    found = levels([-3, 0, 2], NoDiscretisation(), Resegmentation(low=-5.0, high=4.0), volume_histogram_levels)
    assert (found.count, found.first_value, found.step) == (10, -5.0, 1.0)
    assert found.index.ravel().tolist() == [3, 6, 8]
    half_open = levels([-3, 0, 2], NoDiscretisation(), Resegmentation(low=-5.0), volume_histogram_levels)
    assert half_open.count == 8
    assert levels([-3, 0, 2], NoDiscretisation(), of=volume_histogram_levels).count == 6


def test_the_volume_histogram_of_fractions_is_read_from_the_intensities():
    assert levels([0.5, 1.0], NoDiscretisation(), of=volume_histogram_levels) is None


def test_the_volume_histogram_of_bins_stands_for_their_centres_up_to_the_range():
    """Continuous calibrated intensities: the range goes from half a bin above the lower to half below the upper end."""
    found = levels([0.0, 1.0], FixedBinSize(width=0.1), Resegmentation(low=0.0, high=6.0), volume_histogram_levels)
    assert found.count == 60
    assert found.first_value == pytest.approx(0.05)
    assert found.first_value + (found.count - 1) * found.step == pytest.approx(5.95)


def test_the_volume_histogram_of_a_bin_number_stands_for_the_bins():
    found = levels([0.0, 1.0], FixedBinNumber(count=1000), of=volume_histogram_levels)
    assert (found.count, found.first_value, found.step) == (1000, 1.0, 1.0)


@pytest.mark.parametrize("method", [FixedBinNumber(count=4), FixedBinSize(width=1.0, lowest=0.0)])
@pytest.mark.parametrize("shift", [-0.5, -0.25, 0.25, 0.5])
def test_shifted_edges_leave_nothing_below_the_first_level(method, shift):
    image = np.linspace(0.0, 4.0, 41).reshape(1, 1, -1)
    found = texture_levels(image, np.ones(image.shape, dtype=bool), method, NO_RULES, shift=shift)
    assert found.index.min() == 1
    inner = image.ravel()[np.flatnonzero(np.diff(found.index.ravel())) + 1]
    assert (inner + shift) % 1.0 == pytest.approx(np.zeros(inner.size), abs=0.1 + 1e-9)
