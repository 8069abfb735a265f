"""``bingcheng assess`` over an exam that a hospital sent: said, left alone, and no other exam the worse for it."""

from __future__ import annotations

from datetime import datetime

import pytest
from tests.engine.making import NORTH, ct, uid_of

from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.ownership import claim
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.workspace import Workspace

NOON = datetime(2026, 3, 2, 12)  # noqa: DTZ001 - UTC, as times stand in the database
STUDY = uid_of("study", "anna-1")


@pytest.fixture
def sent(tmp_path, bingcheng):
    """An exam that a hospital sent, and whose results are its own; the command line has a part of it."""
    ct(tmp_path / "exam")
    assert bingcheng("assess", tmp_path / "exam", "--workers", 1, "--quiet").code == 0
    workspace = Workspace.open(tmp_path / "workspace")
    objects = Objects.open(workspace)
    with workspace.writing() as connection:
        space = f"hospital/{make_hospital(connection, name=NORTH, code='N', now=NOON, spellings=[NORTH])}"
    for path in (tmp_path / "exam").glob("*.dcm"):
        objects.receive(path.read_bytes(), space=space, origin=Origin(kind="dimse", peer="CT1"))
    with workspace.writing() as connection:
        assert claim(connection, STUDY, space)
    objects.close()
    workspace.close()
    (tmp_path / "exam" / "00008.dcm").unlink()
    return tmp_path / "exam"


def test_the_run_says_it_and_goes_on(sent, bingcheng, tmp_path):
    ct(tmp_path / "second", name="second")
    said = bingcheng("assess", sent, tmp_path / "second", "--workers", 1)
    assert said.code == 0
    assert "engine.owned-by-hospital" in said.out
    assert "assessed now: 1" in said.out
    assert "failed: 1" in said.out


def test_a_gate_stops_at_it(sent, bingcheng):
    assert bingcheng("assess", sent, "--workers", 1, "--strict", "--quiet").code == 1
