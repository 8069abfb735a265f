"""A lesion is called new or vanished only where the images differ at its place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.phantoms.render import Part, paint, region_of
from bingcheng.image.phantoms.shapes import sphere_of
from bingcheng.image.registration import Registration
from bingcheng.image.registration.rigid import Rigid
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.matching import LinkKind
from bingcheng.quantify.lesion.matching_links import match
from bingcheng.quantify.lesion.matching_looks import DOUBT, Followed, looked_again

GRID = VolumeGeometry(shape=(40, 50, 60), spacing_mm=(2.0, 2.0, 2.0))
PLACE, APART = (60.0, 50.0, 40.0), 30.0
HU, ARBITRARY = "[hnsf'U]", "{arbitrary}"
NOISE = 10.0


def exam(values, *, unit=HU, gain=1.0, seed=0, diameter_mm=14.0):
    """A volume of 50 with a sphere of each value at its place, and noise."""
    voxels = np.full(GRID.shape, 50.0, dtype=np.float32)
    for centre, value in values.items():
        part = Part(shape=sphere_of(diameter_mm, centre), value=value)
        paint(voxels, GRID, part.shape, part.value, (1.0, 1.0, 1.0))
    grain = np.random.default_rng(seed).normal(0.0, NOISE, GRID.shape)
    return Volume(voxels=((voxels + grain) * gain).astype(np.float32), geometry=GRID, unit=unit)


def lesion(centre=PLACE, diameter_mm=14.0):
    return region_of(sphere_of(diameter_mm, centre), GRID, label="a", subdivisions=2)


def link_of(earlier, later, *, drawn_later=True, registration=None):
    """The link of one lesion that is drawn in one exam alone."""
    registration = registration or Registration.identity(GRID, GRID)
    before, after = ({}, {"1": lesion()}) if drawn_later else ({"1": lesion()}, {})
    found = match(list(before.values()), list(after.values()), registration, keys=(tuple(before), tuple(after)))
    seen = looked_again(
        found, Followed(volume=earlier, lesions=before), Followed(volume=later, lesions=after), registration
    )
    assert seen.links == seen.proposed
    (link,) = seen.links
    return link


@pytest.mark.parametrize("drawn_later", [True, False])
@pytest.mark.parametrize("value", [100.0, -50.0])
def test_a_lesion_that_the_other_exam_does_not_show_stays_as_it_is(drawn_later, value):
    shown, bare = exam({PLACE: value}), exam({}, seed=1)
    exams = (bare, shown) if drawn_later else (shown, bare)
    link = link_of(*exams, drawn_later=drawn_later)
    assert link.kind is (LinkKind.NEW if drawn_later else LinkKind.VANISHED)
    assert not link.needs_reader
    assert link.confidence == 1.0


@pytest.mark.parametrize("drawn_later", [True, False])
@pytest.mark.parametrize("off_mm", [0.0, 3.0, 7.0])
def test_a_lesion_that_was_only_not_drawn_needs_a_reader(drawn_later, off_mm):
    moved = (PLACE[0] + off_mm, *PLACE[1:])
    link = link_of(exam({PLACE: 100.0}), exam({moved: 100.0}, seed=1), drawn_later=drawn_later)
    assert link.needs_reader
    assert link.confidence == DOUBT
    assert "not drawn" in str(link.reasons[-1])


def test_a_lesion_that_can_hardly_be_seen_needs_a_reader():
    assert link_of(exam({}), exam({PLACE: 52.0}, seed=1)).needs_reader


def test_the_place_is_looked_for_where_registration_says_it_lies():
    shift = np.array([APART, 0.0, 0.0])
    registration = Registration(fixed=GRID, moving=GRID, motion=Rigid(shift_mm=shift))
    there = (PLACE[0] - APART, *PLACE[1:])
    later = exam({PLACE: 100.0}, seed=1)
    assert link_of(exam({there: 100.0}), later, registration=registration).needs_reader
    assert not link_of(exam({PLACE: 100.0}), later, registration=registration).needs_reader


def test_another_gain_is_no_change_where_values_mean_nothing_by_themselves():
    shown = exam({PLACE: 100.0}, unit=ARBITRARY)
    assert link_of(exam({PLACE: 100.0}, unit=ARBITRARY, gain=1.6, seed=1), shown).needs_reader
    assert not link_of(exam({}, unit=ARBITRARY, gain=1.6, seed=1), shown).needs_reader


def test_linked_lesions_are_left_alone():
    registration = Registration.identity(GRID, GRID)
    found = match([lesion()], [replace(lesion(), label="b")], registration)
    volume = exam({})
    held = {"1": lesion()}
    seen = looked_again(
        found, Followed(volume=volume, lesions=held), Followed(volume=volume, lesions=held), registration
    )
    assert seen == found
