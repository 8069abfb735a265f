"""The three short axes differ as their names say, and RECIST's slice-thickness rule is kept."""

from __future__ import annotations

import numpy as np
import pytest

from bingcheng.core.errors import Undefined
from bingcheng.dicom.acquisition import CtAcquisition, Device
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.quantify.size.diameter import longest_axis
from bingcheng.quantify.size.dimensions import short_axis
from bingcheng.quantify.size.short_axes import recist_measurable_ratio, short_axis_anywhere, short_axis_caliper


def drawn(plane):
    mask = np.pad(np.asarray(plane, dtype=bool)[None], ((1, 1), (3, 3), (3, 3)))
    return Region.of(mask, VolumeGeometry(shape=mask.shape, spacing_mm=(2.0, 1.0, 1.0)), label="lesion")


def widths(lesion):
    axis = longest_axis(lesion)
    return short_axis(lesion, axis), short_axis_anywhere(lesion, axis), short_axis_caliper(lesion, axis)


def test_in_a_convex_lesion_all_three_agree():
    y, x = np.mgrid[:31, :61]
    crossing, anywhere, caliper = widths(drawn(((y - 15) / 12.0) ** 2 + ((x - 30) / 28.0) ** 2 <= 1.0))
    # Contours of whole voxels: the ends of each lie within half a voxel of the ellipse.
    assert crossing == pytest.approx(24.0, abs=1.0)
    assert anywhere == pytest.approx(crossing, abs=0.6)
    assert caliper == pytest.approx(crossing, abs=0.6)


def test_a_bow_is_wider_for_a_caliper_than_any_chord_inside_it():
    plane = np.zeros((16, 40), dtype=bool)
    plane[:4] = plane[:, :3] = plane[:, -3:] = True  # a flat U: its longest diameter runs from tip to far corner
    _, anywhere, caliper = widths(drawn(plane))
    assert caliper > anywhere + 3.0


def test_a_side_arm_beyond_the_diameter_counts_for_the_chord_anywhere_alone():
    plane = np.zeros((13, 41), dtype=bool)
    plane[6, :] = True  # a thin bar, 41 long
    plane[0:5, 18:21] = True
    plane[5, 19] = True  # an arm above it, 5 and 1 voxels
    crossing, anywhere, _ = widths(drawn(plane))
    assert anywhere >= crossing


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_the_three_holds_for_any_outline(seed):
    generator = np.random.default_rng(seed)
    lesion = drawn(generator.random((12, 17)) < 0.65)
    axis = longest_axis(lesion)
    assert axis.longest_chord_mm <= axis.caliper_width_mm + 1e-6
    if axis.short_axis is not None:
        assert axis.short_axis.length_mm <= axis.longest_chord_mm + 1e-6


def test_the_caliper_is_the_extent_of_all_border_points_across_the_diameter():
    generator = np.random.default_rng(7)
    inside = generator.random((12, 17)) < 0.9
    lesion = drawn(inside)
    axis = longest_axis(lesion)
    start, end = np.asarray(axis.long_axis.start_mm), np.asarray(axis.long_axis.end_mm)
    aside = np.cross((end - start) / np.linalg.norm(end - start), (0.0, 0.0, 1.0))
    voxels = np.argwhere(lesion.inside[0])[:, None, :] + np.array([(-0.5, 0), (0.5, 0), (0, -0.5), (0, 0.5)])
    places = voxels.reshape(-1, 2) + np.asarray(lesion.start[1:])
    across = places[:, ::-1] @ aside[:2]
    # Of a single outline; every extreme voxel's midpoint towards the outside is a border point.
    assert axis.caliper_width_mm == pytest.approx(np.ptp(across), abs=1e-6)


def series(thickness_mm):
    return CtAcquisition(modality="CT", device=Device(), series_uid="1.2", slice_thickness_mm=thickness_mm)


@pytest.mark.parametrize(("thickness_mm", "smallest_mm"), [(1.0, 10.0), (5.0, 10.0), (6.0, 12.0), (8.0, 16.0)])
def test_thick_slices_raise_the_smallest_measurable_size(thickness_mm, smallest_mm):
    lesion = drawn(np.ones((9, 12)))
    axis = longest_axis(lesion)
    ratio = recist_measurable_ratio(lesion, axis, series(thickness_mm))
    assert ratio == pytest.approx(axis.long_axis.length_mm / smallest_mm)


def test_an_unknown_thickness_leaves_it_open():
    lesion = drawn(np.ones((9, 12)))
    with pytest.raises(Undefined) as caught:
        recist_measurable_ratio(lesion, longest_axis(lesion), series(None))
    assert caught.value.code == "quantify.slice-thickness-unknown"
