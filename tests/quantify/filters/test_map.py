from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bingcheng.core.errors import InputError
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.filters.gaussian import LaplacianOfGaussian
from bingcheng.quantify.filters.map import response_map
from bingcheng.quantify.filters.mean import Mean
from bingcheng.quantify.filters.nonseparable_wavelet import NonseparableWavelet

GRID = VolumeGeometry(shape=(14, 15, 16), spacing_mm=(2.0, 1.0, 1.0), origin_mm=(-5.0, 3.0, 40.0))


@pytest.fixture
def image():
    voxels = np.random.default_rng(0).normal(size=GRID.shape).astype(np.float32)
    return Volume(voxels=voxels, geometry=GRID, unit="[hnsf'U]")


def region(place=(slice(4, 7), slice(0, 5), slice(9, 12)), grid=GRID):
    mask = np.zeros(grid.shape, dtype=bool)
    mask[place] = True
    return Region.of(mask, grid, label="lesion")


def test_the_map_of_an_image_lies_where_the_image_lies(image):
    chosen = Mean(support_voxels=3)
    found = response_map(image, chosen)
    assert found.geometry.same_grid(GRID)
    assert found.unit == image.unit
    assert found.valid is None
    assert np.array_equal(found.voxels, chosen.response(image.voxels, GRID.spacing_mm))


@pytest.mark.parametrize(
    "chosen",
    [LaplacianOfGaussian(sigma_mm=1.0), Mean(support_voxels=5), NonseparableWavelet()],
    ids=lambda one: one.name,
)
def test_the_map_of_a_region_is_that_part_of_the_images(image, chosen):
    lesion = region()
    found, whole = response_map(image, chosen, lesion), response_map(image, chosen)
    assert found.geometry == lesion.geometry
    assert_allclose(found.voxels, whole.voxels[lesion.box()], atol=1e-6)
    assert found.voxels.base is None or found.voxels.base.nbytes == found.voxels.nbytes


def test_voxels_without_a_value_stay_so_and_do_not_spread():
    voxels = np.ones(GRID.shape, dtype=np.float32)
    voxels[5, 2, 10] = np.nan
    valid = np.ones(GRID.shape, dtype=bool)
    valid[0] = False
    voxels[0] = -9999
    found = response_map(Volume(voxels=voxels, geometry=GRID, unit="1", valid=valid), Mean(support_voxels=3))
    assert_allclose(found.voxels, 1, rtol=1e-6)
    assert not found.valid[0].any()
    assert not found.valid[5, 2, 10]
    assert np.count_nonzero(~found.valid) == 15 * 16 + 1


def test_a_region_of_another_grid_or_without_voxels_is_refused(image):
    other = region(grid=VolumeGeometry(shape=GRID.shape, spacing_mm=(1.0, 1.0, 1.0)))
    with pytest.raises(InputError) as refused:
        response_map(image, Mean(support_voxels=3), other)
    assert refused.value.code == "quantify.filter-region-on-other-grid"
    with pytest.raises(InputError) as refused:
        response_map(image, Mean(support_voxels=3), region((slice(0, 0),) * 3))
    assert refused.value.code == "quantify.filter-region-empty"
