"""PS3.18 10.6: the Search transaction (QIDO-RS)."""

from __future__ import annotations

import io
from xml.etree import ElementTree as ET

import pytest
from benchmarks.exchange_objects import CT, file_of, image, uid_of
from pydicom.dataset import Dataset

STUDY, LATER = uid_of("mine"), uid_of("later")
SERIES = uid_of("mine", "a")
JSON = "application/dicom+json"
# Tables 10.6.3-3, 10.6.3-4 and 10.6.3-5: what an answer always holds.
STUDY_ATTRIBUTES = {
    *("00080020", "00080030", "00080050", "00080056", "00080061", "00080090", "00081190", "00100010", "00100020"),
    *("00100030", "00100040", "0020000D", "00200010", "00201206", "00201208"),
}
SERIES_ATTRIBUTES = {
    *("00080060", "0008103E", "00081190", "0020000E", "00200011", "00201209", "00400244", "00400245", "00400275"),
}
INSTANCE_ATTRIBUTES = {"00080016", "00080018", "00080056", "00081190", "00200013", "00280010", "00280011", "00280100"}


def uids(answer, tag: str) -> list[str]:
    return [one[tag]["Value"][0] for one in answer.json()]


@pytest.mark.parametrize(
    ("path", "count", "attributes"),
    [
        ("/studies", 2, STUDY_ATTRIBUTES),
        ("/series", 3, STUDY_ATTRIBUTES | SERIES_ATTRIBUTES),
        ("/instances", 5, STUDY_ATTRIBUTES | SERIES_ATTRIBUTES | INSTANCE_ATTRIBUTES),
        (f"/studies/{STUDY}/series", 2, SERIES_ATTRIBUTES),
        (f"/studies/{STUDY}/instances", 4, SERIES_ATTRIBUTES | INSTANCE_ATTRIBUTES),
        (f"/studies/{STUDY}/series/{SERIES}/instances", 2, INSTANCE_ATTRIBUTES),
    ],
)
class TestResources:
    """10.6.1.1 and 10.6.3.3: the six resources and what their answers hold."""

    def test_answers_hold_what_the_tables_require(self, filled, path, count, attributes):
        answer = filled.get(path, JSON)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == JSON
        assert len(answer.json()) == count
        for one in answer.json():
            assert attributes <= one.keys()
            assert all(held["vr"] and set(held) <= {"vr", "Value"} and held.get("Value") != [] for held in one.values())

    def test_what_is_found_can_be_retrieved_where_it_says(self, filled, path, count, attributes):
        for one in filled.get(path).json():
            (url,) = one["00081190"]["Value"]
            assert url.startswith("http://127.0.0.1:8080/dicomweb/studies/")
            assert filled.client.get(url).status_code == 200

    def test_nothing_found_is_an_empty_list(self, filled, path, count, attributes):
        answer = filled.get(f"{path}?PatientID=nobody", JSON)
        assert (answer.status_code, answer.json()) == (200, [])

    def test_nothing_found_has_no_parts(self, filled, path, count, attributes):
        answer = filled.get(f"{path}?PatientID=nobody", 'multipart/related; type="application/dicom+xml"')
        assert (answer.status_code, answer.content) == (204, b"")

    def test_answers_may_be_documents_of_the_native_model(self, filled, parts, path, count, attributes):
        answer = filled.get(path, 'multipart/related; type="application/dicom+xml"')
        assert answer.status_code == 200
        found = parts(answer)
        assert len(found) == count
        for (fields, document), told in zip(found, filled.get(path).json(), strict=True):
            assert fields["content-type"] == "application/dicom+xml"
            root = ET.parse(io.BytesIO(document)).getroot()  # noqa: S314 - our own
            assert [one.get("tag") for one in root] == list(told)

    def test_what_is_left_out_is_announced(self, filled, path, count, attributes):
        answer = filled.get(f"{path}?limit=1")
        assert len(answer.json()) == 1
        expected = (
            f'299 http://127.0.0.1:8080/dicomweb "There are {count - 1} additional results that can be requested"'
        )
        assert answer.headers["warning"] == expected
        assert "warning" not in filled.get(f"{path}?limit={count}").headers

    def test_pages_follow_each_other(self, filled, path, count, attributes):
        everything = filled.get(path).json()
        pages = [filled.get(f"{path}?limit=1&offset={at}") for at in range(count + 1)]
        assert [one for page in pages for one in page.json()] == everything
        beyond = [int(page.headers["warning"].split()[4]) if "warning" in page.headers else 0 for page in pages]
        assert beyond == [*range(count - 1, -1, -1), 0]

    def test_all_fields_can_be_asked_for(self, filled, path, count, attributes):
        usual, everything = filled.get(path).json()[0], filled.get(f"{path}?includefield=all").json()[0]
        assert {tag for tag, held in usual.items() if "Value" in held} <= everything.keys()
        assert filled.get(f"{path}?includefield=StudyDescription").json()[0]["00081030"]["Value"] == ["Thorax"]
        told = filled.get(f"{path}?includefield=00080070,PatientAge").json()[0]
        assert told["00101010"] == {"vr": "AS"}
        # Attributes of lower levels shall not be returned (10.6.3.3.1).
        assert ("00080070" in told) == (path != "/studies")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("PatientID=P-mine", [STUDY]),  # single value
        ("PatientID=p-mine", []),  # PS3.4 C.2.2.2.1: case matters but in names
        ("PatientName=wang*", [STUDY]),
        ("PatientName=WANG^XIAODONG", [STUDY]),
        ("PatientName=王*", [STUDY]),
        ("PatientName=*", [LATER, STUDY]),  # universal
        ("PatientName=*iao*", [STUDY]),  # wild card
        ("PatientName=L?^Na", [LATER]),
        ("StudyDate=20260302", [STUDY]),
        ("StudyDate=20260303-", [LATER]),  # ranges
        ("StudyDate=-20260303", [STUDY]),
        ("StudyDate=20260101-20261231", [LATER, STUDY]),
        ("StudyTime=100000-110000", [LATER, STUDY]),
        ("ModalitiesInStudy=MR", [LATER]),
        ("ModalitiesInStudy=CT,MR", [LATER, STUDY]),
        ("AccessionNumber=A-2", [LATER]),
        ("00080050=A-2", [LATER]),
        (f"StudyInstanceUID={STUDY},{LATER}", [LATER, STUDY]),  # list of UIDs
        (f"StudyInstanceUID={STUDY}\\{LATER}", [LATER, STUDY]),
        (f"StudyInstanceUID={STUDY}&StudyInstanceUID={LATER}", [LATER, STUDY]),
        ("PatientName=xiao&fuzzymatching=true", [STUDY]),
        ("PatientID=P-mine&StudyDate=20260401", []),  # all must match
    ],
)
def test_studies_are_matched_as_ps3_4_c_2_2_2_says(filled, query, found):
    answer = filled.get(f"/studies?{query}")
    assert answer.status_code == 200
    assert uids(answer, "0020000D") == found


