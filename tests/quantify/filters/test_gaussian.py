from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bingcheng.core.errors import InputError, Undefined
from bingcheng.quantify.filters.boundary import ZERO
from bingcheng.quantify.filters.gaussian import Gaussian, LaplacianOfGaussian

CUBE = (2.0, 2.0, 2.0)


def impulse(size=25):
    voxels = np.zeros((size,) * 3, dtype=np.float32)
    voxels[(size // 2,) * 3] = 1
    return voxels


def squares(size=25):
    line = np.arange(size) - size // 2
    return line[:, None, None] ** 2 + line[None, :, None] ** 2 + line[None, None, :] ** 2


def formula(sigma, dimensions, distance2):
    """The kernel of the reference manual, all lengths in voxels."""
    scale = -1 / sigma**2 / (np.sqrt(2 * np.pi) * sigma) ** dimensions
    return scale * (dimensions - distance2 / sigma**2) * np.exp(-distance2 / (2 * sigma**2))


def test_an_impulse_becomes_the_manuals_kernel_up_to_the_cut_off():
    response = LaplacianOfGaussian(sigma_mm=3.0, boundary=ZERO).response(impulse(), CUBE)
    expected = formula(1.5, 3, squares())
    line = np.abs(np.arange(25) - 12)
    far = np.maximum(np.maximum(line[:, None, None], line[None, :, None]), line[None, None, :]) > 6
    expected[far] = 0
    assert_allclose(response, expected, atol=1e-8)


def test_by_slice_it_is_the_kernel_of_two_dimensions():
    response = LaplacianOfGaussian(sigma_mm=3.0, boundary=ZERO, by_slice=True).response(impulse(), CUBE)
    expected = formula(1.5, 2, squares()[12])
    expected[np.maximum.outer(np.abs(np.arange(25) - 12), np.abs(np.arange(25) - 12)) > 6] = 0
    assert_allclose(response[12], expected, atol=1e-8)
    assert not response[:12].any()


def test_a_parabola_has_a_constant_laplacian():
    line = (np.arange(41) - 20.0) ** 2
    voxels = np.broadcast_to(line, (5, 41, 41)).astype(np.float32)
    response = LaplacianOfGaussian(sigma_mm=1.5, cutoff_sigmas=6).response(voxels, (1.0, 1.0, 1.0))
    # Second derivative 2; samples of a Gaussian of 1.5 voxels sum to 1 within 1e-9, single precision of 400 is 5e-5.
    assert_allclose(response[:, 20, 20], 2, atol=2e-3)


def test_a_constant_has_next_to_no_laplacian():
    response = LaplacianOfGaussian(sigma_mm=3.0, cutoff_sigmas=6).response(np.full((9, 9, 9), 1000.0), CUBE)
    assert_allclose(response, 0, atol=1e-2)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 0.5, 1.0)])
def test_a_gaussian_keeps_a_constant_and_adds_its_variance(spacing):
    chosen = Gaussian(sigma_mm=2.0, cutoff_sigmas=6)
    assert_allclose(chosen.response(np.full((5, 5, 5), 7.0), spacing), 7, rtol=1e-6)
    voxels = np.zeros((61, 61, 61), dtype=np.float32)
    voxels[30, 30, 30] = 1
    response = chosen.response(voxels, spacing).astype(float)
    assert response.sum() == pytest.approx(1, abs=1e-5)
    for axis, step in enumerate(spacing):
        place = (np.arange(61) - 30) * step
        line = response.sum(axis=tuple({0, 1, 2} - {axis}))
        # Sampling at half a standard deviation or finer leaves the variance right to better than 1e-6.
        assert (line * place**2).sum() == pytest.approx(4.0, rel=2e-4)


def test_unequal_sides_of_the_same_mean_see_the_same_ball():
    # A ball of 5 mm, sampled in cubes of 1 mm and in boxes of 2 x 0.5 x 1 mm, whose geometric mean is 1 mm.
    def centre(spacing, shape):
        grids = np.meshgrid(*[(np.arange(n) - n // 2) * s for n, s in zip(shape, spacing, strict=True)], indexing="ij")
        radius = np.sqrt(sum(grid**2 for grid in grids))
        voxels = np.clip((5.0 - radius) / 1.0 + 0.5, 0, 1)
        return LaplacianOfGaussian(sigma_mm=3.0).response(voxels, spacing)[tuple(n // 2 for n in shape)]

    assert centre((2.0, 0.5, 1.0), (21, 81, 41)) == pytest.approx(centre((1.0, 1.0, 1.0), (41, 41, 41)), rel=0.02)


@pytest.mark.parametrize("kind", [Gaussian, LaplacianOfGaussian])
@pytest.mark.parametrize("wrong", [{"sigma_mm": 0}, {"sigma_mm": -1}, {"sigma_mm": float("nan")}, {"cutoff_sigmas": 0}])
def test_sizes_that_are_none_are_refused(kind, wrong):
    with pytest.raises(InputError) as refused:
        kind(**{"sigma_mm": 1.0} | wrong)
    assert next(iter(wrong)) in str(refused.value)


def test_less_than_half_a_voxel_is_undefined_and_says_which_size_would_do():
    with pytest.raises(Undefined) as refused:
        LaplacianOfGaussian(sigma_mm=1.0).response(np.zeros((3, 3, 3)), (5.0, 1.0, 1.0))
    assert refused.value.code == "quantify.filter-finer-than-voxels"
    assert "2.5 mm" in str(refused.value)
    assert LaplacianOfGaussian(sigma_mm=1.0, by_slice=True).response(np.zeros((3, 3, 3)), (5.0, 1.0, 1.0)).max() == 0
