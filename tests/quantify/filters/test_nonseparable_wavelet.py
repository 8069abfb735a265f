from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bingcheng.core.errors import InputError
from bingcheng.quantify.filters.boundary import MIRROR, PERIODIC
from bingcheng.quantify.filters.nonseparable_wavelet import PROFILES, NonseparableWavelet
from bingcheng.quantify.filters.spectrum import FrequencyGrid

CUBE = (1.0, 1.0, 1.0)


@pytest.mark.parametrize("name", PROFILES)
def test_squares_of_all_levels_sum_to_one(name):
    nu = np.linspace(0.05, np.pi / 2, 400, dtype=np.float32)
    total = sum(PROFILES[name](np.float32(2) ** level * nu).astype(float) ** 2 for level in range(-1, 10))
    assert_allclose(total, 1, atol=1e-5)


@pytest.mark.parametrize("name", PROFILES)
def test_nothing_passes_at_zero_and_beyond_the_highest_frequency(name):
    assert not PROFILES[name](np.array([0.0, 0.2 * np.pi, 3.5, 5.0], dtype=np.float32)).any()


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("boundary", [PERIODIC, MIRROR], ids=["repeats", "mirrors"])
def test_a_wave_comes_out_as_high_as_the_profile_says(name, boundary):
    # 3 half-waves a mirrored period of 2 x 16 voxels, or 3 waves a period of 32.
    nu = 2 * np.pi * 3 / 32
    wave = np.cos(nu * (np.arange(32) + 0.5)).astype(np.float32)
    voxels = np.broadcast_to(wave, (4, 5, 32))
    chosen = NonseparableWavelet(wavelet=name, level=2, boundary=boundary)
    height = float(PROFILES[name](np.array([2 * nu], dtype=np.float32))[0])
    assert_allclose(chosen.response(voxels, CUBE), height * voxels, atol=1e-5)


@pytest.mark.parametrize("by_slice", [True, False])
def test_a_constant_leaves_nothing(by_slice):
    chosen = NonseparableWavelet(by_slice=by_slice)
    assert_allclose(chosen.response(np.full((6, 7, 8), 1000.0), CUBE), 0, atol=1e-3)


def test_the_grid_of_the_reference_maps_lets_a_constant_through_and_the_transforms_own_does_not():
    voxels = np.full((4, 4, 4), 1.0)
    grid = {
        one: NonseparableWavelet(boundary=PERIODIC, frequency_grid=one).response(voxels, CUBE)[0, 0, 0]
        for one in FrequencyGrid
    }
    # At N = 4 its lowest frequencies are (+-pi/3)^3, of length 1.81: cos(pi/2 log2(2 x 1.81 / pi)) = 0.949.
    assert grid[FrequencyGrid.IBSI] == pytest.approx(np.cos(np.pi / 2 * np.log2(2 / np.sqrt(3))), abs=1e-4)
    assert grid[FrequencyGrid.DFT] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("wrong", [{"wavelet": "held"}, {"level": 0}, {"level": -1}])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(InputError):
        NonseparableWavelet(**wrong)
