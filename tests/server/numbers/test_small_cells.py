"""What the province is told of a hospital: nothing that rests on fewer than five exams, nor what would give it away."""

from __future__ import annotations

import re
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bingcheng.archive.pairing.numbers import LEAST_CELL
from bingcheng.compare.homogeneity import SiteRow
from bingcheng.core.finding import Outcome
from bingcheng.server.numbers.shown import CriterionRow, HospitalNumbers
from bingcheng.server.numbers.small_cells import FEW, told, told_criteria, told_hospital, told_months

COUNTS = st.integers(min_value=0, max_value=12)
OUTCOMES = (Outcome.PASS, Outcome.UNKNOWN, Outcome.FAIL, None)


def hospital(*months: Counter, criteria=(), comparison=()) -> HospitalNumbers:
    return HospitalNumbers(
        number=1,
        name="North",
        months={f"2026-{number:02d}": counted for number, counted in enumerate(months, start=1)},
        criteria=tuple(criteria),
        comparison=tuple(comparison),
        devices=(),
    )


def criterion(passed: int, failed: int, unknown: int) -> CriterionRow:
    return CriterionRow(
        name=None, protocol="p", criterion="c", level="required", passed=passed, failed=failed, unknown=unknown
    )


def row(count: int) -> SiteRow:
    return SiteRow(
        site="North",
        device="CT 1",
        key="noise",
        label="Noise",
        unit="[hnsf'U]",
        count=count,
        median=10.0,
        spread=None,
        values=(10.0,) * count,
        others_median=11.0,
        deviation=-1.0,
        flagged=True,
    )


def numbers_in(words: str) -> list[int]:
    return [int(one) for one in re.findall(r"\d+", words)]


@given(st.tuples(COUNTS, COUNTS, COUNTS, COUNTS))
def test_no_count_of_one_to_four_is_told_or_can_be_worked_out(counts):
    counted = Counter({outcome: count for outcome, count in zip(OUTCOMES, counts, strict=True) if count})
    shown = told_hospital(hospital(counted))
    cells = dict(shown.outcomes)
    for outcome, count in counted.items():
        if count < LEAST_CELL:
            assert cells.get(outcome, FEW) == FEW
    hidden = [count for count in counted.values() if count < LEAST_CELL]
    if hidden:
        assert shown.counts is None, "a bar drawn to scale would tell it"
    if len(hidden) == 1 and counted.total() >= LEAST_CELL:
        assert counted.total() not in numbers_in(str(shown.exams))


def test_a_hospital_with_few_exams_is_named_and_nothing_more():
    shown = told_hospital(hospital(Counter({Outcome.FAIL: 4}), criteria=[criterion(0, 4, 0)], comparison=[row(4)]))
    assert str(shown.exams) == "fewer than 5 exams"
    assert (shown.outcomes, shown.counts, shown.failures, shown.comparison) == ((), None, (), ())


def test_what_rests_on_enough_exams_is_told_whole():
    shown = told_hospital(
        hospital(
            Counter({Outcome.PASS: 6, Outcome.FAIL: 5}),
            criteria=[criterion(6, 5, 0), criterion(1, 3, 0)],
            comparison=[row(5), row(4)],
        )
    )
    assert str(shown.exams) == "11 exams"
    assert shown.outcomes == ((Outcome.PASS, "6"), (Outcome.FAIL, "5"))
    assert [count for _, count in shown.failures] == ["5"]
    assert [one.count for one in shown.comparison] == [5]
    assert shown.flagged == shown.comparison


def test_criteria_and_months_with_few_exams_are_left_out():
    one = hospital(
        Counter({Outcome.PASS: 4}),
        Counter({Outcome.PASS: 7, None: 1}),
        criteria=[criterion(9, 2, 0), criterion(2, 2, 0)],
    )
    assert [counts for _, counts in told_criteria(one)] == [("9", FEW, "0")]
    assert list(told_months(one)) == [("2026-02", ("7", "0", "0", FEW))]


@given(COUNTS)
def test_a_count_is_told_or_stands_as_few(count):
    assert told(count) == (str(count) if count == 0 or count >= LEAST_CELL else FEW)
