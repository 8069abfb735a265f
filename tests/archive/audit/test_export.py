"""The trail as DICOM audit messages, against the rules of the schema in PS3.15 A.5.1.1, and as JSON lines."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.archive.audit.test_trail import event

from bingcheng.archive.audit.event import EventOutcome
from bingcheng.archive.audit.event_code import EventCode, EventType
from bingcheng.archive.audit.export import as_json_lines, as_xml, message
from bingcheng.archive.audit.trail import Recorded

# The schema's rules, written anew from PS3.15 A.5.1.1: of each element its attributes (name: pattern, whether it must
# be there), and its elements in their order (name: fewest, most).
DATE_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
CODED = (
    {
        "csd-code": (".+", True),
        "codeSystemName": (".+", True),
        "displayName": (".+", False),
        "originalText": (".+", True),
    },
    (),
)
MANY = 10**6
SCHEMA = {
    "AuditMessage": (
        {},
        (
            ("EventIdentification", 1, 1),
            ("ActiveParticipant", 1, MANY),
            ("AuditSourceIdentification", 1, 1),
            ("ParticipantObjectIdentification", 0, MANY),
        ),
    ),
    "EventIdentification": (
        {
            "EventActionCode": ("[CRUDE]", False),
            "EventDateTime": (DATE_TIME, True),
            "EventOutcomeIndicator": ("0|4|8|12", True),
        },
        (("EventID", 1, 1), ("EventTypeCode", 0, MANY), ("EventOutcomeDescription", 0, 1)),
    ),
    "ActiveParticipant": (
        {
            "UserID": (".*", True),
            "AlternativeUserID": (".*", False),
            "UserName": (".*", False),
            "UserIsRequestor": ("true|false", True),
            "NetworkAccessPointID": (".+", False),
            "NetworkAccessPointTypeCode": ("[1-5]", False),
        },
        (("RoleIDCode", 0, MANY),),
    ),
    "AuditSourceIdentification": (
        {"AuditEnterpriseSiteID": (".+", False), "AuditSourceID": (".+", True)},
        (("AuditSourceTypeCode", 0, MANY),),
    ),
    "AuditSourceTypeCode": ({"csd-code": ("[1-9]", True)}, ()),
    "ParticipantObjectIdentification": (
        {
            "ParticipantObjectID": (".+", True),
            "ParticipantObjectTypeCode": ("[1-4]", False),
            "ParticipantObjectTypeCodeRole": ("[1-9]|1[0-9]|2[0-6]", False),
        },
        (("ParticipantObjectIDTypeCode", 1, 1), ("ParticipantObjectName", 1, 1), ("ParticipantObjectDetail", 0, MANY)),
    ),
    "ParticipantObjectDetail": ({"type": (".+", True), "value": ("[A-Za-z0-9+/=]*", True)}, ()),
    "EventOutcomeDescription": ({}, ()),
    "ParticipantObjectName": ({}, ()),
    **dict.fromkeys(("EventID", "EventTypeCode", "RoleIDCode", "ParticipantObjectIDTypeCode"), CODED),
}


def conforms(element) -> None:
    attributes, inner = SCHEMA[element.tag]
    assert set(element.keys()) <= set(attributes)
    for name, (pattern, needed) in attributes.items():
        assert name in element.attrib or not needed, (element.tag, name)
        assert re.fullmatch(pattern, element.get(name, ""), re.DOTALL) or name not in element.attrib
    children = [child.tag for child in element]
    expected = []
    for name, fewest, most in inner:
        count = children.count(name)
        assert fewest <= count <= most, (element.tag, name)
        expected += [name] * count
    assert children == expected, "in the order of the schema"
    for child in element:
        conforms(child)


def parsed(recorded) -> ET.Element:
    return ET.fromstring(b"".join(as_xml(recorded, source="bingcheng@here")))  # noqa: S314 - our own


FULL = event(
    type_code=EventType.EMERGENCY_OVERRIDE_STARTED,
    code=EventCode.SECURITY_ALERT,
    outcome=EventOutcome.MINOR_FAILURE,
    roles=("radiologist", "site-admin"),
    address="10.0.0.1",
    patient="P-ABCDEFGHIJ",
    case=3,
    subject="person/4",
    reason='because <of> & "this"',
    count=5,
)


@pytest.mark.parametrize(
    "one", [event(), FULL, event(login="", person=None, studies=(), code=EventCode.USER_AUTHENTICATION)]
)
def test_a_message_conforms_to_the_schema(one):
    document = parsed([Recorded(number=1, event=one, digest="d")])
    (found,) = document
    conforms(found)


@settings(max_examples=50)
@given(words=st.text(max_size=40))
def test_it_conforms_whatever_words_it_holds(words):
    one = event(login=words, reason=words, subject=words, patient=words, address="::1")
    conforms(ET.fromstring(message(one, source="bingcheng@here")))  # noqa: S314 - our own


def test_who_what_when_and_how_it_ended_are_said():
    found = ET.fromstring(message(FULL, source="bingcheng@here"))  # noqa: S314 - our own
    identification = found.find("EventIdentification")
    assert identification.get("EventDateTime") == "2026-03-02T12:00:00.000Z"
    assert identification.get("EventOutcomeIndicator") == "4"
    assert identification.find("EventID").attrib == {
        "csd-code": "110113",
        "codeSystemName": "DCM",
        "originalText": "Security Alert",
    }
    assert [code.get("csd-code") for code in identification.findall("EventTypeCode")] == ["110127", "read-exam"]
    assert identification.findtext("EventOutcomeDescription") == 'because <of> & "this"'
    who = found.find("ActiveParticipant")
    assert (who.get("UserID"), who.get("NetworkAccessPointID")) == ("wang", "10.0.0.1")
    objects = {one.get("ParticipantObjectID"): one for one in found.findall("ParticipantObjectIdentification")}
    assert list(objects) == ["1.2.0", "P-ABCDEFGHIJ", "case/3", "person/4"]
    assert b64decode(objects["1.2.0"].find("ParticipantObjectDetail").get("value")) == b"5"
    assert objects["P-ABCDEFGHIJ"].get("ParticipantObjectTypeCodeRole") == "1"


def test_nobody_is_named():
    found = ET.fromstring(message(FULL, source="x"))  # noqa: S314 - our own
    assert all(not name.text for name in found.iter("ParticipantObjectName"))
    assert all("UserName" not in who.attrib for who in found.iter("ActiveParticipant"))


def test_json_lines_hold_the_event_and_its_seal():
    lines = list(as_json_lines([Recorded(number=4, event=FULL, digest="d")] * 2))
    said = json.loads(lines[0])
    assert (said["number"], said["digest"], said["code"], said["at"]) == (4, "d", "110113", "2026-03-02T12:00:00")
    assert all(line.count(b"\n") == 1 for line in lines)
