"""Protocols for a CT console: conformant objects whose constraints say what the protocol asks."""

from __future__ import annotations

from datetime import UTC, datetime

import pydicom
import pytest
from pydicom.datadict import keyword_for_tag
from tests.outputs.procedure_protocols import CONDITIONS, complaints_of, conditional_complaints, constraints_in
from tests.protocol.test_library import GOOD

from bingcheng.core.errors import InputError
from bingcheng.outputs.ct_defined_procedure_protocol import write_ct_defined_procedure_protocol
from bingcheng.protocol.library import parse, protocol, protocols

CT = [one for one in protocols() if one.modality == "CT"]
MOMENT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def write(tmp_path):
    def made(one, **told):
        write_ct_defined_procedure_protocol(tmp_path / "p.dcm", one, by="Physicist^A", written_at=MOMENT, **told)
        return pydicom.dcmread(tmp_path / "p.dcm")

    return made


def constraints(dataset):
    """All constraints, by attribute and number of the element."""
    found, places = {}, set()
    for sequence in ("Acquisition", "Reconstruction"):
        for element in dataset[f"{sequence}ProtocolElementSpecificationSequence"].value:
            for one in element.ParametersSpecificationSequence:
                key = one.SelectorAttributeKeyword, int(element.ProtocolElementNumber)
                place = *key, str(one.SelectorSequencePointer), str(one.SelectorSequencePointerItems)
                assert place not in places, "no attribute may be constrained twice (PS3.3 C.34.9)"
                places.add(place)
                found[key] = one
    return found


def values(constraint):
    name = f"Selector{constraint.SelectorAttributeVR}Value"
    return [
        float(v) if v.__class__ is not str else v for v in (i[name].value for i in constraint.ConstraintValueSequence)
    ]


@pytest.mark.parametrize("one", CT, ids=lambda one: one.id)
@pytest.mark.parametrize("vendor", [None, "SIEMENS"])
def test_each_ct_protocol_has_the_attributes_that_the_standard_asks_for_and_no_others(write, one, vendor):
    assert complaints_of(write(one, vendor=vendor, model=vendor and "Force")) == []


def test_the_checker_complains_of_what_is_missing_empty_or_foreign(write):
    dataset = write(protocol("ct_response_recist11"))
    del dataset.EquipmentModality
    dataset.ProtocolName = ""
    dataset.PatientName = "Somebody"
    said = "\n".join(complaints_of(dataset))
    for keyword in ("EquipmentModality", "ProtocolName", "PatientName"):
        assert keyword in said


@pytest.mark.parametrize("one", CT, ids=lambda one: one.id)
@pytest.mark.parametrize("vendor", [None, "SIEMENS"])
def test_each_conditional_attribute_is_there_where_its_condition_asks_for_it(write, one, vendor):
    written = write(one, vendor=vendor, model=vendor and "Force")
    assert list(constraints_in(written))
    assert conditional_complaints(written) == []
    for scanner in written.get("ModelSpecificationSequence", ()):
        assert scanner.Manufacturer
        assert scanner.ManufacturerModelName


BROKEN = {
    "SelectorAttribute": lambda one: delattr(one, "SelectorAttribute"),
    "SelectorValueNumber": lambda one: delattr(one, "SelectorValueNumber"),
    "SelectorSequencePointer": lambda one: delattr(one, "SelectorSequencePointer"),
    "SelectorSequencePointerItems": lambda one: delattr(one, "SelectorSequencePointerItems"),
    "SelectorAttributeVR": lambda one: setattr(one, "SelectorAttributeVR", "LO"),
    "SelectorAttributeName": lambda one: setattr(one, "SelectorAttributeName", "kVp"),
    "ConstraintValueSequence": lambda one: delattr(one, "ConstraintValueSequence"),
    "Selector..Value": lambda one: setattr(one.ConstraintValueSequence[0], "SelectorLOValue", "5"),
}


@pytest.mark.parametrize("keyword", BROKEN)
def test_the_walk_over_conditions_complains_of_each_that_is_broken(write, keyword):
    dataset = write(protocol("ct_response_recist11"))
    one = next(one for one in constraints_in(dataset) if one.SelectorAttributeKeyword == "SliceThickness")
    if keyword == "SelectorAttribute":
        assert CONDITIONS[keyword][1](one)
        BROKEN[keyword](one)
        assert not CONDITIONS[keyword][1](one)
        return
    BROKEN[keyword](one)
    assert [said for said in conditional_complaints(dataset) if said.startswith(f"{keyword}:")]


def test_a_constraint_with_too_many_values_or_a_descending_range_is_complained_of(write):
    dataset = write(protocol("ct_volumetry_cqie"))
    of_range = next(one for one in constraints_in(dataset) if one.ConstraintType == "RANGE_INCL")
    of_range.ConstraintValueSequence = of_range.ConstraintValueSequence[::-1]
    assert [said for said in conditional_complaints(dataset) if said.startswith("ConstraintValueSequence:")]


