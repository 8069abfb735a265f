from __future__ import annotations

from math import factorial, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from bingcheng.quantify.filters.boundary import MIRROR, NEAREST, NUMPY_MODES, PERIODIC, ZERO
from bingcheng.quantify.filters.spectrum import filtered

orders = st.tuples(*[st.integers(0, 3)] * 3)
shapes = st.tuples(*[st.integers(1, 7)] * 3)


def ring(waves):
    return np.exp(-((waves.length - 1) ** 2)).astype(np.float32)


def by_definition(voxels, order):
    """Frequency by frequency with the full complex transform of a repeating image."""
    angles = [2 * np.pi * np.fft.fftfreq(size) for size in voxels.shape]
    nu = np.meshgrid(*angles, indexing="ij")
    length = np.sqrt(sum(one**2 for one in nu))
    total = sum(order)
    factor = np.sqrt(factorial(total) / prod(factorial(one) for one in order)) * (-1j) ** total
    riesz = factor * prod((one**power for one, power in zip(nu, order, strict=True)), start=1)
    riesz = np.where(length > 0, riesz / np.where(length > 0, length, 1) ** total, float(total == 0))
    return np.fft.ifftn(np.fft.fftn(voxels) * np.exp(-((length - 1) ** 2)) * riesz).real


@settings(max_examples=60, deadline=None)
@given(shape=shapes, order=orders, seed=st.integers(0, 99))
def test_a_repeating_image_is_filtered_frequency_by_frequency(shape, order, seed):
    voxels = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    found = filtered(voxels, (0, 1, 2), ring, order=order, boundary=PERIODIC)
    assert_allclose(found, by_definition(voxels.astype(float), order), atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(shape=shapes, order=orders, seed=st.integers(0, 99))
def test_a_mirrored_image_repeats_with_its_mirror_image(shape, order, seed):
    voxels = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    doubled = np.pad(voxels.astype(float), [(0, size) for size in shape], mode="symmetric")
    expected = by_definition(doubled, order)[tuple(slice(0, size) for size in shape)]
    assert_allclose(filtered(voxels, (0, 1, 2), ring, order=order, boundary=MIRROR), expected, atol=1e-5)


@pytest.mark.parametrize("order", [(0, 0, 0), (1, 0, 2)])
@pytest.mark.parametrize("boundary", [NEAREST, ZERO], ids=["nearest", "zero"])
def test_other_images_go_on_for_half_their_size(boundary, order):
    voxels = np.random.default_rng(0).normal(size=(4, 6, 5)).astype(np.float32)
    before = [0 if boundary == ZERO else size // 2 for size in voxels.shape]
    pads = [(low, size - size // 2) for low, size in zip(before, voxels.shape, strict=True)]
    expected = by_definition(np.pad(voxels.astype(float), pads, mode=NUMPY_MODES[boundary.beyond]), order)
    inner = tuple(slice(low, low + size) for low, size in zip(before, voxels.shape, strict=True))
    assert_allclose(filtered(voxels, (0, 1, 2), ring, order=order, boundary=boundary), expected[inner], atol=1e-5)


def test_slices_are_filtered_by_themselves():
    voxels = np.random.default_rng(0).normal(size=(3, 6, 5)).astype(np.float32)
    found = filtered(voxels, (1, 2), ring, order=(1, 1), boundary=PERIODIC)
    expected = [by_definition(one[None].astype(float), (0, 1, 1))[0] for one in voxels]
    assert_allclose(found, expected, atol=1e-5)
