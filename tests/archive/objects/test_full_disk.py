"""A full disk refuses new objects with its own code and loses none."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
from tests.archive.objects.conftest import FROM, SPACE, files_of
from tests.archive.objects.sent import STUDY, file

from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.received import ReceivedStatus
from bingcheng.archive.objects.retrieval import settled
from bingcheng.archive.objects.storage import Folder
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import InputError, RemoteError


def iter_received(objects, size):
    """The numbers of instances that the store took before it said that the disk is full."""
    for number in range(1, 2000):
        try:
            objects.receive(file(number, size=size), space=SPACE, origin=FROM)
        except RemoteError as error:
            assert error.code == "archive.disk-full"  # noqa: PT017 - those before it are wanted
            return
        yield number
    pytest.fail("the disk never filled")


def test_a_full_disk_refuses_and_keeps_what_it_has(small_disk, tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    objects = Objects.open(workspace, Folder(small_disk / "objects"))
    stored = list(iter_received(objects, size=128))
    assert stored
    assert [one.number for one in objects.instances_of([SPACE], STUDY)] == stored
    for one in objects.instances_of([SPACE], STUDY):
        assert objects.path(one).read_bytes() == file(one.number, size=128)
    whole = [path for path in (small_disk / "objects").rglob("*") if path.is_file() and path.name != "lock"]
    assert len(whole) == len(stored)
    objects.remove(SPACE, STUDY, None, f"1.2.3.1.{stored[0]}")
    objects.receive(file(500, size=128), space=SPACE, origin=FROM)
    objects.close()
    workspace.close()


def test_what_is_stored_already_is_said_to_be_while_the_disk_is_full(small_disk, tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    objects = Objects.open(workspace, Folder(small_disk / "objects"))
    for number in (1, 2):
        objects.receive(file(number, size=128), space=SPACE, origin=FROM)
    with contextlib.suppress(OSError), (small_disk / "filled").open("wb", buffering=0) as stream:
        while stream.write(bytes(4096)):
            pass
    assert objects.receive(file(1, size=128), space=SPACE, origin=FROM).status is ReceivedStatus.ALREADY
    assert list(iter_received(objects, size=128)) == [1, 2]
    assert objects.receive(file(2, size=128), space=SPACE, origin=FROM).status is ReceivedStatus.ALREADY
    objects.close()
    workspace.close()


def test_a_database_that_can_not_grow_refuses_and_leaves_no_file(small_disk):
    workspace = Workspace.open(small_disk / "workspace")
    objects = Objects.open(workspace)
    assert list(iter_received(objects, size=2))
    count = objects.statistics([SPACE])[0].instances
    assert len(files_of(objects)) == count
    assert count == len(objects.instances_of([SPACE], STUDY))
    objects.close()
    workspace.close()


def test_a_log_that_can_not_be_folded_into_the_file_is_said_as_a_full_disk(small_disk):
    workspace = Workspace.open(small_disk / "workspace")
    with (small_disk / "filler").open("ab", buffering=0) as filler, contextlib.suppress(OSError):
        while filler.write(bytes(512)):
            pass
    with pytest.raises(InputError, match="full"):
        settled(workspace)
    workspace.close()


LIMITED = """
import resource, sys
from pathlib import Path
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import RemoteError

workspace = Workspace.open(Path(sys.argv[1]))
objects = Objects.open(workspace)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
try:
    objects.receive(Path(sys.argv[2]).read_bytes(), space="hospital/1", origin=Origin(kind="stow", peer="x"))
except RemoteError as error:
    print(error.code)
objects.close()
"""


def test_a_file_that_may_not_grow_is_refused_in_the_same_way(objects, tmp_path):
    large = tmp_path / "large"
    large.write_bytes(file(size=1024))
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(objects.workspace.folder), str(large)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "archive.disk-full\n"
    assert files_of(objects) == []
    left = [path for path in Path(objects.workspace.folder / "objects").rglob("*") if path.name != "lock"]
    assert not [path for path in left if path.is_file()]
