"""What was found as DICOM JSON (PS3.18 annex F) and as native DICOM model (PS3.19 A.1)."""

from __future__ import annotations

import io
import json
from xml.etree import ElementTree as ET

import pydicom
import pytest
from dicomweb_client.web import _load_xml_dataset

from bingcheng.archive.dicomweb.answers import Answers
from bingcheng.archive.dicomweb.xml import native_model

MODEL = "{http://dicom.nema.org/PS3.19/models/NativeDICOM}"


OURS = {"00080005", "00080056", "00081190"}
"""What every answer holds besides."""


def json_object(values, wanted=None, answers=None):
    found = json.loads((answers or Answers(wanted)).text(values, "http://x/y"))
    assert list(found) == sorted(found)
    return {
        tag: held for tag, held in found.items() if tag not in OURS and (tag != "00400275" or len(held) > 1 or wanted)
    }


def test_each_kind_of_value_is_written_as_its_vr_wants():
    found = json_object(
        {
            "PatientName": "Wang^XiaoDong=王^小东",
            "ModalitiesInStudy": "CT\\SEG",
            "NumberOfStudyRelatedSeries": 3,
            "SeriesNumber": "4",
            "Rows": 512,
            "SliceThickness": "2.5\\",
            "PatientID": "7",
            "StudyDescription": "",
        },
        None,
    )
    assert found["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "Wang^XiaoDong", "Ideographic": "王^小东"}]}
    assert found["00080061"] == {"vr": "CS", "Value": ["CT", "SEG"]}
    assert found["00201206"] == {"vr": "IS", "Value": [3]}
    assert found["00200011"] == {"vr": "IS", "Value": [4]}
    assert found["00280010"] == {"vr": "US", "Value": [512]}
    assert found["00180050"] == {"vr": "DS", "Value": [2.5, None]}
    assert found["00081030"] == {"vr": "LO"}


def test_another_reader_understands_it():
    found = Answers(None).text({"PatientName": "A^B=王^小=", "StudyDate": "20260101", "Rows": 3}, "http://x/y")
    dataset = pydicom.Dataset.from_json(found)
    assert (dataset.PatientName.family_name, dataset.PatientName.ideographic) == ("A", "王^小")
    assert (dataset.StudyDate, dataset.Rows, dataset.RetrieveURL) == ("20260101", 3, "http://x/y")


def test_only_what_is_wanted_is_told_and_what_is_absent_stays_empty():
    assert json_object({"PatientID": "7", "PatientSex": "F"}, ["PatientID", "StudyID"]) == {
        "00100020": {"vr": "LO", "Value": ["7"]},
        "00200010": {"vr": "SH"},
    }


def test_what_was_requested_stands_in_its_sequence():
    found = json_object({"ScheduledProcedureStepID": "S1"}, ["RequestAttributesSequence"])
    assert found == {"00400275": {"vr": "SQ", "Value": [{"00400009": {"vr": "SH", "Value": ["S1"]}}]}}
    assert json_object({}, ["RequestAttributesSequence"]) == {"00400275": {"vr": "SQ"}}


def test_a_number_that_is_none_is_told_as_it_stands():
    assert json_object({"SeriesNumber": "4a"}, None)["00200011"]["Value"] == ["4a"]


@pytest.mark.parametrize("text", ["<script>", "a & b", 'say "x"', "王小东", "bell\x07", "line\nbreak"])
def test_xml_holds_any_text(text):
    document = native_model({"00100020": {"vr": "LO", "Value": [text]}})
    (value,) = ET.parse(io.BytesIO(document)).getroot().iter(f"{MODEL}Value")  # noqa: S314 - our own
    assert value.text == text.replace("\x07", "")


def test_xml_holds_sequences_and_references_as_the_client_library_reads_them():
    document = native_model(
        {
            "00400275": {"vr": "SQ", "Value": [{"00400009": {"vr": "SH", "Value": ["S1"]}}]},
            "00280010": {"vr": "US", "Value": [12]},
        }
    )
    dataset = _load_xml_dataset(ET.parse(io.BytesIO(document)).getroot())  # noqa: S314 - our own
    assert dataset.RequestAttributesSequence[0].ScheduledProcedureStepID == "S1"
    assert dataset.Rows == 12
    root = ET.fromstring(native_model({"7FE00010": {"vr": "OW", "BulkDataURI": "http://x/y?a&b"}}))  # noqa: S314
    assert root[0][0].get("uri") == "http://x/y?a&b"


def test_xml_holds_names_by_their_components():
    document = native_model(
        {"00100010": {"vr": "PN", "Value": [{"Alphabetic": "Wang^Xiao^^Dr", "Ideographic": "王^小"}]}}
    )
    (name,) = ET.fromstring(document).iter(f"{MODEL}PersonName")  # noqa: S314 - our own
    found = {group.tag.removeprefix(MODEL): [(p.tag.removeprefix(MODEL), p.text) for p in group] for group in name}
    assert found == {
        "Alphabetic": [("FamilyName", "Wang"), ("GivenName", "Xiao"), ("NamePrefix", "Dr")],
        "Ideographic": [("FamilyName", "王"), ("GivenName", "小")],
    }


def test_rows_that_share_values_are_written_as_if_alone():
    rows = [
        {"Rows": 512, "InstanceNumber": "1", "SOPInstanceUID": "1.1"},
        {"Rows": 512, "InstanceNumber": "2", "SOPInstanceUID": "1.2", "Columns": 4},
        {"Rows": "512", "InstanceNumber": "", "SOPInstanceUID": '1."2'},
    ]
    together = Answers(None)
    assert [json_object(row, answers=together) for row in rows] == [json_object(row) for row in rows]