@pytest.mark.parametrize(
    ("path", "tag", "found"),
    [
        (f"/series?Modality=MR&StudyInstanceUID={LATER}", "0020000E", [uid_of("later", "c")]),
        ("/series?PatientName=li*", "0020000E", [uid_of("later", "c")]),
        (f"/studies/{STUDY}/series?SeriesNumber=2", "0020000E", [uid_of("mine", "b")]),
        (f"/studies/{STUDY}/instances?InstanceNumber=2&SeriesNumber=1", "00080018", [uid_of("mine", "a", 2)]),
        (f"/instances?SOPInstanceUID={uid_of('mine', 'b', 1)}", "00080018", [uid_of("mine", "b", 1)]),
        (f"/studies/{STUDY}/series/{SERIES}/instances?SOPClassUID={CT}&InstanceNumber=1", "00080018", None),
    ],
)
def test_attributes_of_higher_levels_match_on_lower_ones(filled, path, tag, found):
    assert uids(filled.get(path), tag) == (found or [uid_of("mine", "a", 1)])


def test_requested_procedures_are_found_through_their_sequence(web):
    item = Dataset()
    item.ScheduledProcedureStepID, item.RequestedProcedureID = "SPS-1", "RP-1"
    web.put(file_of(image("asked", "a", 1, RequestAttributesSequence=[item])))
    for query in ("RequestAttributesSequence.ScheduledProcedureStepID=SPS-1", "00400275.00401001=RP-1"):
        (found,) = web.get(f"/series?{query}").json()
        assert found["00400275"]["Value"][0]["00400009"]["Value"] == ["SPS-1"]
        assert web.get(f"/series?{query}x").json() == []


