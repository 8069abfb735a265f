"""The conventions of SUVpeak differ in the ways that their names say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.core.errors import Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.uptake.lesion_uptake import PERCIST_RADIUS_MM, suv_peak
from bingcheng.quantify.uptake.peak_conventions import suv_peak_about_hottest, suv_peak_whole_voxels

GRID = VolumeGeometry(shape=(15, 19, 19), spacing_mm=(3.0, 2.0, 2.0))


def lesion_of(inside):
    return Region.of(inside, GRID, label="lesion")


def middle():
    inside = np.zeros(GRID.shape, dtype=bool)
    inside[5:10, 6:13, 6:13] = True
    return inside


def image(voxels):
    return Volume(voxels=np.asarray(voxels, dtype=np.float32), geometry=GRID, unit="g/ml")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_a_sphere_about_the_hottest_voxel_is_never_above_the_best_sphere(seed):
    voxels = np.random.default_rng(seed).gamma(2.0, 2.0, GRID.shape)
    volume, lesion = image(voxels), lesion_of(middle())
    assert suv_peak_about_hottest(volume, lesion) <= suv_peak(volume, lesion) + 1e-9


def test_a_lonely_hot_voxel_draws_the_sphere_away_from_the_hot_part():
    voxels = np.full(GRID.shape, 1.0)
    voxels[5:8, 6:13, 6:13] = 6.0
    voxels[9, 12, 12] = 9.0
    volume, lesion = image(voxels), lesion_of(middle())
    assert suv_peak_about_hottest(volume, lesion) < 0.6 * suv_peak(volume, lesion)


def test_whole_voxels_are_those_whose_centres_lie_in_the_sphere():
    voxels = np.random.default_rng(2).gamma(2.0, 2.0, GRID.shape)
    z, y, x = np.indices(GRID.shape)
    best = 0.0
    for cz, cy, cx in np.argwhere(middle()):
        distance = np.sqrt(((z - cz) * 3.0) ** 2 + ((y - cy) * 2.0) ** 2 + ((x - cx) * 2.0) ** 2)
        best = max(best, float(voxels[distance <= PERCIST_RADIUS_MM].mean()))
    assert suv_peak_whole_voxels(image(voxels), lesion_of(middle())) == pytest.approx(best, rel=1e-6)


def test_among_equally_hot_voxels_the_one_with_the_highest_mean_counts():
    voxels = np.full(GRID.shape, 1.0)
    voxels[7, 7, 7] = voxels[7, 11, 11] = 10.0
    voxels[7, 11, 12] = 9.0
    volume, lesion = image(voxels), lesion_of(middle())
    assert suv_peak_about_hottest(volume, lesion) == pytest.approx(suv_peak_about_hottest(volume, lesion_of_one()))


def lesion_of_one():
    inside = np.zeros(GRID.shape, dtype=bool)
    inside[7, 11, 11] = True
    return lesion_of(inside)


@pytest.mark.parametrize("convention", [suv_peak_about_hottest, suv_peak_whole_voxels])
def test_an_empty_lesion_has_no_peak_but_a_reason(convention):
    with pytest.raises(Undefined) as caught:
        convention(image(np.ones(GRID.shape)), lesion_of(np.zeros(GRID.shape, dtype=bool)))
    assert caught.value.code == "quantify.lesion-without-voxels"


@pytest.mark.parametrize("convention", [suv_peak_about_hottest, suv_peak_whole_voxels])
def test_a_sphere_that_leaves_the_image_is_said(convention):
    inside = np.zeros(GRID.shape, dtype=bool)
    inside[0, 9, 9] = True
    with pytest.raises(Undefined) as caught:
        convention(image(np.ones(GRID.shape)), lesion_of(inside))
    assert caught.value.code == "quantify.peak-sphere-leaves-image"
