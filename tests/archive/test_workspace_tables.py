"""A workspace that lacks what this release has is completed, whatever its version says, or refused as it stands."""

from __future__ import annotations

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, select, text
from tests.archive.conftest import record

from bingcheng.archive import rooms, schema
from bingcheng.archive.exam_owner import exam_owner
from bingcheng.archive.jobs.queue import JobKind, ask
from bingcheng.archive.jobs.tables import job
from bingcheng.archive.retrieval import exams
from bingcheng.archive.store import save_exam
from bingcheng.archive.workspace import Workspace
from bingcheng.archive.workspace_copy import copy_name
from bingcheng.archive.workspace_tables import lacks
from bingcheng.core.errors import BingchengError

NOON = datetime(2026, 1, 5, 12)  # noqa: DTZ001 - UTC, as times stand in the database
# The queue as it was made before an exam could be sent, and the table of owners before there was any.
BEFORE = """
DROP TABLE exam_owner;
DROP TABLE job_taken;
DROP TABLE job;
CREATE TABLE job (
    id INTEGER PRIMARY KEY, kind VARCHAR(16) NOT NULL, space VARCHAR(64) NOT NULL, study_uid VARCHAR(64) NOT NULL,
    state VARCHAR(16) NOT NULL, asked_at TIMESTAMP NOT NULL, started_at TIMESTAMP, ended_at TIMESTAMP,
    tries INTEGER NOT NULL, step TEXT, done INTEGER NOT NULL, total INTEGER NOT NULL, reason TEXT, digest VARCHAR(64)
);
DROP INDEX measurement_by_key;
ALTER TABLE exam DROP COLUMN passed;
UPDATE exam SET judged = 'digest'
"""
A_JOB = """
INSERT INTO job (id, kind, space, study_uid, state, asked_at, tries, done, total)
VALUES (7, 'assess', 'hospital/1', '1.2', 'waiting', '2026-01-05 12:00:00', 0, 0, 0)
"""
STRICT_LESIONS = """
CREATE TABLE other (
    id INTEGER PRIMARY KEY, exam_uid VARCHAR(64) NOT NULL, series_uid VARCHAR(64) NOT NULL, lesion TEXT NOT NULL,
    label TEXT NOT NULL, method TEXT NOT NULL, picture BLOB NOT NULL
);
INSERT INTO other SELECT * FROM lesion;
DROP TABLE lesion;
ALTER TABLE other RENAME TO lesion
"""


@dataclass(frozen=True)
class Made:
    """One workspace, which is opened again and again."""

    folder: Path
    address: str | None = None

    def open(self) -> Workspace:
        return Workspace.open(self.folder, self.address)

    def age(self, *orders: str) -> None:
        """Give the database orders behind the program's back."""
        engine = self._engine()
        with engine.begin() as connection:
            for order in orders:
                for one in filter(str.strip, order.split(";")):
                    number = "SERIAL" if self.address else "INTEGER"
                    connection.execute(text(one.replace("id INTEGER PRIMARY", f"id {number} PRIMARY")))
        engine.dispose()

    def shape(self) -> dict[str, list[str]]:
        """The columns of each table."""
        engine = self._engine()
        found = inspect(engine)
        seen = {name: [column["name"] for column in found.get_columns(name)] for name in found.get_table_names()}
        engine.dispose()
        return seen

    def _engine(self):
        return create_engine(self.address or f"sqlite:///{self.folder}/bingcheng.sqlite")


@pytest.fixture(params=["sqlite", "postgresql"])
def made(request, tmp_path):
    """A workspace with an exam in it."""
    address = None if request.param == "sqlite" else request.getfixturevalue("postgresql")
    new = Made(tmp_path, address)
    first = new.open()
    save_exam(first, record("1.1"))
    first.close()
    return new


def code_of(action) -> str:
    with pytest.raises(BingchengError) as raised:
        action()
    return raised.value.code


def test_what_a_release_between_two_versions_lacked_is_added_and_every_row_kept(made):
    made.age(BEFORE, A_JOB)
    opened = made.open()
    with opened.writing() as connection:
        assert not lacks(connection)
        assert connection.execute(select(exam_owner)).all() == []
        (kept,) = connection.execute(select(job.c.id, job.c.study_uid, job.c.target)).all()
        assert tuple(kept) == (7, "1.2", None)
        assert ask(connection, JobKind.SEND, "hospital/1", "1.2", NOON, target="peer/1") != 7
        assert connection.scalar(select(job.c.state).where(job.c.id == 7)) == "waiting"
        # Its counts are of findings: with a new column they are counted anew.
        assert connection.scalar(select(schema.exam.c.judged)) is None
    assert [one.uid for one in exams(opened)] == ["1.1"]
    opened.close()


