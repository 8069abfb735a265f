"""What the trail is owed survives whatever ends the program, and is recorded once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.archive.empty import empty_workspace

from bingcheng.archive.audit.event import AuditEvent, EventAction, EventOutcome
from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.audit.owed import PAID, Owed
from bingcheng.archive.audit.owed_file import NAME, SIZE, Debt, OwedFile
from bingcheng.archive.audit.trail import Asked, events, verify
from bingcheng.archive.problems import DISK_FULL
from bingcheng.archive.schema import about
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError, InputError

NOON = datetime(2026, 3, 2, 12)  # noqa: DTZ001 - UTC, as times stand in the database
MIB = 1 << 20


def event(number: int) -> AuditEvent:
    return AuditEvent(
        code=EventCode.IMPORT,
        action=EventAction.CREATE,
        outcome=EventOutcome.SUCCESS,
        at=NOON,
        what=f"change-{number}",
        reason="重新发送",
    )


def trail(workspace: Workspace) -> list[int]:
    """The numbers of the events that are recorded, the first first."""
    with workspace.reading() as connection:
        found = [one.event.what for one in events(connection, Asked())]
        assert verify(connection) == len(found)
    return [int(what.removeprefix("change-")) for what in reversed(found)]


def notes(workspace: Workspace) -> int:
    """How many notes of paid debts the database holds."""
    with workspace.reading() as connection:
        return sum(row.key.startswith(PAID) for row in connection.execute(about.select()))


@contextmanager
def refusing(monkeypatch):
    """As long as it lasts the trail takes nothing."""

    def fails(*_: object) -> None:
        raise InputError(DISK_FULL)

    with monkeypatch.context() as patched:
        patched.setattr("bingcheng.archive.audit.owed.record_all", fails)
        yield


def owe(owed: Owed, workspace: Workspace, *numbers: int) -> None:
    with pytest.raises(BingchengError):
        owed.write(workspace, [event(number) for number in numbers], happened=True)


@pytest.fixture
def disk(tmp_path):
    """A file system of eight MiB."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only the superuser can mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def anywhere(tmp_path, database_url):
    """A workspace on either database."""
    folder = tmp_path / "workspace"
    opened = Workspace.open(folder, database_url) if database_url else empty_workspace(folder)
    yield opened
    opened.close()


FILLED = """
import os, signal, sys
from pathlib import Path
from bingcheng.archive.audit.owed import Owed
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import InputError
from tests.archive.audit.test_owed import event

disk = Path(sys.argv[1])
workspace, owed, told = Workspace.open(disk / "workspace"), Owed(), []
owed.settle(workspace)
with (disk / "filler").open("ab", buffering=0) as filler:
    try:
        while filler.write(bytes(4096)):
            pass
    except OSError:
        pass
for number in range(100_000):
    try:
        owed.write(workspace, [event(number)], happened=True)
    except InputError as error:
        assert error.code == "archive.disk-full"
        told.append(number)
        if len(told) == 20:
            break
print(told[0], told[-1], len(owed), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(script: str, *arguments: object) -> str:
    """What a program said that was killed."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    return done.stdout


def test_what_is_owed_on_a_full_disk_outlives_the_program_and_is_recorded_once(disk):
    first, last, count = map(int, killed(FILLED, disk).split())
    assert (last - first, count) == (19, 20)
    workspace = Workspace.open(disk / "workspace")
    owed = Owed()
    assert trail(workspace) == list(range(first))
    assert not owed.settled(workspace)
    with pytest.raises(InputError, match="full"):
        owed.settle(workspace)
    (disk / "filler").unlink()
    owed.settle(workspace)
    assert trail(workspace) == list(range(last + 1))
    assert (len(owed), owed.settled(workspace), notes(workspace)) == (0, True, 0)
    Owed().settle(workspace)
    assert trail(workspace) == list(range(last + 1))
    workspace.close()


BETWEEN = """
import os, signal, sys
from pathlib import Path
from bingcheng.archive.audit.owed import Owed
from bingcheng.archive.audit.owed_file import Debt
from bingcheng.archive.workspace import Workspace

Debt.clear = lambda _: os.kill(os.getpid(), signal.SIGKILL)
Owed().settle(Workspace.open(Path(sys.argv[1])))
"""


def test_who_is_killed_between_recording_and_emptying_the_file_records_nothing_twice(tmp_path, monkeypatch):
    workspace = empty_workspace(tmp_path / "workspace")
    with refusing(monkeypatch):
        owe(Owed(), workspace, 0, 1)
    killed(BETWEEN, workspace.folder)
    assert trail(workspace) == [0, 1]
    with refusing(monkeypatch):
        owe(Owed(), workspace, 2)  # behind what is paid
    Owed().settle(workspace)
    assert trail(workspace) == [0, 1, 2]
    assert notes(workspace) == 0
    workspace.close()


