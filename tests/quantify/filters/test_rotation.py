from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bingcheng.quantify.filters.boundary import MIRROR
from bingcheng.quantify.filters.rotation import Pooling, centred, plain, pooled, turns

KERNELS = (((1.0, 2.0, -0.5),), ((0.5, -1.0, 0.25),), ((-1.0, 0.0, 1.0), (0.3, 1.0, 0.2)))


@pytest.mark.parametrize(("axes", "count"), [(2, 4), (3, 24)])
def test_the_turns_are_all_rotations_and_no_reflection(axes, count):
    found = set()
    for order, signs in turns(axes):
        matrix = np.zeros((axes, axes))
        for axis in range(axes):
            matrix[axis, order[axis]] = signs[axis]
        assert np.linalg.det(matrix) == pytest.approx(1)
        found.add(matrix.tobytes())
    assert len(found) == count


def turned_images(voxels):
    """Each rotation of the image, and how to turn its response back."""
    for order, signs in turns(3):
        flips = tuple(axis for axis in range(3) if signs[axis] < 0)
        yield (
            np.ascontiguousarray(np.flip(np.transpose(voxels, order), flips)),
            lambda response, order=order, flips=flips: np.transpose(np.flip(response, flips), np.argsort(order)),
        )


@pytest.mark.parametrize("pooling", Pooling)
@pytest.mark.parametrize("lines", [KERNELS, (((1.0, 0.0, -1.0),), ((1.0, 2.0, 1.0),), ((-1.0, 2.0, -1.0),))])
def test_turning_kernels_is_turning_the_image(pooling, lines):
    voxels = np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32)
    back = [turn(plain(image, lines, MIRROR)) for image, turn in turned_images(voxels)]
    expected = np.mean(back, axis=0) if pooling is Pooling.AVERAGE else np.max(back, axis=0)
    assert_allclose(pooled(voxels, lines, MIRROR, pooling), expected, atol=1e-5)


def test_the_average_of_an_edge_filter_over_both_directions_is_nothing():
    voxels = np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32)
    edge, level = ((-1.0, 0.0, 1.0),), ((1.0, 2.0, 1.0),)
    assert not pooled(voxels, (level, level, edge), MIRROR, Pooling.AVERAGE).any()


def test_an_even_kernel_gets_a_tap_so_that_it_turns_about_its_voxel():
    assert centred((1.0, 2.0)) == (1.0, 2.0, 0.0)
    assert centred((1.0, 2.0, 3.0)) == (1.0, 2.0, 3.0)
