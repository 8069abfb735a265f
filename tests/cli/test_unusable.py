"""A workspace that can't be used, at the level of the command: a plain message, exit code 4, nothing lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

import pytest
from tests.engine.making import BRUNO, ct
from tests.engine.processes import dump, stored_exams

NOBODY = 65534


@pytest.fixture(scope="module")
def exam(tmp_path_factory):
    """One exam. Read only."""
    folder = tmp_path_factory.mktemp("study") / "exam"
    ct(folder)
    return folder


@pytest.fixture
def tiny_disk():
    """A real disk of four megabytes; a workspace of one exam takes two of them."""
    folder = Path(tempfile.mkdtemp())
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        folder.rmdir()
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)
    folder.rmdir()


def test_a_full_disk_is_said_and_after_it_is_freed_the_rest_goes_on(exam, tiny_disk, bingcheng):
    workspace = tiny_disk / "workspace"
    workspace.mkdir()
    free = os.statvfs(tiny_disk)
    (tiny_disk / "filler").write_bytes(bytes(free.f_bavail * free.f_frsize - 200_000))
    said = bingcheng("assess", exam, "--workspace", workspace, "--workers", 1)
    assert said.code == 4, said
    assert "archive.disk-full" in said.err or "cannot-write" in said.err
    (tiny_disk / "filler").unlink()
    said = bingcheng("assess", exam, "--workspace", workspace, "--workers", 1, "--json")
    assert said.code == 0, said.err
    assert stored_exams(workspace) == 1


def test_a_read_only_workspace_is_said_and_can_still_be_shown(exam, bingcheng):
    if os.geteuid() != 0:
        pytest.skip("only the superuser can become somebody else for a while")
    folder = Path(tempfile.mkdtemp())
    copied = shutil.copytree(exam, folder / "exam")
    assert bingcheng("assess", copied, "--workspace", folder / "ws", "--workers", 1).code == 0
    before = dump(folder / "ws")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    os.seteuid(NOBODY)
    try:
        assessed = bingcheng("assess", copied, "--workspace", folder / "ws")
        shown = bingcheng("show", "E01", "--workspace", folder / "ws")
    finally:
        os.seteuid(0)
    assert assessed.code == 4
    assert "archive.read-only" in assessed.err
    assert shown.code == 0
    assert "Lesion 1" in shown.out
    assert dump(folder / "ws") == before
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
    shutil.rmtree(folder)


def test_a_newer_workspace_and_a_file_that_is_no_database(exam, bingcheng, tmp_path):
    assert bingcheng("assess", exam, "--workers", 1, "--quiet").code == 0
    file = tmp_path / "workspace" / "bingcheng.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE about SET value = '99' WHERE key = 'version'")
    connection.close()
    for command in (("assess", exam), ("show",)):
        said = bingcheng(*command)
        assert said.code == 4
        assert "archive.newer-workspace" in said.err
        assert "99" in said.err
    file.write_bytes(b"not a database" * 1000)
    for command in (("assess", exam), ("show",)):
        said = bingcheng(*command)
        assert said.code == 4
        assert "archive.not-a-workspace" in said.err


def test_outputs_that_cannot_be_written_fail_the_exam_not_the_others(exam, bingcheng, tmp_path):
    ct(tmp_path / "exam2", name="second", patient=BRUNO)
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "dicom").write_text("in the way")
    said = bingcheng("assess", exam, tmp_path / "exam2", "--workers", 1, "--strict")
    assert said.code == 1
    assert "engine.cannot-write" in said.out
    (tmp_path / "workspace" / "dicom").unlink()
    assert "assessed now: 2;" in bingcheng("assess", exam, tmp_path / "exam2", "--workers", 1).out
