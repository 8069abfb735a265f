"""Centres and principal axes of voxels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.quantify.shape.principal_axes import intensity_sums, point_set


@given(st.integers(0, 10_000), st.sampled_from([(1.0, 1.0, 1.0), (5.0, 0.7, 0.8)]))
def test_they_are_those_of_the_covariance(shapes, seed, spacing_mm):
    inside = shapes.scattered(seed)
    points = np.argwhere(inside) * np.asarray(spacing_mm)
    eigenvalues = np.linalg.eigvalsh(np.cov(points.T))
    found = point_set(inside, spacing_mm)
    assert found.count == len(points)
    assert found.centre_mm == pytest.approx(points.mean(axis=0))
    assert found.lengths_mm[::-1] == pytest.approx(4.0 * np.sqrt(eigenvalues))


@pytest.mark.parametrize("semi_mm", [(20.0, 20.0, 20.0), (10.0, 15.0, 25.0)])
def test_of_an_ellipsoid_they_are_its_axes_times_the_root_of_four_fifths(shapes, semi_mm):
    # The variance of a solid ellipsoid along an axis of semi-length a is a^2 / 5; within 1 % at this resolution.
    found = point_set(shapes.ellipsoid(semi_mm), (1.0, 1.0, 1.0)).lengths_mm
    assert found == pytest.approx([2.0 * a * np.sqrt(0.8) for a in sorted(semi_mm, reverse=True)], rel=0.01)


@pytest.mark.parametrize(("shape", "flat"), [((1, 1, 1), 3), ((1, 1, 9), 2), ((1, 5, 6), 1), ((4, 5, 6), 0)])
def test_axes_across_flat_regions_are_exactly_zero(shape, flat):
    found = point_set(np.ones(shape, dtype=bool), (3.0, 0.7, 0.9)).lengths_mm
    assert sum(length == 0.0 for length in found) == flat


def test_an_oblique_plane_is_flat_too():
    z, y, _ = np.indices((5, 5, 5))
    assert point_set(z == y, (3.0, 0.7, 0.9)).lengths_mm[2] == 0.0


def test_axes_of_turned_and_moved_masks_are_the_same_to_the_last_digits(shapes):
    inside = shapes.scattered(3)
    moved = np.pad(inside, ((40, 0), (3, 900), (0, 1)))
    turned = np.ascontiguousarray(np.rot90(inside, axes=(0, 2)))
    expect = point_set(inside, (1.0, 1.0, 1.0)).lengths_mm
    for other in (moved, turned):
        assert point_set(other, (1.0, 1.0, 1.0)).lengths_mm == pytest.approx(expect, rel=1e-14)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_intensities_weigh_the_places_of_their_voxels(shapes, kind):
    inside = shapes.scattered(1)
    intensity = np.random.default_rng(1).normal(40.0, 30.0, inside.shape).astype(kind)
    intensity[~inside] = np.nan
    count, total, first = intensity_sums(intensity, inside)
    values = intensity[inside].astype(np.float64)
    assert count == inside.sum()
    assert total == pytest.approx(values.sum(), rel=1e-12)
    assert first == pytest.approx(values @ np.argwhere(inside), rel=1e-12)
