"""The lines behind the diameters: where they lie, which outline and which of equal ones they take."""

from __future__ import annotations

import csv
from dataclasses import replace

import contourpy
import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

from bingcheng.core.errors import Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.quantify.size.diameter import largest_distance_mm, longest_axis
from bingcheng.quantify.size.dimensions import short_axis
from bingcheng.quantify.size.outline import crossings, hulls


def region(mask, spacing=(2.0, 1.0, 1.0), **more):
    return Region.of(mask, VolumeGeometry(shape=mask.shape, spacing_mm=spacing, **more), label="lesion")


def slice_of(*rows):
    """A mask of one slice in three, drawn with x."""
    drawn = np.array([[c == "x" for c in row] for row in rows])
    return np.pad(drawn[None], ((1, 1), (2, 2), (2, 2)))


def random_lesion(seed):
    generator = np.random.default_rng(seed)
    mask = np.pad(generator.random((3, 8, 9)) < 0.6, 1)
    return region(mask, (2.0, 0.8, 0.7))


def test_the_line_lies_in_the_patient_where_the_lesion_lies():
    mask = np.zeros((5, 9, 14), bool)
    mask[3, 4, 3:11] = True
    lesion = region(mask, origin_mm=(100.0, -50.0, 7.0))
    line = longest_axis(lesion)
    assert line.slice_index == 3
    ends = sorted((line.long_axis.start_mm, line.long_axis.end_mm))
    assert ends[0] == pytest.approx((100.0 + 2.5, -50.0 + 4.0, 7.0 + 6.0))
    assert ends[1] == pytest.approx((100.0 + 10.5, -50.0 + 4.0, 7.0 + 6.0))
    assert line.long_axis.length_mm == pytest.approx(8.0)


@pytest.mark.parametrize("seed", range(12))
def test_the_longest_diameter_is_that_of_all_points_of_the_contours(seed):
    # An independent route: contours by contourpy of each separate outline, all pairs of their points.
    lesion = random_lesion(seed)
    longest = 0.0
    for inside in lesion.inside:
        labels, n = ndimage.label(np.pad(inside, 1), structure=np.ones((3, 3)))
        for k in range(1, n + 1):
            lines = contourpy.contour_generator(z=(labels == k).astype(float)).lines(0.5)
            points = np.concatenate(lines) * (0.7, 0.8)
            longest = max(longest, pdist(points).max())
    assert longest_axis(lesion).long_axis.length_mm == pytest.approx(longest)


@pytest.mark.parametrize("seed", range(6))
def test_the_distance_in_space_is_that_of_all_points_of_the_surface(seed):
    lesion = random_lesion(seed)
    _, at = crossings(lesion.mask, lesion.inside.astype(np.int64), through_plane=True)
    assert largest_distance_mm(lesion) == pytest.approx(pdist(at * lesion.grid.spacing_mm).max())


def test_hulls_keep_the_corners_that_qhull_keeps():
    generator = np.random.default_rng(3)
    groups = np.repeat([1, 2, 5], 40)
    points = generator.normal(size=(120, 2))
    kept_groups, kept = hulls(groups, points)
    for group in (1, 2, 5):
        own = points[groups == group]
        expected = own[ConvexHull(own).vertices]
        assert sorted(map(tuple, kept[kept_groups == group])) == sorted(map(tuple, expected))


def test_the_short_axis_stands_at_a_right_angle_and_crosses_the_long_axis(lesions):
    body = lesions.any_ellipsoid(np.random.default_rng(4), 24.0, (2.0, 0.8, 0.8))
    lesion = lesions.careful_reader(body, VolumeGeometry(shape=body.shape((2.0, 0.8, 0.8)), spacing_mm=(2.0, 0.8, 0.8)))
    line = longest_axis(lesion)
    long, short = line.long_axis, line.short_axis
    a, b = np.subtract(long.end_mm, long.start_mm), np.subtract(short.end_mm, short.start_mm)
    assert a @ b == pytest.approx(0.0, abs=1e-6)
    ahead = (np.subtract(short.start_mm, long.start_mm) @ a) / (a @ a)
    assert 0.0 < ahead < 1.0
    normal = b / np.linalg.norm(b)
    sides = [np.subtract(p, long.start_mm) @ normal for p in (short.start_mm, short.end_mm)]
    assert sides[0] * sides[1] <= 0.0


def test_separate_outlines_in_a_slice_are_not_measured_across_the_gap():
    both = slice_of("xxxx....xx", "xxxx....xx")
    assert longest_axis(region(both)).long_axis.length_mm == pytest.approx(np.hypot(4, 1))
    assert largest_distance_mm(region(both)) > 9.0


