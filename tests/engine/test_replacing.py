"""A folder of outputs is the old one or the new one, never a part of either."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from bingcheng.core.errors import InputError
from bingcheng.engine.replacing import ABANDONED_S, replacing, staying


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def folder(tmp_path):
    old = tmp_path / "dicom" / "exam"
    old.mkdir(parents=True)
    (old / "old").touch()
    return old


def test_new_content_takes_the_place_of_the_old_at_the_end(folder):
    with replacing(folder) as made:
        (made / "new").touch()
        assert names(folder) == ["old"]
    assert names(folder) == ["new"]
    assert names(folder.parent) == ["exam"]


def test_after_a_failure_the_old_content_stands(folder):
    def fail():
        with replacing(folder) as made:
            (made / "new").touch()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert names(folder) == ["old"]
    assert names(folder.parent) == ["exam"]


def test_where_nothing_is_written_nothing_stands(folder):
    with replacing(folder):
        pass
    assert names(folder.parent) == []


def test_of_two_that_write_at_once_one_stays_whole(folder):
    with replacing(folder) as first:
        (first / "a").touch()
        with replacing(folder) as second:
            (second / "b").touch()
        assert names(folder) == ["b"]
    assert names(folder) == ["a"]
    assert names(folder.parent) == ["exam"]


REPLACES = """
import sys
from pathlib import Path
from bingcheng.engine.replacing import replacing
with replacing(Path(sys.argv[1])) as made:
    (made / "new").touch()
    print("made", flush=True)
"""


def test_no_other_run_replaces_a_folder_while_a_file_is_added_to_it(folder):
    with staying(folder):
        other = subprocess.Popen([sys.executable, "-c", REPLACES, folder], stdout=subprocess.PIPE, text=True)
        assert other.stdout.readline() == "made\n"
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(timeout=0.2)
        (folder / "added").touch()
        assert names(folder) == ["added", "old"]
    other.communicate()
    assert other.returncode == 0
    assert names(folder) == ["new"]


KILLED = """
import os, sys
from pathlib import Path
from bingcheng.engine.replacing import replacing
with replacing(Path(sys.argv[1])) as made:
    (made / "half").touch()
    os.kill(os.getpid(), 9)
"""


def test_what_a_killed_run_left_is_cleared_away_by_the_next_one_of_whatever_exam(folder):
    with replacing(folder.parent / "living") as living:
        done = subprocess.run([sys.executable, "-c", KILLED, folder], check=False)
        assert done.returncode == -signal.SIGKILL
        assert len(names(folder.parent)) == 3
        assert names(folder) == ["old"]
        with replacing(folder.parent / "other") as made:
            (made / "new").touch()
        assert names(folder.parent) == sorted([living.name, "exam", "other"])


def test_what_a_run_on_another_machine_left_is_cleared_away_after_a_day(folder):
    for name, age_s in (("dead", ABANDONED_S + 60.0), ("alive", 60.0)):
        left = folder.parent / f".exam.{name}"
        left.mkdir()
        os.utime(left, (time.time() - age_s,) * 2)
    with replacing(folder) as made:
        (made / "new").touch()
    assert names(folder.parent) == [".exam.alive", "exam"]


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError) as raised, replacing(tmp_path / "file" / "exam"):
        pass
    assert raised.value.code == "engine.cannot-write"


def test_rights_are_those_of_the_folder_above(folder):
    folder.parent.chmod(0o755)
    shutil.rmtree(folder)
    with replacing(folder) as made:
        (made / "new").touch()
    assert folder.stat().st_mode & 0o777 == 0o755
