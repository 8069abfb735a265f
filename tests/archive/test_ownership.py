"""Whose an exam is, asked one by one and asked as a condition, is always the same."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select
from tests.archive.conftest import record

from bingcheng.archive import schema
from bingcheng.archive.objects.tables import stored_study
from bingcheng.archive.ownership import claim, first_holder, owned_by, owner
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.store import save_exam

NOON = datetime(2026, 1, 5, 12, 0)  # noqa: DTZ001 - columns hold UTC without saying so


def held(connection, space, study_uid, minutes=0):
    row = {
        "space": space,
        "study_uid": study_uid,
        "received_at": NOON + timedelta(minutes=minutes),
        "changed_at": NOON,
        "patient_differs": False,
        "attributes": "{}",
    }
    connection.execute(insert(stored_study), row)


@pytest.fixture
def hospitals(workspace):
    for uid, site in (("1.1", "North"), ("1.2", "NORTH  hospital"), ("1.3", "South"), ("1.4", "Nowhere")):
        save_exam(workspace, record(uid, site=site))
    with workspace.writing() as connection:
        north = make_hospital(connection, name="North", code="N", now=NOON, spellings=["North", "North Hospital"])
        south = make_hospital(connection, name="South", code="S", now=NOON, spellings=["South"])
    return north, south


def owned(connection, hospital):
    return set(connection.scalars(select(schema.exam.c.uid).where(owned_by(connection, hospital))))


def test_an_exam_without_objects_belongs_to_whom_its_scanner_names(workspace, hospitals):
    north, south = hospitals
    with workspace.reading() as connection:
        assert [owner(connection, uid) for uid in ("1.1", "1.2", "1.3", "1.4", "9.9")] == [
            north, north, south, None, None,
        ]  # fmt: skip
        assert owned(connection, north) == {"1.1", "1.2"}
        assert owned(connection, south) == {"1.3"}


def test_whose_copy_was_assessed_counts_more_than_what_the_header_says(workspace, hospitals):
    north, south = hospitals
    with workspace.writing() as connection:
        held(connection, f"hospital/{south}", "1.4")
        assert claim(connection, "1.4", f"hospital/{south}")
        assert owner(connection, "1.4") == south
        assert owned(connection, north) == {"1.1", "1.2"}
        assert owned(connection, south) == {"1.3", "1.4"}


def test_results_from_a_folder_stay_with_whom_the_scanner_names_whoever_sends_the_study(workspace, hospitals):
    north, south = hospitals
    with workspace.writing() as connection:
        held(connection, f"hospital/{south}", "1.1")
        assert not claim(connection, "1.1", f"hospital/{south}")
        assert owner(connection, "1.1") == north
        assert owned(connection, north) == {"1.1", "1.2"}


def test_of_two_that_sent_the_same_study_only_the_first_may_have_it_assessed(workspace, hospitals):
    north, south = hospitals
    with workspace.writing() as connection:
        held(connection, f"hospital/{south}", "1.5", minutes=1)
        held(connection, f"hospital/{north}", "1.5", minutes=0)
        assert first_holder(connection, "1.5") == f"hospital/{north}"
        assert owner(connection, "1.5") == north
        assert not claim(connection, "1.5", f"hospital/{south}")
        assert claim(connection, "1.5", f"hospital/{north}")
        assert claim(connection, "1.5", f"hospital/{north}"), "as often as it is assessed"


def test_of_two_at_the_same_moment_one_owns_it(workspace, hospitals):
    north, south = hospitals
    with workspace.writing() as connection:
        held(connection, f"hospital/{south}", "1.5")
        held(connection, f"hospital/{north}", "1.5")
        assert [one for one in hospitals if claim(connection, "1.5", f"hospital/{one}")] == [south]


def test_results_stay_with_their_hospital_when_its_objects_are_gone(workspace, hospitals):
    north, south = hospitals
    with workspace.writing() as connection:
        held(connection, f"hospital/{north}", "1.4")
        held(connection, f"hospital/{south}", "1.4", minutes=1)
        assert claim(connection, "1.4", f"hospital/{north}")
        connection.execute(delete(stored_study).where(stored_study.c.space == f"hospital/{north}"))
        assert owner(connection, "1.4") == north
        assert "1.4" not in owned(connection, south)
        assert not claim(connection, "1.4", f"hospital/{south}")


def test_a_case_s_copies_make_nobody_the_owner(workspace, hospitals):
    with workspace.writing() as connection:
        held(connection, "case/1", "1.4")
        assert first_holder(connection, "1.4") is None
        assert owner(connection, "1.4") is None
        assert all("1.4" not in owned(connection, hospital) for hospital in hospitals)


def test_hospital_one_is_not_hospital_eleven(workspace, hospitals):
    with workspace.writing() as connection:
        held(connection, "hospital/11", "1.4")
        assert claim(connection, "1.4", "hospital/11")
        assert owner(connection, "1.4") == 11
        assert "1.4" not in owned(connection, 1)
