"""A workspace with two hospitals, on a file and on a real PostgreSQL server."""

from __future__ import annotations

from datetime import datetime

import pytest
from tests.archive.empty import empty_workspace

from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.workspace import Workspace

NOON = datetime(2026, 3, 2, 12)  # noqa: DTZ001 - UTC, as times stand in the database


@pytest.fixture
def people(tmp_path):
    """A workspace with the hospitals 1 (North) and 2 (South)."""
    opened = empty_workspace(tmp_path / "workspace")
    with opened.writing() as connection:
        make_hospital(connection, name="North Hospital", code="N", now=NOON, spellings=["North"])
        make_hospital(connection, name="South Hospital", code="S", now=NOON)
    yield opened
    opened.close()


@pytest.fixture
def on_server(postgresql, tmp_path):
    """An empty workspace on a PostgreSQL server."""
    opened = Workspace.open(tmp_path / "workspace", postgresql)
    yield opened
    opened.close()
