from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.signal import convolve

from bingcheng.core.errors import InputError, Undefined
from bingcheng.quantify.filters.boundary import MIRROR, NEAREST, NUMPY_MODES, PERIODIC, ZERO, Beyond, Boundary
from bingcheng.quantify.filters.gabor import Gabor, Part
from bingcheng.quantify.filters.rotation import Pooling

CUBE = (1.0, 1.0, 1.0)
AIR = Boundary(beyond=Beyond.CONSTANT, constant=-2.0)


def formula(chosen, theta_deg, half, spacing):
    """The kernel of the reference manual on (y, x)."""
    y, x = np.meshgrid(
        spacing[0] * np.arange(-half[0], half[0] + 1), spacing[1] * np.arange(-half[1], half[1] + 1), indexing="ij"
    )
    theta = np.radians(theta_deg)
    p, q = x * np.cos(theta) + y * np.sin(theta), -x * np.sin(theta) + y * np.cos(theta)
    window = np.exp(-(p**2 + chosen.aspect_ratio**2 * q**2) / (2 * chosen.sigma_mm**2))
    return window * np.exp(2j * np.pi * p / chosen.wavelength_mm)


@pytest.mark.parametrize("part", Part)
def test_an_impulse_becomes_the_kernel(part):
    chosen = Gabor(
        sigma_mm=2.0, wavelength_mm=3.0, aspect_ratio=0.8, theta_deg=30, part=part, cutoff_sigmas=6, boundary=ZERO
    )
    voxels = np.zeros((3, 31, 31), dtype=np.float32)
    voxels[1, 15, 15] = 1
    kernel = formula(chosen, 30, (15, 15), (1.0, 1.0))
    expected = {Part.MODULUS: np.abs(kernel), Part.REAL: kernel.real, Part.IMAGINARY: kernel.imag}[part]
    response = chosen.response(voxels, CUBE)
    # Beyond six standard deviations the window is below 2e-8; single precision of a transform adds some 1e-7.
    assert_allclose(response[1], expected, atol=2e-6)
    assert not np.abs(response[[0, 2]]).max() > 1e-6


@pytest.mark.parametrize(
    "boundary", [ZERO, AIR, NEAREST, PERIODIC, MIRROR], ids=["zero", "air", "nearest", "repeats", "mirrors"]
)
@pytest.mark.parametrize("shape", [(4, 5), (30, 9), (9, 24)], ids=str)
def test_every_boundary_is_the_padded_images_convolution(boundary, shape):
    chosen = Gabor(sigma_mm=2.5, wavelength_mm=4.0, theta_deg=65, boundary=boundary, part=Part.REAL)
    voxels = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    kernel = chosen.kernel(np.radians(65), (1, 2), CUBE)
    half = [size // 2 for size in kernel.shape]
    options = {"constant_values": boundary.constant} if boundary.beyond is Beyond.CONSTANT else {}
    expected = [
        convolve(
            np.pad(one, [(h, h) for h in half], mode=NUMPY_MODES[boundary.beyond], **options), kernel, "valid"
        ).real
        for one in voxels.astype(float)
    ]
    assert_allclose(chosen.response(voxels, CUBE), expected, atol=2e-4)


def test_pooled_directions_are_the_mean_or_the_largest_of_each():
    voxels = np.random.default_rng(1).normal(size=(3, 20, 21)).astype(np.float32)
    each = [
        Gabor(sigma_mm=2.0, wavelength_mm=4.0, theta_deg=10 + step).response(voxels, CUBE) for step in range(0, 360, 60)
    ]
    options = {"sigma_mm": 2.0, "wavelength_mm": 4.0, "theta_deg": 10, "theta_step_deg": 60}
    assert_allclose(Gabor(**options).response(voxels, CUBE), np.mean(each, axis=0), atol=1e-4)
    largest = Gabor(**options, pooling=Pooling.MAX).response(voxels, CUBE)
    assert_allclose(largest, np.max(each, axis=0), atol=1e-4)


def test_planes_are_pooled_through_each_voxel():
    voxels = np.random.default_rng(2).normal(size=(10, 11, 12)).astype(np.float32)
    chosen = Gabor(sigma_mm=1.5, wavelength_mm=3.0, theta_deg=20)
    axial = chosen.response(voxels, CUBE)
    coronal = np.transpose(chosen.response(np.transpose(voxels, (1, 0, 2)), CUBE), (1, 0, 2))
    sagittal = np.transpose(chosen.response(np.transpose(voxels, (2, 0, 1)), CUBE), (1, 2, 0))
    pooled = Gabor(sigma_mm=1.5, wavelength_mm=3.0, theta_deg=20, orthogonal_planes=True).response(voxels, CUBE)
    assert_allclose(pooled, (axial + coronal + sagittal) / 3, atol=1e-5)


def test_lengths_are_in_mm_along_both_axes():
    spacing = (3.0, 1.0, 0.5)
    chosen = Gabor(sigma_mm=2.0, wavelength_mm=4.0, theta_deg=45, cutoff_sigmas=6, boundary=ZERO, part=Part.REAL)
    voxels = np.zeros((1, 25, 49), dtype=np.float32)
    voxels[0, 12, 24] = 1
    expected = formula(chosen, 45, (12, 24), spacing[1:]).real
    assert_allclose(chosen.response(voxels, spacing)[0], expected, atol=2e-6)


def test_a_wave_finer_than_two_voxels_is_undefined():
    chosen = Gabor(sigma_mm=2.0, wavelength_mm=2.0)
    chosen.response(np.zeros((1, 5, 5)), (1.0, 1.0, 1.0))
    with pytest.raises(Undefined) as refused:
        chosen.response(np.zeros((1, 5, 5)), (1.0, 1.1, 1.1))
    assert refused.value.code == "quantify.filter-finer-than-voxels"


@pytest.mark.parametrize(
    "wrong",
    [
        {"sigma_mm": 0},
        {"wavelength_mm": -1},
        {"aspect_ratio": 0},
        {"theta_deg": float("inf")},
        {"theta_step_deg": 50},
        {"theta_step_deg": 0},
        {"theta_step_deg": -45},
        {"cutoff_sigmas": 0},
    ],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(InputError) as refused:
        Gabor(**{"sigma_mm": 1.0, "wavelength_mm": 4.0} | wrong)
    assert next(iter(wrong)) in str(refused.value)
