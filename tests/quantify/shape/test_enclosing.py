"""Boxes and ellipsoids around a surface: they hold it, and none that is easily found is smaller."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull
from scipy.special import eval_legendre

from bingcheng.quantify.shape.enclosing_box import aligned_box, oriented_box
from bingcheng.quantify.shape.enclosing_ellipsoid import TOLERANCE, Ellipsoid, enclosing_ellipsoid
from bingcheng.quantify.shape.hull import Hull, hull

REGIONS = given(
    st.integers(0, 10_000),
    st.tuples(*[st.integers(1, 8)] * 3),
    st.sampled_from([0.1, 0.4, 0.9]),
    st.sampled_from([(1.0, 1.0, 1.0), (3.0, 0.7, 0.8), (20.0, 1.0, 1.0)]),
)


def hull_of(points):
    """The hull of any points (n, 3)."""
    found = ConvexHull(points)
    own = np.arange(len(found.simplices))
    sides = [
        np.stack([found.simplices[:, k - 2], found.simplices[:, k - 1], own, found.neighbors[:, k]], axis=1)
        for k in range(3)
    ]
    edges = np.concatenate(sides).astype(np.int64)
    return Hull(
        vertices_mm=points,
        normals=found.equations[:, :3].copy(),
        edges=np.ascontiguousarray(edges[edges[:, 2] < edges[:, 3]]),
        area_mm2=found.area,
        volume_mm3=found.volume,
    )


def smallest_by_trial(surface):
    """Every direction of a face or an axis, and in its plane every direction of an edge of the outline."""
    best = np.inf
    for normal in np.concatenate([np.eye(3), surface.normals]):
        first = np.eye(3)[np.argmin(np.abs(normal))]
        first = first - normal * (first @ normal)
        first /= np.linalg.norm(first)
        flat = surface.vertices_mm @ np.stack([first, np.cross(normal, first)], axis=1)
        outline = flat[ConvexHull(flat).vertices]
        side = np.roll(outline, -1, axis=0) - outline
        side /= np.linalg.norm(side, axis=1)[:, None]
        along = np.ptp(outline @ side.T, axis=0)
        across = np.ptp(outline @ (side @ np.array([[0.0, 1.0], [-1.0, 0.0]])).T, axis=0)
        best = min(best, np.ptp(surface.vertices_mm @ normal) * (along * across).min())
    return best


@settings(max_examples=25)
@REGIONS
def test_the_oriented_box_is_the_smallest_of_all_that_are_flat_against_a_face(shapes, seed, shape, part, spacing_mm):
    surface = hull(shapes.scattered(seed, shape, part), spacing_mm)
    # Directions that differ by less than 1e-6 count once.
    assert oriented_box(surface).volume_mm3 == pytest.approx(smallest_by_trial(surface), rel=1e-5)
    assert oriented_box(surface).volume_mm3 <= aligned_box(surface).volume_mm3 * (1.0 + 1e-12)


def test_the_oriented_box_of_a_turned_cuboid_is_the_cuboid():
    rotation, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    corners = np.array([[z, y, x] for z in (0.0, 3.0) for y in (0.0, 5.0) for x in (0.0, 11.0)]) @ rotation.T
    found = oriented_box(hull_of(corners))
    assert sorted(found.sides_mm) == pytest.approx([3.0, 5.0, 11.0])
    assert found.area_mm2 == pytest.approx(2.0 * (15.0 + 33.0 + 55.0))
    assert aligned_box(hull_of(corners)).volume_mm3 > 1.1 * found.volume_mm3


@settings(max_examples=15)
@REGIONS
def test_no_ellipsoid_about_the_surface_is_smaller_by_more_than_the_tolerance(shapes, seed, shape, part, spacing_mm):
    surface = hull(shapes.scattered(seed, shape, part), spacing_mm)
    found = enclosing_ellipsoid(surface).volume_mm3
    # Khachiyan's own method, slow and simple, started from all vertices.
    points = np.column_stack([surface.vertices_mm, np.ones(len(surface.vertices_mm))])
    weights = np.full(len(points), 1.0 / len(points))
    for _ in range(300):
        kappa = np.sum(points @ np.linalg.inv(points.T @ (points * weights[:, None])) * points, axis=1)
        k = np.argmax(kappa)
        step = (kappa[k] - 4.0) / (4.0 * (kappa[k] - 1.0))
        weights *= 1.0 - step
        weights[k] += step
    centred = surface.vertices_mm - weights @ surface.vertices_mm
    covariance = (centred * weights[:, None]).T @ centred
    farthest = np.einsum("ni,ij,nj->n", centred, np.linalg.inv(covariance), centred).max()
    slow = 4.0 / 3.0 * np.pi * np.sqrt(np.linalg.det(covariance * farthest))
    # Both lie above the least volume: ours by twice the tolerance at most.
    assert found <= slow * (1.0 + 2.0 * TOLERANCE)
    assert found >= surface.volume_mm3


def test_the_ellipsoid_about_points_of_an_ellipsoid_is_that_ellipsoid():
    generator = np.random.default_rng(5)
    rotation, _ = np.linalg.qr(generator.normal(size=(3, 3)))
    on_sphere = generator.normal(size=(2000, 3))
    on_sphere /= np.linalg.norm(on_sphere, axis=1)[:, None]
    points = on_sphere * (9.0, 4.0, 2.0) @ rotation.T + (30.0, -20.0, 10.0)
    # The points cover the surface but for gaps of a few per cent of an axis, and the ellipsoid by its tolerance.
    assert enclosing_ellipsoid(hull_of(points)).semi_axes_mm == pytest.approx((9.0, 4.0, 2.0), rel=2e-3)


@pytest.mark.parametrize("semi_axes_mm", [(5.0, 4.0, 3.0), (5.0, 2.0, 1.0), (9.0, 1.0, 0.5)])
def test_the_area_is_the_series_that_the_manual_prints(semi_axes_mm):
    a, b, c = semi_axes_mm
    alpha, beta = np.sqrt(1 - b**2 / a**2), np.sqrt(1 - c**2 / a**2)
    terms = [
        (alpha * beta) ** v / (1 - 4 * v**2) * eval_legendre(v, (alpha**2 + beta**2) / (2 * alpha * beta))
        for v in range(21)
    ]
    found = Ellipsoid(semi_axes_mm=semi_axes_mm).series_area_mm2
    assert found == pytest.approx(4 * np.pi * a * b * sum(terms), rel=1e-12)


def test_the_area_of_a_sphere_is_exact_where_the_printed_series_divides_by_nothing():
    assert Ellipsoid(semi_axes_mm=(3.0, 3.0, 3.0)).series_area_mm2 == pytest.approx(36.0 * np.pi)
    assert Ellipsoid(semi_axes_mm=(3.0, 0.0, 0.0)).series_area_mm2 == 0.0
