"""Outlines that a reader might as well have drawn: how they move, and what they never do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.quantify.reference_cases import ellipsoid
from bingcheng.quantify.size.dimensions import reaches_edge, volume
from bingcheng.quantify.uncertainty.perturbation import Perturbations, outlines, signed_distance

STILL = Perturbations(offset_voxels=0.0, shift_voxels=0.0, roughness_voxels=0.0)


def full(region):
    mask = np.zeros(region.grid.shape, region.mask.dtype)
    mask[region.box()] = region.mask
    return mask


@pytest.fixture
def lesion():
    return ellipsoid((16.0, 20.0, 24.0), (2.0, 1.0, 1.0))


def test_without_movement_the_outline_is_the_one_drawn(lesion):
    drawn = full(lesion)
    assert all(np.array_equal(full(other), drawn) for other in outlines(lesion, STILL, seed=1))


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 7), (1, 5, 5), (2, 2, 2), (6, 1, 1)])
def test_without_movement_thin_lesions_keep_their_voxels(shape):
    grid = VolumeGeometry(shape=(14, 14, 14), spacing_mm=(3.0, 1.0, 1.0))
    thin = Region(mask=np.ones(shape, bool), start=(4, 4, 4), grid=grid, label="thin")
    assert all(np.array_equal(full(other), full(thin)) for other in outlines(thin, STILL, seed=1))


def test_the_same_seed_gives_the_same_outlines_and_another_seed_others(lesion):
    how = Perturbations()
    first, again, other = (np.stack([full(o) for o in outlines(lesion, how, seed=seed)]) for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_growing_by_a_pixel_adds_a_shell_of_that_thickness():
    # Uniform offsets on +-1 voxel alone; the sphere of radius r has volume 4/3 pi (r + d)^3. The offsets run over the
    # middles of twelve strata, so that the largest is 23/24 voxel.
    sphere = ellipsoid((40.0, 40.0, 40.0), (1.0, 1.0, 1.0))
    how = replace(STILL, offset_voxels=1.0)
    found = [volume(other) for other in outlines(sphere, how, seed=1)]
    expected = [4 / 3 * np.pi * (20.0 + way * (i + 0.5) / 12) ** 3 / 1000 for i in range(12) for way in (1, -1)]
    # Whole voxels follow the border within a quarter of a voxel: 0.25 mm of 20 mm is 3.8 % of the volume.
    assert found == pytest.approx(expected, rel=0.038)


def test_in_thick_slices_growing_moves_the_flat_ends_as_far_in_mm_as_the_sides():
    disc = ellipsoid((20.0, 60.0, 60.0), (5.0, 1.0, 1.0))
    grown = next(
        outlines(disc, Perturbations(contours=2, offset_voxels=2.0, shift_voxels=0, roughness_voxels=0), seed=1)
    )
    # One pixel (1 mm) outwards cannot reach the middle of another slice of 5 mm over the flat part of the disc.
    assert np.count_nonzero(full(grown).any(axis=(1, 2))) == np.count_nonzero(full(disc).any(axis=(1, 2)))
    assert volume(grown) > volume(disc)


def test_shifts_keep_the_volume_and_move_the_centre(lesion):
    how = replace(STILL, shift_voxels=0.5)
    others = list(outlines(lesion, how, seed=3))
    assert np.mean([volume(other) for other in others]) == pytest.approx(volume(lesion), rel=0.02)
    centres = np.array([np.mean(np.nonzero(full(other)), axis=1) for other in others])
    assert np.all(np.std(centres, axis=0) > 0.1)


def test_opposite_outlines_move_in_opposite_ways(lesion):
    drawn = volume(lesion)
    others = [volume(other) - drawn for other in outlines(lesion, Perturbations(), seed=3)]
    assert np.corrcoef(others[::2], others[1::2])[0, 1] < -0.8


def test_an_outline_away_from_the_edge_never_touches_it():
    grid = VolumeGeometry(shape=(6, 10, 10), spacing_mm=(1.0, 1.0, 1.0))
    near = Region(mask=np.ones((4, 8, 8), bool), start=(1, 1, 1), grid=grid, label="near")
    how = Perturbations(offset_voxels=2.0)
    assert not any(any(reaches_edge(other)) for other in outlines(near, how, seed=1) if not other.empty)


def test_an_outline_at_the_edge_stays_at_the_edge():
    grid = VolumeGeometry(shape=(6, 20, 20), spacing_mm=(1.0, 1.0, 1.0))
    cut = Region(mask=np.ones((6, 8, 8), bool), start=(0, 6, 6), grid=grid, label="cut")
    assert all(reaches_edge(other)[0] for other in outlines(cut, Perturbations(), seed=1))


def test_a_region_that_fills_the_image_has_no_border_to_move():
    grid = VolumeGeometry(shape=(3, 4, 5), spacing_mm=(1.0, 1.0, 1.0))
    everything = Region(mask=np.ones((3, 4, 5), bool), start=(0, 0, 0), grid=grid, label="all")
    assert all(other.mask.all() for other in outlines(everything, Perturbations(), seed=1))


def test_an_image_of_one_slice_is_perturbed_within_the_slice():
    grid = VolumeGeometry(shape=(1, 20, 20), spacing_mm=(5.0, 1.0, 1.0))
    flat = Region(mask=np.ones((1, 8, 8), bool), start=(0, 6, 6), grid=grid, label="flat")
    sizes = {int(other.mask.sum()) for other in outlines(flat, Perturbations(), seed=1)}
    assert len(sizes) > 3


def test_fractions_stay_fractions_and_change_where_the_border_runs(lesion):
    part = np.clip(full(lesion).astype(np.float32) - 0.3 * (np.arange(full(lesion).shape[2]) % 2), 0, 1)
    soft = Region.of(part.astype(np.float32), lesion.grid, label="soft")
    assert all(np.array_equal(full(other), full(soft)) for other in outlines(soft, STILL, seed=1))
    for other in outlines(soft, Perturbations(), seed=1):
        assert other.mask.dtype == np.float32
        assert 0.0 <= other.mask.min() <= other.mask.max() <= 1.0


def test_the_distance_has_the_sign_of_the_mask_and_grows_by_a_voxel_per_voxel():
    sphere = full(ellipsoid((40.0, 40.0, 40.0), (1.0, 1.0, 1.0)))
    distance = signed_distance(sphere)
    assert np.array_equal(distance > 0, sphere)
    profile = distance[distance.shape[0] // 2, distance.shape[1] // 2, :20]
    assert np.diff(profile)[4:] == pytest.approx(1.0, abs=0.1)


def test_the_same_lesion_in_a_turned_patient_is_perturbed_by_as_much(lesion):
    axes = ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0))
    turned = replace(lesion, grid=replace(lesion.grid, axes=axes))
    spread = [np.std([volume(other) for other in outlines(one, Perturbations(), seed=2)]) for one in (lesion, turned)]
    assert spread[1] == pytest.approx(spread[0], rel=0.25)


@pytest.mark.parametrize("wrong", [{"contours": 3}, {"noises": 0}])
def test_repetitions_come_in_pairs(wrong):
    with pytest.raises(ValueError, match="pairs"):
        Perturbations(**wrong)
