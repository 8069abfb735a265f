"""People, their roles and what they may change alone."""

from __future__ import annotations

import pytest
from tests.archive.people.conftest import NOON

from bingcheng.archive.authorisation import Role
from bingcheng.archive.people.person import (
    anybody,
    make_person,
    person,
    person_by_login,
    person_elsewhere,
    persons,
    set_password,
    set_preferences,
    set_rights,
)
from bingcheng.archive.people.session import begin_session, sessions
from bingcheng.core.errors import InputError


def made(connection, login="wang", roles=(Role.RADIOLOGIST,), hospital: int | None = 1, **more):
    return make_person(connection, login=login, name=login.title(), hospital=hospital, roles=roles, now=NOON, **more)


def code_of(call, *arguments, **named):
    with pytest.raises(InputError) as raised:
        call(*arguments, **named)
    return raised.value.code


def test_a_login_is_one_persons_whatever_its_case(people):
    with people.writing() as connection:
        assert not anybody(connection)
        number = made(connection, " Wang ")
        assert anybody(connection)
        assert person_by_login(connection, "WANG").number == number
        assert code_of(made, connection, "wANG") == "archive.login-taken"
        assert person_by_login(connection, "nobody") is None


@pytest.mark.parametrize("login", ["", "ab", "a b c", "<script>", "x" * 65, "a/b/c", "first run"])
def test_logins_are_checked(people, login):
    with people.writing() as connection:
        assert code_of(made, connection, login) == "archive.wrong-login-name"


@pytest.mark.parametrize(
    ("roles", "hospital"),
    [
        ((), 1),
        ((Role.RADIOLOGIST,), None),
        ((Role.PROVINCE,), 1),
        ((Role.OPERATOR, Role.RADIOLOGIST), None),
        ((Role.OPERATOR, Role.RADIOLOGIST), 1),
    ],
)
def test_roles_go_together_with_belonging_to_a_hospital(people, roles, hospital):
    with people.writing() as connection:
        assert code_of(made, connection, roles=roles, hospital=hospital) == "archive.wrong-roles"


def test_changed_rights_and_a_new_password_end_all_sessions(people):
    with people.writing() as connection:
        number = made(connection)
        for change in (
            lambda: set_rights(connection, number, roles=[Role.GUEST], disabled_at=None),
            lambda: set_password(connection, number, "hash"),
        ):
            begin_session(connection, number, now=NOON)
            assert sessions(connection, number, NOON)
            change()
            assert sessions(connection, number, NOON) == ()
        assert person(connection, number).roles == {Role.GUEST}
        assert person(connection, number).local


def test_the_last_operator_stays(people):
    with people.writing() as connection:
        first = made(connection, "first", [Role.OPERATOR], None)
        assert code_of(set_rights, connection, first, roles=[Role.PROVINCE], disabled_at=None) == (
            "archive.last-operator"
        )
        assert code_of(set_rights, connection, first, roles=[Role.OPERATOR], disabled_at=NOON) == (
            "archive.last-operator"
        )
        made(connection, "second", [Role.OPERATOR], None)
        set_rights(connection, first, roles=[Role.PROVINCE], disabled_at=None)
        assert person(connection, first).roles == {Role.PROVINCE}


def test_preferences_that_are_no_choice_are_left(people):
    with people.writing() as connection:
        number = made(connection)
        set_preferences(connection, number, name="王伟", language="zh", theme="dark")
        set_preferences(connection, number, name="王伟", language="xx", theme="<b>")
        known = person(connection, number)
        assert (known.name, known.language, known.theme) == ("王伟", "zh", "dark")
        assert code_of(set_preferences, connection, number, name=" ", language="", theme="") == "archive.no-name"


def test_people_of_a_hospital_are_listed_apart(people):
    with people.writing() as connection:
        made(connection, "north")
        made(connection, "south", hospital=2)
        made(connection, "province", [Role.PROVINCE], None)
        assert [one.login for one in persons(connection, 1)] == ["north"]
        assert len(persons(connection)) == 3


def test_a_person_known_elsewhere_is_found_by_issuer_and_subject(people):
    with people.writing() as connection:
        number = made(connection, elsewhere=("https://provider", "42"))
        assert person_elsewhere(connection, "https://provider", "42").number == number
        assert person_elsewhere(connection, "https://other", "42") is None
        assert not person(connection, number).local


def test_the_same_on_postgresql(on_server):
    with on_server.writing() as connection:
        number = made(connection, "operator", [Role.OPERATOR], None, password_hash="hash")  # noqa: S106 - no password
        made(connection, "second", [Role.PROVINCE], None)  # null issuer and subject of several people don't collide
        begin_session(connection, number, now=NOON, address="::1", program="x" * 1000)
        assert len(sessions(connection, number, NOON)[0].program) == 200
        set_rights(connection, number, roles=[Role.OPERATOR], disabled_at=None)
        assert sessions(connection, number, NOON) == ()
