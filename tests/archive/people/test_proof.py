"""Sessions and tokens: what proves who somebody is, and for how long."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from tests.archive.people.conftest import NOON

from bingcheng.archive.authorisation import Action, Role, Scope, decide
from bingcheng.archive.people import tables
from bingcheng.archive.people.api_token import PREFIX, make_token, revoke_token, tokens
from bingcheng.archive.people.emergency import break_glass, open_glass
from bingcheng.archive.people.hospital import change_hospital
from bingcheng.archive.people.person import make_person, set_rights
from bingcheng.archive.people.proof import of_session, of_token, used_token
from bingcheng.archive.people.secret import digest_of, new_secret
from bingcheng.archive.people.session import (
    IDLE,
    LONGEST,
    begin_session,
    end_session,
    end_sessions,
    saw,
    sessions,
)
from bingcheng.core.errors import InputError

MINUTE = timedelta(minutes=1)


@pytest.fixture
def wang(people):
    with people.writing() as connection:
        return make_person(connection, login="wang", name="Wang", hospital=1, roles=[Role.RADIOLOGIST], now=NOON)


def test_secrets_are_long_and_differ_and_only_their_digest_is_stored(people, wang):
    assert len({new_secret() for _ in range(100)}) == 100
    assert len(new_secret()) >= 43, "256 bits in base64"
    with people.writing() as connection:
        session = begin_session(connection, wang, now=NOON)
        token = make_token(connection, wang, label="x", scopes=[Scope.DICOM_READ], days=1, now=NOON)
        stored = str(
            [
                connection.execute(select(tables.session)).all(),
                connection.execute(select(tables.api_token)).all(),
            ]
        )
    for secret in (session, token):
        assert secret not in stored
        assert digest_of(secret) in stored


def test_a_session_ends_when_it_is_not_used(people, wang):
    with people.writing() as connection:
        secret = begin_session(connection, wang, now=NOON)
        assert of_session(connection, secret, NOON + IDLE - MINUTE).actor.person == wang
        assert of_session(connection, secret, NOON + IDLE) is None
        saw(connection, digest_of(secret), NOON + IDLE - MINUTE)
        assert of_session(connection, secret, NOON + IDLE) is not None


def test_a_session_ends_after_twelve_hours_however_much_it_is_used(people, wang):
    with people.writing() as connection:
        secret = begin_session(connection, wang, now=NOON)
        saw(connection, digest_of(secret), NOON + LONGEST - MINUTE)
        found = of_session(connection, secret, NOON + LONGEST - MINUTE)
        assert found.holds_until == NOON + LONGEST
        saw(connection, digest_of(secret), NOON + LONGEST)
        assert of_session(connection, secret, NOON + LONGEST) is None


@pytest.mark.parametrize("secret", ["", "x", "\udcff", "' OR 1=1 --"])
def test_what_is_no_secret_proves_nothing(people, wang, secret):
    with people.reading() as connection:
        assert of_session(connection, secret, NOON) is None
        assert of_token(connection, secret, NOON) is None


def test_a_session_is_no_token_and_a_token_no_session(people, wang):
    with people.writing() as connection:
        session = begin_session(connection, wang, now=NOON)
        token = make_token(connection, wang, label="x", scopes=[Scope.DICOM_READ], days=1, now=NOON)
        assert of_token(connection, session, NOON) is None
        assert of_session(connection, token, NOON) is None


def test_sessions_end_one_by_one_and_all_but_this_one(people, wang):
    with people.writing() as connection:
        first, second, third = (begin_session(connection, wang, now=NOON) for _ in range(3))
        end_session(connection, digest_of(first), person=wang + 1)
        assert len(sessions(connection, wang, NOON)) == 3, "another person's are left"
        end_session(connection, digest_of(first), person=wang)
        assert of_session(connection, first, NOON) is None
        end_sessions(connection, wang, but=digest_of(second))
        assert [one.digest for one in sessions(connection, wang, NOON)] == [digest_of(second)]
        assert of_session(connection, third, NOON) is None
        end_sessions(connection, wang)
        assert sessions(connection, wang, NOON) == ()


def test_old_sessions_are_swept_when_a_new_one_begins(people, wang):
    with people.writing() as connection:
        begin_session(connection, wang, now=NOON)
        begin_session(connection, wang, now=NOON + LONGEST + MINUTE)
        assert len(connection.execute(select(tables.session)).all()) == 1


def test_a_shut_account_or_hospital_proves_nothing(people, wang):
    with people.writing() as connection:
        token = make_token(connection, wang, label="x", scopes=[Scope.DICOM_READ], days=1, now=NOON)
        change_hospital(connection, 1, name="North", emergency=False, disabled_at=NOON)
        assert of_token(connection, token, NOON) is None
        change_hospital(connection, 1, name="North", emergency=False)
        assert of_token(connection, token, NOON) is not None
        set_rights(connection, wang, roles=[Role.RADIOLOGIST], disabled_at=NOON)
        assert of_token(connection, token, NOON) is None
        secret = begin_session(connection, wang, now=NOON)
        assert of_session(connection, secret, NOON) is None


def test_a_token_carries_its_scopes_and_expires_and_is_revoked(people, wang):
    with people.writing() as connection:
        secret = make_token(connection, wang, label=" PACS ", scopes=[Scope.DICOM_WRITE], days=2, now=NOON)
        assert secret.startswith(PREFIX)
        found = of_token(connection, secret, NOON + timedelta(days=2) - MINUTE)
        assert found.actor.scopes == {Scope.DICOM_WRITE}
        assert decide(found.actor, Action.SEND_OBJECTS).allowed
        assert not decide(found.actor, Action.READ_EXAM).allowed
        assert of_token(connection, secret, NOON + timedelta(days=2)) is None
        used_token(connection, found.digest, NOON)
        (listed,) = tokens(connection, wang, NOON)
        assert (listed.label, listed.used_at) == ("PACS", NOON)
        revoke_token(connection, wang + 1, listed.number, NOON)
        assert of_token(connection, secret, NOON) is not None, "another person's is left"
        revoke_token(connection, wang, listed.number, NOON)
        assert of_token(connection, secret, NOON) is None
        assert tokens(connection, wang, NOON) == ()


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ({"label": " "}, "archive.no-name"),
        ({"scopes": []}, "archive.no-scopes"),
        ({"days": 0}, "archive.wrong-span"),
        ({"days": 367}, "archive.wrong-span"),
    ],
)
def test_a_token_has_a_name_a_right_and_an_end(people, wang, named, code):
    asked = {"label": "x", "scopes": [Scope.DICOM_READ], "days": 1, **named}
    with people.writing() as connection, pytest.raises(InputError) as raised:
        make_token(connection, wang, now=NOON, **asked)
    assert raised.value.code == code


def test_an_opened_exam_closes_after_an_hour_even_for_who_is_believed(people, wang):
    with people.writing() as connection:
        change_hospital(connection, 2, name="South Hospital", emergency=True)
        secret = begin_session(connection, wang, now=NOON)
        token = make_token(connection, wang, label="x", scopes=[Scope.DICOM_READ], days=1, now=NOON)
        actor = of_session(connection, secret, NOON).actor
        until = break_glass(
            connection, actor, hospital=2, study_uid="1.2", reason="unconscious patient in the ward", now=NOON
        )
        assert of_token(connection, token, NOON).actor.broken_glass == frozenset(), "it is for the person's own eyes"
        saw(connection, digest_of(secret), NOON + timedelta(minutes=50))
        found = of_session(connection, secret, NOON + timedelta(minutes=50))
        assert found.actor.broken_glass == {"2/1.2"}
        assert found.holds_until == until == NOON + timedelta(hours=1)
        assert open_glass(connection, wang, until) == (frozenset(), None)
