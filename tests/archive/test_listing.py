"""The list of exams says at any time what the other tables say."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from tests.archive.conftest import MONDAY, record
from tests.archive.objects.sent import file
from tests.conftest import new_database

from bingcheng.archive.listing import BROKEN, LONGEST_WORDS, MET, OPEN, list_all, listed
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.ownership import claim
from bingcheng.archive.people.hospital import add_spelling, make_hospital, remove_spelling
from bingcheng.archive.records import Judged
from bingcheng.archive.store import save_exam, save_judged
from bingcheng.archive.worklist import Wanted, worklist
from bingcheng.archive.workspace import Workspace
from bingcheng.core.finding import Finding, Level, Outcome, Trust
from bingcheng.core.wording import text
from bingcheng.dicom.exam import Patient

NOON = datetime(2026, 1, 5, 12)  # noqa: DTZ001 - UTC, as times stand in the database
SENT = Origin(kind="dimse", peer="CT1@192.0.2.7")
BROKE, KEPT = (
    Finding(
        protocol="p",
        criterion="c",
        title=text("Thickness"),
        outcome=outcome,
        level=Level.REQUIRED,
        trust=Trust.VERIFIED,
        source="x",
        reason=text("It is so."),
    )
    for outcome in (Outcome.FAIL, Outcome.PASS)
)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """Folder and address of a workspace on either database."""
    server = None if request.param == "sqlite" else request.getfixturevalue("postgresql_server")
    return tmp_path / "workspace", server and new_database(server)


@pytest.fixture
def house(place):
    """A store of a workspace with two hospitals."""
    workspace = Workspace.open(*place)
    with workspace.writing() as connection:
        for name in ("North", "South"):
            make_hospital(connection, name=name, code=name[0], now=NOON, spellings=[name])
    objects = Objects.open(workspace)
    yield objects
    objects.close()
    workspace.close()


def rows(house) -> dict[tuple[str, str], tuple[bool, int, str]]:
    """What is listed, after it was seen to be the same as when it is written anew."""
    with house.workspace.writing() as connection:
        found = set(connection.execute(select(listed)))
        list_all(connection)
        assert set(connection.execute(select(listed))) == found
    return {(one.space, one.uid): (one.assessed, one.urgency, one.modalities) for one in found}


def receive(house, space, study, **attributes):
    house.receive(file(study=study, series=f"{study}.1", **attributes), space=space, origin=SENT)


def test_it_follows_what_is_sent_assessed_claimed_judged_renamed_and_deleted(house):
    north, south, workspace = "hospital/1", "hospital/2", house.workspace
    receive(house, north, "1.1")
    assert rows(house) == {(north, "1.1"): (False, OPEN, "\\CT\\")}
    house.receive(file(7, study="1.1", series="1.1.2", Modality="PT"), space=north, origin=SENT)
    assert rows(house) == {(north, "1.1"): (False, OPEN, "\\CT\\PT\\")}
    receive(house, south, "1.1")
    receive(house, "case/1", "1.1")
    assert rows(house).keys() == {(north, "1.1"), (south, "1.1")}
    with workspace.writing() as connection:
        assert claim(connection, "1.1", north)
    save_exam(workspace, record("1.1", site="Nobody's", performed_at=None))
    save_exam(workspace, record("1.2", site="south "))
    assert rows(house)[north, "1.1"][:2] == (True, OPEN)
    assert rows(house)[south, "1.1"][:2] == (False, OPEN), "its pictures only"
    assert rows(house)[south, "1.2"] == (True, OPEN, "\\CT\\")
    with workspace.writing() as connection:
        save_judged(
            connection, {"1.1": Judged(digest="d", findings=(BROKE,)), "1.2": Judged(digest="d", findings=(KEPT,))}
        )
    assert (rows(house)[north, "1.1"][1], rows(house)[south, "1.1"][1]) == (BROKEN, OPEN)
    assert rows(house)[south, "1.2"][1] == MET
    with workspace.writing() as connection:
        remove_spelling(connection, 2, "South")
    assert (south, "1.2") not in rows(house)
    with workspace.writing() as connection:
        add_spelling(connection, 1, "SOUTH")
    assert rows(house)[north, "1.2"][:2] == (True, MET)
    house.remove(south, "1.1")
    house.remove(north, "1.1", "1.1.2")
    assert rows(house).keys() == {(north, "1.1"), (north, "1.2")}
    house.remove(north, "1.1")
    assert rows(house).keys() == {(north, "1.1"), (north, "1.2")}, "its results stay"


def test_a_corrected_name_finds_all_exams_of_the_patient(house):
    for day, (uid, name) in enumerate((("1.1", "Wnag^Anna"), ("1.2", "Wang^Anna=王^安娜"))):
        patient = Patient(patient_id="A-1", name=name, birth_date="19600101")
        save_exam(
            house.workspace, record(uid, site="North", patient=patient, performed_at=MONDAY + timedelta(days=day))
        )
    rows(house)
    with house.workspace.reading() as connection:
        for words, count in (
            ("wang", 2),
            ("wnag", 0),
            ("王", 2),
            ("a-1", 2),
            ("\uff37ANG", 2),
            ("100%", 0),
            ("a_1", 0),
        ):
            assert worklist(connection, 1, Wanted(words=words)).total == count, words


def test_words_without_an_end_fit_into_the_index(house):
    save_exam(house.workspace, record("1.1", site="North", description="王" * 5000))
    rows(house)
    with house.workspace.reading() as connection:
        longest = [len(words) for words in connection.scalars(select(listed.c.words))]
    assert max(longest) == LONGEST_WORDS


def test_an_earlier_release_s_exams_are_listed_once_the_workspace_is_opened(place, house):
    receive(house, "hospital/1", "1.1")
    save_exam(house.workspace, record("1.2", site="South"))
    before = rows(house)
    with house.workspace.writing() as connection:
        listed.drop(connection)
    again = Workspace.open(*place)
    try:
        with again.reading() as connection:
            assert worklist(connection, 1, Wanted()).total == worklist(connection, 2, Wanted()).total == 1
        assert rows(house) == before
    finally:
        again.close()
