"""``bingcheng assess`` over an exam that a hospital sent: said, left alone, and no other exam the worse for it."""

from __future__ import annotations

import shutil
from datetime import datetime

import pytest
from tests.engine.making import NORTH, ct, uid_of

from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.ownership import claim
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.workspace import Workspace
from bingcheng.engine.run import Options, assess

NOON = datetime(2026, 3, 2, 12)  # noqa: DTZ001 - UTC, as times stand in the database
STUDY = uid_of("study", "anna-1")


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """An exam that a hospital sent, whose results are its own, in a workspace; the command line has a part of it."""
    folder = tmp_path_factory.mktemp("sent")
    ct(folder / "exam")
    workspace = Workspace.open(folder / "workspace")
    assess([folder / "exam"], workspace, Options(workers=1), lambda *_: None)
    objects = Objects.open(workspace)
    with workspace.writing() as connection:
        space = f"hospital/{make_hospital(connection, name=NORTH, code='N', now=NOON, spellings=[NORTH])}"
    for path in (folder / "exam").glob("*.dcm"):
        objects.receive(path.read_bytes(), space=space, origin=Origin(kind="dimse", peer="CT1"))
    with workspace.writing() as connection:
        assert claim(connection, STUDY, space)
    objects.close()
    workspace.close()
    (folder / "exam" / "00008.dcm").unlink()
    return folder


def test_the_run_says_it_and_goes_on_and_a_gate_stops_at_it(sent, bingcheng, tmp_path):
    shutil.copytree(sent / "workspace", tmp_path / "workspace")
    ct(tmp_path / "second", name="second")
    said = bingcheng("assess", sent / "exam", tmp_path / "second", "--workers", 1)
    assert said.code == 0
    assert "engine.owned-by-hospital" in said.out
    assert "assessed now: 1" in said.out
    assert "failed: 1" in said.out
    assert bingcheng("assess", sent / "exam", "--workers", 1, "--strict", "--quiet").code == 1
