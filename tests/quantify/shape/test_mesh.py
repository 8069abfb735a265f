"""The marching-cubes surface: against closed forms, and against an implementation that makes its triangles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import marching_cubes

from bingcheng.quantify.shape.mesh import _cell_tables, mesh


def triangles_of(inside, spacing_mm):
    vertices, faces, _, _ = marching_cubes(np.pad(inside, 1).astype(np.float32), 0.5, spacing=spacing_mm)
    a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
    return area, abs(np.einsum("ni,ni->n", a, np.cross(b, c)).sum() / 6)


# scikit-image sets an array's shape in a way that NumPy 2.5 deprecates.
@pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning")
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (3.0, 1.0, 0.7), (20.0, 1.0, 1.0)])
def test_it_is_the_surface_that_triangles_of_marching_cubes_make(shapes, part, spacing_mm):
    # Random voxels hold all 256 cells, ambiguous ones too; vertices are float32, which rounds them by 6e-8.
    for seed in range(5):
        inside = shapes.scattered(seed, (8, 9, 10), part)
        area, volume = triangles_of(inside, spacing_mm)
        found = mesh(inside, spacing_mm)
        assert found.area_mm2 == pytest.approx(area, rel=1e-6)
        assert found.volume_mm3 == pytest.approx(volume, rel=1e-6)


def test_one_voxel_has_the_surface_of_an_octahedron():
    found = mesh(np.ones((1, 1, 1), dtype=bool), (2.0, 2.0, 2.0))
    assert found.volume_mm3 == pytest.approx(4.0 / 3.0)
    assert found.area_mm2 == pytest.approx(4.0 * np.sqrt(3.0))


@pytest.mark.parametrize("size", [4, 8, 16])
def test_of_a_box_its_edges_are_bevelled_by_half_a_voxel(size):
    # n^3 voxels less the bevels: 12 edges of n - 1 prisms of 1/8, and 8 corners of which a sixth less a cube stays.
    found = mesh(np.ones((size,) * 3, dtype=bool), (1.0, 1.0, 1.0))
    inner = size - 1.0
    assert found.volume_mm3 == pytest.approx(inner**3 + 3.0 * inner**2 + 12.0 * inner / 8.0 + 8.0 / 48.0)
    assert found.area_mm2 == pytest.approx(6.0 * inner**2 + 12.0 * inner * np.sqrt(0.5) + np.sqrt(3.0))


@pytest.mark.parametrize("semi_mm", [(20.0, 20.0, 20.0), (24.0, 16.0, 12.0)])
def test_volume_converges_to_that_of_an_ellipsoid_with_smaller_voxels(shapes, semi_mm):
    truth = 4.0 / 3.0 * np.pi * np.prod(semi_mm)
    errors = [
        abs(mesh(shapes.ellipsoid(semi_mm, (step,) * 3), (step,) * 3).volume_mm3 / truth - 1.0) for step in (2.0, 0.5)
    ]
    assert errors[1] < 0.01
    assert errors[1] < errors[0]


def test_area_of_a_sphere_stays_too_large_however_fine_the_voxels(shapes):
    # A mask has no slopes but those of its cells, so that its surface keeps steps; what is enclosed converges.
    excess = [
        mesh(shapes.ellipsoid((radius,) * 3), (1.0, 1.0, 1.0)).area_mm2 / (4.0 * np.pi * radius**2)
        for radius in (15.0, 30.0, 45.0)
    ]
    assert excess[1:] == pytest.approx([excess[0]] * 2, rel=0.01)
    assert excess[2] == pytest.approx(1.09, abs=0.01)


def test_what_a_cell_holds_lies_between_nothing_and_all():
    _, fraction = _cell_tables((1.0, 1.0, 1.0))
    assert fraction[0] == 0.0
    assert fraction[255] == pytest.approx(1.0)
    assert np.all((fraction[1:255] > 0.0) & (fraction[1:255] <= 1.0))


@given(st.integers(0, 10_000), st.permutations(range(3)), st.tuples(*[st.booleans()] * 3))
def test_turned_and_mirrored_masks_have_the_same_surface(shapes, seed, order, flips):
    inside = shapes.scattered(seed)
    spacing_mm = (3.0, 1.0, 0.7)
    turned = np.ascontiguousarray(np.flip(inside.transpose(order), np.flatnonzero(flips)))
    found, expect = mesh(turned, tuple(spacing_mm[k] for k in order)), mesh(inside, spacing_mm)
    assert found.area_mm2 == pytest.approx(expect.area_mm2, rel=1e-12)
    assert found.volume_mm3 == pytest.approx(expect.volume_mm3, rel=1e-12)


@given(st.integers(0, 10_000))
def test_more_voxels_hold_more(shapes, seed):
    inside = shapes.scattered(seed, part=0.3)
    more = inside | shapes.scattered(seed + 1, part=0.3)
    assert mesh(more, (1.0, 1.0, 1.0)).volume_mm3 >= mesh(inside, (1.0, 1.0, 1.0)).volume_mm3 - 1e-9
