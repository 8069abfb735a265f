import numpy as np
import pytest

from bingcheng.core.errors import InputError
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.quantify.lesion.prompt import Box, Click, RecistLine, body_of, checked, nearest_voxel, voxels_of

GRID = VolumeGeometry(shape=(10, 20, 30), spacing_mm=(3.0, 1.0, 2.0), origin_mm=(5.0, -4.0, 7.0))


def at(z, y, x):
    return tuple(float(v) for v in GRID.to_mm((z, y, x)))


def test_a_click_is_the_voxel_that_holds_it():
    assert nearest_voxel(at(4.4, 5.4, 6.4), GRID) == (4, 5, 6)


@pytest.mark.parametrize("place", [at(-0.6, 5, 5), at(4, 19.6, 5), (float("nan"), 0.0, 0.0)])
def test_a_click_beyond_the_image_is_refused(place):
    with pytest.raises(InputError, match=r"quantify\.prompt-outside-image"):
        checked(Click(position_mm=place), GRID)


def test_a_box_may_reach_beyond_the_image_but_not_lie_there():
    checked(Box(corner_mm=at(-5, -5, -5), opposite_mm=at(9, 19, 29)), GRID)
    with pytest.raises(InputError, match=r"quantify\.prompt-outside-image"):
        checked(Box(corner_mm=at(-9, 0, 0), opposite_mm=at(-1, 19, 29)), GRID)


@pytest.mark.parametrize(
    "prompt",
    [Box(corner_mm=at(1, 1, 1), opposite_mm=at(1, 1, 1)), RecistLine(start_mm=at(1, 1, 1), end_mm=at(1, 1, 1))],
)
def test_a_box_or_line_of_no_extent_is_refused(prompt):
    with pytest.raises(InputError, match=r"quantify\.prompt-without-extent"):
        checked(prompt, GRID)


def test_a_box_holds_the_voxels_whose_centre_lies_in_it_whatever_the_order_of_its_corners():
    box = Box(corner_mm=at(6.2, 9.0, 2.5), opposite_mm=at(2.5, 3.0, 8.4))
    assert voxels_of(box, GRID) == (slice(3, 7), slice(3, 10), slice(3, 9))


def test_a_box_between_two_slices_holds_the_nearest_one():
    assert voxels_of(Box(corner_mm=at(2.1, 3, 3), opposite_mm=at(2.4, 5, 5)), GRID)[0] == slice(2, 3)


def test_a_line_stands_for_the_ball_of_its_diameter():
    body = body_of(RecistLine(start_mm=at(5, 10, 10), end_mm=at(5, 10, 16)), GRID)
    radius = body.radius((0, 0, 0), GRID.shape, GRID)
    assert body.semi_axes_mm == pytest.approx((6.0, 6.0, 6.0))
    # The ends are at 6 mm, as are two slices up and six rows along.
    for voxel in ((5, 10, 10), (5, 10, 16), (7, 10, 13), (5, 16, 13)):
        assert radius[voxel] == pytest.approx(1.0)


def test_a_box_stands_for_the_ellipsoid_in_it_and_blocks_tell_of_their_middle():
    body = body_of(Box(corner_mm=at(2, 2, 2), opposite_mm=at(8, 10, 12)), GRID)
    fine = body.radius((0, 0, 0), (10, 20, 30), GRID)
    coarse = body.radius((0, 0, 0), (5, 10, 15), GRID, (2, 2, 2))
    assert fine[8, 6, 7] == pytest.approx(1.0)
    z, y, x = np.meshgrid(*(np.arange(n) * 2 + 0.5 for n in (5, 10, 15)), indexing="ij")
    distance = ((z - 5) / 3) ** 2 + ((y - 6) / 4) ** 2 + ((x - 7) / 5) ** 2
    assert coarse == pytest.approx(np.sqrt(distance), rel=1e-5)
