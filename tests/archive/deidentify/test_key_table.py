"""Who is who: known to the holder of the key, to nobody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import select, update
from tests.archive.deidentify.making import KEY, ct, read, written

from bingcheng.archive.deidentify.batch import Deidentifier
from bingcheng.archive.deidentify.key_table import EntryKind, KeyTable, Secret, in_file
from bingcheng.archive.deidentify.profile import Profile
from bingcheng.archive.deidentify.tables import deidentify_entry
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import InputError

PHRASE = Secret.passphrase("correct horse battery", cost=10)


@pytest.fixture
def cleaned():
    return Deidentifier(profile=Profile.named("research-follow-up"), key=KEY).one(written(ct()))


def test_the_original_of_a_pseudonym_and_a_uid_is_found(workspace, cleaned):
    with workspace.writing() as connection:
        table = KeyTable.make(connection, "north", PHRASE, KEY)
        assert table.record(connection, [cleaned, cleaned]) == 1 + len(cleaned.uids)
        assert table.record(connection, [cleaned]) == 0
    with workspace.reading() as connection:
        table = KeyTable.open(connection, "north", PHRASE)
        assert table.key == KEY
        patient = table.original(connection, cleaned.subject.pseudonym)
        assert patient.kind is EntryKind.PATIENT
        assert patient.facts["name"] == "Quixworth^Zebediah"
        assert patient.facts["patient_id"] == "MRN-7730921"
        found = table.original(connection, read(cleaned.data).SOPInstanceUID)
        assert found.facts == {"uid": ct().SOPInstanceUID}
        assert table.original(connection, "P-NOBODY") is None


def test_the_database_alone_tells_nothing(tmp_path, cleaned):
    path = tmp_path / "keys.sqlite"
    with in_file(path) as connection:
        KeyTable.make(connection, "x", PHRASE, KEY).record(connection, [cleaned])
    stored = path.read_bytes().lower()
    for words in ("quixworth", "zebediah", "7730921", "19520317", "1.2.276.0.7230010"):
        assert words.encode() not in stored
    assert KEY.secret not in path.read_bytes()


@pytest.mark.parametrize(
    "wrong", [Secret.passphrase("correct horse batterz", cost=10), Secret(words=b"f" * 32, cost=0)]
)
def test_a_wrong_secret_opens_nothing(workspace, wrong):
    with workspace.writing() as connection:
        KeyTable.make(connection, "north", PHRASE)
        with pytest.raises(InputError) as refused:
            KeyTable.open(connection, "north", wrong)
        assert refused.value.code == "archive.bad-key"
        assert KeyTable.open(connection, "south", PHRASE) is None


def test_after_a_rotation_only_the_new_secret_opens_and_pseudonyms_stay(workspace, cleaned):
    new = Secret.passphrase("another long passphrase", cost=10)
    with workspace.writing() as connection:
        table = KeyTable.make(connection, "north", PHRASE, KEY)
        table.record(connection, [cleaned])
        before = set(connection.execute(select(deidentify_entry.c.sealed)).scalars())
        rotated = table.rotate(connection, "north", new)
        assert rotated.key == KEY
        assert not before & set(connection.execute(select(deidentify_entry.c.sealed)).scalars())
        with pytest.raises(InputError):
            KeyTable.open(connection, "north", PHRASE)
        opened = KeyTable.open(connection, "north", new)
        assert opened.original(connection, cleaned.subject.pseudonym).facts["birth_date"] == "19520317"
        with pytest.raises(InputError):
            table.original(connection, cleaned.subject.pseudonym)


def test_an_entry_moved_behind_another_pseudonym_does_not_open(workspace, cleaned):
    with workspace.writing() as connection:
        table = KeyTable.make(connection, "north", PHRASE, KEY)
        table.record(connection, [cleaned])
        rows = deidentify_entry
        connection.execute(update(rows).where(rows.c.kind == "patient").values(replacement="P-SOMEBODYELSE"))
        with pytest.raises(InputError) as refused:
            table.original(connection, "P-SOMEBODYELSE")
        assert refused.value.code == "archive.damaged-key-table"


def test_what_was_not_cleaned_is_not_recorded(workspace, cleaned):
    with workspace.writing() as connection:
        table = KeyTable.make(connection, "north", PHRASE, KEY)
        assert table.record(connection, [replace(cleaned, data=None)]) == 0


def test_a_key_file_is_made_for_its_owner_only_and_read_again(tmp_path):
    path = tmp_path / "project.key"
    secret = Secret.key_file(path)
    assert path.stat().st_mode & 0o077 == 0
    assert Secret.key_file(path) == secret
    assert Secret.key_file(path).key() == secret.key()
    path.write_text("short", encoding="ascii")
    with pytest.raises(InputError, match=r"archive\.weak-key"):
        Secret.key_file(path)


def test_where_no_key_file_can_be_is_said(tmp_path):
    for path in (tmp_path, tmp_path / "absent" / "project.key"):
        with pytest.raises(InputError, match=r"archive\.no-key-file"):
            Secret.key_file(path)


def test_what_is_no_table_is_said_and_left_as_it_is(tmp_path):
    other = tmp_path / "exam.dcm"
    other.write_bytes(b"\0" * 128 + b"DICM" + b"x" * 4000)
    for path in (other, tmp_path / "absent" / "who.sqlite"):
        with pytest.raises(InputError, match=r"archive\.no-key-table-file"), in_file(path):
            pass
    assert other.read_bytes()[128:132] == b"DICM"


def test_runs_that_write_one_table_at_once_lose_nothing(tmp_path, cleaned):
    secret, path = Secret(words=b"k" * 32, cost=0), tmp_path / "who.sqlite"
    ready = Barrier(4)

    def record(number):
        ready.wait()
        with in_file(path) as connection:
            table = KeyTable.open(connection, "p", secret) or KeyTable.make(connection, "p", secret, secret.key())
            return table.record(
                connection, [replace(cleaned, uids={**cleaned.uids, f"1.2.{number}": f"2.25.{number}"})]
            )

    with ThreadPoolExecutor(4) as pool:
        new = list(pool.map(record, range(4)))
    assert sorted(new) == [1, 1, 1, 2 + len(cleaned.uids)]
    with in_file(path, looking=True) as connection:
        table = KeyTable.open(connection, "p", secret)
        assert all(table.original(connection, f"2.25.{number}") is not None for number in range(4))


def test_short_passphrases_are_refused():
    with pytest.raises(InputError, match=r"archive\.weak-key"):
        Secret.passphrase("short")


def test_the_usual_cost_is_what_owasp_advises(workspace):
    with workspace.writing() as connection:
        KeyTable.make(connection, "north", Secret.passphrase("correct horse battery"))
        assert KeyTable.open(connection, "north", Secret.passphrase("correct horse battery")) is not None


def test_it_stands_on_a_database_server_too(postgresql, tmp_path, cleaned):
    workspace = Workspace.open(tmp_path / "there", postgresql)
    try:
        with workspace.writing() as connection:
            KeyTable.make(connection, "north", PHRASE, KEY).record(connection, [cleaned])
            table = KeyTable.open(connection, "north", PHRASE)
            rotated = table.rotate(connection, "north", Secret.passphrase("another long passphrase", cost=10))
            found = rotated.original(connection, cleaned.subject.pseudonym)
            assert found.facts["name"] == "Quixworth^Zebediah"
    finally:
        workspace.close()
