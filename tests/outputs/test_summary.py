"""The headline says what the assessment holds, and nothing that it doesn't."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.outputs.example import finding, study

from bingcheng.compare.change import Verdict
from bingcheng.core.finding import Level, Outcome, Trust
from bingcheng.core.refusal import SubjectKind
from bingcheng.core.wording import text
from bingcheng.outputs.assessment import Assessment
from bingcheng.outputs.summary import Topic, by_urgency, exam_outcome, headline, priorities


@pytest.fixture(scope="module")
def assessment() -> Assessment:
    return study()


def said(assessment: Assessment) -> str:
    return " ".join(str(sentence) for sentence in headline(assessment))


def test_the_headline_counts_lesions_exams_and_hospitals(assessment: Assessment) -> None:
    assert said(assessment) == (
        "6 lesions in 6 patients: 2 really changed, 1 can't be compared, 1 can't be judged, 2 stayed within"
        " repeatability. 2 of 11 judged exams broke the protocol. 1 of 11 judged exams left a required criterion open."
        " 1 hospital deviates from the others in 1 measure."
        " 3 things could not be used; the reason stands beside each."
    )


def test_one_of_each_is_said_in_the_singular(assessment: Assessment) -> None:
    one = replace(
        assessment,
        exams=assessment.exams[:2],
        changes=assessment.changes[:1],
        comparison=(),
        refusals=(replace(assessment.refusals[0], count=1),),
    )
    assert said(one) == (
        "1 lesion in 1 patient: 1 really changed. Every required criterion was met in 2 judged exams."
        " 1 thing could not be used; the reason stands beside it."
    )


def test_a_lesion_seen_once_is_not_called_unchanged(assessment: Assessment) -> None:
    once = replace(assessment, exams=assessment.exams[:1], changes=(), comparison=(), refusals=())
    assert said(once).startswith("1 lesion in 1 patient: 1 seen once only.")


def test_an_exam_that_was_used_is_not_counted_as_left_out(assessment: Assessment) -> None:
    whole = replace(assessment.refusals[0], kind=SubjectKind.EXAM, count=1)
    used = replace(assessment.exams[0], refusals=(whole,))
    lost = replace(used, series=())
    plain = replace(assessment, comparison=(), refusals=(), changes=())
    assert "could not be used" not in said(replace(plain, exams=(used,)))
    assert "1 thing could not be used" in said(replace(plain, exams=(lost,)))


def test_hospitals_with_too_few_exams_are_not_called_alike(assessment: Assessment) -> None:
    why = text("Too few exams to judge by: {count} values on {scanners} scanners.", count=3, scanners=3)
    few = tuple(replace(row, flagged=False, explanation=why) for row in assessment.comparison)
    assert "too few exams to say whether a hospital deviates" in said(replace(assessment, comparison=few))
    alike = tuple(replace(row, flagged=False, explanation=None) for row in assessment.comparison)
    assert "No hospital stands out" in said(replace(assessment, comparison=alike))


def test_a_hospital_without_a_name_is_none_to_compare_with(assessment: Assessment) -> None:
    named = assessment.comparison[0].site
    rows = tuple(row if row.site == named else replace(row, site="") for row in assessment.comparison)
    assert "hospital" not in said(replace(assessment, comparison=rows))


def test_an_empty_folder_and_a_folder_without_lesions_say_what_to_give(assessment: Assessment) -> None:
    empty = replace(assessment, exams=(), changes=(), comparison=(), refusals=(), sites=())
    assert said(empty) == "No exam was found: give a folder that holds DICOM files of CT, MR or PET."
    bare = tuple(
        replace(exam, series=tuple(replace(series, lesions=()) for series in exam.series)) for exam in assessment.exams
    )
    assert "No lesion is marked in 12 exams" in said(replace(assessment, exams=bare, changes=()))


def test_an_exam_that_left_a_required_criterion_open_did_not_pass(assessment: Assessment) -> None:
    exam = assessment.exams[0]
    met, open_ = finding("a", "A", Outcome.PASS), finding("b", "B", Outcome.UNKNOWN)
    assert exam_outcome(replace(exam, findings=(met, open_))) is Outcome.UNKNOWN
    assert exam_outcome(replace(exam, findings=(met, open_, finding("c", "C", Outcome.FAIL)))) is Outcome.FAIL
    assert exam_outcome(replace(exam, findings=(met,))) is Outcome.PASS
    assert exam_outcome(replace(exam, findings=())) is None
    assert exam_outcome(replace(exam, findings=(finding("d", "D", Outcome.NOT_APPLICABLE),))) is None


def test_a_recommendation_or_an_unverified_limit_breaks_no_protocol(assessment: Assessment) -> None:
    exam = assessment.exams[0]
    met = finding("a", "A", Outcome.PASS)
    for weak in (
        finding("b", "B", Outcome.FAIL, level=Level.RECOMMENDED),
        finding("c", "C", Outcome.FAIL, trust=Trust.UNVERIFIED),
    ):
        assert exam_outcome(replace(exam, findings=(met, weak))) is Outcome.PASS


def test_what_stops_a_strict_gate_comes_first() -> None:
    findings = (
        finding("met", "Met", Outcome.PASS),
        finding("ideal", "Ideal", Outcome.FAIL, level=Level.IDEAL),
        finding("open", "Open", Outcome.UNKNOWN),
        finding("broken", "Broken", Outcome.FAIL),
    )
    assert [f.criterion for f in by_urgency(findings)] == ["broken", "open", "ideal", "met"]


def test_priorities_name_each_real_change_broken_protocol_and_deviating_site(assessment: Assessment) -> None:
    found = priorities(assessment)
    assert [p.weight for p in found] == sorted(p.weight for p in found)
    lesions = {p.subject for p in found if p.topic is Topic.LESION}
    unsettled = {str(i) for i, c in enumerate(assessment.changes) if c.verdict is not Verdict.WITHIN_REPEATABILITY}
    assert lesions == unsettled
    assert {p.subject for p in found if p.topic is Topic.EXAM} == {"E04", "E08", "E09"}
    assert {p.subject for p in found if p.topic is Topic.SITE} == {"Nenjiang University Hospital"}
