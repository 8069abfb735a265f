"""Who meets a criterion now, and which limit a wanted share would meet."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.test_library import GOOD

from bingcheng.core.finding import Outcome
from bingcheng.protocol.authoring.what_if import CameTo, what_if
from bingcheng.protocol.library import parse

MODEL = parse(GOOD.replace("value = 0.25", "value = 2.5").replace('"cm"', '"mm"'), "ours.toml")


def came(values, *, criterion="thickness", limit=2.5, sites="A", role="CT"):
    return [
        CameTo(
            exam=f"1.{n}",
            site=sites[n % len(sites)],
            criterion=criterion,
            role=role,
            outcome=Outcome.UNKNOWN if value is None else Outcome.PASS if value <= limit else Outcome.FAIL,
            value=value,
            distance=None if value is None else value - limit,
        )
        for n, value in enumerate(values)
    ]


def outlook(found, criterion="thickness", share=0.8):
    return next(one for one in what_if(MODEL, found, share=share).outlooks if one.criterion == criterion)


def test_exams_are_counted_and_the_limit_is_the_value_that_the_share_meets():
    found = outlook(came([1.0, 2.0, 2.5, 3.0, 5.0]))
    assert (found.exams.met, found.exams.judged, found.exams.share) == (3, 5, 0.6)
    assert str(found.limit_of_exams) == "at most 3 mm"  # four of five
    assert str(outlook(came([1.0, 2.0, 2.5, 3.0, 5.0]), share=1.0).limit_of_exams) == "at most 5 mm"
    assert str(outlook(came([1.0, 2.0, 2.5, 3.0, 5.0]), share=0.2).limit_of_exams) == "at most 1 mm"


def test_hospitals_count_alike_however_many_exams_they_have():
    # Hospital A has three exams of 5 mm, B and C one each of 1 mm.
    found = outlook(came([5.0, 5.0, 5.0, 1.0, 1.0], sites="AAABC"), share=0.6)
    assert (found.exams.met, found.exams.judged) == (2, 5)
    assert (found.sites.met, found.sites.judged) == (2, 3)
    assert str(found.limit_of_exams) == "at most 5 mm"
    assert str(found.limit_of_sites) == "at most 1 mm"


def test_what_is_unknown_counts_neither_as_met_nor_as_not_met():
    found = outlook(came([1.0, None, None, 5.0]))
    assert (found.exams.met, found.exams.judged, found.unknown) == (1, 2, 2)


def test_an_exam_with_several_series_meets_a_criterion_if_all_of_them_do():
    both = [*came([1.0]), *came([5.0])]  # the same exam twice
    found = outlook(both)
    assert (found.exams.met, found.exams.judged) == (0, 1)
    assert str(found.limit_of_exams) == "at most 5 mm"


def test_a_range_is_moved_on_both_sides():
    distances = [-20.0, -5.0, 3.0, 10.0, 30.0]
    found = [
        CameTo(exam=str(n), site="A", criterion="kvp", role="CT", outcome=Outcome.FAIL, value=0.0, distance=d)
        for n, d in enumerate(distances)
    ]
    assert str(outlook(found, "kvp").limit_of_exams) == "90 to 150 kV"
    assert str(outlook(found, "kvp", share=0.4).limit_of_exams) == "105 to 135 kV"


def test_the_criterion_that_fails_most_and_the_one_that_is_open_most_are_named():
    found = [*came([5.0, 5.0, 1.0]), *came([None, None, 200.0], criterion="kvp", limit=140.0)]
    seen = what_if(MODEL, found, share=0.8)
    assert seen.fails_most.criterion == "thickness"
    assert seen.unknown_most.criterion == "kvp"
    assert (seen.exams, seen.sites) == (3, 1)


def test_without_any_exam_nothing_is_claimed():
    seen = what_if(MODEL, [], share=0.8)
    assert seen.fails_most is None
    assert seen.unknown_most is None
    assert all(one.exams.share is None and one.limit_of_exams is None for one in seen.outlooks)


@settings(deadline=None)
@given(st.lists(st.floats(0.1, 50.0), min_size=1, max_size=40), st.integers(1, 100))
def test_the_limit_is_met_by_the_share_and_by_no_more_exams_than_needed(values, percent):
    found = outlook(came(values), share=percent / 100.0)
    limit = found.limit_of_exams.facts["limit"].facts["value"]
    met = sum(value <= limit * (1 + 1e-6) for value in values)  # limits are given with nine digits
    below = sum(value < limit * (1 - 1e-6) for value in values)
    needed = percent / 100.0 * len(values)
    assert met >= needed - 1e-6
    assert below < needed + 1e-6


@pytest.mark.parametrize("share", [0.01, 0.5, 1.0])
def test_a_share_of_one_exam_is_that_exam(share):
    assert str(outlook(came([4.0]), share=share).limit_of_exams) == "at most 4 mm"
