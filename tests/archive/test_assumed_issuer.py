"""Exams that name no issuer of the patient number are read as of their hospital's default one; as before without it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select
from tests.archive.conftest import MONDAY, record

from bingcheng.archive import schema
from bingcheng.archive.assumed_issuer import assumed_issuer, default_issuer
from bingcheng.archive.authorisation.spaces import hospital_space
from bingcheng.archive.listing import listed
from bingcheng.archive.objects.tables import stored_study
from bingcheng.archive.ownership import claim
from bingcheng.archive.people.hospital import (
    add_spelling,
    hospital,
    make_hospital,
    remove_spelling,
    set_issuer,
)
from bingcheng.archive.retrieval import exams
from bingcheng.archive.stated_issuers import stated_issuers
from bingcheng.archive.store import save_exam
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import InputError
from bingcheng.dicom.exam import Patient

NOON = datetime(2026, 1, 5, 12, 0)  # noqa: DTZ001 - UTC, as times stand in the database


def jane(issuer=None, number="K-1", name="Doe^Jane", born="19600101"):
    return Patient(patient_id=number, issuer=issuer, name=name, birth_date=born)


EXAMS = {
    "1.1": ("North", jane()),
    "1.2": ("North", jane("BAIHE", name="DOE^JANE")),
    "1.3": ("North Hospital", jane()),
    "1.4": ("North", jane(number="K-2", name="Roe^Ann")),
    "1.5": ("South", jane()),
    "1.6": ("North", jane("OTHER")),
    "1.7": ("North", jane(number="", name=None, born=None)),
    "1.8": ("Nowhere", jane()),
}


def filled(opened: Workspace) -> Workspace:
    with opened.writing() as connection:
        make_hospital(connection, name="North", code="N", now=NOON, spellings=["North", "North Hospital"])
        make_hospital(connection, name="South", code="S", now=NOON, spellings=["South"])
    for place, (uid, (site, patient)) in enumerate(EXAMS.items()):
        save_exam(opened, record(uid, site=site, patient=patient, performed_at=MONDAY + timedelta(days=place)))
    return opened


@pytest.fixture(params=["sqlite", "postgresql"])
def archive(request, tmp_path):
    address = None if request.param == "sqlite" else request.getfixturevalue("postgresql")
    opened = filled(Workspace.open(tmp_path / "workspace", address))
    yield opened
    opened.close()


@pytest.fixture
def house(workspace):
    return filled(workspace)


def change(archive, *, issuer, number=1):
    with archive.writing() as connection:
        return set_issuer(connection, number, issuer)


def patients(archive):
    with archive.reading() as connection:
        return {row.uid: row.patient for row in connection.execute(select(schema.exam.c.uid, schema.exam.c.patient))}


def everything(archive):
    """All that says who is whom."""
    with archive.reading() as connection:
        tables = (schema.identity, assumed_issuer, listed)
        return patients(archive), [sorted(map(str, connection.execute(select(one)))) for one in tables]


def test_one_person_with_and_without_issuer_is_one_patient_and_two_again_without_it(archive):
    before = everything(archive)
    found = change(archive, issuer=" BAIHE ")
    now = patients(archive)
    assert now["1.1"] == now["1.2"] == now["1.3"]
    assert sorted(found.moved) == ["1.1", "1.3", "1.4"]
    assert (found.joined, found.differing) == (1, 0)
    assert now["1.4"] != before[0]["1.4"], "of the issuer, even if nobody of that number is known yet"
    for uid in ("1.5", "1.6", "1.7", "1.8"):
        assert now[uid] == before[0][uid], "another hospital's, another issuer's, nobody's"
    for one in exams(archive, images=False):  # what renders results works out the pseudonym again
        assert archive.pseudonym(one.patient, one.site, one.uid) == now[one.uid]
    with archive.reading() as connection:
        assert stated_issuers(connection, 1) == {"": 4, "BAIHE": 1, "OTHER": 1}, "what headers say, not what is assumed"
        words = connection.scalar(select(listed.c.words).where(listed.c.uid == "1.1"))
        assert now["1.1"].casefold() in words
    assert change(archive, issuer="BAIHE").moved == ()
    change(archive, issuer="ELSEWHERE")
    assert len(set(patients(archive).values()) & {now["1.1"]}) == 1
    assert patients(archive)["1.1"] == patients(archive)["1.3"] != now["1.1"]
    assert change(archive, issuer="").joined == 0
    assert everything(archive) == before


def test_an_exam_that_comes_later_is_read_the_same_way_and_so_is_one_that_comes_again(house):
    change(house, issuer="BAIHE")
    save_exam(house, record("1.9", site="North", patient=jane(name="Doe^J")))
    save_exam(house, record("1.1", site="North", patient=jane()))
    now = patients(house)
    assert now["1.9"] == now["1.1"] == now["1.2"]
    save_exam(house, record("1.1", site="North", patient=jane("BAIHE")))  # its scanner was set up better
    change(house, issuer="")
    now = patients(house)
    assert now["1.1"] == now["1.2"] != now["1.9"]
    with house.reading() as connection:
        known = schema.identity.c
        name = connection.scalar(select(known.name).where(known.patient == now["1.9"]))
        assert name == "Doe^J", "as its own header says"
        assert connection.scalar(select(assumed_issuer.c.exam_uid).limit(1)) is None


def test_exams_follow_the_hospital_that_they_come_to_belong_to(house):
    change(house, issuer="BAIHE")
    with house.writing() as connection:
        add_spelling(connection, 1, "nowhere")
    assert patients(house)["1.8"] == patients(house)["1.2"]
    with house.writing() as connection:
        remove_spelling(connection, 1, "Nowhere")
    assert patients(house)["1.8"] not in {patients(house)["1.2"], patients(house)["1.5"]}
    row = {"space": hospital_space(1), "study_uid": "1.8", "received_at": NOON, "changed_at": NOON}
    with house.writing() as connection:
        connection.execute(insert(stored_study), {**row, "patient_differs": False, "attributes": "{}"})
        assert claim(connection, "1.8", hospital_space(1))
    assert patients(house)["1.8"] == patients(house)["1.2"]


def test_a_hospital_is_made_with_its_issuer(house):
    with house.writing() as connection:
        number = make_hospital(connection, name="N", code="NW", now=NOON, spellings=["Nowhere"], issuer="BAIHE")
        assert hospital(connection, number).issuer == default_issuer(connection, hospital_space(number)) == "BAIHE"
        assert default_issuer(connection, "case/1") == ""
    assert patients(house)["1.8"] == patients(house)["1.2"]


def test_different_dates_of_birth_are_counted(house):
    save_exam(house, record("1.4", site="North", patient=jane(number="K-2", born="19500101")))
    save_exam(house, record("1.9", site="North", patient=jane("BAIHE", number="K-2", born="19510101")))
    found = change(house, issuer="BAIHE")
    assert (found.joined, found.differing) == (2, 1)


@pytest.mark.parametrize("issuer", ["x" * 65, "a\\b", "a\tb", "a\nb"])
def test_what_can_be_no_issuer_is_refused(house, issuer):
    before = everything(house)
    with pytest.raises(InputError) as error:
        change(house, issuer=issuer)
    assert error.value.code == "archive.wrong-issuer"
    with pytest.raises(InputError) as error:
        change(house, issuer="BAIHE", number=9)
    assert error.value.code == "archive.not-found"
    assert everything(house) == before
