from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bingcheng.core.errors import InputError
from bingcheng.quantify.filters.boundary import PERIODIC
from bingcheng.quantify.filters.gaussian import LaplacianOfGaussian
from bingcheng.quantify.filters.nonseparable_wavelet import NonseparableWavelet
from bingcheng.quantify.filters.riesz import RieszTransform

CUBE = (1.0, 1.0, 1.0)
RING = NonseparableWavelet(boundary=PERIODIC)


def noise(shape=(12, 13, 14)):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def plane_wave(direction, size=32):
    """cos(k x) along (z, y, x), with whole waves in a repeating cube, and its quarter-wave shift sin(k x)."""
    phase = sum(
        2 * np.pi * waves * np.arange(size).reshape([-1 if a == axis else 1 for a in range(3)]) / size
        for axis, waves in enumerate(direction)
    )
    return np.cos(phase).astype(np.float32), np.sin(phase)


def test_a_wave_along_x_is_shifted_by_a_quarter_along_x_alone():
    wave, shifted = plane_wave((0, 0, 8))
    assert_allclose(RieszTransform(of=RING, order=(1, 0, 0)).response(wave, CUBE), shifted, atol=1e-5)
    assert_allclose(RieszTransform(of=RING, order=(0, 1, 0)).response(wave, CUBE), 0, atol=1e-5)
    assert_allclose(RieszTransform(of=RING, order=(2, 0, 0)).response(wave, CUBE), -wave, atol=1e-5)


@pytest.mark.parametrize("total", [1, 2, 3])
@pytest.mark.parametrize("of", [RING, LaplacianOfGaussian(sigma_mm=1.0, boundary=PERIODIC)], ids=["ring", "log"])
def test_the_energies_of_all_orders_of_one_sum_add_up_to_the_filters(of, total):
    # The multinomial theorem: squares of the amplitudes sum to 1 at every frequency. Odd sizes have no highest one.
    voxels = noise((11, 13, 15))
    orders = [(a, b, total - a - b) for a in range(total + 1) for b in range(total + 1 - a)]
    energy = sum((RieszTransform(of=of, order=o).response(voxels, CUBE).astype(float) ** 2).sum() for o in orders)
    plain = of.response(voxels, CUBE).astype(float)
    if isinstance(of, LaplacianOfGaussian):
        plain -= plain.mean()  # frequency 0, where Riesz transforms are 0
    assert energy == pytest.approx((plain**2).sum(), rel=1e-4)


def test_a_constant_leaves_nothing():
    chosen = RieszTransform(of=LaplacianOfGaussian(sigma_mm=1.0), order=(1, 1, 0))
    assert_allclose(chosen.response(np.full((5, 6, 7), 100.0), CUBE), 0, atol=1e-4)


@pytest.mark.parametrize("direction", [(0, 0, 8), (0, 6, 6), (5, 5, 5), (4, 0, 7)])
def test_aligned_axes_find_a_waves_direction_wherever_it_points(direction):
    wave, shifted = plane_wave(direction)
    height = RING.response(wave, CUBE).max()
    second = RieszTransform(of=RING, order=(2, 0, 0), alignment_sigma_mm=2.0).response(wave, CUBE)
    assert_allclose(second, -height * wave, atol=1e-4)
    first = RieszTransform(of=RING, order=(1, 0, 0), alignment_sigma_mm=2.0).response(wave, CUBE)
    assert_allclose(first, height * np.abs(shifted), atol=1e-4)
    across = RieszTransform(of=RING, order=(0, 2, 0), alignment_sigma_mm=2.0).response(wave, CUBE)
    assert_allclose(across, 0, atol=1e-3)


def test_aligned_in_a_slice():
    wave, _ = plane_wave((0, 6, 6))
    of = NonseparableWavelet(boundary=PERIODIC, by_slice=True)
    height = of.response(wave, CUBE).max()
    found = RieszTransform(of=of, order=(2, 0), alignment_sigma_mm=2.0).response(wave, CUBE)
    assert_allclose(found, -height * wave, atol=1e-4)


@pytest.mark.parametrize("total", [1, 2, 3])
def test_turning_the_axes_keeps_the_energy_at_each_voxel(total):
    voxels = noise()
    orders = [(a, b, total - a - b) for a in range(total + 1) for b in range(total + 1 - a)]

    def energy(sigma):
        return sum(
            RieszTransform(of=RING, order=o, alignment_sigma_mm=sigma).response(voxels, CUBE).astype(float) ** 2
            for o in orders
        )

    assert_allclose(energy(1.0), energy(None), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "wrong",
    [{"order": (1, 0)}, {"order": (0, 0, 0)}, {"order": (-1, 2, 0)}, {"order": (7, 0, 0)}, {"alignment_sigma_mm": 0}],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(InputError) as refused:
        RieszTransform(**{"of": RING, "order": (1, 0, 0)} | wrong)
    assert refused.value.code == "quantify.filter-parameter"
