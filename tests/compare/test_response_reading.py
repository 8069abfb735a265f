"""RECIST 1.1 from drawn lesions: new and vanished ones as the matching has them, and what only a reader can say."""

from __future__ import annotations

from datetime import datetime

import pytest
from tests.compare.matched import followed

from bingcheng.compare.response import NewLesion, NonTargets, Response
from bingcheng.compare.response_missing import without_response
from bingcheng.compare.response_reading import patient_responses
from bingcheng.quantify.lesion.matching import LinkKind
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


def only(found):
    (one,) = found
    return one


def test_a_new_lesion_that_is_sure_is_progression_however_much_the_others_shrink(drawn):
    exams = {0: {"a": 40.0}, 60: {"a": 10.0, "b": 12.0}}
    found = only(patient_responses(drawn(exams), tracks=followed(exams, (0, 60, [(("a",), ("a",)), ((), ("b",))], {}))))
    (point,) = found.points
    assert point.answer.response is Response.PROGRESSIVE
    assert point.answer.targets is Response.PARTIAL
    assert (point.seen.new, point.seen.non_targets) == (NewLesion.UNEQUIVOCAL, NonTargets.NONE)
    assert [one.size_mm for one in (*found.baseline, *point.seen.targets)] == [40.0, 10.0]
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


@pytest.mark.parametrize(
    ("exams", "modality", "why"),
    [
        ({0: {"a": 40.0}}, "CT", "One exam alone"),
        ({0: {"a": 40.0}, None: {"a": 20.0}}, "CT", "One exam alone"),
        ({None: {"a": 20.0}}, "CT", "no date"),
        ({0: {"a": 40.0}, 60: {"a": 20.0}}, "PT", "no lesion is drawn there"),
    ],
)
def test_who_has_no_response_is_told_with_the_reason(drawn, exams, modality, why):
    seen = drawn(exams, modality=modality)
    assert patient_responses(seen) == ()
    (missing,) = without_response(seen, answered=())
    assert missing.patient == "P1"
    assert why in str(missing.reason)
    assert without_response(seen, answered={"P1"}) == ()


def test_without_a_lesion_nothing_is_missing(drawn):
    assert without_response(drawn({0: {}}), answered=()) == ()


def test_a_sum_carries_the_uncertainty_of_its_parts_as_if_they_erred_together(drawn):
    exams = {0: {"a": 40.0, "b": 30.0}, 60: {"a": 38.0}}
    gone = followed(exams, (0, 60, [(("a",), ("a",)), (("b",), ())], {}))
    found = only(patient_responses(drawn(exams, uncertainty=0.4), tracks=gone))
    assert found.uncertainty_mm == pytest.approx(0.8)
    assert found.points[0].uncertainty_mm == pytest.approx(0.4), "what has gone measures 0 mm without doubt"
    unknown = only(patient_responses(drawn(exams, uncertainty=None), tracks=gone))
    assert (unknown.uncertainty_mm, unknown.points[0].uncertainty_mm) == (None, None)


@pytest.mark.parametrize(
    ("later_mm", "limit"), [(69.0, "partial"), (71.0, "partial"), (60.0, None), (85.0, None), (118.8, "progression")]
)
def test_a_sum_as_near_to_a_limit_as_its_uncertainty_is_told(drawn, later_mm, limit):
    # 70 and 120 mm; the expanded uncertainty of a distance is 2 x hypot(0.5, 0.35) = 1.22 and 1.56 mm.
    exams = {0: {"a": 100.0}, 60: {"a": later_mm}}
    (point,) = only(patient_responses(drawn(exams, uncertainty=0.5))).points
    near = [str(one) for one in point.reasons if "Within the uncertainty" in str(one)]
    assert len(near) == (0 if limit is None else 1)
    assert all(f"{limit}" in one for one in near)


def test_how_near_the_sum_lies_is_not_said_where_it_does_not_decide(drawn):
    exams = {0: {"a": 100.0}, 60: {"a": 70.0, "b": 12.0}}
    new = followed(exams, (0, 60, [(("a",), ("a",)), ((), ("b",))], {}))
    (point,) = only(patient_responses(drawn(exams, uncertainty=0.5), tracks=new)).points
    assert point.answer.response is Response.PROGRESSIVE
    assert not any("Within the uncertainty" in str(one) for one in point.reasons)
