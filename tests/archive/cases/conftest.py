"""A workspace with two hospitals, and a case of the first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pytest
from sqlalchemy import insert
from tests.archive.empty import empty_workspace

from bingcheng.archive.authorisation import Role
from bingcheng.archive.cases import tables
from bingcheng.archive.cases.case import CaseStatus, Written, make_case, set_status
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.people.person import make_person
from bingcheng.archive.workspace import Workspace

NOON = datetime(2026, 3, 2, 12)  # noqa: DTZ001 - UTC, as times stand in the database


@dataclass(frozen=True)
class Two:
    """Two hospitals with a radiologist each."""

    workspace: Workspace
    north: int
    south: int
    author: int
    other: int

    def case(self, *, status: CaseStatus = CaseStatus.PUBLISHED, **written: object) -> int:
        """A case of the North Hospital."""
        with self.workspace.writing() as connection:
            said = Written(**{"title": "Case", **written})
            number = make_case(
                connection, hospital=self.north, author=self.author, profile="teaching", written=said, now=NOON
            )
            if status is not CaseStatus.DRAFT:
                set_status(connection, number, CaseStatus.PUBLISHED, NOON)
            if status is CaseStatus.WITHDRAWN:
                set_status(connection, number, CaseStatus.WITHDRAWN, NOON)
        return number

    def measured(self, number: int, *, value: float, unit: str = "mm", key: str = "longest_diameter") -> None:
        """Let the case have a lesion with this value."""
        row = {"case_id": number, "exam": 1, "lesion": 1, "modality": "CT", "key": key, "label": key}
        with self.workspace.writing() as connection:
            connection.execute(insert(tables.case_value), {**row, "value": value, "unit": unit})


def inhabited(workspace: Workspace) -> Two:
    """Put the hospitals into a workspace."""
    with workspace.writing() as connection:
        north = make_hospital(connection, name="North Hospital", code="N", now=NOON)
        south = make_hospital(connection, name="South Hospital", code="S", now=NOON)
        people = [
            make_person(connection, login=login, name=login, hospital=place, roles=[Role.RADIOLOGIST], now=NOON)
            for login, place in (("author", north), ("other", south))
        ]
    return Two(workspace, north, south, *people)


@pytest.fixture
def two(tmp_path):
    workspace = empty_workspace(tmp_path / "workspace")
    yield inhabited(workspace)
    workspace.close()


@pytest.fixture
def postgresql_url(request):
    """The address of an empty database on a real PostgreSQL server."""
    return request.getfixturevalue("postgresql")
