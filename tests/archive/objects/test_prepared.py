"""Statements that the driver runs give what SQLAlchemy gives, and its errors."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from bingcheng.archive.objects import prepared
from bingcheng.archive.objects.tables import stored_removal, stored_study

MOMENT = datetime(2026, 3, 2, 10, 15, 0, 250)  # noqa: DTZ001 - times are UTC without a zone
VALUES = {
    "space": "hospital/1",
    "study_uid": "1.2",
    "received_at": MOMENT,
    "changed_at": MOMENT,
    "patient_differs": True,
    "attributes": "{}",
}


def test_what_is_written_reads_back_as_if_sqlalchemy_had_written_it(anywhere):
    statement = insert(stored_study).values({name: bindparam(name) for name in VALUES}).inline()
    typed = (
        insert(stored_study)
        .values({name: bindparam(name, type_=stored_study.c[name].type) for name in VALUES})
        .inline()
    )
    with anywhere.workspace.writing() as connection:
        prepared.each(connection, typed, [VALUES, {**VALUES, "study_uid": "1.3"}])
        connection.execute(statement, {**VALUES, "study_uid": "1.4"})
    with anywhere.workspace.reading() as connection:
        rows = connection.execute(select(*(stored_study.c[name] for name in VALUES)).order_by(stored_study.c.id)).all()
    assert [row.study_uid for row in rows] == ["1.2", "1.3", "1.4"]
    assert {(row.received_at, row.changed_at, row.patient_differs) for row in rows} == {(MOMENT, MOMENT, True)}


def test_a_returned_row_is_found_within_the_transaction_and_outside_it(anywhere):
    key = bindparam("old")
    moved = update(stored_removal).where(stored_removal.c.location == key).values(location=bindparam("new"))
    moved = moved.returning(stored_removal.c.location)
    found = select(stored_removal.c.location).where(stored_removal.c.location == key)
    with anywhere.workspace.writing() as connection:
        connection.execute(insert(stored_removal), [{"location": "a"}])
        assert prepared.first(connection, moved, {"old": "a", "new": "b"}) == ("b",)
        assert prepared.first(connection, moved, {"old": "a", "new": "c"}) is None
    assert prepared.looked_up(anywhere.workspace, found, {"old": "b"}) == ("b",)
    assert prepared.looked_up(anywhere.workspace, found, {"old": "a"}) is None


def test_a_key_that_is_there_already_is_sqlalchemys_error_without_the_values(anywhere):
    statement = insert(stored_removal).values(location=bindparam("location")).inline()
    with pytest.raises(IntegrityError) as raised, anywhere.workspace.engine.begin() as connection:
        prepared.each(connection, statement, [{"location": "secret"}, {"location": "secret"}])
    assert raised.value.params is None
