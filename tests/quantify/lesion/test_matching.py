"""Lesions of two exams are linked as a person would: hard cases, symmetry, identifiers, fields of view."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.core.codes import Code
from bingcheng.core.errors import InputError
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.phantoms.render import region_of
from bingcheng.image.phantoms.shapes import sphere_of
from bingcheng.image.registration import Registration
from bingcheng.image.registration.quality import Quality
from bingcheng.image.registration.rigid import Rigid
from bingcheng.quantify.lesion.matching import LinkKind, summed
from bingcheng.quantify.lesion.matching_links import match

GRID = VolumeGeometry(shape=(120, 140, 160), spacing_mm=(2.0, 2.0, 2.0))
STILL = Registration.identity(GRID, GRID)


def ball(centre, diameter_mm, label="", uid=None, code=None):
    region = region_of(sphere_of(diameter_mm, tuple(map(float, centre))), GRID, label=label, subdivisions=2)
    return replace(region, tracking_uid=uid, code=code)


def told(matching):
    return {(link.kind, link.before, link.after) for link in matching.links}


def test_a_lesion_that_grew_and_moved_a_little_is_the_same():
    matching = match([ball((60, 60, 60), 20)], [ball((63, 60, 60), 25)], STILL)
    (link,) = matching.links
    assert link.kind is LinkKind.SAME
    assert link.confidence > 0.9
    assert not link.needs_reader
    before, after = matching.volumes_mm3(link)
    # voxels of 2 mm on spheres of 20 and 25 mm: within 3 % of the ratio of the cubes
    assert after / before == pytest.approx((25 / 20) ** 3, rel=0.03)


def test_of_two_near_lesions_the_one_that_vanished_is_told():
    matching = match([ball((60, 60, 60), 14), ball((78, 60, 60), 14)], [ball((79, 61, 60), 13)], STILL)
    assert told(matching) == {(LinkKind.SAME, ("2",), ("1",)), (LinkKind.VANISHED, ("1",), ())}


def test_a_lesion_that_grows_over_its_neighbour_merged_with_it():
    matching = match([ball((60, 60, 60), 20), ball((82, 60, 60), 12)], [ball((66, 60, 60), 50)], STILL)
    (link,) = matching.links
    assert (link.kind, link.before, link.after) == (LinkKind.MERGED, ("1", "2"), ("1",))
    assert link.needs_reader


def test_a_lesion_split_in_three_is_compared_by_the_sum():
    pieces = [ball((45, 60, 60), 12), ball((75, 60, 60), 14), ball((60, 75, 60), 10)]
    matching = match([ball((60, 60, 60), 48)], pieces, STILL)
    (link,) = matching.links
    assert (link.kind, link.before, link.after) == (LinkKind.SPLIT, ("1",), ("1", "2", "3"))
    assert link.needs_reader
    assert summed(link, {"1": 48.0}, {"1": 12.0, "2": 14.0, "3": 10.0}) == (48.0, 36.0)
    assert matching.volumes_mm3(link)[1] == pytest.approx(sum(p.volume_mm3 for p in matching.after))


def test_a_small_lesion_shifted_by_more_than_its_size_is_found_with_less_confidence():
    near = match([ball((60, 60, 60), 6)], [ball((61, 60, 60), 6)], STILL).links[0]
    far = match([ball((60, 60, 60), 6)], [ball((67, 60, 60), 6)], STILL).links[0]
    assert near.kind is far.kind is LinkKind.SAME
    assert far.confidence < near.confidence


@pytest.mark.parametrize("apart_mm", [36, 60])
def test_lesions_far_apart_are_a_new_one_and_a_vanished_one(apart_mm):
    matching = match([ball((60, 60, 60), 16)], [ball((60 + apart_mm, 60, 60), 16)], STILL)
    assert told(matching) == {(LinkKind.VANISHED, ("1",), ()), (LinkKind.NEW, (), ("1",))}
    assert all(link.confidence > 0.9 for link in matching.links)


def test_no_lesions_at_all_are_no_links():
    assert match([], [], STILL).links == ()
    assert told(match([], [ball((60, 60, 60), 16)], STILL)) == {(LinkKind.NEW, (), ("1",))}


def test_what_the_other_exam_does_not_show_has_not_vanished():
    upper = GRID.box((80, 0, 0), (40, 140, 160))
    lesions = [ball((60, 60, 60), 16), ball((60, 60, 200), 16)]
    shown = [replace(ball((60, 60, 200), 16))]
    matching = match(lesions, shown, Registration.identity(GRID, upper))
    assert told(matching) == {(LinkKind.OUTSIDE_LATER, ("1",), ()), (LinkKind.SAME, ("2",), ("1",))}
    assert matching.of_before("1").needs_reader


def test_a_hundred_lesions_find_their_own():
    rng = np.random.default_rng(3)
    cells = np.array(list(itertools.product(range(5), range(5), range(4))), dtype=float)
    places = 30.0 + cells * (55.0, 48.0, 52.0) + rng.uniform(-8.0, 8.0, (100, 3))
    sizes = rng.uniform(8.0, 18.0, 100)
    before = [ball(place, size) for place, size in zip(places, sizes, strict=True)]
    after = [ball(place + rng.normal(0, 2, 3), size * 1.1) for place, size in zip(places, sizes, strict=True)]
    order = rng.permutation(100)
    matching = match(before, [after[k] for k in order], STILL)
    expect = {(LinkKind.SAME, (str(int(k) + 1),), (str(n + 1),)) for n, k in enumerate(order)}
    assert told(matching) == expect


places = st.lists(
    st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=6, unique=True
)


def scene(cells, seed):
    """Lesions on a jittered lattice, some of which vanish, arise, split or merge."""
    rng = np.random.default_rng(seed)
    before, after = [], []
    for cell in cells:
        centre = np.array(cell, dtype=float) * 48.0 + rng.uniform(-6.0, 6.0, 3)
        story = rng.integers(0, 5)
        whole, parts = (
            [ball(centre, 30.0)],
            [ball(centre - np.array((9, 0, 0)), 11.0), ball(centre + np.array((9, 1, 0)), 13.0)],
        )
        before += {0: whole, 1: whole, 2: [], 3: whole, 4: parts}[int(story)]
        after += {0: [ball(centre + np.array((2, 1, 0)), 26.0)], 1: [], 2: whole, 3: parts, 4: whole}[int(story)]
    return before, after


@given(places, st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_the_order_of_the_lesions_changes_nothing(cells, seed):
    before, after = scene(cells, seed)
    names = [f"b{n}" for n in range(len(before))], [f"a{n}" for n in range(len(after))]
    rng = np.random.default_rng(seed)
    mixed = [rng.permutation(len(regions)) for regions in (before, after)]
    straight = match(before, after, STILL, keys=names)
    shuffled = match(
        [before[k] for k in mixed[0]],
        [after[k] for k in mixed[1]],
        STILL,
        keys=tuple([name[k] for k in order] for name, order in zip(names, mixed, strict=True)),
    )
    assert told(straight) == told(shuffled)
    assert [link.confidence for link in straight.links] == pytest.approx([link.confidence for link in shuffled.links])


SWAPPED = {
    LinkKind.NEW: LinkKind.VANISHED,
    LinkKind.VANISHED: LinkKind.NEW,
    LinkKind.SPLIT: LinkKind.MERGED,
    LinkKind.MERGED: LinkKind.SPLIT,
}


@given(places, st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_swapping_the_exams_swaps_new_with_vanished_and_split_with_merged(cells, seed):
    before, after = scene(cells, seed)
    move = Registration(fixed=GRID, moving=GRID, motion=Rigid(shift_mm=np.array([3.0, -2.0, 1.0])))
    ahead, back = match(before, after, move), match(after, before, move.inverse)
    swapped = {(SWAPPED.get(link.kind, link.kind), link.after, link.before) for link in back.links}
    assert told(ahead) == swapped
    by_seat = {(link.before, link.after): link.confidence for link in ahead.links}
    for link in back.links:
        assert by_seat[link.after, link.before] == pytest.approx(link.confidence, abs=1e-6)


@given(places)
@settings(max_examples=15, deadline=None)
def test_an_exam_matched_with_itself_links_each_lesion_to_itself(cells):
    lesions = [ball(np.array(cell, dtype=float) * 48.0, 24.0) for cell in cells]
    matching = match(lesions, lesions, STILL)
    assert told(matching) == {(LinkKind.SAME, (str(n + 1),), (str(n + 1),)) for n in range(len(lesions))}


def test_the_same_identifier_wins_and_what_speaks_against_it_is_reported():
    before = [ball((60, 60, 60), 16, uid="1.2")]
    after = [ball((180, 60, 60), 16, uid="1.2"), ball((60, 60, 60), 16)]
    matching = match(before, after, STILL)
    assert told(matching) == {(LinkKind.SAME, ("1",), ("1",)), (LinkKind.NEW, (), ("2",))}
    assert matching.of_before("1").confidence == 1.0
    assert matching.of_before("1").needs_reader
    assert len(matching.contradictions) == 1
    assert "120 mm" in str(matching.contradictions[0])


def test_other_identifiers_do_not_hinder_a_link_but_a_reader_is_asked():
    matching = match([ball((60, 60, 60), 16, uid="1.2")], [ball((60, 60, 60), 16, uid="1.3")], STILL)
    (link,) = matching.links
    assert link.kind is LinkKind.SAME
    assert link.needs_reader


def test_labels_and_codes_decide_between_equals():
    liver, lung = (Code(value, "SCT", value) for value in ("10200004", "39607008"))
    before = [ball((60, 60, 60), 12, "A", code=liver)]
    between = [ball((54, 60, 60), 12, "B", code=lung), ball((66, 60, 60), 12, "A", code=liver)]
    assert (LinkKind.SAME, ("1",), ("2",)) in told(match(before, between, STILL))


def test_a_lesion_without_voxels_is_refused():
    empty = replace(ball((60, 60, 60), 16), mask=np.zeros((2, 2, 2), dtype=bool))
    with pytest.raises(InputError) as caught:
        match([empty], [], STILL)
    assert caught.value.code == "quantify.matching-empty-lesion"


def test_names_must_fit_the_lesions():
    with pytest.raises(InputError) as caught:
        match([ball((60, 60, 60), 16)], [], STILL, keys=(["a", "b"], []))
    assert caught.value.code == "quantify.matching-keys"


def test_an_unsure_registration_makes_every_link_unsure():
    before, after = [ball((60, 60, 60), 16)], [ball((60, 60, 60), 16)]
    poor = Quality(
        likeness_before=0.3, likeness_rigid=0.4, likeness_after=0.6, overlap=0.5, folded=0.0, inverse_error_mm=9.0
    )
    sure = match(before, after, STILL).links[0].confidence
    unsure = match(before, after, replace(STILL, quality=poor)).links[0]
    assert unsure.confidence == pytest.approx(sure * poor.confidence)
    assert unsure.needs_reader
