"""Stores of received objects, on a file and on a real PostgreSQL server."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.archive.empty import empty_workspace

from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.workspace import Workspace

SPACE = "hospital/1"
FROM = Origin(kind="stow", peer="tester")


@pytest.fixture
def anywhere(tmp_path, database_url):
    """A store on either database."""
    folder = tmp_path / "workspace"
    workspace = Workspace.open(folder, database_url) if database_url else empty_workspace(folder)
    objects = Objects.open(workspace)
    yield objects
    objects.close()
    workspace.close()


@pytest.fixture
def objects(tmp_path):
    """A store in a folder with a database file."""
    workspace = empty_workspace(tmp_path / "workspace")
    opened = Objects.open(workspace)
    yield opened
    opened.close()
    workspace.close()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one MiB."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only the superuser can mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def files_of(objects: Objects) -> list[Path]:
    """All files of objects, wherever they lie below the store's folder."""
    root = objects.workspace.folder / "objects"
    return sorted(path for path in root.rglob("*.dcm") if path.is_file())
