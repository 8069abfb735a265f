from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.ndimage import uniform_filter

from bingcheng.core.errors import InputError
from bingcheng.quantify.filters.boundary import MIRROR, Beyond, Boundary
from bingcheng.quantify.filters.mean import Mean

CUBE = (1.0, 1.0, 1.0)


def test_an_impulse_becomes_a_cube_of_equal_parts():
    voxels = np.zeros((7, 7, 7), dtype=np.float32)
    voxels[3, 3, 3] = 27
    expected = np.zeros_like(voxels)
    expected[2:5, 2:5, 2:5] = 1
    assert_allclose(Mean(support_voxels=3).response(voxels, CUBE), expected, atol=1e-6)


def test_it_is_the_uniform_filter():
    voxels = np.random.default_rng(0).normal(size=(5, 9, 11)).astype(np.float32)
    found = Mean(support_voxels=5, boundary=MIRROR).response(voxels, CUBE)
    assert_allclose(found, uniform_filter(voxels, 5, mode="reflect"), atol=1e-6)


def test_a_constant_stays_where_the_outside_is_the_same():
    air = Boundary(beyond=Beyond.CONSTANT, constant=-1000.0)
    found = Mean(support_voxels=5, boundary=air).response(np.full((4, 4, 4), -1000.0), CUBE)
    assert_allclose(found, -1000, rtol=1e-6)


@pytest.mark.parametrize("support", [0, -3, 4, 1001])
def test_sizes_without_a_centre_are_refused(support):
    with pytest.raises(InputError) as refused:
        Mean(support_voxels=support)
    assert refused.value.code == "quantify.filter-parameter"


def test_one_voxel_is_the_image_itself():
    voxels = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    assert_allclose(Mean(support_voxels=1).response(voxels, CUBE), voxels)
