"""A workspace with two hospitals, on a file and on a real PostgreSQL server."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from tests.archive.objects.conftest import postgresql  # noqa: F401 - a fixture

from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.workspace import Workspace

NOON = datetime(2026, 3, 2, 12)  # noqa: DTZ001 - UTC, as times stand in the database


@pytest.fixture
def people(tmp_path):
    """A workspace with the hospitals 1 (North) and 2 (South)."""
    opened = Workspace.open(tmp_path / "workspace")
    with opened.writing() as connection:
        make_hospital(connection, name="North Hospital", code="N", now=NOON, spellings=["North"])
        make_hospital(connection, name="South Hospital", code="S", now=NOON)
    yield opened
    opened.close()


@pytest.fixture
def on_server(postgresql, tmp_path):  # noqa: F811 - the fixture
    """An empty workspace on a PostgreSQL server."""
    name = f"people_{uuid4().hex[:8]}"
    admin = create_engine(f"{postgresql}/postgres", isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    opened = Workspace.open(tmp_path / "workspace", f"{postgresql}/{name}")
    yield opened
    opened.close()
