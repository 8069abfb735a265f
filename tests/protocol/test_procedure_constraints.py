"""What a console was set to against the DICOM protocol that it was given (PS3.3 10.25)."""

from __future__ import annotations

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from tests.outputs.procedure_protocols import acquisition, performed, reconstruction
from tests.protocol.test_library import GOOD

from bingcheng.core.errors import BingchengError, InputError
from bingcheng.core.finding import Level, Outcome
from bingcheng.outputs.ct_defined_procedure_protocol import write_ct_defined_procedure_protocol
from bingcheng.protocol.library import parse, protocol
from bingcheng.protocol.procedure_constraints import is_defined_protocol, judge_against_defined


@pytest.fixture
def defined(tmp_path):
    def made(one, change=lambda dataset: None, **told):
        path = tmp_path / "defined.dcm"
        write_ct_defined_procedure_protocol(path, one, by="Physicist", **told)
        dataset = pydicom.dcmread(path)
        change(dataset)
        dataset.save_as(path)
        return path

    return made


@pytest.fixture
def usual(tmp_path):
    return performed(tmp_path / "performed.dcm", [acquisition(1, "Thin CT")], [reconstruction(1, "Thin CT", 1)])


def outcomes(defined, done):
    return {one.criterion: one for one in judge_against_defined(defined, done)}


def test_settings_within_the_constraints_of_an_exported_protocol_pass(defined, usual):
    found = outcomes(defined(parse(GOOD, "ours.toml")), usual)
    assert {one.outcome for one in found.values()} == {Outcome.PASS}
    assert set(found) >= {"A1.KVP", "R1.SliceThickness", "R1.SourceAcquisitionProtocolElementNumber"}
    thickness = found["R1.SliceThickness"]
    assert (str(thickness.measured), str(thickness.limit), thickness.value) == ("2.5 mm", "at most 2.5 mm", 2.5)


def test_a_broken_constraint_fails_with_the_guidance_that_stands_beside_it(defined, tmp_path):
    done = performed(
        tmp_path / "p.dcm", [acquisition(1, "Thin CT", kvp=80)], [reconstruction(1, "Thin CT", 1, SliceThickness=5.0)]
    )
    found = outcomes(defined(parse(GOOD, "ours.toml")), done)
    thickness, voltage = found["R1.SliceThickness"], found["A1.KVP"]
    assert (thickness.outcome, thickness.level, thickness.gates) == (Outcome.FAIL, Level.REQUIRED, True)
    assert str(thickness.remedy) == "Reconstruct at 2.5 mm."
    assert (voltage.outcome, voltage.level, voltage.gates) == (Outcome.FAIL, Level.RECOMMENDED, False)


def test_a_value_that_was_not_stored_is_unknown_and_never_met(defined, tmp_path):
    done = performed(tmp_path / "p.dcm", [], [reconstruction(1, "Thin CT", 1, SliceThickness=None)])
    found = outcomes(defined(parse(GOOD, "ours.toml")), done)
    for name in ("R1.SliceThickness", "A1.KVP"):
        assert found[name].outcome is Outcome.UNKNOWN
        assert found[name].reason is not None
    assert found["R1.SliceThickness"].gates


def test_a_broken_constraint_whose_condition_only_people_can_read_is_open(defined, tmp_path):
    when = 'when = [ { attribute = "PatientWeight", operator = ">", value = 90, unit = "kg" } ]\nlevel = "required"'
    path = defined(parse(GOOD.replace('level = "required"', when, 1), "ours.toml"))
    done = performed(tmp_path / "p.dcm", [acquisition(1, "x")], [reconstruction(1, "x", 1, SliceThickness=5.0)])
    thickness = outcomes(path, done)["R1.SliceThickness"]
    assert (thickness.outcome, thickness.level) == (Outcome.UNKNOWN, Level.OPTIONAL)
    assert "patient weight: above 90 kg" in str(thickness.reason)


