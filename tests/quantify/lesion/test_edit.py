import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.core.errors import InputError, Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.phantoms.cases import centred
from bingcheng.image.phantoms.render import region_of
from bingcheng.image.phantoms.shapes import sphere_of
from bingcheng.image.region import Region
from bingcheng.quantify.lesion import edit

GRID = centred((41, 61, 61), (3.0, 1.0, 1.0))
TILTED = VolumeGeometry(
    shape=(20, 40, 40),
    spacing_mm=(3.0, 1.0, 1.0),
    axes=((0.0, 0.5, float(np.sqrt(0.75))), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)),
)


def ball(diameter_mm=24.0, centre_mm=(0.0, 0.0, 0.0), grid=GRID):
    return region_of(sphere_of(diameter_mm, centre_mm), grid, label="lesion", tracking_uid="1.2.3")


def both(*regions):
    mask = np.zeros(regions[0].grid.shape, dtype=bool)
    for region in regions:
        mask[region.box()] |= region.inside
    return Region.of(mask, regions[0].grid, label="lesion")


def same(one, other, drawn):
    return np.array_equal(drawn.full(one), drawn.full(other))


def test_a_brush_paints_a_ball_in_millimetres_on_an_anisotropic_grid(drawn):
    dot = region_of(sphere_of(4.0), GRID, label="lesion")
    painted = edit.brushed(dot, centre_mm=(5.0, 3.0, 6.0), radius_mm=9.0)
    away = np.linalg.norm(GRID.to_mm(np.argwhere(drawn.full(painted))) - np.array([5.0, 3.0, 6.0]), axis=1)
    old = drawn.full(dot)[tuple(np.argwhere(drawn.full(painted)).T)]
    assert (away[~old] <= 9.0).all()
    expected = np.linalg.norm(GRID.to_mm(np.argwhere(np.ones(GRID.shape))) - np.array([5.0, 3.0, 6.0]), axis=1) <= 9.0
    assert np.count_nonzero(drawn.full(painted) & ~drawn.full(dot)) == np.count_nonzero(
        expected.reshape(GRID.shape) & ~drawn.full(dot)
    )


def test_a_disc_stays_in_its_slice(drawn):
    region = ball(10.0)
    painted = edit.brushed(region, centre_mm=(0.0, 20.0, 3.4), radius_mm=4.0, in_slice=True)
    new = np.argwhere(drawn.full(painted) & ~drawn.full(region))
    assert set(new[:, 0]) == {21}
    assert len(new) == 49  # lattice points within a circle of radius 4


def test_erasing_what_was_painted_gives_back_what_was_there(drawn):
    region = ball(10.0)
    painted = edit.brushed(region, centre_mm=(0.0, 20.0, 0.0), radius_mm=5.0)
    erased = edit.brushed(painted, centre_mm=(0.0, 20.0, 0.0), radius_mm=5.0, erase=True)
    assert same(erased, region, drawn)
    assert erased.tracking_uid == "1.2.3"


def test_a_brush_at_the_edge_of_the_image_is_cut_there():
    painted = edit.brushed(ball(10.0), centre_mm=(30.0, 30.0, 60.0), radius_mm=6.0)
    assert painted.box()[2].stop == 61


def test_on_a_tilted_grid_the_brush_is_still_round(drawn):
    centre = tuple(TILTED.to_mm((10, 20, 20)))
    start = Region.of(np.pad(np.ones((1, 1, 1), bool), ((10, 9), (20, 19), (20, 19))), TILTED, label="lesion")
    painted = edit.brushed(start, centre_mm=centre, radius_mm=7.0)
    every = TILTED.to_mm(np.argwhere(np.ones(TILTED.shape)))
    expected = (np.linalg.norm(every - np.array(centre), axis=1) <= 7.0).reshape(TILTED.shape)
    assert np.array_equal(drawn.full(painted), expected)


