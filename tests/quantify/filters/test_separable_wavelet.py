from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bingcheng.core.errors import InputError
from bingcheng.quantify.filters.boundary import PERIODIC
from bingcheng.quantify.filters.separable_wavelet import SeparableWavelet

CUBE = (1.0, 1.0, 1.0)


def haar(bands, level=1):
    return SeparableWavelet(wavelet="haar", bands=bands, level=level, boundary=PERIODIC)


def test_haar_along_x_is_the_sum_or_difference_of_neighbours_times_root_half():
    voxels = np.random.default_rng(0).normal(size=(1, 1, 8)).astype(np.float32)
    low = haar("LL").response(np.repeat(voxels, 2, axis=1), CUBE)
    assert_allclose(low[0, 0], voxels[0, 0] + np.roll(voxels[0, 0], -1), atol=1e-6)
    high = haar("HL").response(np.repeat(voxels, 2, axis=1), CUBE)
    assert_allclose(np.abs(high[0, 0]), np.abs(voxels[0, 0] - np.roll(voxels[0, 0], -1)), atol=1e-6)


@pytest.mark.parametrize("wavelet", ["haar", "db3", "coif2"])
@pytest.mark.parametrize("level", [1, 2])
def test_undecimated_bands_hold_eight_times_the_energy_of_what_they_decompose(wavelet, level):
    # An orthogonal wavelet without decimation is a tight frame: energies of L and H add up to 2 along each axis.
    voxels = np.random.default_rng(1).normal(size=(16, 16, 16)).astype(np.float32)
    names = [x + y + z for x in "LH" for y in "LH" for z in "LH"]
    bands = [
        SeparableWavelet(wavelet=wavelet, bands=name, level=level, boundary=PERIODIC).response(voxels, CUBE)
        for name in names
    ]
    before = voxels
    for below in range(1, level):
        before = SeparableWavelet(wavelet=wavelet, bands="LLL", level=below, boundary=PERIODIC).response(voxels, CUBE)
    energy = sum((band.astype(float) ** 2).sum() for band in bands)
    assert energy == pytest.approx(8 * (before.astype(float) ** 2).sum(), rel=1e-5)


def test_a_constant_is_all_in_the_low_band():
    voxels = np.full((8, 8, 8), 10.0)
    assert_allclose(haar("LLL", 2).response(voxels, CUBE), 10 * np.sqrt(2) ** 6, rtol=1e-6)
    for bands in ("LLH", "HLL", "HHH"):
        assert_allclose(haar(bands).response(voxels, CUBE), 0, atol=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [{"bands": "L"}, {"bands": "LHX"}, {"bands": "LLLL"}, {"level": 0}, {"level": -2}, {"level": 9}, {"wavelet": "x"}],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(InputError) as refused:
        SeparableWavelet(**{"wavelet": "haar", "bands": "LL"} | wrong)
    assert refused.value.code == "quantify.filter-parameter"
