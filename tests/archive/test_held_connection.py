"""A writer's transactions on a connection that it keeps are what those of the workspace are."""

from __future__ import annotations

import pytest

from bingcheng.archive.about import held, hold
from bingcheng.archive.held_connection import HeldConnection
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError


@pytest.fixture
def workspace(tmp_path, database_url):
    opened = Workspace.open(tmp_path / "workspace", database_url)
    yield opened
    opened.close()


def said(workspace, key):
    with workspace.reading() as connection:
        return held(connection, key)


def fail(mine):
    with mine.writing() as connection:
        hold(connection, "lost", "a")
        raise ZeroDivisionError


def test_what_was_written_is_seen_by_others_and_others_write_between(workspace):
    mine = HeldConnection(workspace)
    for number in range(3):
        with mine.writing() as connection:
            hold(connection, f"mine-{number}", "a")
        assert said(workspace, f"mine-{number}") == "a"
        with workspace.writing() as connection:
            hold(connection, f"theirs-{number}", "b")
        with mine.writing() as connection:
            assert held(connection, f"theirs-{number}") == "b"
    mine.close()


def test_of_a_transaction_that_fails_nothing_stays_and_the_next_is_whole(workspace):
    mine = HeldConnection(workspace)
    with mine.writing() as connection:
        hold(connection, "before", "a")
    with pytest.raises(ZeroDivisionError):
        fail(mine)
    with mine.writing() as connection:
        hold(connection, "after", "a")
    assert [said(workspace, key) for key in ("before", "lost", "after")] == ["a", None, "a"]
    mine.close()


def test_an_error_of_the_database_is_said_plainly_and_does_not_last(workspace):
    mine = HeldConnection(workspace)
    with pytest.raises(BingchengError), mine.writing() as connection:
        connection.exec_driver_sql("SELECT nothing FROM nowhere")
    with mine.writing() as connection:
        hold(connection, "after", "a")
    assert said(workspace, "after") == "a"
    mine.close()


def test_what_is_kept_is_one_connection_to_a_file_and_none_to_a_server_until_it_is_given_back(workspace):
    mine, pool = HeldConnection(workspace), workspace.engine.pool
    for number in range(2):
        with mine.writing() as connection:
            hold(connection, str(number), "a")
        assert pool.checkedout() == (1 if workspace.engine.dialect.name == "sqlite" else 0)
    mine.close()
    mine.close()
    assert pool.checkedout() == 0
