"""CT numbers in a lesion: what counts, and what is left out."""

from __future__ import annotations

import numpy as np
import pytest

from bingcheng.core.errors import Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.intensity.hounsfield import hu_distribution, hu_mean, hu_sd


@pytest.fixture
def field():
    generator = np.random.default_rng(8)
    grid = VolumeGeometry(shape=(6, 12, 12), spacing_mm=(2.0, 1.0, 1.0))
    volume = Volume(voxels=generator.normal(40, 10, grid.shape).astype(np.float32), geometry=grid, unit="[hnsf'U]")
    return volume, Region.of(generator.random(grid.shape) < 0.4, grid, label="lesion")


def test_adding_a_constant_moves_every_position_and_no_spread(field):
    volume, lesion = field
    moved = Volume(voxels=volume.voxels + np.float32(100.0), geometry=volume.geometry, unit=volume.unit)
    assert hu_mean(moved, lesion) == pytest.approx(hu_mean(volume, lesion) + 100.0, abs=1e-4)
    assert hu_sd(moved, lesion) == pytest.approx(hu_sd(volume, lesion), rel=1e-4)
    before, after = hu_distribution(volume, lesion), hu_distribution(moved, lesion)
    assert after == pytest.approx({part: value + 100.0 for part, value in before.items()}, abs=1e-4)


def test_the_parts_of_the_distribution_stand_in_order(field):
    found = list(hu_distribution(*field).values())
    assert found == sorted(found)


def test_voxels_outside_of_the_lesion_do_not_matter(field):
    volume, lesion = field
    voxels = np.array(volume.voxels)
    full = np.zeros(voxels.shape, bool)
    full[lesion.box()] = lesion.inside
    voxels[~full] = 3000.0
    assert hu_mean(Volume(voxels=voxels, geometry=volume.geometry, unit=volume.unit), lesion) == hu_mean(volume, lesion)


def test_voxels_without_a_recorded_value_are_left_out_and_too_many_leave_no_value(field):
    volume, lesion = field
    full = np.zeros(volume.voxels.shape, bool)
    full[lesion.box()] = lesion.inside
    voxels, valid = np.array(volume.voxels), np.ones(volume.voxels.shape, bool)
    some = np.flatnonzero(full)[::4]
    voxels.flat[some], valid.flat[some] = -2000.0, False
    holed = Volume(voxels=voxels, geometry=volume.geometry, unit=volume.unit, valid=valid)
    assert hu_distribution(holed, lesion)["minimum"] > -100.0
    valid = ~full
    with pytest.raises(Undefined) as caught:
        hu_mean(Volume(voxels=voxels, geometry=volume.geometry, unit=volume.unit, valid=valid), lesion)
    assert caught.value.code == "quantify.no-recorded-voxel"


def test_an_empty_lesion_has_no_mean(field):
    volume, _ = field
    empty = Region.of(np.zeros(volume.voxels.shape, bool), volume.geometry, label="nothing")
    with pytest.raises(Undefined) as caught:
        hu_mean(volume, empty)
    assert caught.value.code == "quantify.lesion-without-voxels"


def test_large_numbers_do_not_lose_digits():
    grid = VolumeGeometry(shape=(20, 100, 100), spacing_mm=(1.0, 1.0, 1.0))
    voxels = np.full(grid.shape, 3000.1, np.float32)
    lesion = Region(mask=np.ones((20, 100, 100), bool), start=(0, 0, 0), grid=grid, label="lesion")
    assert hu_mean(Volume(voxels=voxels, geometry=grid, unit="[hnsf'U]"), lesion) == float(np.float32(3000.1))
