"""People correct a matching; every step is kept, stored and can be taken back."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.core.errors import InputError
from bingcheng.core.wording import text
from bingcheng.quantify.lesion.matching import Link, LinkKind, Matching, Member
from bingcheng.quantify.lesion.matching_edits import declared_new, declared_vanished, linked, undone, unlinked
from bingcheng.quantify.lesion.matching_storage import as_mapping, from_mapping
from bingcheng.quantify.lesion.matching_tracks import track

WHO = {"by": "reader", "at": datetime(2024, 5, 1, 9, 30, tzinfo=UTC), "why": "seen on both"}


def matching(*links, before="ab", after="xyz"):
    made = tuple(
        Link(kind=kind, before=tuple(b), after=tuple(a), confidence=0.9, needs_reader=False, reasons=(text("Why."),))
        for kind, b, a in links
    )
    members = [tuple(Member(key=key, label=key, volume_mm3=100.0) for key in keys) for keys in (before, after)]
    return Matching(before=members[0], after=members[1], proposed=made, links=made)


@pytest.fixture
def first():
    return matching((LinkKind.SAME, "a", "x"), (LinkKind.SPLIT, "b", "yz"))


def told(one):
    return {(link.kind, "".join(link.before), "".join(link.after)) for link in one.links}


def test_linking_takes_lesions_from_their_old_links_and_asks_a_reader_about_the_rest(first):
    changed = linked(first, ["a"], ["y"], **WHO)
    assert told(changed) == {
        (LinkKind.SAME, "a", "y"),
        (LinkKind.NEW, "", "x"),
        (LinkKind.SAME, "b", "z"),
    }
    assert changed.of_before("a").edited
    assert changed.of_before("a").confidence == 1.0
    assert changed.of_after("x").needs_reader
    assert first.edits == ()


def test_unlinking_leaves_the_other_fragments_together(first):
    changed = unlinked(first, [], ["z"], **WHO)
    assert told(changed) == {(LinkKind.SAME, "a", "x"), (LinkKind.SAME, "b", "y"), (LinkKind.NEW, "", "z")}


def test_lesions_can_be_declared_new_or_vanished(first):
    changed = declared_vanished(declared_new(first, "x", **WHO), "b", **WHO)
    assert (LinkKind.NEW, "", "x") in told(changed)
    assert (LinkKind.VANISHED, "b", "") in told(changed)
    assert [str(edit.action) for edit in changed.edits] == ["new", "vanished"]
    assert changed.edits[0].by == "reader"


def test_undo_takes_back_one_step_after_another(first):
    once = declared_new(first, "x", **WHO)
    twice = linked(once, ["b"], ["x"], **WHO)
    assert undone(twice) == once
    assert undone(undone(twice)) == first
    with pytest.raises(InputError) as caught:
        undone(first)
    assert caught.value.code == "quantify.matching-nothing-to-undo"


def test_unknown_lesions_and_half_links_are_refused(first):
    with pytest.raises(InputError) as caught:
        linked(first, ["a"], ["nobody"], **WHO)
    assert caught.value.code == "quantify.matching-unknown-lesion"
    with pytest.raises(InputError) as caught:
        linked(first, ["a"], [], **WHO)
    assert caught.value.code == "quantify.matching-nothing-to-link"


steps = st.lists(
    st.tuples(
        st.sampled_from(["link", "unlink", "new", "vanished"]),
        st.sets(st.sampled_from("ab"), min_size=1),
        st.sets(st.sampled_from("xyz"), min_size=1),
    ),
    max_size=6,
)


@given(steps)
@settings(max_examples=40, deadline=None)
def test_whatever_is_edited_each_lesion_stays_in_one_link_and_storage_keeps_all(todo):
    one = matching((LinkKind.SAME, "a", "x"), (LinkKind.SPLIT, "b", "yz"))
    for action, before, after in todo:
        if action == "link":
            one = linked(one, before, after, **WHO)
        elif action == "unlink":
            one = unlinked(one, before, after, **WHO)
        elif action == "new":
            one = declared_new(one, min(after), **WHO)
        else:
            one = declared_vanished(one, min(before), **WHO)
    assert sorted(key for link in one.links for key in link.before) == ["a", "b"]
    assert sorted(key for link in one.links for key in link.after) == ["x", "y", "z"]
    assert from_mapping(json.loads(json.dumps(as_mapping(one)))) == one


def test_a_mapping_of_another_form_is_refused():
    with pytest.raises(ValueError, match="form"):
        from_mapping({"form": "something else"})


def test_pairs_of_exams_are_chained_into_tracks_with_names_that_stay():
    one = matching((LinkKind.SAME, "a", "x"), (LinkKind.SPLIT, "b", "yz"))
    two = matching((LinkKind.MERGED, "xy", "p"), (LinkKind.VANISHED, "z", ""), before="xyz", after="p")
    early = track(["ab", "xyz"], {(0, 1): one})
    assert [(t.name, t.members) for t in early] == [("1/a", (("a",), ("x",))), ("1/b", (("b",), ("y", "z")))]
    late = track(["ab", "xyz", "p"], {(0, 1): one, (1, 2): two})
    assert [(t.name, t.also, t.members) for t in late] == [
        ("1/a", ("1/b",), (("a", "b"), ("x", "y", "z"), ("p",))),
    ]


def test_a_lesion_that_comes_back_keeps_its_track():
    gone = matching((LinkKind.SAME, "a", "x"), (LinkKind.VANISHED, "b", ""), after="x")
    back = matching((LinkKind.SAME, "x", "p"), (LinkKind.NEW, "", "q"), before="x", after="pq")
    over = matching((LinkKind.SAME, "a", "p"), (LinkKind.SAME, "b", "q"), after="pq")
    exams = ["ab", "x", "pq"]
    apart = track(exams, {(0, 1): gone, (1, 2): back})
    assert [t.name for t in apart] == ["1/a", "1/b", "3/q"]
    joined = track(exams, {(0, 1): gone, (1, 2): back, (0, 2): over})
    assert [(t.name, t.members) for t in joined] == [("1/a", (("a",), ("x",), ("p",))), ("1/b", (("b",), (), ("q",)))]


def test_a_matching_that_skips_an_exam_does_not_overrule_the_exams_between():
    first = matching((LinkKind.SAME, "a", "x"), (LinkKind.SAME, "b", "y"), after="xy")
    second = matching(
        (LinkKind.SAME, "x", "p"), (LinkKind.VANISHED, "y", ""), (LinkKind.NEW, "", "q"), before="xy", after="pq"
    )
    over = matching((LinkKind.SAME, "a", "q"), (LinkKind.VANISHED, "b", ""), (LinkKind.NEW, "", "p"), after="pq")
    found = track(["ab", "xy", "pq"], {(0, 1): first, (1, 2): second, (0, 2): over})
    assert [t.name for t in found] == ["1/a", "1/b", "3/q"]
