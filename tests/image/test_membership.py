from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.membership import aligned_start, clipped, resampled, trimmed

GRID = VolumeGeometry(shape=(12, 20, 24), spacing_mm=(3.0, 1.5, 1.2), origin_mm=(-8.0, 12.0, 100.0))


def placed(mask, start, shape=GRID.shape):
    inside, begin = clipped(mask, start, shape)
    full = np.zeros(shape, dtype=mask.dtype)
    full[tuple(slice(b, b + n) for b, n in zip(begin, inside.shape, strict=True))] = inside
    return full


def rotated(degrees: float) -> VolumeGeometry:
    """A grid of 1 mm turned about the S axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    axes = ((0.0, 0.0, 1.0), (-float(s), float(c), 0.0), (float(c), float(s), 0.0))
    return VolumeGeometry(shape=(10, 12, 14), spacing_mm=(1.0, 1.0, 1.0), origin_mm=(3.0, 20.0, 110.0), axes=axes)


@given(st.tuples(st.integers(-3, 8), st.integers(-3, 8), st.integers(-3, 8)))
def test_box_of_the_grid_is_aligned_also_outside_of_it(start):
    assert aligned_start(GRID.box(start, (3, 4, 5)), GRID) == start


@pytest.mark.parametrize(
    "other",
    [
        replace(GRID, origin_mm=(-7.6, 12.0, 100.0)),
        replace(GRID, spacing_mm=(3.0, 1.5, 1.21)),
        replace(GRID, spacing_mm=(1.5, 1.5, 1.2)),
        replace(GRID, shape=(1, 1, 1), spacing_mm=(3.0, 1.5, 2.4)),
        replace(GRID, axes=((0.0, 0.0, -1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))),
        rotated(5),
    ],
)
def test_other_grids_are_not_aligned(other):
    assert aligned_start(other, GRID) is None


def test_resampling_onto_voxels_that_coincide_changes_nothing():
    mask = np.random.default_rng(1).random((3, 4, 5)) < 0.5
    mask[0, 0, 0] = mask[-1, -1, -1] = True
    found = placed(*resampled(mask, GRID.box((2, 3, 4), mask.shape), GRID))
    assert found == pytest.approx(placed(mask.astype(np.float32), (2, 3, 4)), abs=1e-5)


def test_grid_that_runs_the_other_way_gives_the_mirrored_box():
    mask = np.random.default_rng(2).random((3, 4, 5)) < 0.5
    box = GRID.box((2, 3, 4), mask.shape)
    last = box.to_mm((2, 0, 0))
    turned = replace(box, axes=((0.0, 0.0, -1.0), *box.axes[1:]), origin_mm=tuple(float(v) for v in last))
    found = placed(*resampled(mask[::-1], turned, GRID))
    assert found == pytest.approx(placed(mask.astype(np.float32), (2, 3, 4)), abs=1e-5)


@settings(deadline=None, max_examples=25)
@given(st.floats(-40, 40))
def test_turned_box_keeps_its_volume_and_its_centre(degrees):
    drawn = rotated(degrees)
    mask = np.zeros(drawn.shape, dtype=bool)
    mask[2:8, 3:10, 3:11] = True
    target = VolumeGeometry(shape=(60, 60, 60), spacing_mm=(1.0, 1.0, 1.0), origin_mm=(-20.0, 0.0, 90.0))
    found, start = resampled(mask, drawn, target)
    full = placed(found, start, target.shape)
    # Trilinear weights sum to one for each drawn voxel on average over its place among the target's.
    assert full.sum(dtype=float) == pytest.approx(mask.sum(), rel=0.02)
    centre = np.array([full.sum(axis=axes) @ np.arange(60) for axes in ((1, 2), (0, 2), (0, 1))]) / full.sum()
    expected = drawn.to_mm(np.argwhere(mask).mean(axis=0))
    assert target.to_mm(centre) == pytest.approx(expected, abs=0.1)


def test_fine_mask_keeps_its_volume_on_a_coarse_grid():
    fine = VolumeGeometry(shape=(20, 30, 24), spacing_mm=(0.5, 0.5, 0.5), origin_mm=(-2.0, 20.0, 109.0))
    mask = np.zeros(fine.shape, dtype=bool)
    mask[1:19, 1:25, 1:17] = True
    found, _ = resampled(mask, fine, GRID)
    # 18 x 24 x 16 voxels of 0.125 mm3; the grid's spacing of 1.2 mm is no whole number of pieces of 0.5 mm.
    assert found.sum(dtype=float) * GRID.voxel_mm3 == pytest.approx(mask.sum() * 0.125, rel=0.02)


def test_nothing_is_cut_off_unseen():
    mask = np.ones((2, 2, 2), dtype=bool)
    found, start = resampled(mask, GRID.box((-1, -1, -1), mask.shape), GRID)
    assert found.sum(dtype=float) == pytest.approx(8)
    assert clipped(found, start, GRID.shape)[0].sum(dtype=float) == pytest.approx(1)


def test_trimming_finds_the_smallest_box():
    mask = np.zeros((5, 6, 7), dtype=np.float32)
    mask[1:3, 2, 4:6] = 0.5
    found, start = trimmed(mask, (10, 20, 30))
    assert (found.shape, start) == ((2, 1, 2), (11, 22, 34))
    assert trimmed(mask * 0, (0, 0, 0))[0].size == 0
