"""The chain of audit events: what is recorded stays, and tampering shows."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text, update
from tests.archive.empty import empty_workspace
from tests.archive.people.conftest import on_server  # noqa: F401 - a fixture

from bingcheng.archive.audit import tables
from bingcheng.archive.audit.event import AuditEvent, EventAction, EventOutcome
from bingcheng.archive.audit.event_code import MEANINGS, EventCode, EventType
from bingcheng.archive.audit.trail import (
    GENESIS,
    Asked,
    count_events,
    events,
    events_in_pieces,
    forget_before,
    head,
    record,
    verify,
)
from bingcheng.core.errors import InputError

NOON = datetime(2026, 3, 2, 12)  # noqa: DTZ001 - UTC, as times stand in the database


def event(number: int = 0, **more) -> AuditEvent:
    asked = {
        "code": EventCode.INSTANCES_ACCESSED,
        "action": EventAction.READ,
        "outcome": EventOutcome.SUCCESS,
        "at": NOON + timedelta(minutes=number),
        "what": "read-exam",
        "login": "wang",
        "person": 1,
        "hospital": 1,
        "actor_hospital": 1,
        "studies": (f"1.2.{number}",),
        **more,
    }
    return AuditEvent(**asked)


@pytest.fixture
def trail(workspace):
    """A workspace with ten events."""
    with workspace.writing() as connection:
        for number in range(10):
            record(connection, event(number))
    return workspace


def seen(workspace, **asked):
    with workspace.reading() as connection:
        return [one.number for one in events(connection, Asked(**asked))]


def broken_at(workspace):
    with workspace.reading() as connection, pytest.raises(InputError) as raised:
        verify(connection)
    assert raised.value.code == "archive.broken-audit"
    return raised.value.reason.facts["number"]


def tamper(workspace, statement: str) -> None:
    """Change rows as somebody would who has the file: without the program, and without its trigger."""
    workspace.close()
    with sqlite3.connect(workspace.folder / "bingcheng.sqlite") as connection:
        connection.execute("DROP TRIGGER audit_event_unchangeable")
        assert connection.execute(statement).rowcount > 0
    connection.close()


def test_events_are_numbered_and_chained_from_the_beginning(trail):
    with trail.reading() as connection:
        assert verify(connection) == 10
        number, digest = head(connection)
    assert number == 10
    assert digest != GENESIS
    assert len(digest) == 64


def test_an_event_comes_back_as_it_was(workspace):
    given = event(
        type_code=EventType.LOGIN,
        outcome=EventOutcome.MAJOR_FAILURE,
        roles=("guest", "radiologist"),
        patient="P-ABC",
        case=3,
        subject="a<b>",
        reason="\0\ud800\n王",
        count=7,
    )
    with workspace.writing() as connection:
        record(connection, given)
        (found,) = events(connection, Asked())
        assert verify(connection) == 1
    assert found.event.reason.endswith("\n王")
    assert found.event == AuditEvent(
        **{**{name: getattr(given, name) for name in given.__slots__}, "reason": found.event.reason}
    )


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("UPDATE audit_event SET record = replace(record, 'wang', 'li') WHERE id = 4", 4),
        ("UPDATE audit_event SET login = 'li' WHERE id = 5", 5),
        ("UPDATE audit_event SET hospital = 2 WHERE id = 5", 5),
        ("UPDATE audit_event SET at = '2020-01-01 00:00:00.000000' WHERE id = 6", 6),
        ("UPDATE audit_event SET digest = '0' WHERE id = 10", 10),
        ("DELETE FROM audit_event WHERE id = 7", 7),
        ("DELETE FROM audit_event WHERE id = 1", 1),
        ("UPDATE audit_event SET id = 11 WHERE id = 3", 3),
        ("UPDATE audit_event SET outcome = 4 WHERE id = 5", 5),
        ("UPDATE audit_event SET actor_hospital = 2 WHERE id = 5", 5),
        ("DELETE FROM audit_study WHERE event = 5", 5),
        ("UPDATE audit_study SET study_uid = '9.9' WHERE event = 8", 8),
        ("INSERT INTO audit_study (event, study_uid) VALUES (6, '9.9')", 6),
    ],
)
def test_whatever_is_changed_is_found_where_it_was_changed(trail, statement, number):
    tamper(trail, statement)
    assert broken_at(trail) == number


@pytest.mark.parametrize(("limit", "before"), [(None, None), (4, None), (4, 7), (100, 3), (0, None)])
def test_pieces_are_the_events_without_a_transaction_that_stays_open(trail, monkeypatch, limit, before):
    monkeypatch.setattr("bingcheng.archive.audit.trail.AT_ONCE", 3)
    with trail.reading() as connection:
        whole = list(events(connection, Asked(), limit=limit, before=before))
    pieces = events_in_pieces(trail, Asked(), limit=limit, before=before)
    found = []
    for one in pieces:
        assert trail.engine.pool.checkedout() == 0
        found.append(one)
    assert found == whole


def test_an_event_in_between_is_found(trail):
    tamper(trail, "UPDATE audit_event SET id = id + 100 WHERE id > 4")
    columns = "at, hospital, actor_hospital, person, login, code, outcome, record, digest"
    tamper_again = f"INSERT INTO audit_event SELECT 5, {columns} FROM audit_event WHERE id = 4"  # noqa: S608
    with sqlite3.connect(trail.folder / "bingcheng.sqlite") as connection:
        connection.execute(tamper_again)
        connection.execute("UPDATE audit_event SET id = id - 99 WHERE id > 100")
    connection.close()
    assert broken_at(trail) == 5


def test_the_database_itself_refuses_to_change_an_event(trail):
    with pytest.raises(Exception, match="database-failed"), trail.writing() as connection:
        connection.execute(update(tables.audit_event).values(login="li"))
    with trail.reading() as connection:
        assert verify(connection) == 10


def test_old_events_are_forgotten_and_the_chain_goes_on(trail):
    with trail.writing() as connection:
        assert forget_before(connection, NOON + timedelta(minutes=4)) == 4
        assert verify(connection) == 6
        assert forget_before(connection, NOON + timedelta(minutes=4)) == 0
        assert record(connection, event(10)) == 11
        assert verify(connection) == 7
        assert forget_before(connection, NOON + timedelta(days=1)) == 7
        assert verify(connection) == 0
        assert record(connection, event(11)) == 12
        assert verify(connection) == 1
    tamper(trail, "UPDATE audit_start SET digest = 'x'")
    assert broken_at(trail) == 12


def test_only_a_beginning_is_forgotten(workspace):
    with workspace.writing() as connection:
        for minutes in (0, 10, 1, 11):  # clocks are set back
            record(connection, event(minutes))
        assert forget_before(connection, NOON + timedelta(minutes=5)) == 1
        assert verify(connection) == 3


def test_events_are_filtered(workspace):
    with workspace.writing() as connection:
        record(connection, event(0))
        record(connection, event(1, login="li", person=2, actor_hospital=2, outcome=EventOutcome.MINOR_FAILURE))
        record(connection, event(2, hospital=None, actor_hospital=None, code=EventCode.USER_AUTHENTICATION))
        record(connection, event(3, hospital=3, actor_hospital=3, studies=("1.9", "1.8", "1.9")))
        assert count_events(connection, Asked(hospital=1)) == 2
    assert seen(workspace) == [4, 3, 2, 1]
    assert seen(workspace, hospital=1) == [2, 1]
    assert seen(workspace, hospital=2) == [2], "what its people did elsewhere"
    assert seen(workspace, of_installation=True) == [3]
    assert seen(workspace, login="li") == seen(workspace, person=2) == seen(workspace, failed=True) == [2]
    assert seen(workspace, code="110114") == [3]
    assert seen(workspace, study_uid="1.8") == [4]
    assert seen(workspace, study_uid="1.8", hospital=1) == []
    assert seen(workspace, since=NOON + timedelta(minutes=1), until=NOON + timedelta(minutes=3)) == [3, 2]
    with workspace.reading() as connection:
        assert [one.number for one in events(connection, Asked(), limit=2, before=4)] == [3, 2]


def test_two_who_record_at_once_make_one_chain(workspace):
    def some(_):
        for number in range(10):
            with workspace.writing() as connection:
                record(connection, event(number))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(some, range(4)))
    with workspace.reading() as connection:
        assert verify(connection) == 40


@settings(max_examples=20)
@given(words=st.text(max_size=50), uids=st.lists(st.text("0123456789.", min_size=1, max_size=64), max_size=3))
def test_whatever_words_it_holds_the_chain_verifies(tmp_path_factory, words, uids):
    opened = empty_workspace(tmp_path_factory.mktemp("trail"))
    with opened.writing() as connection:
        record(connection, event(login=words, reason=words, studies=tuple(uids)))
        assert verify(connection) == 1
    opened.close()


def test_the_same_on_postgresql(on_server):  # noqa: F811 - the fixture
    with on_server.writing() as connection:
        for number in range(3):
            record(connection, event(number))
        assert verify(connection) == 3
        assert forget_before(connection, NOON + timedelta(minutes=1)) == 1
        assert verify(connection) == 2
        assert [one.number for one in events(connection, Asked(study_uid="1.2.2"))] == [3]
    with pytest.raises(Exception, match="database-failed"), on_server.writing() as connection:
        connection.execute(text("UPDATE audit_event SET login = 'li'"))


def test_every_code_has_the_meaning_of_the_standard():
    assert set(MEANINGS) == {*EventCode, *EventType}
    assert [code.value for code in EventCode] == [str(number) for number in range(110100, 110115)]
    assert [code.value for code in EventType] == [str(number) for number in range(110120, 110138)]
