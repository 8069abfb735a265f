"""Invitations and links to set a password anew."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.archive.people.conftest import NOON

from bingcheng.archive.authorisation import Role
from bingcheng.archive.people.invitation import (
    INVITED_FOR,
    RESET_FOR,
    accept,
    invitation,
    invitations,
    invite,
    let_reset,
    withdraw_invitation,
)
from bingcheng.archive.people.person import password_hash, person, set_password, set_rights
from bingcheng.archive.people.session import begin_session, sessions
from bingcheng.core.errors import InputError


def code_of(call, *arguments, **named):
    with pytest.raises(InputError) as raised:
        call(*arguments, **named)
    return raised.value.code


def enter(connection, secret, login="wang", now=NOON):
    return accept(connection, secret, login=login, name="Wang", password_hash="hash", now=now)  # noqa: S106 - no password


@pytest.fixture
def asked(people):
    """An open invitation to be radiologist of hospital 1, and the transaction."""
    with people.writing() as connection:
        yield connection, invite(connection, hospital=1, roles=[Role.RADIOLOGIST], by=None, now=NOON, note="Dr Wang")


def test_it_makes_one_account_of_that_hospital_and_those_roles(asked):
    connection, secret = asked
    known = person(connection, enter(connection, secret))
    assert (known.hospital, known.roles) == (1, {Role.RADIOLOGIST})
    assert code_of(enter, connection, secret, "second") == "archive.spent-invitation"
    assert invitations(connection, 1, NOON) == ()


def test_it_expires(asked):
    connection, secret = asked
    assert invitation(connection, secret, NOON + INVITED_FOR - timedelta(seconds=1)).note == "Dr Wang"
    assert code_of(invitation, connection, secret, NOON + INVITED_FOR) == "archive.spent-invitation"
    assert invitations(connection, 1, NOON + INVITED_FOR) == ()


def test_a_taken_login_does_not_spend_it(people):
    with people.writing() as connection:
        first, second = (invite(connection, hospital=1, roles=[Role.GUEST], by=None, now=NOON) for _ in range(2))
        enter(connection, first)
    with pytest.raises(InputError), people.writing() as connection:
        enter(connection, second)
    with people.writing() as connection:
        assert enter(connection, second, "other")


def test_it_is_withdrawn_by_its_own_hospital_only(asked):
    connection, secret = asked
    (listed,) = invitations(connection, 1, NOON)
    for elsewhere in (2, None):
        withdraw_invitation(connection, listed.digest, elsewhere)
        assert invitation(connection, secret, NOON)
    withdraw_invitation(connection, listed.digest, 1)
    assert code_of(invitation, connection, secret, NOON) == "archive.spent-invitation"


@pytest.mark.parametrize("secret", ["", "x", "\udcff"])
def test_what_is_no_link_is_told_in_the_same_words(asked, secret):
    assert code_of(invitation, asked[0], secret, NOON) == "archive.spent-invitation"


def test_roles_must_go_together_with_the_hospital(people):
    with people.writing() as connection:
        assert code_of(invite, connection, hospital=1, roles=[Role.PROVINCE], by=None, now=NOON) == (
            "archive.wrong-roles"
        )


def test_a_link_sets_the_password_of_its_person_once_and_an_earlier_one_no_more(asked):
    connection, secret = asked
    number = enter(connection, secret)
    begin_session(connection, number, now=NOON)
    earlier, later = (let_reset(connection, number, by=None, now=NOON) for _ in range(2))
    assert code_of(invitation, connection, earlier, NOON) == "archive.spent-invitation"
    assert code_of(invitation, connection, later, NOON + RESET_FOR) == "archive.spent-invitation"
    assert accept(connection, later, login="other", name="Other", password_hash="new", now=NOON) == number  # noqa: S106 - no password
    assert password_hash(connection, number) == "new"
    assert person(connection, number).login == "wang", "the link sets the password and nothing else"
    assert sessions(connection, number, NOON) == ()
    assert code_of(invitation, connection, later, NOON) == "archive.spent-invitation"
    assert code_of(let_reset, connection, 99, by=None, now=NOON) == "archive.not-found"


def test_a_link_for_a_password_is_spent_by_a_password_and_by_other_rights(asked):
    connection, secret = asked
    number = enter(connection, secret)
    for change in (
        lambda: set_password(connection, number, "newer"),
        lambda: set_rights(connection, number, roles=[Role.GUEST], disabled_at=None),
    ):
        link = let_reset(connection, number, by=None, now=NOON)
        change()
        assert code_of(invitation, connection, link, NOON) == "archive.spent-invitation"


@pytest.mark.parametrize(
    ("roles", "disabled_at", "holding"),
    [
        ([Role.SITE_ADMIN, Role.RADIOLOGIST], None, 2),
        ([Role.RADIOLOGIST], None, 0),
        ([Role.SITE_ADMIN], NOON, 0),
    ],
)
def test_what_somebody_could_not_invite_to_any_more_is_withdrawn(people, roles, disabled_at, holding):
    with people.writing() as connection:
        first = invite(connection, hospital=1, roles=[Role.SITE_ADMIN], by=None, now=NOON)
        admin = enter(connection, first, "admin")
        other = enter(connection, invite(connection, hospital=1, roles=[Role.GUEST], by=None, now=NOON), "other")
        invite(connection, hospital=1, roles=[Role.GUEST], by=admin, now=NOON)
        invite(connection, hospital=1, roles=[Role.SITE_ADMIN], by=admin, now=NOON)
        invite(connection, hospital=1, roles=[Role.GUEST], by=other, now=NOON)
        set_rights(connection, admin, roles=roles, disabled_at=disabled_at)
        assert len(invitations(connection, 1, NOON)) == holding + 1, "that of the other stays"


def test_the_same_on_postgresql(on_server):
    with on_server.writing() as connection:
        secret = invite(connection, hospital=None, roles=[Role.PROVINCE], by=None, now=NOON)
        number = enter(connection, secret)
        assert person(connection, number).hospital is None
        again = let_reset(connection, number, by=number, now=NOON)
        assert accept(connection, again, login="", name="", password_hash="new", now=NOON) == number  # noqa: S106 - no password
