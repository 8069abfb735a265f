"""Whatever moment a process is killed at: what was answered with success is there, and nothing else half is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select
from tests.archive.objects.conftest import FROM, SPACE, files_of
from tests.archive.objects.sent import SERIES, STUDY, file

from bingcheng.archive.objects import objects as objects_module
from bingcheng.archive.objects import retrieval
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.query import Query
from bingcheng.archive.objects.received import Origin, ReceivedStatus
from bingcheng.archive.objects.tables import stored_conflict, stored_instance, stored_removal
from bingcheng.archive.workspace import Workspace

SENDER = """
import sys, threading
from pathlib import Path
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.workspace import Workspace

folder, arrivals, threads, url = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4] or None
objects = Objects.open(Workspace.open(folder, url))
names = sorted(arrivals.iterdir())

def send(turn):
    for name in names[turn::threads]:
        received = objects.receive(name.read_bytes(), space="hospital/1", origin=Origin(kind="dimse", peer="X"))
        sys.stdout.write(f"{name.name} {received.status}\\n")
        sys.stdout.flush()

print("ready", flush=True)
workers = [threading.Thread(target=send, args=(turn,)) for turn in range(threads)]
for worker in workers: worker.start()
for worker in workers: worker.join()
"""
ARRIVALS = 200


@pytest.fixture(scope="module")
def arrivals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arrivals")
    for number in range(1, ARRIVALS + 1):
        (folder / f"{number:04d}").write_bytes(file(number, size=64, series=f"{SERIES}.{number % 3}"))
    return folder


def killed(folder: Path, arrivals: Path, *, threads: int, url: str | None, after: int) -> dict[str, str]:
    """Send in another process, kill it after it has told of some, and give what it told of all."""
    command = [sys.executable, "-c", SENDER, str(folder), str(arrivals), str(threads), url or ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sender:
        assert sender.stdout.readline() == "ready\n"
        lines = [sender.stdout.readline() for _ in range(after)]
        time.sleep(0.0007 * (after % 7))  # so that it is hit at all places of a turn
        os.kill(sender.pid, signal.SIGKILL)
        lines += sender.stdout.read().splitlines(keepends=True)
    return dict(line.split() for line in lines if line.endswith("\n"))


@pytest.mark.slow
def test_what_was_answered_with_success_outlives_kill_9(tmp_path, arrivals, database_url):
    folder = tmp_path / "workspace"
    promised: dict[str, str] = {}
    rounds = 2 if database_url is None else 1
    for turn in range(rounds):
        told = killed(folder, arrivals, threads=1 + 3 * (turn % 2), url=database_url, after=11 + 17 * turn)
        for name in promised:
            assert told.get(name, "already") == "already", "it was promised before, and was there"
        promised.update(dict.fromkeys(told, "there"))
        workspace = Workspace.open(folder, database_url)
        objects = Objects.open(workspace)
        assert objects.recovered.lost == ()
        by_number = {one.number: one for one in objects.instances_of([SPACE], STUDY)}
        for name in promised:
            with objects.open_bytes(by_number[int(name)]) as stream:
                assert stream.read() == (arrivals / name).read_bytes()
        for number, one in by_number.items():
            assert objects.path(one).read_bytes() == (arrivals / f"{number:04d}").read_bytes(), (
                "none is visible by half"
            )
        assert len(files_of(objects)) == len(by_number) == objects.statistics([SPACE])[0].instances
        assert len(list((folder / "objects" / ".incoming").iterdir())) == 1
        objects.close()
        workspace.close()
    assert 0 < len(promised) < ARRIVALS


def crashed(objects: Objects) -> Objects:
    """The same store opened by another process after the first was killed."""
    stale = objects.workspace.folder / "objects" / ".incoming" / "killed"
    stale.mkdir()
    (stale / "lock").touch()
    (stale / "7").write_bytes(b"half")
    return Objects.open(objects.workspace)


def test_a_file_without_a_row_gets_one(objects):
    for number in (1, 2):
        objects.receive(file(number), space=SPACE, origin=FROM)
    with objects.workspace.writing() as connection:
        connection.execute(delete(stored_instance).where(stored_instance.c.sop_uid == f"{SERIES}.2"))
    second = crashed(objects)
    assert second.recovered.indexed == 1
    assert second.instance([SPACE], STUDY, SERIES, f"{SERIES}.2").size == len(file(2))
    second.close()


def test_a_file_without_a_row_still_tells_who_drew_or_made_it(objects):
    origins = [
        Origin(kind="drawn", peer="li@127.0.0.1", person=7),
        Origin(kind="drawn", peer="li@127.0.0.1"),
        Origin(kind="derived", peer="here"),
        FROM,
    ]
    for number, origin in enumerate(origins, start=1):
        objects.receive(file(number), space=SPACE, origin=origin)
    with objects.workspace.writing() as connection:
        connection.execute(delete(stored_instance))
    second = crashed(objects)
    assert second.recovered.indexed == len(origins)
    found = stored_instance.c
    query = select(found.origin_kind, found.origin_person).order_by(found.instance_number)
    with second.workspace.reading() as connection:
        assert connection.execute(query).all() == [("drawn", 7), ("drawn", None), ("derived", None), ("import", None)]
    second.close()


def test_a_file_that_is_not_whole_is_removed(objects):
    objects.receive(file(1), space=SPACE, origin=FROM)
    (there,) = files_of(objects)
    (there.parent / f"{'0' * 32}-12345678.dcm").write_bytes(file(2)[:-100])
    (there.parent / f"{'1' * 32}-12345678.dcm").write_bytes(b"")
    second = crashed(objects)
    assert second.recovered.removed == 2
    assert files_of(objects) == [there]
    second.close()


def test_a_row_without_a_file_is_reported_and_never_served(objects):
    objects.receive(file(1), space=SPACE, origin=FROM)
    (there,) = files_of(objects)
    there.unlink()
    second = crashed(objects)
    (lost,) = second.recovered.lost
    assert there.name in lost
    (instance,) = second.instances_of([SPACE], STUDY)
    for serve in (second.open_bytes, second.path, lambda one: list(second.metadata([one]))):
        with pytest.raises(Exception, match="object-lost"):
            serve(instance)
    second.close()


def test_a_removal_that_was_killed_half_way_is_finished_and_not_undone(objects, monkeypatch):
    objects.receive(file(1), space=SPACE, origin=FROM)
    monkeypatch.setattr(retrieval, "finish", lambda *_: None)
    assert objects.remove(SPACE, STUDY) == 1
    assert len(files_of(objects)) == 1
    monkeypatch.undo()
    second = crashed(objects)
    assert files_of(objects) == []
    assert second.studies(Query(), [SPACE]) == []
    second.close()


def test_an_object_that_comes_again_during_its_removal_is_kept(objects, monkeypatch):
    objects.receive(file(1), space=SPACE, origin=FROM)
    real = retrieval.finish

    def finish(*arguments):
        assert objects.receive(file(1), space=SPACE, origin=FROM).status is ReceivedStatus.STORED
        real(*arguments)

    monkeypatch.setattr(retrieval, "finish", finish)
    objects.remove(SPACE, STUDY)
    (instance,) = objects.instances_of([SPACE], STUDY)
    assert objects.path(instance).read_bytes() == file(1)


def test_what_was_kept_aside_without_a_row_gets_one(objects):
    objects.receive(file(1), space=SPACE, origin=FROM)
    objects.receive(file(1, PatientID="P2"), space=SPACE, origin=FROM)
    with objects.workspace.writing() as connection:
        connection.execute(delete(stored_conflict))
    second = crashed(objects)
    (conflict,) = second.conflicts([SPACE])
    with second.open_conflict(conflict) as stream:
        assert stream.read() == file(1, PatientID="P2")
    second.close()


def test_a_file_of_other_bytes_under_a_stored_uid_is_kept_aside(objects, monkeypatch):
    # As a killed decision leaves it: the copy is in its place, its row was not written.
    objects.receive(file(1), space=SPACE, origin=FROM)
    objects.receive(file(1, PatientID="P2"), space=SPACE, origin=FROM)
    (conflict,) = objects.conflicts([SPACE])
    monkeypatch.setattr(type(objects.workspace), "writing", None)
    with pytest.raises(TypeError):
        objects.settle_conflict(SPACE, conflict.id, keep="received")
    monkeypatch.undo()
    assert len(files_of(objects)) == 3
    second = crashed(objects)
    assert len(files_of(objects)) == 2
    assert second.conflicts([SPACE]) == [conflict]
    second.close()


def test_arrivals_of_a_process_that_lives_are_left_alone(objects):
    elsewhere = Workspace.open(objects.workspace.folder)
    living = Objects.open(elsewhere)
    (mine,) = {
        path
        for path in (objects.workspace.folder / "objects" / ".incoming").iterdir()
        if path != objects.storage._presence.own
    }
    (mine / "5").write_bytes(b"half of what is arriving")
    third = crashed(objects)
    assert (mine / "5").exists()
    assert sorted(path.name for path in mine.parent.iterdir()) != []
    assert not (mine.parent / "killed").exists()
    living.receive(file(1), space=SPACE, origin=FROM)
    third.close()
    living.close()
    elsewhere.close()


def test_a_store_that_was_closed_is_not_searched_when_it_is_opened_again(objects, monkeypatch):
    monkeypatch.setattr(objects_module.recovery, "check", None)
    again = Objects.open(objects.workspace)
    assert again.recovered == objects_module.recovery.NOTHING
    again.close()


def test_a_check_finds_nothing_in_a_healthy_store(objects):
    for number in range(1, 5):
        objects.receive(file(number, series=f"{SERIES}.{number % 2}"), space=SPACE, origin=FROM)
    with objects.workspace.writing() as connection:
        connection.execute(insert(stored_removal).values(location="hospital-1/none/none.dcm"))
    found = objects.check()
    assert (found.indexed, found.lost) == (0, ())
    assert len(files_of(objects)) == 4
