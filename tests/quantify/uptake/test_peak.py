from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.core.errors import InputError
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.uptake.peak import NO_SUCH_VOXELS, highest_sphere_mean, sphere_weights

RADIUS_MM = 6.204


@settings(deadline=None, max_examples=25)
@given(st.tuples(*[st.floats(0.6, 6.0)] * 3))
def test_weights_sum_to_one_are_symmetric_and_cover_the_sphere(spacing):
    geometry = VolumeGeometry(shape=(1, 1, 1), spacing_mm=spacing)
    offsets, weights = sphere_weights(geometry, RADIUS_MM)
    assert weights.sum() == pytest.approx(1.0)
    table = {tuple(o): w for o, w in zip(offsets.tolist(), weights.tolist(), strict=True)}
    assert all(table[-z, -y, -x] == pytest.approx(w) for (z, y, x), w in table.items())
    # A voxel wholly inside has its volume's part of 1 ml; pieces of 0.4 mm leave 0.5 % at worst at this radius.
    if math.dist((0, 0, 0), spacing) / 2 < RADIUS_MM:
        assert table[0, 0, 0] == pytest.approx(math.prod(spacing) / 1000.26, rel=0.005)


def test_weights_have_the_second_moment_of_a_sphere():
    geometry = VolumeGeometry(shape=(1, 1, 1), spacing_mm=(1.0, 1.0, 1.0))
    offsets, weights = sphere_weights(geometry, RADIUS_MM)
    # <x^2> = r^2 / 5, and 1/12 less for voxel centres within voxels of 1 mm (the spread within each is not seen).
    moment = float(weights @ (offsets[:, 2].astype(float) ** 2))
    assert moment == pytest.approx(RADIUS_MM**2 / 5, rel=0.02)


def test_sheared_grid_has_the_same_sphere():
    shear = np.array([0.0, 0.3, 1.0]) / math.hypot(0.3, 1.0)
    axes = (tuple(shear), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
    geometry = VolumeGeometry(shape=(1, 1, 1), spacing_mm=(2.0, 1.0, 1.0), axes=axes)
    offsets, weights = sphere_weights(geometry, RADIUS_MM)
    positions = offsets @ geometry.matrix.T
    moments = weights @ positions**2
    assert moments == pytest.approx(np.full(3, RADIUS_MM**2 / 5), rel=0.06)  # voxels of 2 mm blur z by h^2/12


def test_hottest_voxel_outside_the_lesion_is_no_centre_but_counts_in_the_sphere():
    voxels = np.ones((15, 15, 15), dtype=np.float32)
    voxels[7, 7, 9] = 101.0
    geometry = VolumeGeometry(shape=voxels.shape, spacing_mm=(3.0, 3.0, 3.0))
    volume = Volume(voxels=voxels, geometry=geometry, unit="g/ml")
    mask = np.zeros(voxels.shape, dtype=bool)
    mask[7, 7, 7] = True
    lesion = Region.of(mask, geometry, label="lesion")
    offsets, weights = sphere_weights(geometry, RADIUS_MM)
    weight = weights[(offsets == (0, 0, 2)).all(axis=1)][0]
    assert 0 < weight < 0.027
    assert highest_sphere_mean(volume, lesion, RADIUS_MM) == pytest.approx(1 + 100 * weight)


def test_weights_are_made_once_for_grids_of_equal_steps_and_cannot_be_spoiled():
    here, there = (
        VolumeGeometry(shape=shape, spacing_mm=(3.0, 2.0, 2.0), origin_mm=origin)
        for shape, origin in (((4, 5, 6), (0.0, 0.0, 0.0)), ((9, 9, 9), (10.0, 20.0, 30.0)))
    )
    (offsets, weights), again = sphere_weights(here, RADIUS_MM), sphere_weights(there, RADIUS_MM)
    assert again[0] is offsets
    assert again[1] is weights
    for array in (offsets, weights):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize("size_mm", [1e-6, 1e-300, 0.0, -1.0, math.nan, math.inf, 1e6])
def test_voxels_of_no_possible_size_are_refused_and_not_filled_with_a_sphere_of_them(size_mm):
    for axis in range(3):
        spacing = [2.0, 2.0, 2.0]
        spacing[axis] = size_mm
        geometry = VolumeGeometry(shape=(1, 1, 1), spacing_mm=tuple(spacing))
        with pytest.raises(InputError, match=NO_SUCH_VOXELS.code):
            sphere_weights(geometry, RADIUS_MM)


def test_the_finest_and_the_coarsest_voxels_that_scanners_have_are_not_refused():
    for spacing in ((0.1, 0.1, 0.1), (10.0, 0.3, 0.3), (20.0, 1.0, 1.0)):
        _, weights = sphere_weights(VolumeGeometry(shape=(1, 1, 1), spacing_mm=spacing), RADIUS_MM)
        assert weights.sum() == pytest.approx(1.0)
