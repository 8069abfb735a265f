"""Tilted slices are moved over each other without moving what they show."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.core.errors import InputError
from bingcheng.image.gantry_tilt import box_needed, tilt_deg, upright_grid, upright_region, upright_slices
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume

UPRIGHT = VolumeGeometry(shape=(20, 60, 50), spacing_mm=(5.0, 1.0, 1.2), origin_mm=(-30.0, -25.0, 10.0))


def tilted(degrees: float, *, turn: float = 0.0, backwards: bool = False) -> VolumeGeometry:
    """A grid whose table moves along the patient while the gantry is tilted (and the patient turned)."""
    t, p = math.radians(degrees), math.radians(turn)
    down = (0.0, math.cos(t), math.sin(t))
    right = (1.0, 0.0, 0.0)
    table = (math.sin(p), 0.0, math.cos(p))
    sign = -1.0 if backwards else 1.0
    return replace(UPRIGHT, axes=(tuple(sign * v for v in table), down, right))


def sampled(geometry: VolumeGeometry, function) -> Volume:
    points = geometry.to_mm(np.moveaxis(np.indices(geometry.shape), 0, -1))
    return Volume(voxels=function(points).astype(np.float32), geometry=geometry, unit="1")


def wave(points):
    """Waves of 24 mm in the plane, far longer along the slices, as nothing is interpolated across them."""
    return 100.0 * np.sin(points @ np.array([0.2, 0.15, 0.02])) + points[..., 2]


@settings(max_examples=15, deadline=None)
@given(st.floats(-30.0, 30.0), st.floats(-10.0, 10.0), st.booleans())
def test_every_value_stays_where_it_is_in_the_patient(degrees, turn, backwards):
    volume = sampled(tilted(degrees, turn=turn, backwards=backwards), wave)
    found = upright_slices(volume)
    assert not found.geometry.sheared
    truth = wave(found.geometry.to_mm(np.moveaxis(np.indices(found.geometry.shape), 0, -1)))
    inner = slice(None) if found.valid is None else eroded(found.valid)
    # Cubic splines at 20 samples a wave err by less than 0.1 % of the amplitude.
    assert np.abs(found.voxels - truth)[inner].max() < 0.1


def eroded(valid):
    """Voxels that lie five off the border, where the splines know what comes beyond."""
    from scipy import ndimage  # noqa: PLC0415

    return ndimage.binary_erosion(valid, np.ones((1, 11, 11)), border_value=0)


@pytest.mark.parametrize("degrees", [12.0, -25.0])
def test_the_grid_covers_all_slices_and_keeps_their_planes(degrees):
    volume = sampled(tilted(degrees), wave)
    found = upright_slices(volume)
    assert found.geometry.shape[0] == volume.geometry.shape[0]
    assert found.geometry.spacing_mm[1:] == volume.geometry.spacing_mm[1:]
    assert found.geometry.spacing_mm[0] == pytest.approx(5.0 * math.cos(math.radians(degrees)))
    corners = np.array(list(np.ndindex(2, 2, 2))) * (np.asarray(volume.geometry.shape) - 1.0)
    index = found.geometry.to_index(volume.geometry.to_mm(corners))
    assert (index > -1e-6).all()
    assert (index < np.asarray(found.geometry.shape) - 1 + 1e-6).all()
    assert index[:, 0] == pytest.approx(corners[:, 0], abs=1e-6)
    # As much of each slice is valid as it has rows.
    assert found.valid.any(axis=2).sum(axis=1) == pytest.approx(volume.geometry.shape[1], abs=1)


@pytest.mark.parametrize("boolean", [True, False])
def test_a_lesion_keeps_its_place_size_and_what_is_known_of_it(boolean):
    grid = tilted(20.0)
    centre, radius = grid.to_mm((9.5, 29.5, 24.5)), 18.0
    ball = sampled(grid, lambda points: np.linalg.norm(points - centre, axis=-1) <= radius).voxels > 0
    drawn = Region.of(ball if boolean else ball.astype(np.float32), grid, label="mass", method="manual")
    found = upright_region(drawn)
    assert (found.mask.dtype == bool) is boolean
    assert (found.label, found.method) == ("mass", "manual")
    assert found.grid.same_grid(upright_slices(sampled(grid, wave)).geometry)
    volume = found.mask.sum() * found.grid.voxel_mm3
    # Voxels are counted whole: a slice's outline of some 100 voxels errs by less than a tenth of them, at random.
    assert volume == pytest.approx(ball.sum() * grid.voxel_mm3, rel=0.005)
    weights = found.mask.astype(float)
    place = found.geometry.to_mm(np.argwhere(weights > 0))
    assert np.average(place, axis=0, weights=weights[weights > 0]) == pytest.approx(centre, abs=0.15)
    # A mask and the image that it is drawn on stay together.
    image = upright_slices(sampled(grid, lambda points: np.linalg.norm(points - centre, axis=-1)))
    assert image.voxels[found.box()][found.inside].max() < radius + 1.0


def test_what_was_not_recorded_stays_so():
    grid = tilted(15.0)
    valid = np.ones(grid.shape, dtype=bool)
    valid[:, 20:25, 10:15] = False
    found = upright_slices(replace(sampled(grid, wave), valid=valid))
    hole = grid.to_mm((7, 22, 12))
    assert not found.valid[tuple(np.rint(found.geometry.to_index(hole)).astype(int))]
    assert found.valid.sum() < upright_slices(sampled(grid, wave)).valid.sum()


@pytest.mark.parametrize(("degrees", "tells"), [(0.001, False), (0.02, True)])
def test_the_rounding_of_direction_cosines_is_no_tilt(degrees, tells):
    assert tilted(degrees).sheared is tells


def test_an_upright_grid_is_left_alone():
    volume = sampled(UPRIGHT, wave)
    assert upright_slices(volume) is volume
    region = Region.of(volume.voxels > 0, UPRIGHT, label="a")
    assert upright_region(region) is region


def test_slices_that_are_sheared_themselves_are_refused():
    grid = replace(UPRIGHT, axes=((0.0, 0.0, 1.0), (0.3, math.sqrt(1 - 0.09), 0.0), (1.0, 0.0, 0.0)))
    with pytest.raises(InputError) as caught:
        upright_slices(sampled(grid, wave))
    assert caught.value.code == "image.sheared-slice"


@pytest.mark.parametrize("degrees", [17.0, -9.0])
def test_the_tilt_is_told_in_degrees(degrees):
    assert tilt_deg(tilted(degrees)) == pytest.approx(abs(degrees))
    assert tilt_deg(UPRIGHT) == pytest.approx(0.0, abs=1e-6)
    assert upright_grid(UPRIGHT) is UPRIGHT


@pytest.mark.parametrize("degrees", [17.0, -9.0])
def test_a_part_alone_comes_out_as_in_the_whole_and_needs_little_of_it(degrees):
    noise = np.random.default_rng(4).normal(0.0, 100.0, UPRIGHT.shape).astype(np.float32)
    volume = Volume(voxels=noise, geometry=replace(tilted(degrees), shape=UPRIGHT.shape), unit="1")
    whole = upright_slices(volume)
    start, shape = (8, 30, 20), (4, 6, 5)
    part = whole.geometry.box(start, shape)
    needed = box_needed(volume.geometry, part)
    taken = volume.geometry.box(tuple(s.start for s in needed), tuple(s.stop - s.start for s in needed))
    found = upright_slices(Volume(voxels=noise[needed], geometry=taken, unit="1"), grid=part)
    inner = tuple(slice(s, s + n) for s, n in zip(start, shape, strict=True))
    # Splines forget what lies 18 voxels off to 5e-11; float32 rounds at 1e-5.
    assert found.voxels == pytest.approx(whole.voxels[inner], abs=1e-4)
    assert np.array_equal(found.valid, whole.valid[inner])
    assert noise[needed].size < 0.2 * noise.size


@pytest.mark.parametrize("start", [(0, 0, 0), (16, 70, 45)])
def test_a_part_beyond_all_rows_is_no_error_and_nowhere_valid(start):
    volume = sampled(tilted(25.0), wave)
    whole = upright_slices(volume)
    shape = tuple(min(3, n - s) for s, n in zip(start, whole.geometry.shape, strict=True))
    part = whole.geometry.box(start, shape)
    needed = box_needed(volume.geometry, part)
    assert all(s.stop > s.start for s in needed)
    taken = volume.geometry.box(tuple(s.start for s in needed), tuple(s.stop - s.start for s in needed))
    found = upright_slices(Volume(voxels=volume.voxels[needed], geometry=taken, unit="1"), grid=part)
    inner = tuple(slice(s, s + n) for s, n in zip(start, shape, strict=True))
    assert np.array_equal(found.valid, whole.valid[inner])


def test_a_region_may_be_kept_as_the_part_of_each_voxel_that_belongs():
    grid = tilted(20.0)
    centre = grid.to_mm((9.5, 29.5, 24.5))
    ball = sampled(grid, lambda points: np.linalg.norm(points - centre, axis=-1) <= 18.0).voxels > 0
    drawn = Region.of(ball, grid, label="mass")
    parts = upright_region(drawn, fractions=True)
    assert parts.mask.dtype == np.float32
    # Moving by parts of a voxel keeps the volume to rounding, where deciding voxel by voxel does not.
    assert parts.mask.sum() == pytest.approx(ball.sum(), rel=1e-4)
    assert np.array_equal(parts.inside.sum(), upright_region(drawn).mask.sum())
