"""Exams found by what somebody at the bedside knows: exactly, and only of the hospitals that are named."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from tests.archive.conftest import record
from tests.archive.empty import empty_workspace
from tests.archive.objects.sent import file

from bingcheng.archive.emergency_exams import Known, check_known, fitting
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.store import save_exam
from bingcheng.core.errors import InputError
from bingcheng.dicom.exam import Patient

NORTH, SOUTH = 1, 2
NOON = datetime(2026, 3, 2, 12)  # noqa: DTZ001 - UTC, as times stand in the database
JANE = Patient(patient_id="K-1", issuer=None, name="Doe^Jane^Mary^Dr", birth_date="19600101")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """North has an assessed exam of Jane and a received one of Wang; South a received one of Wang's number."""
    opened = empty_workspace(tmp_path_factory.mktemp("emergency") / "workspace")
    with opened.writing() as connection:
        for name in ("North", "South"):
            make_hospital(connection, name=name, code=name[0], now=NOON, spellings=[name])
    save_exam(opened, record("1.5.1", site="North", patient=JANE, performed_at=datetime(2026, 1, 5, 9)))  # noqa: DTZ001
    save_exam(opened, record("1.5.2", site="North", patient=JANE, performed_at=datetime(2026, 2, 5, 9)))  # noqa: DTZ001
    save_exam(opened, record("1.5.3", site="nobody's", patient=JANE))
    objects, sent = Objects.open(opened), Origin(kind="stow", peer="test")
    objects.receive(file(), space="hospital/1", origin=sent)
    objects.receive(
        file(study="1.6", series="1.6.1", PatientName="Li^Na", AccessionNumber="50%_\\A*"),
        space="hospital/2",
        origin=sent,
    )
    yield opened
    objects.close()
    opened.close()


def found(workspace, hospitals=(NORTH, SOUTH), **known):
    with workspace.reading() as connection:
        return [one.study_uid for one in fitting(connection, check_known(Known(**known)), hospitals)]


def test_by_number_and_birth_the_newest_comes_first(workspace):
    assert found(workspace, number="K-1", birth_date="1960-01-01") == ["1.5.2", "1.5.1"]
    assert found(workspace, number=" K-1 ", birth_date="19600101") == ["1.5.2", "1.5.1"]
    assert found(workspace, number="Ｋ-１", birth_date="1960-01-01") == ["1.5.2", "1.5.1"], "typed wide"
    assert found(workspace, number="P1", birth_date="1970-01-01") == ["1.6", "1.2.3"]


@pytest.mark.parametrize(
    "name", ["王小东", "王 小东", "Wang Xiaodong", "xiaodong WANG", "Wang^XiaoDong", "Wang, Xiao Dong"]
)
def test_by_number_and_name_in_any_script_and_order(workspace, name):
    assert found(workspace, number="P1", name=name) == ["1.2.3"]


@pytest.mark.parametrize("name", ["Jane Doe", "Doe, Jane", "Doe Jane Mary Dr"])
def test_titles_and_middle_names_may_be_left_out(workspace, name):
    assert found(workspace, number="K-1", name=name) == ["1.5.2", "1.5.1"]


def test_by_the_order(workspace):
    assert found(workspace, accession="A1") == ["1.2.3"]
    assert found(workspace, accession="50%_\\A*") == ["1.6"], "such characters are what they are"


def test_it_tells_no_more_than_is_needed_to_choose(workspace):
    with workspace.reading() as connection:
        (one,) = fitting(connection, check_known(Known(accession="A1")), [NORTH])
    assert (one.hospital, one.at, one.modalities, one.description) == (NORTH, date(2026, 1, 5), ("CT",), "Chest CT")


@pytest.mark.parametrize(
    "known",
    [
        {"number": "K-1", "birth_date": "1960-01-02"},
        {"number": "K-1", "name": "Doe"},
        {"number": "K-1", "name": "Jane"},
        {"number": "K-1", "name": "Doe Jan"},
        {"number": "k-1", "birth_date": "1960-01-01"},
        {"number": "K-1", "birth_date": "1960-01-01", "name": "Roe Jane"},
        {"number": "K-1", "birth_date": "1960-01-01", "accession": "A1"},
        {"accession": "A"},
        {"accession": "a1"},
    ],
)
def test_what_fits_in_part_is_not_found(workspace, known):
    assert found(workspace, **known) == []


@pytest.mark.parametrize("wild", ["*", "?", "%", "_", "\\", "K*", "K-?", "K%", "K__", "K[-]1", "%' OR '1'='1"])
def test_nothing_stands_for_other_characters(workspace, wild):
    assert found(workspace, number=wild, birth_date="1960-01-01") == []
    assert found(workspace, number="K-1", name=wild) == []
    assert found(workspace, number="K-1", name=f"Doe {wild}") == []
    assert found(workspace, accession=wild) == []


def test_exams_of_other_hospitals_and_of_nobody_are_not_found(workspace):
    assert found(workspace, [SOUTH], number="K-1", birth_date="1960-01-01") == []
    assert found(workspace, [SOUTH], number="P1", birth_date="1970-01-01") == ["1.6"]
    assert found(workspace, [], accession="A1") == []


@pytest.mark.parametrize("odd", ["\x00", "K\x00-1", "\ud800", "1" * 10_000, "\U0010ffff", "\u202eK-1"])
def test_odd_characters_are_looked_for_and_not_found(workspace, odd):
    assert found(workspace, number=f"{odd}9", birth_date="1960-01-01") == []
    assert found(workspace, number="K-1", name=f"{odd}9") == []
    assert found(workspace, accession=f"{odd}9") == []


@pytest.mark.parametrize(
    "known",
    [
        {},
        {"number": "K-1"},
        {"number": "K-1", "name": " ^ "},
        {"name": "Doe Jane", "birth_date": "1960-01-01"},
        {"number": " ", "birth_date": "1960-01-01"},
        {"accession": " "},
        {"number": "K-1", "birth_date": "yesterday"},
        {"number": "K-1", "name": "Doe Jane", "birth_date": "1960"},
    ],
)
def test_too_little_is_refused_before_anything_is_looked_up(known):
    with pytest.raises(InputError) as raised:
        check_known(Known(**known))
    assert raised.value.code == "archive.not-enough-known"
