"""The patient in CT: what belongs to it and what does not."""

import numpy as np
import pytest

from bingcheng.core.errors import Undefined
from bingcheng.image.volume import Volume
from bingcheng.quality.body import body
from bingcheng.quality.known_objects import cylinder, grid, hollow_cylinder


def full(region):
    mask = np.zeros(region.grid.shape, dtype=bool)
    mask[region.box()] = region.inside
    return mask


def area_mm2(volume):
    region = body(volume)
    _, y, x = volume.geometry.spacing_mm
    return full(region).sum(axis=(1, 2)) * y * x


@pytest.mark.parametrize("noise_hu", [0.0, 40.0])
@pytest.mark.parametrize("pixel_mm", [0.6, 0.98, 3.0])
def test_a_cylinder_has_its_area(pixel_mm, noise_hu):
    size = int(260 / pixel_mm)
    volume = cylinder(diameter_mm=200.0, noise_hu=noise_hu, shape=(4, size, size), spacing_mm=(3.0, pixel_mm, pixel_mm))
    # The border is rounded to pixels: an error of about 0.3 pixel times the root of their number along it.
    tolerance = 0.3 * pixel_mm**2 * np.sqrt(np.pi * 200.0 / pixel_mm) * 3
    assert area_mm2(volume) == pytest.approx(np.pi * 100.0**2, abs=tolerance)


@pytest.mark.parametrize("noise_hu", [0.0, 30.0])
def test_the_table_is_left_out_and_lungs_are_filled(trunk, noise_hu):
    with_table, without = trunk(noise_hu=noise_hu), trunk(noise_hu=noise_hu, table=False)
    # What remains of the table is at most a coarse voxel (2.5 mm) along the skin that it touches: 1 % of the area.
    assert area_mm2(with_table) == pytest.approx(area_mm2(without), rel=0.01)
    assert area_mm2(without) == pytest.approx(np.pi * 150 * 105, rel=0.005)


def test_arms_belong_to_the_patient(trunk):
    assert area_mm2(trunk(arms=True)) == pytest.approx(np.pi * (150 * 105 + 2 * 22 * 24), rel=0.01)


def test_a_thin_chest_wall_keeps_the_lungs_inside():
    volume = hollow_cylinder(diameter_mm=240.0, inner_mm=224.0, inner_hu=-870.0)
    assert area_mm2(volume) == pytest.approx(np.pi * 120.0**2, rel=0.005)


def test_two_legs_are_one_patient():
    left, right = (cylinder(diameter_mm=100.0, centre_mm=(side * 60.0, 0.0), hu=40.0) for side in (-1, 1))
    both = Volume(voxels=np.maximum(left.voxels, right.voxels), geometry=left.geometry, unit=left.unit)
    assert area_mm2(both) == pytest.approx(2 * np.pi * 50.0**2, rel=0.01)


@pytest.mark.parametrize("hu", [-1000.0, -850.0, -3024.0])
def test_air_or_lung_alone_is_no_patient(hu):
    geometry = grid((4, 64, 64), (3.0, 3.0, 3.0))
    with pytest.raises(Undefined) as caught:
        body(Volume(voxels=np.full(geometry.shape, hu, dtype=np.float32), geometry=geometry, unit="[hnsf'U]"))
    assert caught.value.code == "quality.no-body"


def test_a_wire_or_a_thin_plate_is_no_patient():
    geometry = grid((4, 128, 128), (3.0, 2.0, 2.0))
    voxels = np.full(geometry.shape, -1000.0, dtype=np.float32)
    voxels[:, 60:63] = 100.0
    with pytest.raises(Undefined, match="no-body"):
        body(Volume(voxels=voxels, geometry=geometry, unit="[hnsf'U]"))


def test_one_slice_is_enough():
    volume = cylinder(diameter_mm=200.0, shape=(1, 320, 320))
    assert area_mm2(volume) == pytest.approx(np.pi * 100.0**2, rel=0.003)


def test_padding_and_invalid_voxels_stay_outside():
    volume = cylinder(diameter_mm=200.0)
    valid = np.ones(volume.voxels.shape, dtype=bool)
    valid[:, :, :160] = False
    half = body(Volume(voxels=volume.voxels, geometry=volume.geometry, unit=volume.unit, valid=valid))
    inside = full(half)
    assert inside.sum() == pytest.approx(full(body(volume)).sum() / 2, rel=0.03)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_quarter_turns_turn_the_mask(trunk, turns):
    volume = trunk(table=False, slices=2)
    turned = Volume(
        voxels=np.ascontiguousarray(np.rot90(volume.voxels, turns, axes=(1, 2))),
        geometry=volume.geometry,
        unit=volume.unit,
    )
    differing = np.rot90(full(body(volume)), turns, axes=(1, 2)) ^ full(body(turned))
    # The coarse blocks fall differently, so that a few pixels of the rim may change.
    assert differing.sum() < 0.001 * full(body(volume)).sum()


def test_thin_slices_are_drawn_from_every_other_one():
    thin = cylinder(diameter_mm=200.0, shape=(9, 320, 320), spacing_mm=(0.6, 0.75, 0.75))
    assert area_mm2(thin).shape == (9,)
    assert area_mm2(thin) == pytest.approx(np.pi * 100.0**2, rel=0.003)
