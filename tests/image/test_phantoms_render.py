"""Phantoms against closed forms and against brute force."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d
from scipy.special import erfc

from bingcheng.core.errors import InputError
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.phantoms.render import Part, compose, membership, region_of
from bingcheng.image.phantoms.shapes import Ellipsoid, HalfSpace, cylinder_of, sphere_of, turned

GRID = VolumeGeometry(shape=(16, 46, 46), spacing_mm=(3.0, 1.0, 1.0), origin_mm=(-22.7, -22.1, -22.3))


def brute_force(shape: Ellipsoid, grid: VolumeGeometry, blur_mm: tuple[float, float, float]) -> np.ndarray:
    """The blurred shape from a grid five times as fine, filtered numerically."""
    fine = tuple(max(1, round(step / 0.2)) for step in grid.spacing_mm)
    steps = tuple(step / n for step, n in zip(grid.spacing_mm, fine, strict=True))
    origin = tuple(
        o - (spacing - step) / 2
        for o, spacing, step in zip(grid.origin_mm, grid.spacing_mm[::-1], steps[::-1], strict=True)
    )
    dense = VolumeGeometry(
        shape=tuple(n * k for n, k in zip(grid.shape, fine, strict=True)), spacing_mm=steps, origin_mm=origin
    )
    share = np.zeros(dense.shape, dtype=np.float32)
    drawn = region_of(shape, dense, label="x", fractional=True, subdivisions=3)
    share[drawn.box()] = drawn.mask
    for axis, (blur, step, k) in enumerate(zip(blur_mm, steps, fine, strict=True)):
        blurred = gaussian_filter1d(share, blur / step, axis=axis, truncate=6)
        # one axis after the other, so that the next is filtered where its values are looked at only
        share = blurred[(*[slice(None)] * axis, slice(k // 2, None, k))]
    return share


@pytest.mark.parametrize("blur_mm", [(2.0, 0.8, 0.8), (1.3, 1.3, 1.3)])
@pytest.mark.parametrize("axes", [(14.0, 12.0, 11.0), (16.0, 12.0, 10.0)])
def test_a_blurred_ellipsoid_agrees_with_brute_force(axes, blur_mm):
    shape = Ellipsoid(centre_mm=(0.2, 0.3, 0.1), semi_axes_mm=axes, rotation=turned(30, 40, 10))
    difference = np.abs(membership(shape, GRID, blur_mm) - brute_force(shape, GRID, blur_mm))
    least_radius = min(axes) ** 2 / max(axes)
    # the profile is right to the first order in blur over radius of curvature; 0.15 is the second order's factor
    assert difference.max() < 0.15 * (blur_mm[1] / least_radius) ** 2 + 0.001


@settings(deadline=None, max_examples=25)
@given(
    axes=st.tuples(*[st.floats(6.0, 18.0)] * 3),
    angles=st.tuples(*[st.floats(0.0, 90.0)] * 3),
    shift=st.tuples(*[st.floats(-1.5, 1.5)] * 3),
)
def test_blur_conserves_the_volume(axes, angles, shift):
    # each semi-axis is six times the in-plane blur or more, as the stated accuracy requires
    grid = VolumeGeometry(shape=(30, 56, 56), spacing_mm=(2.0, 1.0, 1.0), origin_mm=(-27.5, -27.5, -29.0))
    shape = Ellipsoid(centre_mm=shift, semi_axes_mm=axes, rotation=turned(*angles))
    volume_mm3 = membership(shape, grid, (2.0, 1.0, 1.0)).sum(dtype=float) * grid.voxel_mm3
    assert volume_mm3 == pytest.approx(shape.volume_mm3, rel=1e-3)


def test_a_blurred_sphere_has_the_closed_form_at_its_centre():
    grid = VolumeGeometry(shape=(1, 1, 1), spacing_mm=(1.0, 1.0, 1.0))
    ratio = 3.0
    expect = math.erf(ratio / math.sqrt(2)) - math.sqrt(2 / math.pi) * ratio * math.exp(-(ratio**2) / 2)
    found = membership(sphere_of(12.0), grid, (2.0, 2.0, 2.0))[0, 0, 0]
    # the value is stored as float32
    assert found == pytest.approx(expect, abs=1e-6)


def test_a_blurred_half_space_is_an_error_function_also_obliquely():
    grid = VolumeGeometry(shape=(3, 9, 9), spacing_mm=(1.5, 1.0, 1.0), origin_mm=(-4.0, -4.0, -1.5))
    normal = np.array((2.0, 1.0, 1.0)) / math.sqrt(6)
    blur = (1.2, 0.7, 0.7)
    found = membership(HalfSpace(point_mm=(0.5, 0.0, 0.0), normal=tuple(normal)), grid, blur)
    z, y, x = np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij")
    points = grid.to_mm(np.stack([z, y, x], axis=-1))
    across = math.sqrt(sum((n * b) ** 2 for n, b in zip(normal, blur[::-1], strict=True)))
    expect = 0.5 * erfc((points - (0.5, 0, 0)) @ normal / across / math.sqrt(2))
    assert np.allclose(found, expect, atol=1e-6)


def test_a_cylinder_is_the_same_in_every_slice_and_has_its_area():
    grid = VolumeGeometry(shape=(3, 64, 64), spacing_mm=(5.0, 0.8, 0.8), origin_mm=(-25.2, -25.2, 0.0))
    share = membership(cylinder_of(32.0, (0.3, -0.2, 0.0)), grid, (1.0, 1.0, 1.0))
    assert np.array_equal(share[0], share[2])
    assert share[1].sum(dtype=float) * 0.64 == pytest.approx(math.pi * 16**2, rel=1e-3)


def test_a_region_holds_the_voxels_that_lie_at_least_half_inside():
    shape = sphere_of(21.0, (0.4, 0.2, -0.3))
    whole = region_of(shape, GRID, label="lesion", tracking_uid="1.2.3")
    shares = region_of(shape, GRID, label="lesion", fractional=True)
    assert whole.tracking_uid == "1.2.3"
    assert np.array_equal(whole.inside, (shares.mask >= 0.5)[tuple(slice(0, n) for n in whole.mask.shape)]) or (
        whole.inside.sum() == (shares.mask >= 0.5).sum()
    )
    # seven sub-points an axis: a border voxel's share is off by less than 1/7, and errors of many voxels average
    assert shares.mask.sum(dtype=float) * GRID.voxel_mm3 == pytest.approx(shape.volume_mm3, rel=2e-3)


def test_a_region_cut_by_the_grid_stays_on_it():
    drawn = region_of(sphere_of(20.0, (-22.0, 0.0, 0.0)), GRID, label="edge")
    assert drawn.start[2] == 0
    assert not drawn.empty


def test_sizes_of_a_turned_ellipsoid_are_those_of_its_sections():
    shape = Ellipsoid(centre_mm=(0, 0, 0), semi_axes_mm=(20.0, 10.0, 8.0), rotation=turned(about_z_deg=35))
    assert shape.axial_diameters_mm == pytest.approx((40.0, 20.0))
    upright = Ellipsoid(centre_mm=(0, 0, 0), semi_axes_mm=(20.0, 10.0, 8.0), rotation=turned(about_y_deg=90))
    # its long axis now points along the patient: an axial section shows the other two
    assert upright.axial_diameters_mm == pytest.approx((20.0, 16.0))
    assert upright.diameter_mm == 40.0


def test_compose_paints_in_order_and_keeps_bounded_parts_in_the_cavity():
    cavity = np.zeros(GRID.shape, dtype=np.float32)
    cavity[:, :, 23:] = 1.0
    volume = compose(
        [Part(shape=sphere_of(30.0), value=50.0), Part(shape=sphere_of(20.0), value=-20.0, bounded=True)],
        GRID,
        (1.0, 1.0, 1.0),
        background=-100.0,
        unit="[hnsf'U]",
        within=cavity,
    )
    middle = volume.voxels[7, 22]
    assert middle[18] == pytest.approx(50.0, abs=0.1)
    assert middle[26] == pytest.approx(-20.0, abs=0.1)
    assert middle[0] == -100.0


def test_no_blur_and_sheared_grids_are_refused_by_name():
    with pytest.raises(InputError, match=r"image\.blur-not-positive"):
        membership(sphere_of(5.0), GRID, (0.0, 1.0, 1.0))
    sheared = VolumeGeometry(
        shape=(4, 4, 4), spacing_mm=(1, 1, 1), axes=((0.0, 0.6, 0.8), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
    )
    with pytest.raises(InputError, match=r"image\.sheared-phantom"):
        membership(sphere_of(5.0), sheared)
