"""RECIST 1.1 from drawn lesions: new and vanished ones as the matching has them, and what only a reader can say."""

from __future__ import annotations

from datetime import datetime

import pytest

from bingcheng.compare.response import Response
from bingcheng.compare.response_reading import patient_responses
from bingcheng.compare.tracks import MatchedPair, NamedLesions, tracks
from bingcheng.quantify.lesion.matching import Link, LinkKind, Matching, Member, kind_of
from bingcheng.quantify.lesion.matching_edits import declared_new, declared_vanished

WHO = {"by": "reader", "at": datetime(2026, 5, 1), "why": "seen"}  # noqa: DTZ001 - as the database keeps times


@pytest.fixture
def drawn(observed):
    """The observations of exams: of each its day, and of each lesion its longest diameter."""

    def make(exams, **conditions):
        seen = []
        for day, sizes in exams.items():
            seen.append(observed("noise", 10.0, day=day, lesion=None, **conditions))
            for name, size in sizes.items():
                seen.append(observed("longest_diameter", size, day=day, lesion=name, **conditions))
                seen.append(
                    observed("short_axis", size if size is None else 0.6 * size, day=day, lesion=name, **conditions)
                )
        return seen

    return make


def followed(exams, *pairs):
    """Tracks over exams (names by day), with what was matched: (earlier, later, links, needs a reader)."""
    named = {
        day: NamedLesions(exam_uid=f"P1.{day}", labels={name: name for name in names}) for day, names in exams.items()
    }
    return tracks(
        {"P1": list(named.values())}, [_pair(named[a], named[b], links, **more) for a, b, links, more in pairs]
    )


def _pair(earlier, later, groups, *, doubted=(), confidence=0.97, kinds=None, edit=None):
    """The matching of two exams; of its links those that are `doubted` need a reader."""
    links = tuple(
        Link(
            kind=(kinds or {}).get((before, after)) or kind_of(len(before), len(after)),
            before=tuple(before),
            after=tuple(after),
            confidence=confidence,
            needs_reader=(before, after) in doubted,
        )
        for before, after in groups
    )
    before, after = (
        tuple(Member(key=name, label=name, volume_mm3=1.0) for name in exam.labels) for exam in (earlier, later)
    )
    matching = Matching(before=before, after=after, proposed=links, links=links)
    if edit is not None:
        matching = edit(matching)
    return MatchedPair(earlier_uid=earlier.exam_uid, later_uid=later.exam_uid, modality="CT", matching=matching)


def only(found):
    (one,) = found
    return one


def test_a_new_lesion_that_is_sure_is_progression_however_much_the_others_shrink(drawn):
    exams = {0: {"a": 40.0}, 60: {"a": 10.0, "b": 12.0}}
    found = only(patient_responses(drawn(exams), tracks=followed(exams, (0, 60, [(("a",), ("a",)), ((), ("b",))], {}))))
    (point,) = found.points
    assert point.answer.response is Response.PROGRESSIVE
    assert point.answer.targets is Response.PARTIAL
    assert any("b" in str(one) and "97" in str(one) for one in point.reasons)
    assert not point.questions


def test_a_new_lesion_that_needs_a_reader_changes_nothing_yet_and_says_what_it_would(drawn):
    exams = {0: {"a": 40.0}, 60: {"a": 10.0, "b": 12.0}}
    links = [(("a",), ("a",)), ((), ("b",))]
    doubtful = followed(exams, (0, 60, links, {"doubted": [((), ("b",))], "confidence": 0.6}))
    (point,) = only(patient_responses(drawn(exams), tracks=doubtful)).points
    assert point.answer.response is Response.PARTIAL
    (question,) = point.questions
    assert "b" in str(question)
    assert "PD" in str(question)


def test_a_person_s_word_makes_it_sure(drawn):
    exams = {0: {"a": 40.0}, 60: {"a": 10.0, "b": 12.0}}
    links = [(("a",), ("a",)), ((), ("b",))]
    said = {"doubted": [((), ("b",))], "edit": lambda one: declared_new(one, "b", **WHO)}
    (point,) = only(patient_responses(drawn(exams), tracks=followed(exams, (0, 60, links, said)))).points
    assert point.answer.response is Response.PROGRESSIVE
    assert "a person decided" in " ".join(map(str, point.reasons))


