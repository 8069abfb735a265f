"""The intensity histogram family against its definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.core.errors import Undefined
from bingcheng.quantify.intensity.histogram import FEATURES, histogram, level_counts
from bingcheng.quantify.intensity.statistics import statistics

INDEX = st.lists(st.integers(0, 8), min_size=1, max_size=80).filter(any).map(np.array)


def test_every_value_of_the_digital_phantom(phantom, agrees):
    assert agrees("ih_", histogram(phantom)) == len(FEATURES) == 23


@given(INDEX)
def test_levels_have_the_statistics_of_their_numbers(roi_of, levels, index):
    roi = roi_of(index.astype(float), inside=(index > 0).reshape(1, 1, -1), levels=levels(index.reshape(1, 1, -1)))
    found, expect = histogram(roi), statistics(roi)
    assert found.keys() == {feature.tag for feature in FEATURES}
    for tag, value in found.items():
        other = expect.get(tag.replace("ih_", "stat_"))
        if other is not None:
            assert value == pytest.approx(other, rel=1e-9, abs=1e-9), tag
        assert isinstance(value, Undefined) or (isinstance(value, float) and math.isfinite(value))


@given(INDEX, st.integers(0, 4))
def test_shares_entropy_and_gradients_are_those_of_the_counts(roi_of, levels, index, more):
    count = int(index.max()) + more
    roi = roi_of(index.astype(float), levels=levels(index.reshape(1, 1, -1), count=count))
    found = histogram(roi)
    counts = np.array([(index == level).sum() for level in range(1, count + 1)])
    assert level_counts(roi.levels).tolist() == counts.tolist()
    p = counts[counts > 0] / counts.sum()
    assert found["ih_entropy"] == pytest.approx(-(p * np.log2(p)).sum(), abs=1e-12)
    assert found["ih_uniformity"] == pytest.approx((p**2).sum())
    near = np.abs(np.arange(1, count + 1) - found["ih_mean"])
    assert found["ih_mode"] == min((-n, d, k) for k, (n, d) in enumerate(zip(counts, near, strict=True), 1))[2]
    if count > 1:
        slope = [counts[1] - counts[0], *(counts[2:] - counts[:-2]) / 2, counts[-1] - counts[-2]]
        assert found["ih_max_grad"] == max(slope)
        assert found["ih_max_grad_g"] == slope.index(max(slope)) + 1
        assert found["ih_min_grad"] == min(slope)
        assert found["ih_min_grad_g"] == slope.index(min(slope)) + 1


def test_of_two_modes_as_near_to_the_mean_the_lower_is_told(roi_of, levels):
    index = np.array([1, 1, 3, 3, 2]).reshape(1, 1, -1)
    assert histogram(roi_of(index.astype(float), levels=levels(index)))["ih_mode"] == 1.0


def test_one_bin_has_no_gradient(roi_of, levels):
    index = np.ones((1, 1, 5), dtype=int)
    found = histogram(roi_of(index.astype(float), levels=levels(index)))
    undefined = {tag: value.code for tag, value in found.items() if isinstance(value, Undefined)}
    assert undefined == dict.fromkeys(
        ("ih_max_grad", "ih_max_grad_g", "ih_min_grad", "ih_min_grad_g"), "quantify.histogram-of-one-bin"
    )
    assert (found["ih_var"], found["ih_skew"], found["ih_kurt"], found["ih_entropy"]) == (0.0, 0.0, 0.0, 0.0)
    assert math.copysign(1.0, found["ih_entropy"]) == 1.0


def test_without_levels_or_voxels_there_is_none(roi_of, levels):
    for given_levels, code in (
        (None, "quantify.histogram-not-discretised"),
        (levels(np.zeros((1, 1, 3)), count=4), "quantify.no-voxel-in-intensity-range"),
    ):
        found = histogram(roi_of(np.ones(3), levels=given_levels))
        assert {value.code for value in found.values()} == {code}


def test_thousands_of_bins_are_no_trouble(roi_of, levels):
    index = np.random.default_rng(0).integers(1, 100_000, (10, 10, 10))
    found = histogram(roi_of(index.astype(float), levels=levels(index, count=100_000)))
    assert found["ih_median"] == np.median(index)
