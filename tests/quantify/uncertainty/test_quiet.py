"""Noise in an uneven lesion: what is structure must not be taken for noise, and noise must be told rightly."""

from __future__ import annotations

import numpy as np
import pytest

from bingcheng.quantify.uncertainty.quiet import quiet_noise, smoothed, smoothing_of

SHAPE = (29, 37, 37)
WHITE = (0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def core():
    z, y, x = np.ogrid[-14:15, -18:19, -18:19]
    return (z / 13) ** 2 + (y / 17) ** 2 + (x / 17) ** 2 < 1


def noise_of(seed, widths, sd=10.0):
    draw = np.random.default_rng(seed).standard_normal(SHAPE, dtype=np.float32)
    return sd * smoothed(draw, widths).astype(np.float64)


# A quarter of some 15,000 voxels, one in (2 w sqrt(pi))^3 of which is independent, tells a standard deviation to
# 1 / sqrt(2 n): 1 % of white noise, 4 % at w = 1; five of these errors are allowed, and 5 % for widths found unexactly.
@pytest.mark.parametrize(("widths", "share"), [(WHITE, 0.05), ((0.0, 0.7, 0.7), 0.1), ((1.0, 1.0, 1.0), 0.2)])
def test_noise_alone_is_told_with_its_correlation(core, widths, share):
    noise, found = quiet_noise(noise_of(1, widths), core)
    assert noise == pytest.approx(10.0, rel=share)
    assert found == pytest.approx(widths, abs=0.15)


def test_holes_in_half_of_the_lesion_are_no_noise(core):
    generator = np.random.default_rng(5)
    values = noise_of(2, WHITE)
    values[:, :, :15] += 80.0 * (generator.random((29, 37, 15)) > 0.9)
    noise, _ = quiet_noise(values, core)
    assert values[core].std() > 15.0
    assert noise == pytest.approx(10.0, rel=0.1)


def test_the_noise_goes_with_the_values(core):
    values = noise_of(3, WHITE)
    assert quiet_noise(7.0 * values, core)[0] == pytest.approx(7.0 * quiet_noise(values, core)[0], rel=1e-9)


def test_the_same_lesion_gives_the_same_noise(core):
    values = noise_of(4, (0.8, 0.8, 0.8))
    assert quiet_noise(values, core) == quiet_noise(values, core)


def test_what_does_not_vary_or_holds_no_window_has_no_answer(core):
    assert quiet_noise(np.zeros(SHAPE), core) is None
    thin = np.zeros(SHAPE, dtype=bool)
    thin[14, 18, :] = True
    assert quiet_noise(noise_of(6, WHITE), thin) is None


@pytest.mark.parametrize("width", [0.5, 1.0, 2.5])
def test_the_correlation_of_smoothed_noise_gives_its_width_back(width):
    assert smoothing_of(np.exp(-1 / (4 * width**2))) == pytest.approx(width)
    assert smoothing_of(0.0) == 0.0