def test_a_lesion_drawn_later_without_any_match_is_no_new_one_for_sure(drawn):
    exams = {0: {"a": 40.0}, 60: {"a": 41.0, "b": 12.0}}
    (point,) = only(patient_responses(drawn(exams))).points
    assert point.answer.response is Response.STABLE
    assert point.questions


def test_a_lesion_whose_place_the_earlier_exam_does_not_show_needs_a_reader(drawn):
    exams = {0: {"a": 40.0}, 60: {"a": 41.0, "b": 12.0}}
    outside = {"kinds": {((), ("b",)): LinkKind.OUTSIDE_EARLIER}}
    links = [(("a",), ("a",)), ((), ("b",))]
    (point,) = only(patient_responses(drawn(exams), tracks=followed(exams, (0, 60, links, outside)))).points
    assert point.answer.response is Response.STABLE
    assert "No earlier exam shows" in str(point.questions[0])


def test_a_target_that_has_vanished_for_sure_measures_nothing_from_then_on(drawn):
    exams = {0: {"a": 40.0, "b": 30.0}, 60: {"a": 38.0}, 120: {"a": 37.0}}
    links = [(("a",), ("a",)), (("b",), ())]
    found = only(patient_responses(drawn(exams), tracks=followed(exams, (0, 60, links, {}))))
    assert found.baseline_mm == 70.0
    assert [point.answer.sum_mm for point in found.points] == [38.0, 37.0]
    assert [point.answer.response for point in found.points] == [Response.PARTIAL, Response.PARTIAL]
    assert "97" in str(found.points[0].reasons[0])


@pytest.mark.parametrize("size_mm", [38.0, 90.0])
def test_a_target_of_which_a_reader_has_to_say_whether_it_has_gone_has_no_size(drawn, size_mm):
    exams = {0: {"a": 40.0, "b": 30.0}, 60: {"a": size_mm}}
    links = [(("a",), ("a",)), (("b",), ())]
    doubtful = followed(exams, (0, 60, links, {"doubted": [(("b",), ())]}))
    (point,) = only(patient_responses(drawn(exams), tracks=doubtful)).points
    assert point.answer.sum_mm is None
    # What is known may suffice for progression, and for nothing better.
    assert point.answer.response is (Response.PROGRESSIVE if size_mm > 80.0 else Response.NOT_EVALUABLE)
    assert "0 mm" in str(point.questions[0])


def test_a_person_may_say_that_it_has_gone(drawn):
    exams = {0: {"a": 40.0, "b": 30.0}, 60: {"a": 38.0}}
    said = {"doubted": [(("b",), ())], "edit": lambda one: declared_vanished(one, "b", **WHO)}
    links = [(("a",), ("a",)), (("b",), ())]
    (point,) = only(patient_responses(drawn(exams), tracks=followed(exams, (0, 60, links, said)))).points
    assert point.answer.sum_mm == 38.0


def test_all_gone_is_a_complete_response_though_nothing_is_drawn_any_more(drawn):
    exams = {0: {"a": 40.0}, 60: {}}
    found = only(patient_responses(drawn(exams), tracks=followed(exams, (0, 60, [(("a",), ())], {}))))
    assert found.points[0].answer.response is Response.COMPLETE


def test_a_place_that_the_later_exam_does_not_show_is_not_evaluable(drawn):
    exams = {0: {"a": 40.0, "b": 30.0}, 60: {"a": 38.0}}
    outside = {"kinds": {(("b",), ()): LinkKind.OUTSIDE_LATER}}
    found = followed(exams, (0, 60, [(("a",), ("a",)), (("b",), ())], outside))
    (point,) = only(patient_responses(drawn(exams), tracks=found)).points
    assert point.answer.response is Response.NOT_EVALUABLE
    assert "does not show the place" in str(point.reasons[0])