def test_fractions_outside_of_the_brush_stay_as_they_are():
    soft = region_of(sphere_of(20.0), GRID, label="lesion", fractional=True)
    painted = edit.brushed(soft, centre_mm=(0.0, 25.0, 0.0), radius_mm=3.0)
    assert painted.mask.dtype == np.float32
    assert ((painted.mask > 0) & (painted.mask < 1)).sum() == ((soft.mask > 0) & (soft.mask < 1)).sum()


def test_holes_are_filled_in_space_or_slice_by_slice(drawn):
    shell = drawn.full(ball(30.0)) & ~drawn.full(ball(20.0))
    region = Region.of(shell, GRID, label="lesion")
    assert same(edit.holes_filled(region), ball(30.0), drawn)
    tube = shell.copy()
    tube[:20] = False  # open to one side: no hole in space, but a ring in each slice
    opened = Region.of(tube, GRID, label="lesion")
    assert same(edit.holes_filled(opened), opened, drawn)
    assert edit.holes_filled(opened, in_slices=True).mask.sum() > opened.mask.sum()


def test_parts_are_chosen_by_size_or_by_place(drawn):
    large, small = ball(20.0, (-10.0, 0.0, 0.0)), ball(10.0, (15.0, 0.0, 0.0))
    region = both(large, small)
    assert same(edit.largest_part(region), large, drawn)
    assert same(edit.part_at(region, position_mm=(15.0, 0.0, 0.0)), small, drawn)
    with pytest.raises(InputError, match=r"quantify\.no-part-here"):
        edit.part_at(region, position_mm=(15.0, 25.0, 0.0))


@settings(max_examples=20, deadline=None)
@given(margin_mm=st.floats(0.5, 8.0), diameter_mm=st.floats(8.0, 20.0))
def test_growing_reaches_exactly_the_margin(margin_mm, diameter_mm):
    region = ball(diameter_mm)
    grown = edit.grown_by(region, margin_mm=margin_mm)
    inside = GRID.to_mm(np.argwhere(region.inside) + np.asarray(region.start))
    tree_distance = [
        np.linalg.norm(inside - point, axis=1).min()
        for point in GRID.to_mm(np.argwhere(grown.inside) + np.asarray(grown.start))[::97]
    ]
    assert max(tree_distance) <= margin_mm + 1e-3
    assert grown.mask.sum() >= region.mask.sum()


@settings(max_examples=20, deadline=None)
@given(margin_mm=st.floats(0.5, 6.0))
def test_a_ball_grown_and_shrunk_has_the_volume_of_its_radius(margin_mm):
    region = ball(24.0)
    volume = lambda one: one.mask.sum() * GRID.voxel_mm3
    for sign in (1.0, -1.0):
        expected = 4.0 / 3.0 * np.pi * (12.0 + sign * margin_mm) ** 3
        # The border is known to half a voxel before and after, 1.5 mm along z and 0.5 mm across, on a third and two
        # thirds of the surface.
        voxel = 2.0 * 4.0 * np.pi * (12.0 + sign * margin_mm) ** 2 * (1.5 / 3.0 + 0.5 * 2.0 / 3.0)
        assert volume(edit.grown_by(region, margin_mm=sign * margin_mm)) == pytest.approx(expected, abs=voxel)


def test_the_edge_of_the_image_does_not_shrink_a_lesion():
    mask = np.ones(GRID.shape, dtype=bool)
    whole = Region.of(mask, GRID, label="lesion")
    assert edit.grown_by(whole, margin_mm=-5.0).mask.sum() == mask.sum()


