"""A CT set upright, however it was stored."""

import itertools

import numpy as np
import pytest

from bingcheng.core.errors import Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quality.upright_grid import upright_grid

SHAPE, SPACING = (40, 60, 80), (5.0, 2.5, 2.5)


def stored(order, flips, *, tilt=0.0):
    """An image whose values are 4 S + 2 P + L in blocks, stored along other axes."""
    z, y, x = np.indices(SHAPE, dtype=np.float32)
    values = 4 * z + 2 * y + x
    axes = np.array([[0.0, -tilt, np.sqrt(1 - tilt**2)], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])[list(order)]
    signs = np.where(flips, -1.0, 1.0)
    array = np.flip(values.transpose(order), np.flatnonzero(flips).tolist())
    geometry = VolumeGeometry(
        shape=array.shape,
        spacing_mm=tuple(SPACING[axis] for axis in order),
        axes=tuple(tuple(axis * sign) for axis, sign in zip(axes, signs, strict=True)),
    )
    return Volume(voxels=array, geometry=geometry, unit="[hnsf'U]")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("flips", [(False, False, False), (True, False, True), (True, True, True)])
def test_rows_run_to_the_back_and_columns_to_the_left_whatever_the_storage(order, flips):
    grid = upright_grid(stored(order, flips))
    assert grid.step_mm == SPACING
    assert np.array_equal(grid.hu, upright_grid(stored((0, 1, 2), (False,) * 3)).hu)


def test_a_tilted_gantry_is_still_axial():
    assert upright_grid(stored((0, 1, 2), (False,) * 3, tilt=0.4)).hu.shape == SHAPE


def test_blocks_are_means_of_about_the_target_size():
    geometry = VolumeGeometry(shape=(50, 300, 300), spacing_mm=(1.0, 0.5, 0.5))
    noise = np.random.default_rng(0).standard_normal(geometry.shape, dtype=np.float32)
    grid = upright_grid(Volume(voxels=noise, geometry=geometry, unit="[hnsf'U]"))
    assert grid.step_mm == (5.0, 2.5, 2.5)
    # The mean of 125 independent values scatters by 1 / sqrt(125); 18,000 of them fix that to 0.5 %.
    assert float(grid.hu.std()) == pytest.approx(125**-0.5, rel=0.03)


def test_padding_counts_as_air():
    volume = stored((0, 1, 2), (False,) * 3)
    valid = np.ones(SHAPE, dtype=bool)
    valid[3, 4, 5] = False
    grid = upright_grid(Volume(voxels=volume.voxels, geometry=volume.geometry, unit=volume.unit, valid=valid))
    assert grid.hu[3, 4, 5] == -1000.0


def test_a_region_lands_on_the_same_blocks():
    volume = stored((1, 0, 2), (True, False, True))
    inside = volume.voxels > 150.0
    region = Region.of(inside, volume.geometry, label="bright")
    grid = upright_grid(volume)
    assert np.array_equal(grid.of(region), grid.hu > 150.0)


@pytest.mark.parametrize(
    "axes",
    [
        ((0.0, 0.707, 0.707), (0.0, 0.707, -0.707), (1.0, 0.0, 0.0)),
        ((0.577, 0.577, 0.577), (0.707, -0.707, 0.0), (0.408, 0.408, -0.816)),
    ],
)
def test_an_oblique_reformat_is_refused(axes):
    geometry = VolumeGeometry(shape=SHAPE, spacing_mm=SPACING, axes=axes)
    with pytest.raises(Undefined) as caught:
        upright_grid(Volume(voxels=np.zeros(SHAPE, dtype=np.float32), geometry=geometry, unit="[hnsf'U]"))
    assert caught.value.code == "quality.oblique-grid"


def test_a_thin_slab_is_refused():
    volume = Volume(
        voxels=np.zeros((4, 60, 80), dtype=np.float32),
        geometry=VolumeGeometry(shape=(4, 60, 80), spacing_mm=SPACING),
        unit="[hnsf'U]",
    )
    with pytest.raises(Undefined) as caught:
        upright_grid(volume)
    assert caught.value.code == "quality.thin-slab"