def test_what_is_not_drawn_and_of_which_nothing_is_said_is_not_gone(drawn):
    exams = {0: {"a": 40.0, "b": 30.0}, 60: {"a": 38.0}}
    (point,) = only(patient_responses(drawn(exams))).points
    assert point.answer.response is Response.NOT_EVALUABLE
    assert point.questions


def test_a_size_over_a_match_that_needs_a_reader_does_not_count(drawn):
    exams = {0: {"a": 40.0}, 60: {"x": 12.0}}
    links = [(("a",), ("x",))]
    doubtful = followed(exams, (0, 60, links, {"doubted": links, "confidence": 0.5}))
    (point,) = only(patient_responses(drawn(exams), tracks=doubtful)).points
    assert point.answer.response is Response.NOT_EVALUABLE
    assert point.questions


def test_the_pieces_of_a_split_lesion_are_added(drawn):
    exams = {0: {"a": 40.0}, 60: {"x": 12.0, "y": 9.0}}
    split = followed(exams, (0, 60, [(("a",), ("x", "y"))], {}))
    (point,) = only(patient_responses(drawn(exams), tracks=split)).points
    assert point.answer.sum_mm == pytest.approx(21.0)
    assert point.answer.response is Response.PARTIAL


def test_the_five_largest_measurable_lesions_are_measured_and_the_others_followed(drawn):
    sizes = {f"l{n}": 12.0 + n for n in range(7)} | {"small": 8.0}
    exams = {0: sizes, 60: sizes}
    found = only(patient_responses(drawn(exams)))
    assert set(found.targets) == {"l2", "l3", "l4", "l5", "l6"}
    assert set(found.non_targets) == {"l0", "l1", "small"}
    assert found.points[0].answer.response is Response.STABLE
    assert len(found.remarks) == 2


def test_no_more_than_two_of_an_organ_where_organs_are_known(drawn, observed):
    sizes = {f"l{n}": 12.0 + n for n in range(4)}
    found = only(patient_responses(drawn({0: sizes, 60: sizes}, organ="liver")))
    assert set(found.targets) == {"l2", "l3"}
    assert len(found.remarks) == 1


def test_thick_slices_raise_what_is_measurable(drawn):
    exams = {0: {"a": 14.0}, 60: {"a": 5.0}}
    found = only(patient_responses(drawn(exams, slice_thickness_mm=8.0)))
    assert found.targets == ()
    assert found.points[0].answer.response is Response.NEITHER
    assert only(patient_responses(drawn(exams, slice_thickness_mm=None))).targets == ()


def test_lymph_nodes_are_told_by_their_label_and_measured_by_their_short_axis(drawn):
    exams = {0: {"1": 30.0}, 60: {"1": 15.0}}
    found = only(patient_responses(drawn(exams), labels={"1": "Lymph node, left axilla"}))
    assert found.baseline_mm == pytest.approx(18.0)
    assert found.points[0].answer.response is Response.COMPLETE, "9 mm is normal"
    for label in ("lung nodule", "lymphoma", "liver"):
        assert only(patient_responses(drawn(exams), labels={"1": label})).baseline_mm == 30.0


def test_a_non_target_that_has_vanished_lets_the_response_be_complete(drawn):
    exams = {0: {"a": 40.0, "small": 7.0}, 60: {}}
    sure = followed(exams, (0, 60, [(("a",), ()), (("small",), ())], {}))
    assert only(patient_responses(drawn(exams), tracks=sure)).points[0].answer.response is Response.COMPLETE
    exams = {0: {"a": 40.0, "small": 7.0}, 60: {"small": 6.0}}
    partly = followed(exams, (0, 60, [(("a",), ()), (("small",), ("small",))], {}))
    assert only(patient_responses(drawn(exams), tracks=partly)).points[0].answer.response is Response.PARTIAL


def test_one_exam_an_undated_exam_and_pet_alone_have_no_response(drawn):
    assert patient_responses(drawn({0: {"a": 40.0}})) == ()
    assert patient_responses(drawn({0: {"a": 40.0}, None: {"a": 20.0}})) == ()
    assert patient_responses(drawn({0: {"a": 40.0}, 60: {"a": 20.0}}, modality="PT")) == ()