def with_constraint(kind, *values, vr="DS"):
    """A change of the constraint on the slice thickness."""

    def change(dataset):
        for one in dataset.ReconstructionProtocolElementSpecificationSequence[0].ParametersSpecificationSequence:
            if one.SelectorAttributeKeyword == "SliceThickness":
                one.ConstraintType = kind
                one.ConstraintValueSequence = []
                for value in values:
                    item = Dataset()
                    setattr(item, f"Selector{vr}Value", value)
                    one.ConstraintValueSequence.append(item)

    return change


@pytest.mark.parametrize(
    ("kind", "values", "outcome"),
    [
        ("LESS_OR_EQUAL", (2.5,), Outcome.PASS),
        ("LESS_THAN", (2.5,), Outcome.FAIL),
        ("GREATER_OR_EQUAL", (2.5,), Outcome.PASS),
        ("GREATER_THAN", (2.5,), Outcome.FAIL),
        ("EQUAL", (2.5,), Outcome.PASS),
        ("EQUAL", (3,), Outcome.FAIL),
        ("RANGE_INCL", (1, 2.5), Outcome.PASS),
        ("RANGE_INCL", (3, 5), Outcome.FAIL),
        ("RANGE_EXCL", (3, 5), Outcome.PASS),
        ("RANGE_EXCL", (1, 3), Outcome.FAIL),
        ("MEMBER_OF", (1, 2.5), Outcome.PASS),
        ("MEMBER_OF", (1, 3), Outcome.FAIL),
        ("NOT_MEMBER_OF", (1, 3), Outcome.PASS),
        ("NOT_MEMBER_OF", (1, 2.5), Outcome.FAIL),
        ("RANGE_INCL", (1,), Outcome.UNKNOWN),
        ("MEMBER_OF_CID", (1,), Outcome.UNKNOWN),
        ("LESS_OR_EQUAL", (), Outcome.UNKNOWN),
    ],
)
def test_each_kind_of_constraint_is_judged_as_the_standard_defines_it(defined, usual, kind, values, outcome):
    path = defined(parse(GOOD, "ours.toml"), with_constraint(kind, *values))
    assert outcomes(path, usual)["R1.SliceThickness"].outcome is outcome


def test_an_unconstrained_attribute_is_no_finding(defined, usual):
    path = defined(parse(GOOD, "ours.toml"), with_constraint("UNCONSTRAINED"))
    assert "R1.SliceThickness" not in outcomes(path, usual)


def test_the_path_to_a_value_goes_by_the_number_of_the_item(defined, tmp_path):
    # The second beam is constrained by its own number (C.34.9, Table C.34.9-2), and there is but one.
    def second_beam(dataset):
        for one in dataset.AcquisitionProtocolElementSpecificationSequence[0].ParametersSpecificationSequence:
            if one.SelectorAttributeKeyword == "KVP":
                one.SelectorSequencePointerItems = [1, 2]

    done = performed(tmp_path / "p.dcm", [acquisition(1, "x")], [reconstruction(1, "x", 1)])
    assert outcomes(defined(parse(GOOD, "ours.toml"), second_beam), done)["A1.KVP"].outcome is Outcome.UNKNOWN


def test_other_objects_are_refused_by_name(defined, usual, tmp_path):
    path = defined(protocol("ct_response_recist11"))
    assert is_defined_protocol(path)
    assert not is_defined_protocol(usual)
    assert not is_defined_protocol(tmp_path / "absent.dcm")
    with pytest.raises(InputError, match=r"protocol\.not-a-defined-protocol"):
        judge_against_defined(usual, usual)
    with pytest.raises(InputError, match=r"dicom\.not-a-performed-protocol"):
        judge_against_defined(path, path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=30))
def test_a_damaged_object_raises_no_other_error_than_ours(defined, usual, changes):
    path = defined(parse(GOOD, "ours.toml"))
    damaged = bytearray(path.read_bytes())
    for place, value in changes:
        damaged[int(place * (len(damaged) - 1))] = value
    path.write_bytes(damaged)
    try:
        judge_against_defined(path, usual)
    except BingchengError:
        return