@pytest.mark.parametrize(
    "query",
    ["includefield=NoSuchThing", "limit=x", "offset=-1", "fuzzymatching=perhaps", "charset=KOI8-R", "accept=nonsense"],
)
def test_an_invalid_value_is_a_bad_request(filled, query):
    # 8.3: if a supported parameter has an invalid value.
    answer = filled.get(f"/studies?{query}")
    assert answer.status_code == 400
    assert answer.json()["code"].startswith("archive.")


@pytest.mark.parametrize("name", ["NoSuchThing", "PixelData", "Rows", "99999999", "emptyvaluematching", "_"])
def test_a_parameter_that_is_not_supported_is_ignored_and_that_is_said(filled, name):
    # 8.3: it shall be as if it were not there; the answer may warn.
    answer = filled.get(f"/studies?PatientID=P-mine&{name}=1")
    assert uids(answer, "0020000D") == [STUDY]
    expected = (
        f'299 http://127.0.0.1:8080/dicomweb "The following parameters are not supported and were ignored: {name}"'
    )
    assert answer.headers["warning"] == expected


def test_two_warnings_are_told_in_one_field(filled):
    told = filled.get("/instances?limit=1&nothing=1").headers["warning"]
    assert told.count("299 ") == 2


def test_another_patients_number_is_not_the_patients(filled):
    # What stands in OtherPatientIDsSequence is not searched; it must not match the patient's own number instead.
    answer = filled.get("/studies?OtherPatientIDsSequence.00100020=P-mine")
    assert len(answer.json()) == 2
    assert "OtherPatientIDsSequence.00100020" in answer.headers["warning"]


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8;q=0.5,ISO-8859-1", '"ISO_IR 192"'])
def test_unicode_may_be_asked_for(filled, charset):
    assert filled.get("/studies", params={"charset": charset}).status_code == 200


def test_names_of_other_scripts_are_told_in_unicode(filled):
    one = filled.get("/studies?PatientID=P-mine").json()[0]
    assert one["00100010"]["Value"] == [{"Alphabetic": "Wang^XiaoDong", "Ideographic": "王^小东"}]
    assert one["00080005"]["Value"] == ["ISO_IR 192"]


def test_counts_are_of_what_is_stored(filled):
    one = filled.get("/studies?PatientID=P-mine").json()[0]
    assert (one["00201206"]["Value"], one["00201208"]["Value"]) == ([2], [4])
    assert [s["00201209"]["Value"] for s in filled.get(f"/studies/{STUDY}/series").json()] == [[2], [2]]


def test_a_large_answer_is_compressed_where_that_is_accepted(filled):
    squeezed = filled.get("/instances?includefield=all", headers={"accept-encoding": "gzip"})
    plain = filled.get("/instances?includefield=all", headers={"accept-encoding": "gzip;q=0"})
    assert squeezed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert squeezed.json() == plain.json()


def test_an_answer_that_is_not_accepted_is_406(filled):
    assert filled.get("/studies", "text/html;level=1").status_code == 406
    assert filled.get("/studies?accept=application/json", "text/html").headers["content-type"] == "application/json"
