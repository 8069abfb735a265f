"""The ready-made cases hold the numbers that they promise."""

import numpy as np
import pytest

from bingcheng.image.phantoms import cases


def test_a_sphere_has_its_volume_and_value():
    volume, region = cases.sphere(24.0, spacing_mm=(2.0, 1.0, 1.0), inside=80.0, outside=20.0, sd=0.0)
    share = (volume.voxels.astype(float) - 20.0) / 60.0
    assert share.sum() * volume.geometry.voxel_mm3 == pytest.approx(np.pi / 6 * 24.0**3, rel=1e-3)
    # whole voxels: one border voxel in a hundred falls on the wrong side by chance
    assert region.inside.sum() * region.grid.voxel_mm3 == pytest.approx(np.pi / 6 * 24.0**3, rel=0.02)


def test_a_noisy_sphere_differs_by_its_noise():
    clean, _ = cases.sphere(20.0)
    noisy, _ = cases.sphere(20.0, sd=5.0, seed=3)
    # about 30000 values: the SD's standard error is 0.4 %
    assert (noisy.voxels - clean.voxels).std() == pytest.approx(5.0, rel=0.02)


def test_the_edge_of_a_cylinder_is_an_error_function_of_the_blur():
    volume = cases.edge_cylinder(blur_mm=0.9, sd_hu=0.0, slices=1, inside_hu=0.0)
    row = volume.voxels[0, 256]
    spread = np.abs(np.diff(row[256:].astype(float)))
    x = np.arange(spread.size) * 0.75
    middle = (spread * x).sum() / spread.sum()
    sigma = np.sqrt((spread * (x - middle) ** 2).sum() / spread.sum() - 0.75**2 / 12)
    # the edge, differentiated by pixels, is the blur's Gaussian plus a pixel's own box
    assert sigma == pytest.approx(0.9, rel=0.01)


def test_a_water_cylinder_holds_its_water():
    volume = cases.water_cylinder(260.0, sd_hu=5.0)
    water_mm2 = ((volume.voxels.astype(float) / 1000.0 + 1.0).sum() / volume.geometry.shape[0]) * 1.6**2
    assert 2 * np.sqrt(water_mm2 / np.pi) == pytest.approx(260.0, rel=1e-3)


def test_a_rician_slab_has_its_signal_to_noise():
    volume = cases.rician_slab(100.0, 5.0)
    inner = volume.voxels[:, 30:66, 30:66]
    # 10368 values: the SD's standard error is 0.7 %
    assert inner.mean() / inner.std() == pytest.approx(20.0, rel=0.03)


def test_a_diffusion_slab_falls_with_its_coefficient():
    stack, region = cases.diffusion_slab(1.1e-3, b_values=(0.0, 800.0))
    low, high = (region.values(volume).mean(dtype=float) for volume in stack.volumes)
    assert np.log(low / high) / 800.0 == pytest.approx(1.1e-3, rel=1e-6)
    assert stack.volumes[0].voxels[0].max() == 0.0


def test_a_pet_liver_has_its_mean_and_variation():
    volume, region = cases.pet_liver(2.1, relative_sd=0.12)
    values = region.values(volume)
    # about 10900 voxels, correlated over 10 each: 1 / sqrt(2 n) = 2 %
    assert values.mean() == pytest.approx(2.1, rel=0.01)
    assert values.std() / values.mean() == pytest.approx(0.12, rel=0.06)
    assert region.geometry.to_mm((0, 0, 0))[0] < 0
