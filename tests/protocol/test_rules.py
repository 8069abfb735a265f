"""Operators: their examples, their distance to the limit, and what they say."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.core.wording import text
from bingcheng.protocol.rules import Shape, equal, limit_said, operators

NUMBERS = st.floats(-1e4, 1e4, allow_nan=False)
LIMITS = {Shape.ONE: NUMBERS, Shape.RANGE: st.tuples(NUMBERS, NUMBERS).map(sorted).map(tuple)}
NUMERIC = [o for o in operators() if o.shape in LIMITS and o.beyond is not None]


@pytest.mark.parametrize("operator", NUMERIC, ids=lambda o: o.key)
@given(data=st.data(), tolerance=st.floats(0.0, 0.5))
def test_the_examples_of_an_operator_meet_and_fail_it(operator, data, tolerance):
    limit = data.draw(LIMITS[operator.shape])
    if operator.key in {"any_in", "any_ge", "max_le"}:
        # These examples hold a 0 beside the value, as a series holds b = 0; limits on b-values are positive.
        limit = tuple(abs(x) + 20 for x in limit) if isinstance(limit, tuple) else abs(limit) + 20
        limit = tuple(sorted(limit)) if isinstance(limit, tuple) else limit
    meets, fails = operator.examples(limit, tolerance)
    assert operator.holds(meets, limit, tolerance)
    assert not operator.holds(fails, limit, tolerance)
    assert operator.beyond(meets, limit) <= operator.beyond(fails, limit)


@pytest.mark.parametrize("operator", NUMERIC, ids=lambda o: o.key)
@given(data=st.data())
def test_a_value_clearly_outside_fails_and_clearly_inside_passes(operator, data):
    limit = data.draw(LIMITS[operator.shape])
    value = data.draw(st.tuples(NUMBERS) if "numbers" in {k.value for k in operator.takes} else NUMBERS)
    beyond = operator.beyond(value, limit)
    if operator.key in {"==", "!="}:
        return
    if beyond > 1e-3:
        assert not operator.holds(value, limit, 0.0)
    if beyond < -1e-3:
        assert operator.holds(value, limit, 0.0)


def test_decimal_headers_at_the_limit_are_not_failed_by_binary_rounding():
    assert operators()["<="].holds(0.1 + 0.2, 0.3, 0.0)
    assert operators()["between"].holds(0.1 + 0.2, (0.1, 0.3), 0.0)


def test_strictly_below_is_not_met_at_the_limit():
    assert not operators()["<"].holds(95.0, 95.0, 0.5)


def test_one_b_value_inside_is_enough_for_any_in_and_the_nearest_gives_the_distance():
    any_in = operators()["any_in"]
    assert any_in.holds((0.0, 400.0, 900.0), (800.0, 1000.0), 1.0)
    assert not any_in.holds((0.0, 400.0, 1200.0), (800.0, 1000.0), 1.0)
    assert math.isclose(any_in.beyond((0.0, 700.0, 1200.0), (800.0, 1000.0)), 100.0)


def test_words_are_compared_but_for_case_and_blanks():
    assert equal("B30f ", "b30F", 0.0)
    assert not equal("B30f", "B31f", 0.0)
    assert equal(("ATTN", "DECY"), ("attn", "decy"), 0.0)
    assert not equal(("A",), ("A", "B"), 0.0)


def test_a_yes_is_not_the_number_one():
    assert not equal(True, 1.0, 0.5)
    assert not equal(1.0, True, 0.5)


def test_nothing_recorded_fails_what_has_to_be_recorded():
    present = operators()["present"]
    assert present.absence_fails
    assert present.holds(70.0, None, 0.0)
    assert not present.holds(0.0, None, 0.0)


def test_a_list_is_asked_for_as_a_whole_and_a_part_of_a_text_in_any_case():
    list_is, has_part = operators()["list_is"], operators()["has_part"]
    assert list_is.holds(("SE", "IR"), ("se", "IR"), 0.0)
    assert not list_is.holds(("SE", "IR"), ("SE",), 0.0)
    assert list_is.holds((0.5, 0.502), (0.5, 0.5), 0.005)
    assert has_part.holds("Gadobutrol", ("iod", "GADO"), 0.0)
    assert not has_part.holds("Iohexol", ("gado",), 0.0)


READ_ON = {
    "<=": "at most 5 mm",
    "<": "below 5 mm",
    ">=": "at least 5 mm",
    ">": "above 5 mm",
    "between": "2 to 5 mm",
    "all_in": "only values of 2 to 5 mm",
    "any_in": "a value of 2 to 5 mm among them",
    "any_ge": "a value of at least 5 mm among them",
    "max_le": "no value above 5 mm",
    "==": "5 mm",
    "!=": "anything but 5 mm",
    "in": "one of: 2, 5 mm",
    "contains_all": "2, 5 mm among them",
    "contains_any": "at least one of these: 2, 5 mm",
    "contains_none": "none of: 2, 5 mm",
    "list_is": "exactly 2, 5 mm",
    "has_part": "a text with one of these in it: 2, 5 mm",
    "present": "a recorded value",
    "same_as_baseline": "5 mm, as at baseline",
}


@pytest.mark.parametrize("operator", list(operators()), ids=lambda o: o.key)
def test_every_operator_reads_on_after_the_protocol_asks_for(operator):
    limit = 5.0 if operator.shape in (Shape.ONE, Shape.NOTHING) else (2.0, 5.0)
    said = str(limit_said(operator, limit, unit="mm", words={}))
    assert f"the protocol asks for {said}" == f"the protocol asks for {READ_ON[operator.key]}"


@pytest.mark.parametrize("operator", list(operators()), ids=lambda o: o.key)
def test_every_operator_says_its_limit(operator):
    said = str(operator.phrase(text("{value} {unit}", value=5, unit="mm")))
    assert "5 mm" in said or operator.shape is Shape.NOTHING
