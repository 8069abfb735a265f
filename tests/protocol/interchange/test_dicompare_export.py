"""What a protocol asks and dicompare can ask stands in the schema, in DICOM's units; the rest is said."""

from __future__ import annotations

import json

import pytest

from bingcheng.protocol.interchange.dicompare_export import export_dicompare
from bingcheng.protocol.interchange.dicompare_import import import_dicompare
from bingcheng.protocol.library import protocol, protocols
from bingcheng.protocol.model import Scope


@pytest.mark.parametrize("shipped", protocols(), ids=lambda one: one.id)
def test_every_criterion_of_the_library_is_in_the_schema_or_said_to_be_lost(shipped):
    content, remarks = export_dicompare(shipped)
    exported = json.loads(content)
    fields = [field for one in exported["acquisitions"].values() for field in one["fields"]]
    lost = {remark.where.removeprefix("criteria.") for remark in remarks if remark.lost}
    for criterion in shipped.criteria:
        titled = [field for field in fields if field["notes"].startswith(f"{criterion.title}. ")]
        assert bool(titled) != (criterion.id in lost), criterion.id
        assert not titled or criterion.scope is Scope.SERIES
    assert len(exported["acquisitions"]) == len(shipped.roles)


def test_a_limit_is_exported_in_the_unit_of_dicom_and_gates_only_where_it_gates_here():
    content, _ = export_dicompare(protocol("prostate_mpmri_pirads21"))
    acquisitions = json.loads(content)["acquisitions"]
    thickness = next(f for f in acquisitions["Axial T2"]["fields"] if f["field"] == "SliceThickness")
    assert (thickness["max"], thickness["tag"], thickness["severity"]) == (3.0, "0018,0050", "error")


def test_what_came_from_a_schema_goes_back_as_it_was():
    fields = [
        {"field": "EchoTime", "min": 80.0, "max": 100.0},
        {"field": "SliceThickness", "max": 3.0},
        {"field": "ScanningSequence", "value": ["SE"]},
        {"field": "SequenceVariant", "contains_any": ["SK"]},
        {"field": "PixelSpacing", "value": [0.5, 0.5], "tolerance": 0.125},
    ]
    first, _ = import_dicompare(json.dumps({"name": "x", "acquisitions": {"Axial T2": {"fields": fields}}}), "x")
    content, remarks = export_dicompare(first)
    again = json.loads(content)["acquisitions"]["Axial T2"]["fields"]
    assert [{key: field[key] for key in asked} for field, asked in zip(again, fields, strict=True)] == fields
    assert remarks == ()
