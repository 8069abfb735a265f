"""The acceptance test tells a right measure from a wrong one, and survives a broken one."""

from __future__ import annotations

from bingcheng.core.case import Methods
from bingcheng.core.catalogue import ATTRIBUTE, Catalogue
from bingcheng.core.derived import Derived
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.measure import Measure, Reference, ReferenceKind, measure
from bingcheng.engine.verify import verified

ODD = Problem(code="test.odd", says="no {what}", remedy="", owner=Owner.DEVELOPER)


def answers(function, *references, **more):
    described = measure(label="x", unit="mm", modalities={"CT"}, source="x", revision=1, references=references, **more)(
        function
    )
    found = getattr(described, ATTRIBUTE)
    methods = Methods(Catalogue[Measure]({found.key: found}), Catalogue[Derived]({}))
    return list(verified(methods))


def reference(expect, *, case=lambda: {"volume": 3.0}, **more):
    return Reference(name="r", case=case, expect=expect, atol=0.5, kind=ReferenceKind.ANALYTIC, source="x", **more)


def test_a_value_within_its_tolerance_is_met_and_one_outside_is_not():
    right, wrong = answers(lambda volume: volume, reference(3.4), reference(3.6))
    assert (right.met, right.value) == (True, 3.0)
    assert not wrong.met


def test_a_measure_that_fails_is_not_met_and_says_why():
    def breaks(volume):
        raise ZeroDivisionError

    (one,) = answers(breaks, reference(1.0))
    assert not one.met
    assert "ZeroDivisionError" in str(one.reason)


def test_a_case_that_cannot_be_made_stops_nothing():
    def unmade():
        raise InputError(ODD, what="data")

    def broken():
        raise RuntimeError

    first, second, third = answers(
        lambda volume: volume, reference(1.0, case=unmade), reference(1.0, case=broken), reference(3.0)
    )
    assert (first.met, second.met, third.met) == (False, False, True)
    assert str(first.reason) == "no data"
    assert "RuntimeError" in str(second.reason)


def test_a_part_that_is_not_there_is_not_met():
    (one,) = answers(lambda volume: volume, reference(3.0, part="nope"))
    assert not one.met
    assert one.reason is not None


def test_a_measure_without_a_reference_is_not_met():
    (one,) = answers(lambda volume: volume)
    assert not one.met
    assert one.reference is None