@settings(max_examples=6, deadline=None)
@given(width_mm=st.floats(0.8, 4.0), seed=st.integers(0, 20))
def test_smoothing_keeps_the_number_of_voxels_and_shortens_the_border(drawn, width_mm, seed):
    generator = np.random.default_rng(seed)
    rough = drawn.full(ball(24.0)) ^ (
        (generator.random(GRID.shape) < 0.1) & drawn.full(edit.grown_by(ball(24.0), margin_mm=2.0))
    )
    region = Region.of(rough, GRID, label="lesion")
    smooth = edit.smoothed(region, width_mm=width_mm)
    assert smooth.mask.sum() == rough.sum()
    border = lambda mask: sum(int(np.count_nonzero(np.diff(mask.astype(np.int8), axis=axis))) for axis in range(3))
    assert border(drawn.full(smooth)) < border(rough)


def test_slices_between_drawn_ones_are_filled_with_shapes_in_between(drawn):
    truth = drawn.full(ball(36.0))
    sparse = truth.copy()
    first, last = np.flatnonzero(truth.any(axis=(1, 2)))[[0, -1]]
    drawn_slices = [*range(first, last + 1, 3), last]
    sparse[[z for z in range(first, last + 1) if z not in drawn_slices]] = False
    filled = edit.filled_between_slices(Region.of(sparse, GRID, label="lesion"))
    assert drawn.dice(filled, Region.of(truth, GRID, label="lesion")) > 0.96
    for z in drawn_slices:
        assert np.array_equal(drawn.full(filled)[z], truth[z])


def test_between_two_discs_the_middle_slice_has_the_middle_radius(drawn):
    y, x = np.ogrid[-30:31, -30:31]
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[10] = y**2 + x**2 <= 8.3**2
    mask[14] = y**2 + x**2 <= 16.3**2
    filled = drawn.full(edit.filled_between_slices(Region.of(mask, GRID, label="lesion")))
    radius = np.sqrt(filled[12].sum() / np.pi)
    assert radius == pytest.approx(12.3, abs=0.5)  # half a pixel


def test_a_plane_cuts_off_what_lies_in_front(drawn):
    for grid, centre in ((GRID, (0.0, 0.0, 0.0)), (TILTED, tuple(TILTED.to_mm((10, 20, 20))))):
        if grid is GRID:
            region = ball(24.0)
        else:
            every = grid.to_mm(np.argwhere(np.ones(grid.shape)))
            region = Region.of(
                (np.linalg.norm(every - np.array(centre), axis=1) <= 9.0).reshape(grid.shape), grid, label="lesion"
            )
        normal = np.array([0.3, -0.8, 0.5])
        cut = edit.cut_by_plane(region, point_mm=centre, normal=tuple(normal))
        kept = grid.to_mm(np.argwhere(drawn.full(cut))) - np.array(centre)
        gone = grid.to_mm(np.argwhere(drawn.full(region) & ~drawn.full(cut))) - np.array(centre)
        assert (kept @ normal <= 1e-6).all()
        assert (gone @ normal > 0.0).all()


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda r: edit.brushed(r, centre_mm=(0.0, 0.0, 0.0), radius_mm=50.0, erase=True), "edit-leaves-nothing"),
        (lambda r: edit.grown_by(r, margin_mm=-13.0), "edit-leaves-nothing"),
        (lambda r: edit.cut_by_plane(r, point_mm=(0.0, 0.0, -50.0), normal=(0.0, 0.0, 1.0)), "edit-leaves-nothing"),
    ],
)
def test_a_correction_that_leaves_nothing_is_refused(act, code):
    with pytest.raises(Undefined, match=code):
        act(ball())


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda r: edit.brushed(r, centre_mm=(0.0, 0.0, 0.0), radius_mm=0.0), "size-not-positive"),
        (lambda r: edit.brushed(r, centre_mm=(500.0, 0.0, 0.0), radius_mm=3.0), "prompt-outside-image"),
        (lambda r: edit.smoothed(r, width_mm=-1.0), "size-not-positive"),
        (lambda r: edit.cut_by_plane(r, point_mm=(0.0, 0.0, 0.0), normal=(0.0, 0.0, 0.0)), "plane-without-direction"),
    ],
)
def test_a_correction_without_sense_is_refused(act, code):
    with pytest.raises(InputError, match=code):
        act(ball())
