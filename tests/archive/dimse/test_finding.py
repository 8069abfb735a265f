"""C-FIND as PS3.4 C.4.1 has it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from pydicom.dataset import Dataset
from pynetdicom.sop_class import (
    PatientRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelFind,
)
from tests.archive.dimse.making import EXPLICIT, IMPLICIT, SPACE, Site, file_of, image

from bingcheng.archive.authorisation.spaces import hospital_space
from bingcheng.archive.dimse import finding
from bingcheng.archive.dimse.calling import Caller, opened
from bingcheng.archive.dimse.commands import C_FIND, number
from bingcheng.archive.dimse.events import EventKind
from bingcheng.archive.dimse.listener import Listener
from bingcheng.archive.dimse.peers import May, Peer, add_peer
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.people.hospital import make_hospital, set_issuer
from bingcheng.archive.problems import DISK_FULL
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import RemoteError

STUDY, PATIENT = StudyRootQueryRetrieveInformationModelFind, PatientRootQueryRetrieveInformationModelFind
NOON = datetime(2026, 3, 2, 12)  # noqa: DTZ001 - UTC, as times stand in the database
HERE = Origin(kind="import", peer="test")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Three studies, the first of two series of two slices; another hospital has one of the same patient."""
    workspace = Workspace.open(tmp_path_factory.mktemp("finding"))
    with workspace.writing() as connection:
        peer = Peer(ae_title="TESTER", networks=("127.0.0.1",), space=SPACE, may=frozenset(May))
        known = add_peer(connection, peer)
    objects = Objects.open(workspace)
    for study, series, number_ in ((1, 1, 1), (1, 1, 2), (1, 2, 1), (1, 2, 2), (2, 1, 1), (3, 1, 1)):
        objects.receive(file_of(image(study=study, series=series, number=number_)), space=SPACE, origin=HERE)
    objects.receive(file_of(image(study=1, series=7, StudyInstanceUID="1.9")), space="hospital/2", origin=HERE)
    events = []
    with Listener(workspace, objects, port=0, on_event=events.append) as listener:
        yield Site(listener=listener, workspace=workspace, objects=objects, events=events, received=[], peers=(known,))
    objects.close()
    workspace.close()


@pytest.fixture
def find(site, calling):
    """Asks, and tells the final status and the answers with their statuses."""

    def ask(level, model=STUDY, syntax=EXPLICIT, cancel_after=None, **keys):
        identifier = Dataset()
        identifier.SpecificCharacterSet = "ISO_IR 192"
        identifier.QueryRetrieveLevel = level
        for keyword, value in keys.items():
            setattr(identifier, keyword, value)
        answers, final = [], None
        with calling(site.port, [(model, syntax)]) as association:
            for place, (status, answer) in enumerate(association.send_c_find(identifier, model)):
                if status.Status in (0xFF00, 0xFF01):
                    answers.append((status.Status, answer))
                else:
                    final = status.Status
                if place + 1 == cancel_after:
                    association.send_c_cancel(1, query_model=model)
        return final, answers

    return ask


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_an_answer_holds_the_keys_that_were_asked_for_and_no_others(find, syntax):
    final, answers = find(
        "STUDY", syntax=syntax, PatientName="", StudyInstanceUID="1.2.3.2", AccessionNumber="", StudyDescription=""
    )
    ((status, answer),) = answers
    assert (final, status) == (0x0000, 0xFF00)
    assert answer.SpecificCharacterSet == "ISO_IR 192"
    assert str(answer.PatientName) == "Wang^Xiao2=王^小2"
    assert (answer.AccessionNumber, answer.StudyDescription, answer.StudyInstanceUID) == ("A2", "Thorax", "1.2.3.2")
    assert {element.keyword for element in answer} == {
        *("SpecificCharacterSet", "QueryRetrieveLevel", "RetrieveAETitle", "InstanceAvailability"),
        *("PatientName", "StudyInstanceUID", "AccessionNumber", "StudyDescription"),
    }
    assert (answer.QueryRetrieveLevel, answer.RetrieveAETitle, answer.InstanceAvailability) == (
        "STUDY",
        "BINGCHENG",
        "ONLINE",
    )


