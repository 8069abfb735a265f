"""PS3.18 8.9: the Retrieve Capabilities transaction, with the document of annex H."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

WADL, JSON = "application/vnd.sun.wadl+xml", "application/json"
NAMES = {"w": "http://wadl.dev.java.net/2009/02"}
# Annex H, table H-1, for the Studies service.
METHODS = {
    "studies": {"GET", "POST"},
    "studies/{study_uid}": {"GET", "POST", "DELETE"},
    "studies/{study_uid}/metadata": {"GET"},
    "studies/{study_uid}/series": {"GET"},
    "studies/{study_uid}/series/{series_uid}": {"GET", "DELETE"},
    "studies/{study_uid}/series/{series_uid}/metadata": {"GET"},
    "studies/{study_uid}/series/{series_uid}/instances": {"GET"},
    "studies/{study_uid}/series/{series_uid}/instances/{sop_uid}": {"GET", "DELETE"},
    "studies/{study_uid}/series/{series_uid}/instances/{sop_uid}/metadata": {"GET"},
    "studies/{study_uid}/series/{series_uid}/instances/{sop_uid}/frames/{frames}": {"GET"},
    "studies/{study_uid}/instances": {"GET"},
    "series": {"GET"},
    "instances": {"GET"},
}


def asked(web, path="/", accept=WADL, who=None):
    return (who or web.client).options(f"/dicomweb{path}", headers={"accept": accept})


def resources(node, path=""):
    for one in node.findall("w:resource", NAMES):
        here = f"{path}/{one.get('path')}".strip("/")
        yield here, one
        yield from resources(one, here)


@pytest.mark.parametrize("path", ["", "/"])
def test_the_document_describes_every_resource_and_its_methods(filled, path):
    answer = asked(filled, path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, WADL)
    root = ET.fromstring(answer.content)  # noqa: S314 - our own
    assert root.tag == f"{{{NAMES['w']}}}application"
    (all_of_them,) = root.findall("w:resources", NAMES)
    assert all_of_them.get("base") == "http://127.0.0.1:8080/dicomweb/"
    found = {
        name: {one.get("name") for one in node.findall("w:method", NAMES)} for name, node in resources(all_of_them)
    }
    assert {name: found[name] for name in METHODS} == METHODS


def test_searches_say_by_what_they_match(filled):
    root = ET.fromstring(asked(filled).content)  # noqa: S314 - our own
    nodes = dict(resources(root.find("w:resources", NAMES)))
    said = {one.get("name") for one in nodes["studies"].findall("w:method[@name='GET']/w:request/w:param", NAMES)}
    assert {"PatientID", "StudyDate", "limit", "offset", "fuzzymatching", "includefield", "charset"} <= said
    assert "Modality" not in said


def test_answers_say_their_media_types(filled):
    root = ET.fromstring(asked(filled).content)  # noqa: S314 - our own
    nodes = dict(resources(root.find("w:resources", NAMES)))
    given = {
        one.get("mediaType")
        for one in nodes["studies/{study_uid}"].findall(
            "w:method[@name='GET']/w:response[@status='200']/w:representation", NAMES
        )
    }
    assert 'multipart/related; type="application/dicom"' in given
    taken = {
        one.get("mediaType")
        for one in nodes["studies"].findall("w:method[@name='POST']/w:request/w:representation", NAMES)
    }
    assert {"application/dicom", 'multipart/related; type="application/dicom+xml"'} <= taken


def test_the_same_may_be_json(filled):
    answer = asked(filled, accept=JSON)
    assert answer.headers["content-type"] == JSON
    root = answer.json()["application"]
    assert root["@xmlns"] == {"$": NAMES["w"]}
    assert {one["@path"] for one in root["resources"]["resource"]} == {"studies", "series", "instances"}


def test_who_is_not_signed_in_may_ask_what_there_is(filled):
    assert asked(filled, who=filled.browser(None)).status_code == 200


def test_other_forms_are_not_acceptable(filled):
    assert asked(filled, accept="text/html").status_code == 406


def test_a_copy_is_validated(filled):
    first = asked(filled)
    again = filled.client.options("/dicomweb/", headers={"accept": WADL, "if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
