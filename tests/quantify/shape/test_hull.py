"""The convex hull of a surface, against all vertices of the surface."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

from bingcheng.quantify.shape.hull import hull


def every_vertex(inside, spacing_mm):
    """Half a voxel from each voxel's centre along each axis: those within the region don't widen its hull."""
    steps = np.concatenate([np.eye(3), -np.eye(3)]) / 2.0
    return ((np.argwhere(inside)[:, None] + steps) * spacing_mm).reshape(-1, 3)


@settings(max_examples=60)
@given(
    st.integers(0, 10_000),
    st.tuples(*[st.integers(1, 7)] * 3),
    st.sampled_from([0.05, 0.4, 0.9]),
    st.sampled_from([(1.0, 1.0, 1.0), (3.0, 0.7, 0.8), (20.0, 1.0, 1.0)]),
)
def test_it_is_the_hull_of_all_vertices(shapes, seed, shape, part, spacing_mm):
    inside = shapes.scattered(seed, shape, part)
    points = every_vertex(inside, spacing_mm)
    expect, found = ConvexHull(points), hull(inside, spacing_mm)
    assert found.volume_mm3 == pytest.approx(expect.volume, rel=1e-9)
    assert found.area_mm2 == pytest.approx(expect.area, rel=1e-9)
    assert found.largest_distance_mm == pytest.approx(pdist(points).max(), rel=1e-12)


def test_every_edge_lies_between_two_triangles_and_joins_two_vertices(shapes):
    found = hull(shapes.ellipsoid((6.0, 5.0, 4.0)), (1.0, 1.0, 1.0))
    # Euler: a polyhedron of triangles with v vertices has 3 v - 6 edges and 2 v - 4 faces.
    v = len(found.vertices_mm)
    assert len(found.edges) == 3 * v - 6
    assert len(found.normals) == 2 * v - 4
    for a, b, first, second in found.edges:
        for normal in (found.normals[first], found.normals[second]):
            # Both ends lie in the plane of the triangle, which no vertex is beyond.
            reach = found.vertices_mm @ normal
            assert reach[a] == pytest.approx(reach.max())
            assert reach[b] == pytest.approx(reach.max())


def test_one_voxel_has_a_hull():
    found = hull(np.ones((1, 1, 1), dtype=bool), (2.0, 4.0, 6.0))
    assert found.volume_mm3 == pytest.approx(8.0)
    assert found.largest_distance_mm == pytest.approx(6.0)


@pytest.mark.parametrize("step_mm", [2.0, 1.0, 0.5])
def test_diameter_of_a_sphere_within_a_voxel(shapes, step_mm):
    found = hull(shapes.ellipsoid((20.0,) * 3, (step_mm,) * 3), (step_mm,) * 3)
    # Each end lies within half a voxel of the true border.
    assert found.largest_distance_mm == pytest.approx(40.0, abs=step_mm)
