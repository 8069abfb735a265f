"""Opening a workspace: pseudonyms, and each way in which it can't be used."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, select
from tests.archive.conftest import record

from bingcheng.archive import schema
from bingcheng.archive.matchings import decisions, proposals
from bingcheng.archive.retrieval import exams
from bingcheng.archive.statements import statements
from bingcheng.archive.store import save_exam
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError
from bingcheng.dicom.exam import Patient

NOBODY = 65534


def code_of(action, *arguments):
    with pytest.raises(BingchengError) as raised:
        action(*arguments)
    return raised.value.code


@contextmanager
def nobody(folder: Path):
    """Do as an account without rights does; the superuser is bound by no permission bits."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def locked():
    """A workspace with one exam that may be read but not written."""
    folder = Path(tempfile.mkdtemp())
    opened = Workspace.open(folder)
    save_exam(opened, record())
    opened.close()
    (folder / "bingcheng.sqlite").chmod(0o444)
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_workspace_is_made_where_there_is_none_and_found_again(tmp_path):
    first = Workspace.open(tmp_path / "deep" / "below")
    second = Workspace.open(tmp_path / "deep" / "below")
    assert first.secret == second.secret
    assert len(first.secret) == 32
    first.close()
    second.close()


def test_a_folder_may_have_any_name(tmp_path):
    folder = tmp_path / "what? #1 100% 医院 'quoted'"
    opened = Workspace.open(folder)
    save_exam(opened, record())
    opened.close()
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    assert (folder / "bingcheng.sqlite").is_file()


def test_looking_makes_nothing(tmp_path):
    assert code_of(Workspace.look_into, tmp_path) == "archive.no-workspace"
    assert code_of(Workspace.look_into, tmp_path / "absent") == "archive.no-workspace"
    assert list(tmp_path.iterdir()) == []


def test_a_workspace_without_the_right_to_write_can_still_be_read(locked):
    with nobody(locked):
        assert code_of(lambda: save_exam(Workspace.look_into(locked), record("1.2.4"))) == "archive.read-only"
        opened = Workspace.look_into(locked)
        assert [exam.uid for exam in exams(opened)] == ["1.2.3"]
        opened.close()


def test_a_folder_in_which_one_may_not_write_is_said_to_be_read_only(locked):
    with nobody(locked):
        assert code_of(Workspace.open, locked / "below") == "archive.read-only"


def test_writing_into_a_read_only_workspace_stores_nothing_and_says_why(locked):
    with nobody(locked):
        assert code_of(lambda: save_exam(Workspace.open(locked), record("1.2.4"))) == "archive.read-only"


def test_a_file_in_place_of_the_folder(tmp_path):
    (tmp_path / "file").write_text("x")
    assert code_of(Workspace.open, tmp_path / "file") == "archive.not-a-folder"
    assert code_of(Workspace.open, tmp_path / "file" / "below") == "archive.not-a-folder"