def test_limits_become_constraints_at_the_place_that_the_standard_names(write):
    dataset = write(parse(GOOD, "ours.toml"))
    found = constraints(dataset)
    thickness = found["SliceThickness", 1]
    assert thickness.ConstraintType == "LESS_OR_EQUAL"
    assert values(thickness) == [2.5]  # 0.25 cm in the attribute's millimetres
    assert thickness.MeasurementUnitsCodeSequence[0].CodeValue == "mm"
    assert thickness.ConstraintViolationSignificance == "FAILURE"
    assert keyword_for_tag(thickness.SelectorSequencePointer) == "ReconstructionProtocolElementSequence"
    voltage = found["KVP", 1]
    assert (voltage.ConstraintType, values(voltage)) == ("RANGE_INCL", [100.0, 140.0])
    assert voltage.ConstraintViolationSignificance == "WARNING"
    assert [keyword_for_tag(tag) for tag in voltage.SelectorSequencePointer] == [
        "AcquisitionProtocolElementSequence",
        "CTXRayDetailsSequence",
    ]
    assert list(voltage.SelectorSequencePointerItems) == [1, 1]
    assert "Set 100 to 140 kV." in voltage.SpecificationSelectionGuidance
    # The reconstruction is made from the acquisition of the same role.
    assert values(found["SourceAcquisitionProtocolElementNumber", 1]) == [1.0]


def test_a_second_limit_on_the_same_setting_is_guidance_beside_the_one_that_asks_most(write):
    ideal = GOOD[GOOD.index('[[criteria]]\nid = "thickness"') : GOOD.index('[[criteria]]\nid = "kvp"')]
    ideal = ideal.replace('id = "thickness"', 'id = "ideal"').replace("0.25", "0.1").replace('"required"', '"ideal"')
    thickness = constraints(write(parse(GOOD + ideal, "ours.toml")))["SliceThickness", 1]
    assert values(thickness) == [2.5]
    assert "at most 0.1 cm [ideal]" in thickness.SpecificationSelectionGuidance


def test_an_unverified_limit_never_fails_a_scan(write):
    unverified = GOOD.replace(
        'trust = "verified"\nremedy = "Reconstruct', 'trust = "unverified"\nremedy = "Reconstruct'
    )
    thickness = constraints(write(parse(unverified, "ours.toml")))["SliceThickness", 1]
    assert thickness.ConstraintViolationSignificance == "INFORMATIVE"


def test_a_condition_is_said_with_the_constraint(write):
    when = 'when = [ { attribute = "PatientWeight", operator = ">", value = 90, unit = "kg" } ]\nlevel = "required"'
    thickness = constraints(write(parse(GOOD.replace('level = "required"', when, 1), "ours.toml")))["SliceThickness", 1]
    assert thickness.ConstraintViolationCondition == "patient weight: above 90 kg"


def test_limits_by_vendor_are_constraints_for_that_scanner_and_instructions_without_one(write):
    one = protocol("ct_volumetry_cqie")
    named = write(one, vendor="SIEMENS", model="Force")
    assert values(constraints(named)["ConvolutionKernel", 1]) == ["B30f"]
    assert named.ModelSpecificationSequence[0].Manufacturer == "SIEMENS"
    unnamed = write(one)
    assert ("ConvolutionKernel", 1) not in constraints(unnamed)
    assert any("SIEMENS: B30f" in one.InstructionDescription for one in unnamed.InstructionSequence)


def test_words_of_settings_are_those_of_the_standard(write):
    mode = constraints(write(protocol("ct_volumetry_cqie"), vendor="SIEMENS", model="Force"))["AcquisitionType", 1]
    assert values(mode) == ["SEQUENCED"]


@pytest.mark.parametrize("one", CT, ids=lambda one: one.id)
def test_nothing_that_is_asked_of_the_exam_is_lost(write, one):
    dataset = write(one, vendor="SIEMENS", model="Force")
    said = "\n".join(
        [str(i.InstructionDescription) for i in dataset.get("InstructionSequence", [])]
        + [str(c.get("SpecificationSelectionGuidance", "")) for c in constraints(dataset).values()]
    )
    for criterion in one.criteria:
        if criterion.scope.value in ("series", "exam", "pair"):
            assert criterion.remedy in said


def test_chinese_is_written_as_unicode(write):
    dataset = write(parse(GOOD.replace("Our liver CT", "我院肝脏 CT"), "ours.toml"))
    assert dataset.ProtocolName == "我院肝脏 CT"
    assert dataset.SpecificCharacterSet == "ISO_IR 192"


def test_the_same_protocol_at_the_same_moment_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_ct_defined_procedure_protocol(
            tmp_path / name, protocol("ct_response_recist11"), by="Physicist", written_at=MOMENT
        )
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_other_modalities_are_refused(write):
    with pytest.raises(InputError, match=r"outputs\.not-a-ct-protocol"):
        write(protocol("dwi_adc_qiba"))


def test_whoever_made_it_is_named_and_without_a_name_the_program_is(tmp_path):
    for by, named in (("Dr^Li", "Dr^Li"), ("  ", "Bingcheng")):
        write_ct_defined_procedure_protocol(tmp_path / "p.dcm", protocol("ct_response_recist11"), by=by)
        assert pydicom.dcmread(tmp_path / "p.dcm").ContentCreatorName == named