def test_voxels_that_touch_at_a_corner_are_one_outline():
    assert longest_axis(region(slice_of("xx..", "..xx"))).long_axis.length_mm > 3.5


def test_a_cavity_is_bridged_by_the_short_axis():
    solid = slice_of("xxxxxxx", "xxxxxxx", "xxxxxxx", "xxxxxxx", "xxxxxxx")
    hollow = slice_of("xxxxxxx", "xx...xx", "xx...xx", "xx...xx", "xxxxxxx")
    assert longest_axis(region(hollow)) == longest_axis(region(solid))


def test_of_equally_long_diameters_the_one_with_the_larger_short_axis_is_taken():
    cross_then_bar = np.zeros((5, 13, 13), bool)
    cross_then_bar[1, 6, 2:11] = True
    cross_then_bar[3, 6, 2:11] = True
    cross_then_bar[3, 4:9, 6] = True
    for mask in (cross_then_bar, cross_then_bar[::-1]):
        line = longest_axis(region(mask))
        assert line.long_axis.length_mm == pytest.approx(9.0)
        assert line.short_axis.length_mm == pytest.approx(5.0)


def test_the_short_axis_of_a_thin_v_is_only_as_wide_as_its_arms():
    # The long axis spans the arms' tips and runs outside between them: the wide gap is no part of the lesion.
    lesion = region(slice_of("x.........x", ".x.......x.", "..x.....x..", "...x...x...", "....x.x....", ".....x....."))
    line = longest_axis(lesion)
    assert line.long_axis.length_mm == pytest.approx(11.0)
    assert line.short_axis.length_mm == pytest.approx(1.0, abs=1e-5)


def test_without_a_chord_inside_the_short_axis_is_undefined():
    lesion = region(slice_of("x"))
    line = replace(longest_axis(lesion), short_axis=None)
    with pytest.raises(Undefined) as caught:
        short_axis(lesion, line)
    assert caught.value.code == "quantify.short-axis-outside"


def filled_polygon(points_mm, pixel_mm, shape):
    """Pixels whose centre lies inside the polygon (even-odd)."""
    y, x = np.meshgrid(np.arange(shape[0]) * pixel_mm, np.arange(shape[1]) * pixel_mm, indexing="ij")
    inside = np.zeros(shape, bool)
    for (xa, ya), (xb, yb) in zip(points_mm, np.roll(points_mm, -1, axis=0), strict=True):
        crosses = (ya > y) != (yb > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            inside ^= crosses & (x < (xb - xa) * (y - ya) / (yb - ya) + xa)
    return inside


@pytest.mark.parametrize("seed", range(5))
def test_smooth_outlines_are_measured_within_half_a_pixel_at_each_end(seed):
    generator = np.random.default_rng(seed)
    angle = np.linspace(0.0, 2.0 * np.pi, 400, endpoint=False)
    radius = 12.0 + sum(generator.normal(0.0, 1.5 / k) * np.cos(k * angle + generator.uniform(0, 6)) for k in (2, 3, 4))
    points = np.stack((24.0 + radius * np.cos(angle), 24.0 + radius * np.sin(angle)), axis=1)
    mask = np.zeros((3, 70, 70), bool)
    mask[1] = filled_polygon(points, 0.7, (70, 70))
    found = longest_axis(region(mask, (5.0, 0.7, 0.7))).long_axis.length_mm
    assert abs(found - pdist(points).max()) <= 0.7


def test_the_ellipse_of_a_lidc_nodule_has_its_axes_back(reference_data):
    # The contours themselves are not in the table; their long axes and hull widths span what readers draw in lungs.
    with (reference_data / "11_response" / "lidc_contour_geometry.csv").open() as stream:
        rows = list(csv.DictReader(stream))[::400]
    assert len(rows) > 10
    for row in rows:
        pixel, length, width = (float(row[name]) for name in ("pixel_mm", "long_axis_mm", "hull_width_perp_mm"))
        angle = np.linspace(0.0, 2.0 * np.pi, 720, endpoint=False)
        turn = float(row["annotation_id"])
        x, y = 0.5 * length * np.cos(angle), 0.5 * min(width, length) * np.sin(angle)
        points = np.stack((x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)), axis=1)
        size = int(length / pixel) + 8
        mask = np.zeros((3, size, size), bool)
        mask[1] = filled_polygon(points + size * pixel / 2, pixel, (size, size))
        if not mask.any():
            continue
        line = longest_axis(region(mask, (float(row["slice_mm"]), pixel, pixel)))
        assert abs(line.long_axis.length_mm - length) <= 1.5 * pixel
