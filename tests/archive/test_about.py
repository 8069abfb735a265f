"""What a workspace holds one of."""

from __future__ import annotations

from bingcheng.archive.about import held, hold


def test_what_is_held_last_counts(workspace):
    with workspace.writing() as connection:
        hold(connection, "colour", "red")
        hold(connection, "colour", "蓝")
    with workspace.reading() as connection:
        assert held(connection, "colour") == "蓝"


def test_nothing_is_held_before_and_after(workspace):
    with workspace.writing() as connection:
        assert held(connection, "colour") is None
        hold(connection, "colour", "red")
        hold(connection, "colour", None)
        assert held(connection, "colour") is None
