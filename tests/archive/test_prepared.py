"""Statements that the driver runs give what SQLAlchemy gives, and its errors."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from tests.archive.empty import empty_workspace

from bingcheng.archive import prepared
from bingcheng.archive.objects.tables import stored_removal, stored_study
from bingcheng.archive.workspace import Workspace

MOMENT = datetime(2026, 3, 2, 10, 15, 0, 250)  # noqa: DTZ001 - times are UTC without a zone
VALUES = {
    "space": "hospital/1",
    "study_uid": "1.2",
    "received_at": MOMENT,
    "changed_at": MOMENT,
    "patient_differs": True,
    "attributes": "{}",
}


@pytest.fixture
def workspace(tmp_path, database_url):
    """On either database."""
    folder = tmp_path / "workspace"
    opened = Workspace.open(folder, database_url) if database_url else empty_workspace(folder)
    yield opened
    opened.close()


def test_what_is_written_reads_back_as_if_sqlalchemy_had_written_it(workspace):
    statement = insert(stored_study).values({name: bindparam(name) for name in VALUES}).inline()
    typed = (
        insert(stored_study)
        .values({name: bindparam(name, type_=stored_study.c[name].type) for name in VALUES})
        .inline()
    )
    with workspace.writing() as connection:
        prepared.each(connection, typed, [VALUES, {**VALUES, "study_uid": "1.3"}])
        connection.execute(statement, {**VALUES, "study_uid": "1.4"})
    with workspace.reading() as connection:
        rows = connection.execute(select(*(stored_study.c[name] for name in VALUES)).order_by(stored_study.c.id)).all()
    assert [row.study_uid for row in rows] == ["1.2", "1.3", "1.4"]
    assert {(row.received_at, row.changed_at, row.patient_differs) for row in rows} == {(MOMENT, MOMENT, True)}
    one = select(stored_study.c.received_at, stored_study.c.patient_differs, stored_study.c.study_uid)
    one = one.where(stored_study.c.study_uid == bindparam("uid"))
    assert prepared.looked_up(workspace, one, {"uid": "1.3"}) == (MOMENT, True, "1.3")


def test_a_returned_row_is_found_within_the_transaction_and_outside_it(workspace):
    key = bindparam("old")
    moved = update(stored_removal).where(stored_removal.c.location == key).values(location=bindparam("new"))
    moved = moved.returning(stored_removal.c.location)
    found = select(stored_removal.c.location).where(stored_removal.c.location == key)
    with workspace.writing() as connection:
        connection.execute(insert(stored_removal), [{"location": "a"}])
        assert prepared.first(connection, moved, {"old": "a", "new": "b"}) == ("b",)
        assert prepared.first(connection, moved, {"old": "a", "new": "c"}) is None
    assert prepared.looked_up(workspace, found, {"old": "b"}) == ("b",)
    assert prepared.looked_up(workspace, found, {"old": "a"}) is None


def test_a_key_that_is_there_already_is_sqlalchemys_error_without_the_values(workspace):
    statement = insert(stored_removal).values(location=bindparam("location")).inline()
    with pytest.raises(IntegrityError) as raised, workspace.engine.begin() as connection:
        prepared.each(connection, statement, [{"location": "secret"}, {"location": "secret"}])
    assert raised.value.params is None
