"""A dicompare schema becomes a protocol that asks the same; its code is never run; what is lost is said."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.exams_mr import prostate

from bingcheng.core.errors import InputError
from bingcheng.core.finding import Level, Outcome
from bingcheng.protocol.authoring.writing import written
from bingcheng.protocol.conformance import judge
from bingcheng.protocol.interchange.dicompare_import import import_dicompare
from bingcheng.protocol.library import parse


def schema(*fields, name="Axial T2", **more):
    return json.dumps({"name": "Asked", "acquisitions": {name: {"fields": list(fields), **more}}})


def imported(*fields, **more):
    return import_dicompare(schema(*fields, **more), "asked.json")


def asked(*fields):
    """Operator, limit and level of each criterion."""
    return [(one.operator, one.value, one.level) for one in imported(*fields)[0].criteria]


@pytest.mark.parametrize(
    ("field", "operator", "limit"),
    [
        ({"field": "EchoTime", "value": 90}, "==", 90.0),
        ({"field": "EchoTime", "value": "90"}, "==", 90.0),
        ({"field": "EchoTime", "value": 90, "tolerance": 10}, "between", (80.0, 100.0)),
        ({"field": "EchoTime", "min": 80, "max": 100}, "between", (80.0, 100.0)),
        ({"field": "EchoTime", "max": 100}, "<=", 100.0),
        ({"field": "EchoTime", "min": 80}, ">=", 80.0),
        ({"field": "PixelSpacing", "value": [0.5, 0.5], "tolerance": 0.1}, "all_in", (0.4, 0.6)),
        ({"field": "PixelSpacing", "value": [0.5, 0.7]}, "list_is", (0.5, 0.7)),
        ({"field": "ScanningSequence", "value": ["SE", "IR"]}, "list_is", ("SE", "IR")),
        ({"field": "ScanningSequence", "value": "SE"}, "list_is", ("SE",)),
        ({"field": "SequenceVariant", "contains_all": ["SK", "SP"]}, "contains_all", ("SK", "SP")),
        ({"field": "ContrastBolusAgent", "contains_any": ["gado", "Gd"]}, "has_part", ("gado", "Gd")),
        ({"field": "MRAcquisitionType", "value": "3D"}, "==", "3D"),
        ({"field": "Manufacturer", "value": "Siemens Healthineers"}, "==", "SIEMENS"),
        ({"field": "DiffusionBValue", "max": 800}, "max_le", 800.0),
    ],
)
def test_each_kind_of_constraint_keeps_its_meaning(field, operator, limit):
    ((said, value, level),) = asked(field)
    assert (said, level) == (operator, Level.REQUIRED)
    numbers = not isinstance(limit, str) and not (isinstance(limit, tuple) and isinstance(limit[0], str))
    assert value == (pytest.approx(limit) if numbers else limit)  # 0.5 - 0.1 is no decimal


def test_a_warning_only_recommends_and_a_graded_field_asks_twice():
    assert asked({"field": "EchoTime", "value": 90, "severity": "warning"})[0][2] is Level.RECOMMENDED
    graded = {"field": "EchoTime", "min": 80, "max": 100, "errorMin": 60, "errorMax": 120}
    assert asked(graded) == [
        ("between", (80.0, 100.0), Level.RECOMMENDED),
        ("between", (60.0, 120.0), Level.REQUIRED),
    ]
    near = {"field": "EchoTime", "value": 90, "tolerance": 5, "errorTolerance": 10}
    assert asked(near)[1] == ("between", (80.0, 100.0), Level.REQUIRED)


def test_the_acquired_matrix_asks_for_both_directions():
    protocol, _ = imported({"field": "AcquisitionMatrix", "value": [0, 320, 256, 0]})
    assert [(one.attribute, one.value) for one in protocol.criteria] == [
        ("AcquisitionMatrix", 320.0),
        ("derived.acq_matrix_phase", 256.0),
    ]


def test_the_name_of_an_acquisition_tells_which_series_it_means():
    protocol, remarks = imported({"field": "EchoTime", "max": 110}, name="Spine Sagittal T2")
    assert [(one.attribute, one.value) for one in protocol.roles[0].select] == [
        ("derived.weighting", "t2"),
        ("derived.plane", "sagittal"),
    ]
    assert remarks == ()
    protocol, remarks = imported({"field": "EchoTime", "max": 110}, name="Series 7")
    assert protocol.roles[0].select == ()
    assert [(one.where, one.lost) for one in remarks] == [("acquisitions.Series 7", False)]


def test_code_is_never_run_and_each_rule_is_named_with_its_place():
    harm = "raise SystemExit('it was run')"
    rule = {"id": "r", "name": "Voxel {shape}", "description": "Isotropic", "implementation": harm, "fields": ["X"]}
    protocol, remarks = imported({"field": "EchoTime", "max": 110}, rules=[rule])
    (remark,) = remarks
    assert remark.where == "acquisitions.Axial T2.rules[0]"
    assert remark.lost
    assert "Voxel (shape) (Isotropic)" in str(remark.what)
    assert harm not in written(protocol)


def test_a_field_that_is_not_known_here_is_said_with_its_place():
    _, remarks = imported({"field": "SAR", "max": 2}, {"field": "EchoTime", "max": 110})
    assert [one.where for one in remarks] == ["acquisitions.Axial T2.fields[0] (SAR)"]
    assert "SAR" in str(remarks[0].what)


@pytest.mark.parametrize(
    "field",
    [
        {"field": "EchoTime", "value": "long"},
        {"field": "EchoTime", "value": {"value": 90}},
        {"field": "EchoTime", "value": "1e999"},
        {"field": "EchoTime"},
        {"field": "MRAcquisitionType", "value": "4D"},
        {"field": "EchoTime", "min": 100, "max": 80},
        {"field": "ContrastBolusAgent", "value": ""},
    ],
)
def test_a_limit_that_makes_no_sense_is_left_out_and_said(field):
    protocol, remarks = imported(field, {"field": "RepetitionTime", "min": 3000})
    assert [one.attribute for one in protocol.criteria] == ["RepetitionTime"]
    assert [one.where for one in remarks if one.lost] == [f"acquisitions.Axial T2.fields[0] ({field['field']})"]


def test_a_series_of_an_acquisition_is_a_role_that_may_be_missing():
    series = [{"name": "b0", "fields": [{"field": "DiffusionBValue", "value": 0}]}]
    protocol, _ = imported({"field": "EchoTime", "max": 110}, name="Axial DWI", series=series)
    assert [role.title for role in protocol.roles] == ["Axial DWI", "Axial DWI: b0"]
    assert protocol.roles[1].select[-1].operator == "any_in"


def test_an_imported_protocol_judges_and_is_written_as_a_file_that_loads_again():
    protocol, _ = imported({"field": "SliceThickness", "max": 2.5}, {"field": "EchoTime", "max": 110})
    assert parse(written(protocol), "asked.toml") == protocol
    roles, _ = prostate()
    found = {one.criterion: one.outcome for one in judge(protocol, tuple(roles.values()))}
    assert found["role.Axial_T2"] is Outcome.PASS
    assert found["Axial_T2_SliceThickness"] is Outcome.FAIL  # 3 mm
    assert found["Axial_T2_EchoTime"] is Outcome.PASS
    assert judge(protocol, ())[0].outcome is Outcome.FAIL  # a required series that is absent


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "protocol.not-json"),
        ("{", "protocol.not-json"),
        ("[" * 100_000, "protocol.not-json"),
        ('{"name": "x", "acquisitions": {"a": {"fields": [{"field": "EchoTime", "max": NaN}]}}}', "protocol.not-json"),
        ("[]", "protocol.not-dicompare"),
        ("{}", "protocol.not-dicompare"),
        ('{"name": "x", "acquisitions": {}}', "protocol.not-dicompare"),
        ('{"name": "x", "acquisitions": {"a": {"fields": [{"min": 3}]}}}', "protocol.not-dicompare"),
        (
            '{"name": "x", "acquisitions": {"a": {"fields": [{"field": "SAR", "max": 3}]}}}',
            "protocol.nothing-carried-over",
        ),
    ],
)
def test_what_is_no_schema_is_refused_with_its_place(content, code):
    with pytest.raises(InputError) as caught:
        import_dicompare(content, "x.json")
    assert caught.value.code == code


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)
FIELD = st.fixed_dictionaries(
    {"field": st.sampled_from(["EchoTime", "ImageType", "PixelSpacing", "ProtocolName", "AcquisitionMatrix", "SAR"])},
    optional=dict.fromkeys(("value", "tolerance", "min", "max", "contains", "contains_any", "contains_all"), VALUES),
)


@given(fields=st.lists(FIELD, max_size=4), name=st.text(st.characters(), max_size=8))
def test_any_fields_give_a_protocol_that_loads_or_one_plain_refusal(fields, name):
    content = json.dumps({"name": "x", "acquisitions": {name: {"fields": fields}}})
    try:
        protocol, _ = import_dicompare(content, "x.json")
    except InputError:
        return
    assert parse(written(protocol), "x.toml") == protocol
