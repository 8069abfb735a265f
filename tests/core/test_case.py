"""A case fills inputs by name, makes derived ones once, and turns every failure into a reason."""

from __future__ import annotations

import copyreg
import gc
import weakref

import pytest

from bingcheng.core.case import Case, Methods
from bingcheng.core.catalogue import Catalogue
from bingcheng.core.derived import Derived
from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.measure import Better, Estimate, Measure, Part

NO_AIR = Problem(code="test.no-air", says="there is no air ({count} voxels)", remedy="Widen it.", owner=Owner.PHYSICIST)


def described(function, *inputs, modalities=("CT",), parts=None, parameters=None):
    return Measure(
        key=function.__name__,
        label="L",
        unit="1",
        modalities=frozenset(modalities),
        source="s",
        revision=3,
        function=function,
        inputs=inputs,
        parameters=parameters or {},
        better=Better.NEITHER,
        references=(),
        budget=(),
        parts=parts or {},
        code=None,
        ibsi=None,
    )


def methods(*entries):
    measures = {e.key: e for e in entries if isinstance(e, Measure)}
    derived = {e.key: e for e in entries if isinstance(e, Derived)}
    return Methods(Catalogue(measures), Catalogue(derived))


def same(error):
    return error


def only(case, measure):
    (found,) = case.measured(measure)
    return found


def test_a_derived_input_is_made_once_for_all_measures_of_a_series_and_its_lesions():
    made = []

    def air(volume):
        made.append(volume)
        return volume + 1

    def one(air):
        return float(air)

    def two(air, lesion):
        return float(air + lesion)

    first, second = described(one, "air"), described(two, "air", "lesion")
    case = Case(
        methods(first, second, Derived(key="air", function=air, inputs=("volume",))), {"volume": 1}, modality="CT"
    )
    assert only(case, first).value == 2.0
    assert [only(case.with_lesion(n), second).value for n in (10, 20)] == [12.0, 22.0]
    assert made == [1]


def test_a_derived_input_that_failed_fails_the_same_way_without_trying_again():
    tried = []

    def air(volume):
        tried.append(volume)
        raise Undefined(NO_AIR, count=7)

    def one(air):
        return float(air)

    measure = described(one, "air")
    case = Case(methods(measure, Derived(key="air", function=air, inputs=("volume",))), {"volume": 1}, modality="CT")
    for _ in range(2):
        found = only(case, measure)
        assert found.value is None
        assert found.no_value.code == "test.no-air"
        assert str(found.no_value.reason) == "there is no air (7 voxels)"
        assert found.no_value.owner is Owner.PHYSICIST
    assert tried == [1]


@pytest.mark.parametrize("sent_elsewhere", [False, True])
def test_a_case_with_a_failed_input_is_released_without_the_garbage_collector(monkeypatch, sent_elsewhere):
    class Voxels:
        pass

    def air(volume):
        raise Undefined(NO_AIR, count=7)

    def one(air):
        return 1.0

    if sent_elsewhere:
        # What sends exceptions between machines, as a cluster does, has copies bear the frames they were raised in.
        monkeypatch.setitem(copyreg.dispatch_table, Undefined, lambda error: (same, (error,)))
    measure = described(one, "air")
    known = methods(measure, Derived(key="air", function=air, inputs=("volume",)))

    def released():
        voxels = Voxels()
        case = Case(known, {"volume": voxels}, modality="CT")
        assert only(case, measure).value is None
        assert only(case, measure).value is None
        seen = weakref.ref(voxels)
        del case, voxels
        return seen() is None

    gc.disable()
    try:
        # A thread that looks at this one's frames, as a cluster's profiler does, may hold them for a moment; a circle
        # is held every time.
        assert any(released() for _ in range(5))
    finally:
        gc.enable()


def test_a_plugins_own_fault_is_recorded_and_goes_no_further():
    def broken(volume):
        return 1 / 0

    found = only(Case(methods(m := described(broken, "volume")), {"volume": 1}, modality="CT"), m)
    assert (found.value, found.no_value.code) == (None, "core.measure-failed")
    assert "ZeroDivisionError" in str(found.no_value.reason)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_no_number_is_never_reported(value):
    def odd(volume):
        return value

    found = only(Case(methods(m := described(odd, "volume")), {"volume": 1}, modality="CT"), m)
    assert (found.value, found.no_value.code) == (None, "core.not-finite")


def test_a_measure_applies_to_its_modality_and_where_its_givens_are():
    def sharp(diffusion):
        return 1.0

    measure = described(sharp, "diffusion", modalities=("MR",))
    built = methods(measure)
    assert Case(built, {"diffusion": 1}, modality="MR").applies(measure)
    assert not Case(built, {"diffusion": 1}, modality="CT").applies(measure)
    assert not Case(built, {"volume": 1}, modality="MR").applies(measure)


def test_a_family_gives_one_measurement_a_part_with_the_parts_own_unit():
    def family(volume):
        return {"a": 1.0, "b": Estimate(2.0, 0.5)}

    parts = {"a": Part(label="A", unit="mm"), "b": Part(label="B", unit="ml")}
    a, b = Case(methods(m := described(family, "volume", parts=parts)), {"volume": 1}, modality="CT").measured(m)
    assert (a.key, a.unit, a.value) == ("family.a", "mm", 1.0)
    assert (b.key, b.unit, b.standard_uncertainty, b.expanded_uncertainty) == ("family.b", "ml", 0.5, 1.0)
    assert m.keys == ("family.a", "family.b")


def test_every_value_says_by_what_with_which_settings_and_from_what_it_was_made():
    def one(volume):
        return 1.0

    measure = described(one, "volume", parameters={"threshold": 0.41})
    case = Case(methods(measure), {"volume": 1}, modality="CT", inputs=("1.2.3",)).with_lesion(2, inputs=("1.2.4",))
    came = only(case, measure).provenance
    assert (came.measure, came.revision, dict(came.parameters)) == ("one", 3, {"threshold": 0.41})
    assert came.inputs == ("1.2.3", "1.2.4")
    assert came.version
