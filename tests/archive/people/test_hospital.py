"""Hospitals, the names that scanners write for them, and groups."""

from __future__ import annotations

import pytest
from tests.archive.conftest import record
from tests.archive.people.conftest import NOON

from bingcheng.archive.people.hospital import (
    add_spelling,
    change_hospital,
    hospital,
    hospital_of_site,
    hospitals,
    make_hospital,
    remove_spelling,
    sites_of,
    unclaimed_sites,
)
from bingcheng.archive.people.hospital_group import groups, groups_of, make_group, remove_group, set_members
from bingcheng.archive.store import save_exam
from bingcheng.core.errors import InputError


def code_of(call, *arguments, **named):
    with pytest.raises(InputError) as raised:
        call(*arguments, **named)
    return raised.value.code


def test_a_site_leads_to_its_hospital_whatever_its_case_and_spaces(people):
    with people.writing() as connection:
        assert hospital_of_site(connection, "  NORTH ") == 1
        assert hospital_of_site(connection, "Northern") is None
        assert hospital_of_site(connection, "") is None


def test_a_spelling_belongs_to_one_hospital(people):
    with people.writing() as connection:
        assert code_of(add_spelling, connection, 2, "north") == "archive.spelling-taken"
        add_spelling(connection, 1, "NORTH")
        assert hospital(connection, 1).spellings == ("North",)
        remove_spelling(connection, 2, "North")
        assert hospital_of_site(connection, "North") == 1
        remove_spelling(connection, 1, "north")
        add_spelling(connection, 2, "North  Campus")
        assert hospital(connection, 2).spellings == ("North Campus",)


def test_the_names_found_in_exams_are_offered_until_they_are_claimed(people):
    for number, name in enumerate(["North", "north", "West", "", "  "]):
        save_exam(people, record(f"1.2.{number}", site=name))
    with people.writing() as connection:
        assert unclaimed_sites(connection) == ("West",)
        assert set(sites_of(connection, 1)) == {"North", "north"}
        add_spelling(connection, 2, "WEST")
        assert unclaimed_sites(connection) == ()
        assert sites_of(connection, 2) == ("West",)


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("", "X", "archive.no-name"),
        ("x" * 129, "X", "archive.no-name"),
        ("X", "", "archive.wrong-hospital-code"),
        ("X", "a b", "archive.wrong-hospital-code"),
        ("X", "<b>", "archive.wrong-hospital-code"),
        ("X", "n", "archive.hospital-code-taken"),
    ],
)
def test_names_and_codes_are_checked(people, name, code, expected):
    with people.writing() as connection:
        assert code_of(make_hospital, connection, name=name, code=code, now=NOON) == expected


def test_a_hospital_is_changed_and_shut(people):
    with people.writing() as connection:
        change_hospital(connection, 1, name="  New   name ", emergency=True, disabled_at=NOON)
        assert [(one.name, one.emergency, one.disabled) for one in hospitals(connection)] == [
            ("New name", True, True),
            ("South Hospital", False, False),
        ]
        assert code_of(change_hospital, connection, 9, name="X", emergency=False) == "archive.not-found"
        assert code_of(hospital, connection, 9) == "archive.not-found"


def test_groups_of_hospitals(people):
    with people.writing() as connection:
        both = make_group(connection, "Both", [1, 2, 2])
        assert code_of(make_group, connection, "Both", []) == "archive.group-taken"
        assert groups(connection)[0].members == {1, 2}
        assert groups_of(connection, 2) == {both}
        set_members(connection, both, [1])
        assert groups_of(connection, 2) == frozenset()
        remove_group(connection, both)
        assert groups(connection) == ()


def test_the_same_on_postgresql(on_server):
    with on_server.writing() as connection:
        number = make_hospital(connection, name="人民医院", code="RM", now=NOON, spellings=["人民医院", "RENMIN"])
        make_group(connection, "省", [number])
    with on_server.reading() as connection:
        assert hospital_of_site(connection, "renmin") == number
        assert groups_of(connection, number)
        assert hospital(connection, number).made_at == NOON
