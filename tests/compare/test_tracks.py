"""Lesions followed by name and by matchings: chains, pieces, decisions, doubt."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.compare.tracks import MatchedPair, NamedLesions, by_name, tracks
from bingcheng.quantify.lesion.matching import Link, LinkKind, Matching, Member, kind_of
from bingcheng.quantify.lesion.matching_edits import declared_new, declared_vanished, linked, unlinked

AT = datetime(2026, 5, 1)  # noqa: DTZ001 - as the database keeps times
WHO = {"by": "reader", "at": AT, "why": "seen"}


def exam(uid, *names):
    return NamedLesions(exam_uid=uid, labels={name: name.upper() for name in names})


def pair(earlier, later, *groups, needs_reader=False, confidence=0.95):
    """The matching of two exams with these links; each is (names before, names after)."""
    links = tuple(
        Link(
            kind=kind_of(len(before), len(after)),
            before=tuple(before),
            after=tuple(after),
            confidence=confidence,
            needs_reader=needs_reader,
        )
        for before, after in groups
    )

    def members(exam_):
        return tuple(Member(key=name, label=label, volume_mm3=1.0) for name, label in exam_.labels.items())

    matching = Matching(before=members(earlier), after=members(later), proposed=links, links=links)
    return MatchedPair(earlier_uid=earlier.exam_uid, later_uid=later.exam_uid, modality="CT", matching=matching)


def groups(found, *exams):
    """Which lesions are one, as sets."""
    by_track = {}
    for one in exams:
        for name in one.labels:
            by_track.setdefault(found.name(one.exam_uid, name), set()).add((one.exam_uid, name))
    return {frozenset(members) for members in by_track.values()}


def test_without_a_matching_the_name_is_the_track():
    found = tracks({"P": [exam("1", "a"), exam("2", "a", "b")]}, [])
    assert found.names == {}
    assert found.name("2", "b") == "b"


def test_links_join_lesions_of_different_names_under_the_first_one():
    first, second = exam("1", "a"), exam("2", "x")
    found = tracks({"P": [first, second]}, [pair(first, second, ("a", "x"))])
    assert found.name("2", "x") == "a"
    assert found.labels["P", "a"] == "A → X"


def test_a_chain_over_three_exams_is_one_track():
    first, second, third = exam("1", "a"), exam("2", "x"), exam("3", "q")
    matched = [pair(first, second, ("a", "x")), pair(second, third, ("x", "q"))]
    found = tracks({"P": [first, second, third]}, matched)
    assert {found.name(*seat) for seat in (("1", "a"), ("2", "x"), ("3", "q"))} == {"a"}
    assert found.labels["P", "a"] == "A → X → Q"


def test_a_name_that_comes_back_joins_what_it_was_matched_with_in_between():
    first, second, third = exam("1", "a"), exam("2", "x"), exam("3", "a")
    found = tracks({"P": [first, second, third]}, [pair(first, second, ("a", "x"))])
    assert found.name("3", "a") == found.name("2", "x") == "a"


def test_pieces_of_one_exam_are_one_track():
    first, second = exam("1", "a"), exam("2", "x", "y")
    found = tracks({"P": [first, second]}, [pair(first, second, (("a",), ("x", "y")))])
    assert found.name("2", "x") == found.name("2", "y") == "a"
    assert found.labels["P", "a"] == "A → X + Y"


def test_a_matching_that_keeps_one_name_apart_makes_two_tracks_of_it():
    first, second = exam("1", "a", "b"), exam("2", "a", "b")
    swapped = pair(first, second, ("a", "b"), ("b", "a"))
    found = tracks({"P": [first, second]}, [swapped])
    assert groups(found, first, second) == {
        frozenset({("1", "a"), ("2", "b")}),
        frozenset({("1", "b"), ("2", "a")}),
    }


def test_two_tracks_that_begin_with_one_name_are_told_apart():
    first, second = exam("1", "a"), exam("2", "a")
    parted = replace(pair(first, second), matching=unlinked(by_name(first, second), ["a"], ["a"], **WHO))
    found = tracks({"P": [first, second]}, [parted])
    assert found.name("1", "a") == "a"
    assert found.name("2", "a") == "a (2)"


def test_a_lesion_declared_new_is_followed_on_but_not_back():
    first, second, third = exam("1", "a"), exam("2", "a"), exam("3", "a")
    declared = replace(pair(first, second), matching=declared_new(by_name(first, second), "a", **WHO))
    found = tracks({"P": [first, second, third]}, [declared])
    assert groups(found, first, second, third) == {frozenset({("1", "a")}), frozenset({("2", "a"), ("3", "a")})}


def test_another_patient_is_left_alone():
    mine, theirs = [exam("1", "a"), exam("2", "x")], [exam("8", "a"), exam("9", "a")]
    found = tracks({"P": mine, "Q": theirs}, [pair(*mine, ("a", "x"))])
    assert ("8", "a") not in found.names
    assert ("P", "a") in found.labels
    assert ("Q", "a") not in found.labels


def test_doubt_holds_for_changes_across_the_link_only():
    first, second, third = exam("1", "a"), exam("2", "x"), exam("3", "x")
    found = tracks({"P": [first, second, third]}, [pair(first, second, ("a", "x"), needs_reader=True)])
    assert found.doubtful(("P", "a"), "1", "2")
    assert found.doubtful(("P", "a"), "1", "3")
    assert not found.doubtful(("P", "a"), "2", "3")


def test_a_persons_link_leaves_no_doubt():
    first, second = exam("1", "a"), exam("2", "x")
    proposed = pair(first, second, ("a", "x"), needs_reader=True)
    confirmed = replace(proposed, matching=linked(proposed.matching, ["a"], ["x"], **WHO))
    found = tracks({"P": [first, second]}, [confirmed])
    assert not found.doubtful(("P", "a"), "1", "2")


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_every_lesion_is_in_one_track_and_no_link_parts_two(data):
    names = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=5, unique=True)
    exams = [exam(str(number), *data.draw(names)) for number in range(3)]
    matched = []
    for earlier, later in pairwise(exams):
        partners = data.draw(st.permutations([*later.labels, *(None for _ in earlier.labels)]))
        chosen = [(mine, theirs) for mine, theirs in zip(earlier.labels, partners, strict=False) if theirs]
        matched.append(pair(earlier, later, *chosen))
    found = tracks({"P": exams}, matched)
    assert len(found.names) == sum(len(one.labels) for one in exams)
    for one in matched:
        for link in one.matching.links:
            seats = [(one.earlier_uid, key) for key in link.before] + [(one.later_uid, key) for key in link.after]
            assert len({found.names[seat] for seat in seats}) == 1


@pytest.mark.parametrize("kind", [LinkKind.NEW, LinkKind.VANISHED])
def test_what_was_only_proposed_as_new_or_vanished_does_not_end_a_name(kind):
    first, second, third = exam("1", "a"), exam("2", "x"), exam("3", "a")
    alone = ((), ("x",)) if kind is LinkKind.NEW else (("a",), ())
    found = tracks({"P": [first, second, third]}, [pair(first, second, alone)])
    assert found.name("3", "a") == "a"


@pytest.mark.parametrize("kind", [LinkKind.NEW, LinkKind.VANISHED])
def test_what_a_person_calls_new_or_vanished_does_end_a_name_over_exams_between(kind):
    first, second, third = exam("1", "a"), exam("2", "x"), exam("3", "a")
    if kind is LinkKind.NEW:
        decided = replace(pair(second, third), matching=declared_new(by_name(second, third), "a", **WHO))
    else:
        decided = replace(pair(first, second), matching=declared_vanished(by_name(first, second), "a", **WHO))
    found = tracks({"P": [first, second, third]}, [decided])
    assert found.name("1", "a") != found.name("3", "a")