def test_on_either_database_a_new_program_pays_before_anything_else(anywhere, monkeypatch):
    with refusing(monkeypatch):
        owe(owed := Owed(), anywhere, 0)
        owe(owed, anywhere, 1, 2)
        assert len(owed) == 3
        with pytest.raises(InputError):
            Owed().settle(anywhere)
    Owed().write(anywhere, [event(3)])
    assert trail(anywhere) == [0, 1, 2, 3]
    owed.write(anywhere, [event(4)])  # and the one that owed sees that it is paid
    assert (trail(anywhere), len(owed)) == ([0, 1, 2, 3, 4], 0)


def test_a_torn_record_is_said_and_those_before_it_are_kept(tmp_path, monkeypatch, caplog):
    workspace = empty_workspace(tmp_path / "workspace")
    with refusing(monkeypatch):
        owe(owed := Owed(), workspace, 0)
        before = (workspace.folder / NAME).read_bytes()
        owe(owed, workspace, 1)
    whole = bytearray((workspace.folder / NAME).read_bytes())
    end = max(place for place in range(4096) if whole[place] != before[place])
    whole[end - 8 : end + 1] = bytes(9)
    (workspace.folder / NAME).write_bytes(whole)
    with refusing(monkeypatch):
        owe(Owed(), workspace, 2)  # in the place of what was torn
    Owed().settle(workspace)
    assert trail(workspace) == [0, 2]
    assert "torn" in caplog.text
    (workspace.folder / NAME).write_bytes(bytes(whole[:40]).ljust(SIZE, b"\0"))
    for said in (1, 0):
        caplog.clear()
        Owed().settle(workspace)
        assert caplog.text.count("torn") == said
    assert trail(workspace) == [0, 2]
    workspace.close()


def test_a_full_file_keeps_what_it_has_and_nothing_is_changed(tmp_path, monkeypatch):
    workspace, owed = empty_workspace(tmp_path / "workspace"), Owed()
    with refusing(monkeypatch):
        for begin in range(0, 6000, 1000):
            owe(owed, workspace, *range(begin, begin + 1000))
        assert len(owed) == 6000
        with pytest.raises(InputError):
            owed.settle(workspace)
        with OwedFile(workspace.folder).opened() as debt:
            kept = len(debt.records)
        assert 0 < kept < 6000
    assert (workspace.folder / NAME).stat().st_size == SIZE
    owed.settle(workspace)
    assert trail(workspace) == list(range(6000))
    assert owed.settled(workspace)
    workspace.close()


def test_without_room_for_the_file_nothing_is_changed_and_with_room_it_is_made(disk):
    workspace, owed = Workspace.open(disk / "workspace"), Owed()
    owed.write(workspace, [event(0)])
    (disk / "workspace" / NAME).unlink()
    free = os.statvfs(disk)
    (disk / "filler").write_bytes(bytes(free.f_bavail * free.f_frsize - 300_000))
    with pytest.raises(InputError, match="full"):
        owed.settle(workspace)
    left = os.statvfs(disk)
    assert left.f_bavail * left.f_frsize > 200_000  # and what it could have is given back
    fresh = Owed()
    fresh.write(workspace, [event(1)])  # what was read can be recorded all the same
    with pytest.raises(InputError, match="full"):
        fresh.settle(workspace)
    (disk / "filler").unlink()
    fresh.settle(workspace)
    assert (disk / "workspace" / NAME).stat().st_blocks * 512 >= SIZE
    assert trail(workspace) == [0, 1]
    workspace.close()


def test_a_file_that_can_not_be_emptied_pays_nothing_twice(tmp_path, monkeypatch, caplog):
    workspace, owed = empty_workspace(tmp_path / "workspace"), Owed()

    def fails(_: Debt) -> None:
        raise OSError(5, "Input/output error")

    with refusing(monkeypatch):
        owe(owed, workspace, 0)
    with monkeypatch.context() as patched:
        patched.setattr(Debt, "clear", fails)
        owed.write(workspace, [event(1)], happened=True)
        with refusing(monkeypatch):
            owe(owed, workspace, 2)
        owed.write(workspace, [event(3)], happened=True)
    assert "still stands in its file" in caplog.text
    assert trail(workspace) == [0, 1, 2, 3]
    Owed().settle(workspace)
    assert trail(workspace) == [0, 1, 2, 3]
    workspace.close()


@settings(max_examples=20, deadline=None)  # each flushes the disk as often as it has steps
@given(st.lists(st.tuples(st.lists(st.integers(0, 99), max_size=5), st.booleans()), max_size=8))
def test_the_file_holds_what_was_added_since_it_was_emptied(tmp_path_factory, steps):
    file, wanted = OwedFile(tmp_path_factory.mktemp("owed")), list[str]()
    for numbers, cleared in steps:
        with file.opened() as debt:
            debt.add([event(number) for number in numbers])
            if cleared:
                debt.clear()
        wanted = [] if cleared else [*wanted, *(f"change-{number}" for number in numbers)]
        with file.opened() as debt:
            assert [one.what for one in debt.events()] == wanted
            assert not debt.torn
