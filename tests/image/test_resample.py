"""Volumes keep their values and places when they are carried to other grids."""

from __future__ import annotations

import numpy as np
import pytest

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.phantoms.shapes import turned
from bingcheng.image.resample import at_points, averaged, placed, upright
from bingcheng.image.volume import Volume

EVERYTHING = (-np.inf, np.inf)


def oblique(shape=(12, 20, 25), spacing=(4.0, 1.5, 1.2), *, tilt=0.0):
    turn = np.asarray(turned(20.0, -15.0, 30.0))
    z, y, x = turn[:, 2], turn[:, 1], turn[:, 0]
    z = z + tilt * y
    axes = tuple(tuple(float(v) for v in axis / np.linalg.norm(axis)) for axis in (z, y, x))
    return VolumeGeometry(shape=shape, spacing_mm=spacing, origin_mm=(-30.0, 12.0, 55.0), axes=axes)


def ramp(geometry):
    """A volume whose value is a linear function of the place: any right interpolation gives it back exactly."""
    index = np.moveaxis(np.indices(geometry.shape), 0, -1).reshape(-1, 3)
    return Volume(
        voxels=slope(geometry.to_mm(index)).reshape(geometry.shape).astype(np.float32), geometry=geometry, unit="1"
    )


def slope(points):
    return points @ (0.3, -0.7, 0.5) + 4.0


@pytest.mark.parametrize("tilt", [0.0, 0.3])
def test_an_upright_grid_covers_a_volume_of_any_orientation_and_tilt(tilt):
    geometry = oblique(tilt=tilt)
    grid = upright(geometry, 3.0)
    corners = geometry.to_mm((np.array(list(np.ndindex(2, 2, 2))) * geometry.shape) - 0.5)
    index = grid.to_index(corners)
    assert np.all(index >= -0.5 - 1e-9)
    assert np.all(index <= np.asarray(grid.shape) - 0.5 + 1e-9)
    # and no layer of it is superfluous
    assert np.all(index.min(axis=0) < 0.5)
    assert np.all(index.max(axis=0) > np.asarray(grid.shape) - 1.5)


@pytest.mark.parametrize("tilt", [0.0, 0.3])
def test_a_linear_ramp_keeps_its_values_through_averaging_and_interpolation(tilt):
    volume = ramp(oblique(tilt=tilt))
    blocks = averaged(volume, 4.0, window=EVERYTHING)
    assert blocks.geometry.spacing_mm == pytest.approx((4.0, 3.0, 3.6))
    grid = upright(volume.geometry, 3.0)
    turn = np.asarray(turned(5.0, 0.0, -4.0))
    shift = np.array([1.0, -2.0, 0.5])
    values, seen = placed(blocks, grid, turn, shift)
    index = np.argwhere(seen)
    there = grid.to_mm(index) @ turn.T + shift
    within = blocks.geometry.to_index(there)
    inner = ((within >= 0) & (within <= np.asarray(blocks.geometry.shape) - 1)).all(axis=1)
    assert inner.sum() > 100
    # float32 of values below 100
    assert np.abs(values[tuple(index[inner].T)] - slope(there[inner])).max() < 1e-4


def test_padding_counts_as_the_lower_end_of_the_window():
    voxels = np.full((2, 4, 4), 50.0, dtype=np.float32)
    voxels[:, :, :2] = -3000.0
    valid = voxels > -2000
    geometry = VolumeGeometry(shape=voxels.shape, spacing_mm=(1.0, 1.0, 1.0))
    blocks = averaged(Volume(voxels=voxels, geometry=geometry, unit="1", valid=valid), 2.0, window=(-1000.0, 400.0))
    assert blocks.voxels[0, :, 0].tolist() == [-1000.0, -1000.0]
    assert blocks.voxels[0, :, 1].tolist() == [50.0, 50.0]


def test_beyond_the_border_a_point_has_the_borders_value():
    volume = ramp(VolumeGeometry(shape=(3, 1, 4), spacing_mm=(1.0, 1.0, 1.0)))
    found = at_points(volume.voxels, np.array([[-5.0, 0.0, 0.0], [1.5, 0.0, 2.5], [9.0, 3.0, 9.0]]))
    assert found[0] == volume.voxels[0, 0, 0]
    assert found[2] == volume.voxels[2, 0, 3]
    assert found[1] == pytest.approx(volume.voxels[1:3, 0, 2:4].mean(), abs=1e-6)
