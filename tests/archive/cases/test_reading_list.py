"""What somebody keeps to read, has read, and has not opened yet."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, insert
from tests.archive.cases.conftest import NOON

from bingcheng.archive.audit.tables import audit_event, audit_study
from bingcheng.archive.cases import tables
from bingcheng.archive.cases.reading_list import (
    keep,
    keep_opened,
    kept,
    open_from_trail,
    opened,
    reading_list,
    set_read,
    take_off,
)


def test_what_is_read_comes_after_what_is_to_be_read_and_both_are_taken_back(two):
    first, second = two.case(), two.case()
    with two.workspace.writing() as connection:
        assert keep(connection, two.other, [first, first], NOON) == 1
        assert keep(connection, two.other, [first, second], NOON + timedelta(hours=1)) == 1
        set_read(connection, two.other, second, NOON)
        assert [one.case for one in reading_list(connection, two.other)] == [first, second]
        assert keep(connection, two.other, [second], NOON) == 0, "what was read stays so"
        assert kept(connection, two.other, second).read_at == NOON
        set_read(connection, two.other, second, None)
        assert [one.case for one in reading_list(connection, two.other)] == [second, first]
        take_off(connection, two.other, second)
        assert kept(connection, two.other, second) is None


def test_a_list_is_its_persons_alone(two):
    case = two.case()
    with two.workspace.writing() as connection:
        keep(connection, two.other, [case], NOON)
        set_read(connection, two.author, case, NOON)
        take_off(connection, two.author, case)
        assert reading_list(connection, two.author) == ()
        assert kept(connection, two.other, case).read_at is None


def test_a_case_is_new_until_it_is_opened(two):
    case, other = two.case(), two.case()
    with two.workspace.writing() as connection:
        for moment in (NOON, NOON + timedelta(days=1)):
            keep_opened(connection, two.other, case, moment)
        assert opened(connection, two.other, [case, other]) == {case}
        assert opened(connection, two.author, [case, other]) == frozenset()


def test_what_the_audit_trail_of_an_earlier_release_saw_is_not_new(two):
    case, other = two.case(), two.case()
    with two.workspace.writing() as connection:
        for number in (case, other):
            row = {"case_id": number, "number": 1, "study_uid": f"2.25.{number}", "modalities": "CT", "instances": 1}
            connection.execute(insert(tables.case_exam), row)
        event = {"at": NOON, "login": "x", "code": "x", "record": "{}", "digest": "x"}
        rows = [(1, two.other, 0, case), (2, two.other, 0, case), (3, two.author, 8, case), (4, 99, 0, other)]
        for number, person, outcome, seen in rows:
            connection.execute(
                insert(audit_event), {**event, "id": 1000 + number, "person": person, "outcome": outcome}
            )
            connection.execute(insert(audit_study), {"event": 1000 + number, "study_uid": f"2.25.{seen}"})
        connection.execute(delete(tables.case_opened))
        open_from_trail(connection)
        assert opened(connection, two.other, [case, other]) == {case}
        assert opened(connection, two.author, [case, other]) == frozenset()