@pytest.mark.parametrize("content", [b"this is no database " * 99, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path, content):
    (tmp_path / "bingcheng.sqlite").write_bytes(content)
    assert code_of(Workspace.open, tmp_path) == "archive.not-a-workspace"
    assert (tmp_path / "bingcheng.sqlite").read_bytes() == content


def test_a_workspace_of_a_newer_release_is_not_touched(tmp_path):
    Workspace.open(tmp_path).close()
    with sqlite3.connect(tmp_path / "bingcheng.sqlite") as connection:
        connection.execute("UPDATE about SET value = ? WHERE key = 'version'", (str(schema.VERSION + 1),))
    connection.close()
    before = (tmp_path / "bingcheng.sqlite").read_bytes()
    assert code_of(Workspace.open, tmp_path) == "archive.newer-workspace"
    assert (tmp_path / "bingcheng.sqlite").read_bytes() == before


TABLES_OF_VERSION_1 = {"about", "identity", "exam", "series", "lesion", "measurement", "refusal"}
FINDINGS_OF_VERSION_1 = """
    ALTER TABLE exam DROP COLUMN failed;
    ALTER TABLE exam DROP COLUMN unknown;
    ALTER TABLE exam DROP COLUMN passed;
    CREATE TABLE finding (
        id INTEGER NOT NULL PRIMARY KEY,
        exam_uid VARCHAR(64) NOT NULL REFERENCES exam (uid) ON DELETE CASCADE,
        protocol VARCHAR(64) NOT NULL, criterion VARCHAR(64) NOT NULL, outcome VARCHAR(16) NOT NULL,
        gates BOOLEAN NOT NULL, record TEXT NOT NULL
    );
    CREATE INDEX ix_finding_exam_uid ON finding (exam_uid);
    CREATE INDEX finding_by_criterion ON finding (protocol, criterion, outcome);
    INSERT INTO finding VALUES (1, '1.1', 'ct_response_recist11', 'thickness', 'pass', 0, '{}');
    UPDATE exam SET judged = 'digest';
    UPDATE about SET value = '1' WHERE key = 'version';
"""


def of_version_1(folder: Path) -> None:
    opened = Workspace.open(folder)
    save_exam(opened, record("1.1"))
    opened.close()
    with sqlite3.connect(folder / "bingcheng.sqlite") as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        for (name,) in found.fetchall():
            if name not in TABLES_OF_VERSION_1:
                connection.execute(f"DROP TABLE IF EXISTS {name}")
        connection.executescript(FINDINGS_OF_VERSION_1)
    connection.close()


def test_a_workspace_of_an_earlier_release_is_brought_up_to_date_and_keeps_its_exams(tmp_path):
    of_version_1(tmp_path)
    opened = Workspace.open(tmp_path)
    (kept,) = exams(opened)
    assert (kept.uid, kept.findings, kept.doses) == ("1.1", (), ())
    assert kept.fingerprint != record("1.1").fingerprint  # so that its doses are read when it is found again
    with opened.reading() as connection:
        assert connection.scalar(select(schema.exam.c.judged)) is None  # so that it is judged anew
        version = select(schema.about.c.value).where(schema.about.c.key == "version")
        assert connection.scalar(version) == str(schema.VERSION)
        assert statements(connection) == ()
        assert (proposals(connection), decisions(connection)) == ((), ())
        assert connection.execute(select(schema.exam.c.failed, schema.exam.c.passed)).all() == [(0, 0)]
    opened.close()
    again = Workspace.open(tmp_path)
    assert [one.uid for one in exams(again)] == ["1.1"]
    again.close()


def test_who_only_looks_into_a_workspace_of_an_earlier_release_is_told_what_to_do(tmp_path):
    of_version_1(tmp_path)
    assert code_of(Workspace.look_into, tmp_path) == "archive.older-workspace"


@pytest.mark.parametrize("rows", [[], [("version", "one")], [("version", "1")]])
def test_a_database_that_does_not_say_what_it_is(tmp_path, rows):
    Workspace.open(tmp_path).close()
    with sqlite3.connect(tmp_path / "bingcheng.sqlite") as connection:
        connection.execute("DELETE FROM about")
        connection.executemany("INSERT INTO about VALUES (?, ?)", rows)
    connection.close()
    assert code_of(Workspace.look_into, tmp_path) == "archive.not-a-workspace"


def test_on_a_full_disk_an_exam_is_stored_whole_or_not_at_all(workspace):
    save_exam(workspace, record("1.1"))

    @event.listens_for(workspace.engine, "connect")
    def shrink(connection, _):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")

    workspace.engine.dispose()
    assert code_of(save_exam, workspace, record("1.2", series=40)) == "archive.disk-full"
    assert code_of(save_exam, workspace, record("1.1", series=40)) == "archive.disk-full"
    kept = exams(workspace)
    assert [(exam.uid, len(exam.series)) for exam in kept] == [("1.1", 2)]


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("nonsense", "archive.wrong-address"),
        ("sqlite:///x.sqlite", "archive.wrong-address"),
        ("oracle://somewhere", "archive.wrong-address"),
        ("postgresql+psycopg://nobody:secret@127.0.0.1:9/none", "archive.database-failed"),
    ],
)
def test_a_server_that_is_not_there_or_not_known_is_said_without_its_password(tmp_path, address, code):
    with pytest.raises(BingchengError) as raised:
        Workspace.open(tmp_path, address)
    assert raised.value.code == code
    assert "secret" not in str(raised.value)


def test_a_patient_has_one_pseudonym_in_a_workspace_and_another_in_every_other(workspace, tmp_path):
    patient = Patient(patient_id="KH-1")
    other = Workspace.open(tmp_path / "other")
    assert workspace.pseudonym(patient, "North", "1") == workspace.pseudonym(patient, "north ", "2")
    assert workspace.pseudonym(patient, "North", "1") != other.pseudonym(patient, "North", "1")
    other.close()


def test_a_number_means_one_person_within_its_issuer_only(workspace):
    def pseudonym(site, uid="1", **facts):
        return workspace.pseudonym(Patient(**facts), site, uid)

    assert pseudonym("North", patient_id="7") != pseudonym("South", patient_id="7")
    assert pseudonym("North", patient_id="7", issuer="City") == pseudonym("South", patient_id="7", issuer="City")
    assert pseudonym("North", patient_id="7", issuer="City") != pseudonym("North", patient_id="7", issuer="Land")
    # Many unknown people aren't one person: without a number the name and the birth date say who it is.
    assert pseudonym("North", "1", patient_id="") != pseudonym("North", "2", patient_id="")
    known = {"patient_id": " ", "name": "Doe^Jane", "birth_date": "19600101"}
    assert pseudonym("North", "1", **known) == pseudonym("North", "2", **known)


@given(number=st.text(min_size=1), site=st.text())
def test_a_pseudonym_is_short_plain_and_says_nothing(number, site):
    workspace = Workspace(Path(), None, b"k" * 32)  # type: ignore[arg-type]
    pseudonym = workspace.pseudonym(Patient(patient_id=number), site, "1.2")
    assert len(pseudonym) == 12
    assert pseudonym.isascii()
    assert set(pseudonym[2:]) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def test_an_identity_goes_when_its_last_exam_comes_back_under_another(workspace):
    save_exam(workspace, record("1.1"))
    save_exam(workspace, record("1.1", patient=Patient(patient_id="KH-2")))
    with workspace.reading() as connection:
        assert connection.scalars(select(schema.identity.c.patient_id)).all() == ["KH-2"]
