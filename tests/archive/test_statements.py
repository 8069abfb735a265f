"""What people state: kept, replaced, withdrawn, and never lost."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from tests.archive.conftest import record

from bingcheng.archive.statements import Statement, StatementKind, holding, state, statements, withdraw
from bingcheng.archive.store import save_exam
from bingcheng.core.errors import InputError

NOW = datetime(2026, 3, 2, 9, 0, 0)  # noqa: DTZ001 - as the database keeps it


def waiver(**facts):
    made = {
        "kind": StatementKind.WAIVER,
        "by": "Dr Li",
        "made_at": NOW,
        "protocol": "ct_response_recist11",
        "subject": "thickness",
        "site": "Harbin",
        "why": "old scanner",
        "until": date(2026, 12, 31),
    }
    return Statement(**(made | facts))


def answer(value, **facts):
    made = {
        "kind": StatementKind.ANSWER,
        "by": "Ms Wu",
        "made_at": NOW,
        "subject": "clinical.tumour",
        "exam_uid": "1.1",
    }
    return Statement(**(made | {"value": value} | facts))


@pytest.mark.parametrize("value", [True, 2.5, "HCC", (1.0, 2.0), ("a", "b")])
def test_what_was_stated_is_read_back_as_it_was(workspace, value):
    with workspace.writing() as connection:
        number = state(connection, answer(value))
    with workspace.reading() as connection:
        (kept,) = statements(connection)
    assert (kept.number, kept.statement, kept.withdrawn_at) == (number, answer(value), None)
    assert type(kept.statement.value) is type(value)


def test_a_statement_about_the_same_takes_the_earlier_ones_place_which_stays_on_record(workspace):
    later = waiver(why="part on order", made_at=NOW + timedelta(days=1))
    with workspace.writing() as connection:
        state(connection, waiver())
        state(connection, waiver(site="Suihua"))
        state(connection, later)
        held = [one.statement for one in statements(connection)]
        all_of_them = statements(connection, withdrawn=True)
    assert held == [waiver(site="Suihua"), later]
    assert [one.withdrawn_at for one in all_of_them] == [later.made_at, None, None]


def test_a_withdrawn_statement_holds_no_more_and_can_not_be_withdrawn_again(workspace):
    with workspace.writing() as connection:
        number = state(connection, waiver())
        assert withdraw(connection, number, NOW) == waiver()
        assert holding(statements(connection, withdrawn=True), StatementKind.WAIVER) == ()
        with pytest.raises(InputError) as raised:
            withdraw(connection, number, NOW)
    assert raised.value.code == "archive.no-such-statement"


def test_statements_outlive_an_exam_that_is_assessed_again(workspace):
    save_exam(workspace, record("1.1"))
    with workspace.writing() as connection:
        state(connection, answer("HCC"))
    save_exam(workspace, record("1.1"))
    with workspace.reading() as connection:
        assert len(holding(statements(connection), StatementKind.ANSWER)) == 1
