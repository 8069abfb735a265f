"""Noise has the strength and the colour that it says."""

import numpy as np
import pytest

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.phantoms import noise
from bingcheng.image.phantoms.trunk import Trunk, paint_trunk


@pytest.mark.parametrize(("sd", "blur_mm"), [(5.0, 0.5), (20.0, 0.9)])
def test_ct_noise_has_its_standard_deviation(sd, blur_mm):
    rng = np.random.default_rng(1)
    slices = np.stack(list(noise.ct_slices(6, (256, 256), (0.8, 0.8), sd=sd, blur_mm=blur_mm, rng=rng)))
    # 6 x 256^2 values, each worth about a fifth of an independent one: 1 / sqrt(2 n) = 0.25 %, four times that
    assert slices.std() == pytest.approx(sd, rel=0.01)
    # a ramp has no power at zero frequency
    assert abs(slices.mean()) < 1e-3 * sd


def test_ct_noise_power_rises_with_frequency_before_it_falls():
    rng = np.random.default_rng(2)
    slices = np.stack(list(noise.ct_slices(8, (256, 256), (0.8, 0.8), sd=10.0, blur_mm=0.8, rng=rng)))
    power = (np.abs(np.fft.rfft2(slices)) ** 2).mean(axis=0)
    frequency = np.hypot(np.fft.fftfreq(256, 0.8)[:, None], np.fft.rfftfreq(256, 0.8)[None])
    low, middle, high = (
        power[(frequency > a) & (frequency < b)].mean() for a, b in ((0, 0.03), (0.15, 0.25), (0.5, 0.62))
    )
    assert low < middle > 5 * high


def test_the_odd_width_of_an_image_does_not_change_the_strength():
    rng = np.random.default_rng(3)
    slices = np.stack(list(noise.ct_slices(8, (201, 203), (0.7, 0.7), sd=10.0, blur_mm=0.6, rng=rng)))
    assert slices.std() == pytest.approx(10.0, rel=0.01)


def test_pet_noise_is_as_strong_as_asked_at_the_reference_and_grows_with_the_root_of_activity():
    rng = np.random.default_rng(4)
    for activity, expect in ((2.0, 0.2), (8.0, 0.4)):
        clean = np.full((32, 64, 64), activity, dtype=np.float32)
        noisy = noise.pet(clean, relative_sd=0.1, reference=2.0, sigma_voxels=(1.0, 1.0, 1.0), rng=rng)
        # about 131072 / (4 pi)^1.5 = 2900 independent values: 1 / sqrt(2 n) = 1.3 %, three times that
        assert (noisy - clean).std() == pytest.approx(expect, rel=0.04)


def test_rician_noise_is_rayleigh_in_air_and_keeps_the_second_moment():
    rng = np.random.default_rng(5)
    air = noise.rician(np.zeros((40, 64, 64), dtype=np.float32), sd=3.0, rng=rng)
    # 163840 values: the standard error of the SD is 0.2 %, that of the mean 0.13 %
    assert air.std() == pytest.approx(3.0 * np.sqrt(2 - np.pi / 2), rel=0.01)
    assert air.mean() == pytest.approx(3.0 * np.sqrt(np.pi / 2), rel=0.006)
    tissue = noise.rician(np.full((40, 64, 64), 20.0, dtype=np.float32), sd=3.0, rng=rng)
    assert (tissue.astype(float) ** 2).mean() == pytest.approx(20.0**2 + 2 * 3.0**2, rel=0.005)


def test_the_same_seed_gives_the_same_noise():
    again = [noise.smooth((8, 16, 16), (1.0, 0.0, 1.0), np.random.default_rng(9)) for _ in range(2)]
    assert np.array_equal(*again)


def test_a_trunk_has_the_area_of_its_superellipse_in_each_slice():
    grid = VolumeGeometry(shape=(3, 150, 220), spacing_mm=(50.0, 1.5, 1.5), origin_mm=(-164.2, -111.7, 0.0))
    trunk = Trunk(centre_mm=(0.0, 0.0), exponent=2.0, profile_mm=((0.0, 100.0, 80.0), (100.0, 150.0, 100.0)))
    share = np.zeros(grid.shape, dtype=np.float32)
    paint_trunk(share, grid, trunk, 1.0, 0.8)
    for index, (a, b) in enumerate(((100, 80), (125, 90), (150, 100))):
        # the profile is straight at the scale of the blur: the error of the area is of order (blur / radius)^2
        assert share[index].sum(dtype=float) * 2.25 == pytest.approx(np.pi * a * b, rel=3e-4)
