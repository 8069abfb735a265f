"""A disk that fills while exams are assessed or brought in: said as such, nothing lost, and done once there is room."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from tests.engine.received.conftest import NORTHERN, STUDY, Archive, inhabit

from bingcheng.core.errors import BingchengError
from bingcheng.engine.received.problems import may_pass

MIB = 1 << 20


@pytest.fixture
def small_disk(tmp_path):
    """A file system of twenty MiB."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only the superuser can mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def small(small_disk):
    opened = Archive.open(small_disk / "workspace")
    inhabit(opened)
    yield opened
    opened.close()


def fill(disk, *, leave: int) -> None:
    free = os.statvfs(disk)
    with (disk / "filler").open("ab") as filler:
        filler.write(bytes(max(0, free.f_bavail * free.f_frsize - leave)))


def done(do) -> str | None:
    """The code for which a job can't be done; what a worker does with an error of the workspace."""
    try:
        outcome = do()
    except BingchengError as error:
        return error.code
    assert outcome.refusal is None or may_pass(outcome.refusal)
    return None if outcome.refusal is None else outcome.refusal.code


@pytest.mark.parametrize("room", [0, 8_000, 60_000, 250_000])
def test_assessing_goes_on_when_there_is_room_again(small, small_disk, exam, room):
    archive = small
    archive.receive(exam)
    files = archive.sent()
    fill(small_disk, leave=room)
    code = done(archive.assess)
    assert code in ("archive.disk-full", "engine.cannot-write", "outputs.cannot-write", None)
    assert archive.sent() == files
    for one in archive.objects.instances_of([NORTHERN], STUDY):
        assert archive.objects.path(one).stat().st_size == one.size
    (small_disk / "filler").unlink()
    assert done(archive.assess) is None
    assert len(archive.derived()) == 3
    assert len(archive.exams()) == 1
    assert not archive.objects.check().lost


def test_bringing_in_goes_on_when_there_is_room_again(small, small_disk, exam):
    small.from_folder(exam)
    fill(small_disk, leave=600_000)  # of which objects leave 400,000 free
    assert done(lambda: small.bring_in()[0]) == "archive.disk-full"
    kept = small.sent()
    assert 0 < len(kept) < 17
    (small_disk / "filler").unlink()
    assert done(lambda: small.bring_in()[0]) is None
    assert kept.items() <= small.sent().items()
    assert len(small.sent()) == len(list(exam.glob("*.dcm")))
    assert len(small.derived()) == 3
    assert not small.objects.check().lost
