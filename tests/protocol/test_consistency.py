"""Demands that can't be met together: contradicting criteria, and conditions that never hold."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.test_library import GOOD

from bingcheng.core.errors import InputError
from bingcheng.protocol.consistency import inconsistencies, satisfiable
from bingcheng.protocol.library import parse, protocols
from bingcheng.protocol.model import Demand

SECOND = """
[[criteria]]
id = "thick"
title = "Another slice thickness"
scope = "series"
roles = ["CT"]
attribute = "SliceThickness"
operator = ">="
value = 5
unit = "mm"
level = "ideal"
source = "US"
trust = "verified"
remedy = "Reconstruct at 5 mm."
owner = "technologist"
"""


def thickness(operator, value, unit="mm"):
    return Demand(attribute="SliceThickness", operator=operator, value=value, unit=unit)


def refused(content):
    with pytest.raises(InputError) as caught:
        parse(content, "ours.toml")
    return caught.value


def test_two_limits_of_one_role_that_no_value_meets_are_refused_with_both_names_and_the_line():
    error = refused(GOOD + SECOND)
    assert error.code == "protocol.contradictory-criteria"
    assert "'thickness'" in str(error)
    assert (GOOD + SECOND).splitlines()[int(error.reason.facts["line"]) - 1] == "value = 5"


def test_limits_that_leave_room_are_no_contradiction():
    parse(GOOD + SECOND.replace("value = 5", "value = 2.5"), "ours.toml")  # 0.25 cm is the other limit


def test_criteria_on_different_conditions_do_not_contradict_each_other():
    condition = 'when = [ { attribute = "derived.scan_mode", operator = "==", value = "%s" } ]\nlevel = '
    conditioned = (GOOD + SECOND.replace("level = ", condition % "axial")).replace(
        'unit = "cm"\nlevel = ', f'unit = "cm"\n{condition % "helical"}'
    )
    parse(conditioned, "ours.toml")


def test_limits_of_one_vendor_that_contradict_each_other_are_found():
    by_vendor = SECOND.replace("value = 5", "by_vendor = { GE = 1, SIEMENS = 5 }")
    error = refused(GOOD + by_vendor)
    assert error.code == "protocol.contradictory-criteria"
    parse(GOOD + by_vendor.replace("SIEMENS = 5", "SIEMENS = 2"), "ours.toml")


WHEN = 'when = [\n  { attribute = "derived.is_localiser", operator = "==", value = %s },\n]\nlevel = "required"'


def test_a_condition_that_the_roles_own_select_excludes_is_refused_at_its_line():
    content = GOOD.replace('level = "required"', WHEN % "true", 1)
    error = refused(content)
    assert error.code == "protocol.condition-never-holds"
    assert "is_localiser" in content.splitlines()[int(error.reason.facts["line"]) - 1]
    parse(GOOD.replace('level = "required"', WHEN % "false", 1), "ours.toml")


def test_conditions_that_exclude_each_other_are_refused():
    both = 'when = [\n  { attribute = "KVP", operator = "<", value = 100, unit = "kV" },\n'
    both += '  { attribute = "KVP", operator = ">", value = 120, unit = "kV" },\n]\nlevel = "required"'
    error = refused(GOOD.replace('level = "required"', both, 1))
    assert error.code == "protocol.conditions-exclude-each-other"
    assert "when[2]" in str(error.reason.facts["key"])


def test_a_limit_that_its_own_role_excludes_is_refused():
    select = '{ attribute = "SliceThickness", operator = ">=", value = 5, unit = "mm" },\n]'
    error = refused(GOOD.replace("]\nsource", f"  {select}\nsource", 1))
    assert error.code == "protocol.impossible-criterion"
    assert "'CT'" in str(error)


def test_a_role_that_selects_nothing_is_refused():
    select = '{ attribute = "derived.is_original", operator = "==", value = false },\n]'
    error = refused(GOOD.replace("]\nsource", f"  {select}\nsource", 1))
    assert error.code == "protocol.role-selects-nothing"


def test_no_shipped_protocol_contradicts_itself():
    for protocol in protocols():
        assert not list(inconsistencies(protocol)), protocol.id


@pytest.mark.parametrize(
    ("demands", "can"),
    [
        ([thickness("<=", 3), thickness(">=", 3)], True),
        ([thickness("<", 3), thickness(">=", 3)], False),
        ([thickness("<=", 3), thickness(">=", 0.3, "cm")], True),
        ([thickness("between", (1, 2)), thickness("between", (2, 3))], True),
        ([thickness("between", (1, 2)), thickness("in", (3, 5))], False),
        ([thickness("in", (1, 3)), thickness("!=", 3)], True),
        ([thickness("==", 3), thickness("!=", 3)], False),
        ([Demand(attribute="derived.plane", operator="==", value="axial")], True),
        ([Demand(attribute="derived.plane", operator="!=", value=p) for p in ("axial", "sagittal", "coronal")], False),
        ([Demand(attribute="ConvolutionKernel", operator="!=", value="B30f")], True),
        (
            [
                Demand(attribute="derived.b_values", operator="any_ge", value=800, unit="s/mm2"),
                Demand(attribute="derived.b_values", operator="max_le", value=600, unit="s/mm2"),
            ],
            False,
        ),
        (
            [
                Demand(attribute="derived.b_values", operator="any_in", value=(0, 50), unit="s/mm2"),
                Demand(attribute="derived.b_values", operator="any_ge", value=800, unit="s/mm2"),
                Demand(attribute="derived.b_values", operator="all_in", value=(0, 1000), unit="s/mm2"),
            ],
            True,
        ),
        (
            [
                Demand(attribute="derived.contrast_phases", operator="contains_all", value=("portal_venous",)),
                Demand(attribute="derived.contrast_phases", operator="contains_none", value=("portal_venous",)),
            ],
            False,
        ),
        ([thickness("present", None), thickness("<", 1)], True),
        ([Demand(attribute="SliceThickness", operator="same_as_baseline", unit="mm"), thickness("<", 1)], True),
    ],
)
def test_whether_demands_can_be_met_together(demands, can):
    assert satisfiable(demands) is can


LIMITS = st.integers(min_value=-50, max_value=50).map(lambda n: n / 4)
DEMANDS = st.one_of(
    st.tuples(st.sampled_from(["<=", "<", ">=", ">", "==", "!="]), LIMITS),
    st.tuples(st.just("between"), st.tuples(LIMITS, LIMITS).map(lambda two: (min(two), max(two)))),
)


@settings(deadline=None)
@given(st.lists(DEMANDS, min_size=1, max_size=4), LIMITS, st.floats(0.05, 0.2))
def test_demands_that_some_value_meets_are_never_called_unsatisfiable(pairs, limit, beside):
    demands = [thickness(operator, value) for operator, value in pairs]
    for value in (limit, limit + beside):
        if all(d.bound.operator.holds(value, d.value, d.bound.tolerance) for d in demands):
            assert satisfiable(demands)
