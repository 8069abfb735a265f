"""Signing in, and slowing down who guesses."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from tests.archive.people.conftest import NOON
from tests.archive.people.quick import quick_passwords

from bingcheng.archive.authorisation import Role
from bingcheng.archive.people import tables
from bingcheng.archive.people.passwords import Passwords
from bingcheng.archive.people.person import make_person, set_rights
from bingcheng.archive.people.proof import of_session
from bingcheng.archive.people.sign_in import sign_in
from bingcheng.archive.people.throttle import FREE_PER_ADDRESS, FREE_PER_LOGIN, REMEMBERED
from bingcheng.core.errors import RefusedError

PASSWORD = "correct horse battery"  # noqa: S105 - of a person who doesn't exist
PASSWORDS = quick_passwords()


@pytest.fixture
def wang(people):
    with people.writing() as connection:
        return make_person(
            connection,
            login="wang",
            name="Wang",
            hospital=1,
            roles=[Role.RADIOLOGIST],
            now=NOON,
            password_hash=PASSWORDS.hashed(PASSWORD),
        )


def enter(people, login="wang", password=PASSWORD, address="10.0.0.1", now=NOON, passwords=PASSWORDS):
    return sign_in(people, passwords, login=login, password=password, address=address, program="test", now=now)


def code_of(*arguments, **named):
    with pytest.raises(RefusedError) as raised:
        enter(*arguments, **named)
    return raised.value.code


def test_the_right_password_begins_a_session(people, wang):
    known, secret = enter(people, " WANG ")
    assert known.number == wang
    with people.reading() as connection:
        assert of_session(connection, secret, NOON).actor.person == wang


def test_a_wrong_password_and_an_unknown_login_are_told_in_the_same_words(people, wang):
    refusals = []
    for login, password in (("wang", "wrong"), ("nobody", PASSWORD), ("", ""), ("\udcff\0", "\udcff\0")):
        with pytest.raises(RefusedError) as raised:
            enter(people, login, password)
        refusals.append(str(raised.value))
    assert len(set(refusals)) == 1


def test_an_unknown_login_takes_as_long(people, wang):
    usual = Passwords()
    with people.writing() as connection:
        connection.execute(tables.person.update().values(password_hash=usual.hashed(PASSWORD)))

    def took(login):
        began = time.process_time()
        code_of(people, login, "wrong", now=NOON, passwords=usual)
        return time.process_time() - began

    known = min(took("wang") for _ in range(3))
    unknown = min(took("nobody") for _ in range(3))
    # Without the comparison with nobody's hash it would take less than a tenth.
    assert unknown > known / 2


def test_a_shut_account_is_as_if_there_were_none(people, wang):
    with people.writing() as connection:
        set_rights(connection, wang, roles=[Role.RADIOLOGIST], disabled_at=NOON)
    assert code_of(people) == "archive.wrong-login"


@pytest.mark.parametrize("login", ["wang", "nobody"])
def test_after_some_failures_a_login_waits_longer_and_longer_whether_it_exists_or_not(people, wang, login):
    for number in range(FREE_PER_LOGIN):
        assert code_of(people, login, "wrong", address=f"10.0.0.{number}") == "archive.wrong-login"
    assert code_of(people, login, address="10.0.1.1") == "archive.too-many-failures"
    # The right password does not help while it waits; a minute later the next try is free, and costs two.
    later = NOON + timedelta(minutes=1)
    assert code_of(people, login, "wrong", address="10.0.1.2", now=later) == "archive.wrong-login"
    assert code_of(people, login, address="10.0.1.3", now=later + timedelta(minutes=1)) == "archive.too-many-failures"
    after = later + timedelta(minutes=2)
    if login == "wang":
        assert enter(people, address="10.0.1.4", now=after)
        # Who proved to be it may fail again.
        assert code_of(people, login, "wrong", now=after) == "archive.wrong-login"
    assert code_of(people, login, "wrong", now=after + REMEMBERED) == "archive.wrong-login"


def test_an_address_that_tries_many_logins_waits_too(people, wang):
    for number in range(FREE_PER_ADDRESS):
        assert code_of(people, f"login{number}", "wrong") == "archive.wrong-login"
    assert code_of(people) == "archive.too-many-failures"
    assert enter(people, address="10.0.0.2")


def test_what_was_typed_as_a_login_is_not_stored_in_plain_words(people, wang):
    code_of(people, "my password by mistake", "x")
    with people.reading() as connection:
        assert "mistake" not in str(connection.execute(select(tables.login_failure)).all())


def test_a_hash_of_older_settings_is_made_anew(people, wang):
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    with people.writing() as connection:
        connection.execute(tables.person.update().values(password_hash=weak))
    _, secret = enter(people)
    with people.reading() as connection:
        assert not PASSWORDS.outdated(connection.scalar(select(tables.person.c.password_hash)))
        assert of_session(connection, secret, NOON) is not None, "the session that has just begun stays"