@pytest.mark.parametrize(
    ("keys", "studies"),
    [
        ({}, {1, 2, 3}),
        ({"PatientID": "KH-2"}, {2}),
        ({"PatientID": "KH-?"}, {1, 2, 3}),
        ({"PatientName": "wang^xiao3*"}, {3}),
        ({"PatientName": "王^小1"}, {1}),
        ({"PatientName": "*"}, {1, 2, 3}),
        ({"StudyDate": "20260102"}, {2}),
        ({"StudyDate": "20260102-"}, {2, 3}),
        ({"StudyDate": "-20260102"}, {1, 2}),
        ({"StudyDate": "20260102-20260103", "StudyTime": "1000-1100"}, {2, 3}),
        ({"StudyTime": "1200-"}, set()),
        ({"StudyInstanceUID": ["1.2.3.1", "1.2.3.3", "1.2.3.99"]}, {1, 3}),
        ({"ModalitiesInStudy": "CT"}, {1, 2, 3}),
        ({"ModalitiesInStudy": "MR"}, set()),
        ({"AccessionNumber": "a2"}, set()),
    ],
)
def test_studies_are_matched(find, keys, studies):
    final, answers = find("STUDY", **{"StudyInstanceUID": "", **keys})
    assert final == 0x0000
    assert {answer.StudyInstanceUID for _, answer in answers} == {f"1.2.3.{study}" for study in studies}


def test_series_and_images_are_found_below_their_study(find):
    _, series = find("SERIES", StudyInstanceUID="1.2.3.1", SeriesInstanceUID="", NumberOfSeriesRelatedInstances="")
    assert {(one.SeriesInstanceUID, one.NumberOfSeriesRelatedInstances) for _, one in series} == {
        ("1.2.3.1.1", 2),
        ("1.2.3.1.2", 2),
    }
    _, images = find(
        "IMAGE",
        StudyInstanceUID="1.2.3.1",
        SeriesInstanceUID="1.2.3.1.2",
        SOPInstanceUID="",
        Rows=None,
        InstanceNumber="2",
    )
    assert [(one.SOPInstanceUID, one.Rows) for _, one in images] == [("1.2.3.1.2.2", 8)]


def test_patients_are_told_once_each(find):
    final, answers = find("PATIENT", PATIENT, PatientID="", PatientName="", PatientBirthDate="")
    assert final == 0x0000
    assert sorted(one.PatientID for _, one in answers) == ["KH-1", "KH-2", "KH-3"]


def test_a_patient_is_told_once_with_and_without_the_default_issuer(tmp_path):
    workspace = Workspace.open(tmp_path)
    with workspace.writing() as connection:
        number_ = make_hospital(connection, name="N", code="N", now=NOON)
    objects = Objects.open(workspace)
    for study, stated in ((1, {}), (2, {"IssuerOfPatientID": "BAIHE"}), (3, {"IssuerOfPatientID": "OTHER"})):
        made = image(study=study, series=1, number=1, PatientID="K-1", **stated)
        objects.receive(file_of(made), space=hospital_space(number_), origin=HERE)
    wanted = finding.Asked(level="PATIENT", match={}, told=("PatientID",), partly=False)
    told = []
    for issuer in ("", "BAIHE"):
        with workspace.writing() as connection:
            set_issuer(connection, number_, issuer)
        told.append(len(list(finding.answers(objects, [hospital_space(number_)], wanted))))
    objects.close()
    workspace.close()
    assert told == [3, 2]


def test_a_peer_finds_nothing_of_another_hospital(find):
    _, answers = find("STUDY", PatientID="KH-1", StudyInstanceUID="")
    assert [one.StudyInstanceUID for _, one in answers] == ["1.2.3.1"]
    assert find("STUDY", StudyInstanceUID="1.9") == (0x0000, [])


