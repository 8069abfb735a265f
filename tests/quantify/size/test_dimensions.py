"""Size measures: analytic truth, how they scale, and where there is no size to report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from bingcheng.core.errors import Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.quantify.reference_cases import ellipsoid
from bingcheng.quantify.size.diameter import largest_distance_mm, longest_axis
from bingcheng.quantify.size.dimensions import diameter_3d, longest_diameter, reaches_edge, short_axis, volume

SIZES = {
    "volume": volume,
    "longest_diameter": lambda lesion: longest_diameter(lesion, longest_axis(lesion)),
    "short_axis": lambda lesion: short_axis(lesion, longest_axis(lesion)),
    "diameter_3d": diameter_3d,
}


def sizes(lesion):
    return {name: size(lesion) for name, size in SIZES.items()}


def grid(shape, spacing=(2.0, 1.0, 1.0), **more):
    return VolumeGeometry(shape=shape, spacing_mm=spacing, **more)


@pytest.fixture
def blob():
    """An irregular lesion without symmetry, three voxels from every edge."""
    generator = np.random.default_rng(5)
    smooth = ndimage.gaussian_filter(generator.normal(size=(9, 20, 22)), (1.0, 2.5, 2.5))
    labels, _ = ndimage.label(smooth > np.quantile(smooth, 0.8))
    largest = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    return Region.of(np.pad(largest, 3), grid((15, 26, 28)), label="blob")


def test_sizes_of_fine_ellipsoids_are_within_one_percent_of_the_closed_form():
    # The voxel is 1/60 of the diameter: half a voxel on each side is at most 1.7 % of a diameter, and the sub-voxel
    # contour keeps the mean error far below; counting errs by less than 0.1 %.
    lesion = ellipsoid((24.0, 30.0, 36.0), (0.5, 0.5, 0.5))
    found = sizes(lesion)
    assert found["volume"] == pytest.approx(4 / 3 * np.pi * 12 * 15 * 18 / 1000, rel=0.005)
    assert found["longest_diameter"] == pytest.approx(36.0, rel=0.015)
    assert found["short_axis"] == pytest.approx(30.0, rel=0.015)
    assert found["diameter_3d"] == pytest.approx(36.0, rel=0.015)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.5, 0.7, 0.7), (0.8, 1.5, 0.6)])
@pytest.mark.parametrize("diameter_mm", [12.0, 21.0, 33.0])
def test_every_end_of_a_diameter_lies_within_half_a_voxel_of_the_true_border(diameter_mm, spacing):
    found = sizes(ellipsoid((diameter_mm,) * 3, spacing))
    half_pixel = 0.5 * max(spacing[1:])
    half_slice = 0.5 * spacing[0]
    # The slice nearest to the centre may lie half a slice off it: its section is that much smaller.
    section = 2.0 * np.sqrt(max(0.0, (diameter_mm / 2) ** 2 - half_slice**2))
    for key in ("longest_diameter", "short_axis"):
        assert section - 2 * half_pixel <= found[key] <= diameter_mm + 2 * half_pixel
    assert abs(found["diameter_3d"] - diameter_mm) <= np.hypot(2 * half_pixel, 2 * half_slice)


@given(factor=st.floats(0.2, 5.0))
@settings(max_examples=10, deadline=None)
def test_a_coarser_grid_scales_lengths_once_and_volumes_three_times(factor):
    lesion = ellipsoid((14.0, 18.0, 22.0), (2.0, 1.0, 1.0))
    scaled = replace(
        lesion, grid=replace(lesion.grid, spacing_mm=tuple(factor * step for step in lesion.grid.spacing_mm))
    )
    before, after = sizes(lesion), sizes(scaled)
    for key, value in before.items():
        assert after[key] == pytest.approx(value * factor ** (3 if key == "volume" else 1), rel=1e-6)


@given(shift=st.tuples(*[st.integers(1, 6)] * 3))
@settings(max_examples=10, deadline=None)
def test_moving_by_whole_voxels_changes_nothing(shift):
    lesion = ellipsoid((14.0, 18.0, 22.0), (2.0, 1.0, 1.0))
    moved = replace(lesion, start=shift, grid=replace(lesion.grid, shape=(40, 60, 60), origin_mm=(10.0, -20.0, 30.0)))
    assert sizes(moved) == pytest.approx(sizes(lesion), rel=1e-9)


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_quarter_turn_in_the_slice_changes_nothing(blob, turn):
    turned = np.rot90(blob.inside, turn, axes=(1, 2))
    lesion = Region.of(np.pad(turned, 3), grid(tuple(n + 6 for n in turned.shape)), label="blob")
    assert sizes(lesion) == pytest.approx(sizes(blob), rel=1e-6)


def test_mirroring_and_reversing_the_slices_change_nothing(blob):
    for axis in range(3):
        flipped = np.flip(blob.inside, axis)
        lesion = Region.of(np.pad(flipped, 3), grid(tuple(n + 6 for n in flipped.shape)), label="blob")
        assert sizes(lesion) == pytest.approx(sizes(blob), rel=1e-6)


def test_the_same_lesion_in_a_rotated_patient_has_the_same_size(blob):
    angle = 0.4
    axes = ((0.0, -np.sin(angle), np.cos(angle)), (0.0, np.cos(angle), np.sin(angle)), (1.0, 0.0, 0.0))
    tilted = replace(blob, grid=replace(blob.grid, axes=axes))
    assert sizes(tilted) == pytest.approx(sizes(blob), rel=1e-9)


def test_a_larger_outline_is_larger_in_every_respect(blob):
    grown = Region.of(ndimage.binary_dilation(np.pad(blob.inside, 3)), grid(np.add(blob.mask.shape, 6)), label="blob")
    before, after = sizes(blob), sizes(grown)
    for key in ("volume", "longest_diameter", "diameter_3d"):
        assert after[key] > before[key]


def test_a_sheared_grid_has_the_volume_of_its_parallelepipeds():
    tilt = np.deg2rad(20.0)
    axes = ((0.0, np.sin(tilt), np.cos(tilt)), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
    lesion = Region(mask=np.ones((3, 4, 5), bool), start=(2, 2, 2), grid=grid((8, 9, 9), axes=axes), label="block")
    assert volume(lesion) == pytest.approx(3 * 4 * 5 * 2.0 * np.cos(tilt) / 1000)
    # Within a slice nothing is sheared. Marching squares cuts the corners of a block of 4 x 5 pixels by half a pixel,
    # so that its farthest points lie 5 and 4 - 1 apart.
    assert longest_axis(lesion).long_axis.length_mm == pytest.approx(np.hypot(5, 3))


def test_fractions_count_in_part_and_place_the_border_between_voxels():
    mask = np.zeros((3, 3, 7), np.float32)
    mask[1, 1] = (0.25, 1.0, 1.0, 1.0, 1.0, 1.0, 0.75)
    lesion = Region.of(np.pad(mask, 2), grid((7, 7, 11)), label="rod")
    assert volume(lesion) == pytest.approx(6.0 * 2.0 / 1000)
    # Left: one half lies 2/3 of the way from 1 to 0.25; right: 1/3 of the way from 0.75 to 0.
    assert longest_axis(lesion).long_axis.length_mm == pytest.approx(5.0 + 2 / 3 + 1 / 3)


def test_a_single_voxel_is_as_long_as_a_voxel():
    lesion = Region(mask=np.ones((1, 1, 1), bool), start=(3, 3, 3), grid=grid((7, 7, 7)), label="dot")
    found = sizes(lesion)
    assert found == pytest.approx(
        {"volume": 0.002, "longest_diameter": 1.0, "short_axis": 1.0, "diameter_3d": 2.0}, rel=1e-5
    )


def test_an_empty_lesion_has_no_size():
    empty = Region.of(np.zeros((4, 4, 4), bool), grid((4, 4, 4)), label="nothing")
    for size in (volume, longest_axis, largest_distance_mm, diameter_3d):
        with pytest.raises(Undefined) as caught:
            size(empty)
        assert caught.value.code == "quantify.lesion-without-voxels"


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_lesion_that_may_go_on_beyond_the_image_has_no_volume(axis):
    start = [2, 2, 2]
    start[axis] = 0
    lesion = Region(mask=np.ones((2, 2, 2), bool), start=tuple(start), grid=grid((8, 8, 8)), label="cut")
    assert reaches_edge(lesion) == tuple(axis == a for a in range(3))
    for name, size in SIZES.items():
        with pytest.raises(Undefined) as caught:
            size(lesion)
        assert caught.value.code == "quantify.lesion-cut-off", name


def test_a_lesion_cut_through_the_slices_keeps_a_longest_diameter_that_lies_elsewhere():
    mask = np.zeros((8, 16, 16), bool)
    mask[0, 6:9, 6:9] = True
    mask[1:4, 4:12, 4:12] = True
    lesion = Region.of(mask, grid(mask.shape), label="cut")
    assert longest_diameter(lesion, longest_axis(lesion)) > 7.0
    with pytest.raises(Undefined):
        volume(lesion)


def test_an_image_of_one_slice_has_diameters_but_no_volume():
    lesion = Region(mask=np.ones((1, 3, 5), bool), start=(0, 4, 4), grid=grid((1, 12, 12)), label="slice")
    assert longest_diameter(lesion, longest_axis(lesion)) == pytest.approx(np.hypot(5, 2))
    with pytest.raises(Undefined):
        volume(lesion)
