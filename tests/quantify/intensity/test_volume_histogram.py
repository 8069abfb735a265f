"""The intensity-volume histogram against its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.core.errors import Undefined
from bingcheng.quantify.intensity.volume_histogram import FEATURES, volume_histogram

INDEX = st.lists(st.integers(1, 12), min_size=1, max_size=60).map(np.array)


def test_every_value_of_the_digital_phantom(phantom, agrees):
    values = volume_histogram(phantom)
    assert agrees("ivh_", values) == 6
    # By hand from the manual's table of the phantom: 74, 24, 24, 23, 7 and 7 of 74 voxels reach 1 to 6.
    assert values["ivh_auc"] == pytest.approx((74 / 2 + 24 + 24 + 23 + 7 + 7 / 2) / 74 / 5)


@given(INDEX, st.integers(0, 5))
def test_it_is_what_the_manual_defines(roi_of, levels, index, more):
    count = int(index.max()) + more
    found = volume_histogram(roi_of(index.astype(float), levels=levels(index.reshape(1, 1, -1), count=count)))
    assert found.keys() == {feature.tag for feature in FEATURES}
    level = range(1, count + 1)
    fraction = [(index >= i).mean() for i in level]
    for percent in (10, 90):
        volume, intensity = found[f"ivh_v{percent}"], found[f"ivh_i{percent}"]
        if count == 1:
            assert volume.code == "quantify.volume-histogram-without-range"
        else:
            expect = max(v for v, i in zip(fraction, level, strict=True) if 100 * (i - 1) >= percent * (count - 1))
            assert volume == pytest.approx(expect)
        rare = [i for i in level if 100 * (index >= i).sum() <= percent * index.size]
        if rare:
            assert intensity == rare[0]
        else:
            assert intensity.code == "quantify.volume-histogram-too-coarse"
    for value in found.values():
        assert isinstance(value, Undefined) or (isinstance(value, float) and math.isfinite(value))
    if np.unique(index).size == 1:
        assert found["ivh_auc"] == 0.0
    else:
        assert found["ivh_auc"] == pytest.approx(np.trapezoid(fraction) / (count - 1))


@given(INDEX, st.floats(0.1, 10.0), st.floats(-1000.0, 1000.0))
def test_levels_stand_for_intensities(roi_of, levels, index, step, first_value):
    box = index.reshape(1, 1, -1)
    plain = volume_histogram(roi_of(index.astype(float), levels=levels(box)))
    scaled = volume_histogram(roi_of(index.astype(float), levels=levels(box, first_value=first_value, step=step)))
    for percent in (10, 90):
        tag = f"ivh_i{percent}"
        if not isinstance(plain[tag], Undefined):
            assert scaled[tag] == pytest.approx(first_value + (plain[tag] - 1) * step)
        if not isinstance(plain[f"ivh_v{percent}"], Undefined):
            assert scaled[f"ivh_v{percent}"] == plain[f"ivh_v{percent}"]
    assert scaled["ivh_auc"] == plain["ivh_auc"]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_without_levels_it_is_read_from_the_intensities(roi_of, kind):
    # Eleven values evenly over the range 0 to 1: k of 11 voxels are above (11 - k) / 10.
    found = volume_histogram(roi_of(np.linspace(0.0, 1.0, 11, dtype=kind)))
    assert found["ivh_v10"] == pytest.approx(10 / 11)
    assert found["ivh_v90"] == pytest.approx(2 / 11)
    assert found["ivh_i10"] == pytest.approx(1.0)
    assert found["ivh_i90"] == pytest.approx(0.2)
    assert found["ivh_diff_i10_i90"] == pytest.approx(0.8)
    assert found["ivh_auc"] == pytest.approx((11 / 2 + sum(range(2, 11)) + 1 / 2) / 11 / 10)


def test_every_intensity_as_a_level_gives_what_the_intensities_give(roi_of, levels):
    index = np.random.default_rng(2).permutation(np.repeat(np.arange(1, 41), 5))
    with_levels = volume_histogram(roi_of(index.astype(float), levels=levels(index.reshape(1, 1, -1))))
    assert volume_histogram(roi_of(index.astype(float))) == pytest.approx(with_levels)


def test_one_intensity_has_no_range_and_an_empty_mask_nothing(roi_of):
    found = volume_histogram(roi_of(np.full(5, 3.0)))
    assert found["ivh_auc"] == 0.0
    assert found["ivh_v10"].code == found["ivh_diff_v10_v90"].code == "quantify.volume-histogram-without-range"
    assert found["ivh_i10"].code == found["ivh_diff_i10_i90"].code == "quantify.volume-histogram-too-coarse"
    empty = volume_histogram(roi_of(np.full(5, 3.0), inside=np.zeros((1, 1, 5), dtype=bool)))
    assert {value.code for value in empty.values()} == {"quantify.no-voxel-in-intensity-range"}