def test_a_column_that_rows_can_not_take_on_is_refused_and_nothing_changes(made):
    without_space = A_JOB.replace("space, ", "").replace("'hospital/1', ", "")
    made.age(BEFORE, "ALTER TABLE job DROP COLUMN space", without_space)
    before = made.shape()
    with pytest.raises(BingchengError) as raised:
        made.open()
    assert raised.value.code == "archive.cannot-complete"
    assert dict(raised.value.reason.facts) == {"table": "job", "column": "space"}
    assert made.shape() == before


def test_a_table_without_rows_is_made_anew(made):
    made.age(BEFORE, "ALTER TABLE job DROP COLUMN space")
    opened = made.open()
    with opened.reading() as connection:
        assert not lacks(connection)
    opened.close()


def test_a_column_that_this_release_does_not_fill(made):
    made.age(BEFORE, "ALTER TABLE job ADD COLUMN mood VARCHAR(8) NOT NULL DEFAULT 'good'")
    made.open().close()  # the database fills it itself
    made.age("DROP TABLE statement; CREATE TABLE statement (id INTEGER PRIMARY KEY, mood TEXT NOT NULL)")
    opened = made.open()  # nobody stated anything yet: the table is made anew
    with opened.reading() as connection:
        assert not lacks(connection)
    opened.close()


def test_rows_with_a_column_that_this_release_does_not_fill(made):
    made.age("ALTER TABLE lesion RENAME COLUMN image TO picture")
    if made.address:
        made.age("ALTER TABLE lesion ALTER COLUMN picture SET NOT NULL")
        opened = made.open()
        with opened.reading() as connection:
            assert not lacks(connection)
        save_exam(opened, record("1.2"))
        opened.close()
        return
    # SQLite changes no rule of a column; the table is written out as such a release would have made it.
    made.age(STRICT_LESIONS)
    assert code_of(made.open) == "archive.cannot-complete"


def test_who_only_looks_is_told_what_to_do(made):
    made.age(BEFORE)
    assert code_of(lambda: Workspace.look_into(made.folder, made.address)) == "archive.incomplete-workspace"
    made.open().close()
    Workspace.look_into(made.folder, made.address).close()


def test_several_that_open_it_at_once_complete_it_once(made):
    made.age(BEFORE, A_JOB)
    with ThreadPoolExecutor(4) as pool:
        opened = [one.result() for one in [pool.submit(made.open) for _ in range(4)]]
    with opened[0].reading() as connection:
        assert not lacks(connection)
        assert connection.scalars(select(job.c.id)).all() == [7]
    for one in opened:
        one.close()


def test_no_index_has_a_name_that_a_server_would_cut():
    names = [str(index.name) for table in rooms.metadata.tables.values() for index in table.indexes]
    assert max(map(len, names)) <= 63


def test_a_copy_of_the_file_is_kept_from_before(tmp_path):
    made = Made(tmp_path)
    made.open().close()
    file, copy = tmp_path / "bingcheng.sqlite", copy_name(tmp_path / "bingcheng.sqlite", str(schema.VERSION))
    file.chmod(0o640)
    before = file.read_bytes()
    made.open().close()
    assert not copy.exists(), "nothing was to be changed"
    assert file.read_bytes() == before
    made.age(BEFORE, A_JOB)
    made.open().close()
    assert copy.stat().st_mode & 0o777 == 0o640
    engine = create_engine(f"sqlite:///{copy}")
    assert "exam_owner" not in inspect(engine).get_table_names()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id FROM job")).all() == [(7,)]
    engine.dispose()
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


@pytest.fixture
def small_disk(tmp_path):
    """A file system of four MiB."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only the superuser can mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_without_room_for_a_copy_nothing_is_changed(small_disk):
    made = Made(small_disk)
    made.open().close()
    made.age(BEFORE, A_JOB)
    before = made.shape()
    free = os.statvfs(small_disk)
    (small_disk / "filler").write_bytes(bytes(free.f_bavail * free.f_frsize - 200_000))
    assert code_of(made.open) == "archive.disk-full"
    assert made.shape() == before
    assert not list(small_disk.glob("*version*"))
    (small_disk / "filler").unlink()
    made.open().close()
    assert len(list(small_disk.glob("*version*"))) == 1