@pytest.mark.parametrize(
    "keys",
    [
        {"ReferencedStudySequence": []},
        {"InstitutionName": ""},
        {"PatientAge": "065Y"},
        {"OtherPatientIDs": "7"},
        {"NumberOfStudyRelatedSeries": "2"},
    ],
)
def test_keys_that_are_not_matched_are_said_with_each_answer(find, keys):
    final, answers = find("STUDY", StudyInstanceUID="", **keys)
    assert final == 0x0000
    assert [status for status, _ in answers] == [0xFF01] * 3


@pytest.mark.parametrize(
    ("level", "model", "keys"),
    [
        ("", STUDY, {}),
        ("FRAME", STUDY, {}),
        ("PATIENT", STUDY, {}),
        ("SERIES", STUDY, {"SeriesInstanceUID": ""}),
        ("SERIES", STUDY, {"StudyInstanceUID": ["1.2.3.1", "1.2.3.2"]}),
        ("IMAGE", STUDY, {"StudyInstanceUID": "1.2.3.1"}),
        ("STUDY", PATIENT, {"StudyInstanceUID": ""}),
        ("STUDY", PATIENT, {"PatientID": "KH-*"}),
    ],
)
def test_relational_queries_and_unknown_levels_are_refused(find, site, level, model, keys):
    assert find(level, model, **keys) == (0xA900, [])
    assert site.of(EventKind.QUERIED)[-1].succeeded is False


def test_pages_are_joined_and_a_cancel_stops_them(find, monkeypatch):
    monkeypatch.setattr(finding, "PAGE", 2)
    _, answers = find("STUDY", StudyInstanceUID="")
    assert len(answers) == 3
    final, answers = find("STUDY", StudyInstanceUID="", cancel_after=1)
    assert final in (0xFE00, 0x0000)  # the answers may all be under way already


def test_each_page_is_recorded_before_it_leaves_and_none_leaves_unrecorded(find, site, monkeypatch):
    monkeypatch.setattr(finding, "PAGE", 2)
    before = len(site.of(EventKind.QUERIED))
    assert len(find("STUDY", StudyInstanceUID="")[1]) == 3
    assert find("STUDY", StudyInstanceUID="9.9") == (0x0000, [])
    assert [one.completed for one in site.of(EventKind.QUERIED)[before:]] == [2, 1, 0]
    room = [True]

    def full(_):
        if not room:
            raise RemoteError(DISK_FULL)
        room.pop()

    monkeypatch.setattr(site.listener, "_house", replace(site.listener._house, on_access=full))
    final, answers = find("STUDY", StudyInstanceUID="")
    assert (final, len(answers)) == (0xA700, 2)


def test_a_cancel_that_comes_in_time_ends_with_its_status(find, monkeypatch):
    from bingcheng.archive.dimse.association import Association  # noqa: PLC0415

    asked = iter([False, True])
    monkeypatch.setattr(Association, "cancelled", lambda *_: next(asked))
    final, answers = find("STUDY", StudyInstanceUID="")
    assert (final, len(answers)) == (0xFE00, 1)


@pytest.mark.parametrize(
    "data", [b"\xff" * 7, b"\x08\0\x52\0CS\x06\0STUDY ", bytes(400), b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff" * 400]
)
def test_garbage_for_an_identifier_ends_with_a_status_and_the_association_goes_on(site, data):
    peer = Peer(ae_title="BINGCHENG", networks=(), space=SPACE, may=frozenset(), host="127.0.0.1", port=site.port)
    association = opened(Caller(ae_title="TESTER"), peer, [(STUDY, [EXPLICIT])])
    command = {"CommandField": C_FIND, "MessageID": 1, "Priority": 0, "AffectedSOPClassUID": STUDY}
    for _ in range(2):
        association.send(association.contexts[1], command, data)
        status = number(association.answer_to(1).command, "Status")
        while status in (0xFF00, 0xFF01):
            status = number(association.answer_to(1).command, "Status")
        assert status in ((0x0000,) if b"STUDY" in data else (0xA900, 0xC000))
    association.release()
