"""What is made of an exam lies beside its objects, is renewed with it, and never stands there alone."""

from __future__ import annotations

from hashlib import sha256

import pytest
from sqlalchemy import delete
from tests.engine.received.conftest import NORTHERN, STUDY

from bingcheng.archive.objects.location import told_origin
from bingcheng.archive.objects.query import Query
from bingcheng.archive.objects.tables import stored_instance
from bingcheng.archive.problems import DISK_FULL
from bingcheng.core.errors import InputError, RemoteError
from bingcheng.engine.plan import DICOM_FOLDER, short
from bingcheng.engine.received import derived as derived_module
from bingcheng.engine.received.derived import follow_outputs, follow_run, keep_derived


@pytest.fixture
def assessed(owned):
    return owned


def outputs(archive):
    return archive.workspace.folder / DICOM_FOLDER / short(STUDY)


def test_what_stays_the_same_is_not_touched(assessed):
    before = [(one.sop_uid, one.location, one.received_at) for one in assessed.objects.instances_of([NORTHERN], STUDY)]
    assert keep_derived(assessed.workspace, assessed.objects, NORTHERN, STUDY) == 3
    after = [(one.sop_uid, one.location, one.received_at) for one in assessed.objects.instances_of([NORTHERN], STUDY)]
    assert after == before


def test_what_is_made_no_more_goes(assessed):
    (report,) = outputs(assessed).glob("conformance-*.dcm")
    report.unlink()
    assert keep_derived(assessed.workspace, assessed.objects, NORTHERN, STUDY) == 2
    assert len(assessed.derived()) == 2


def test_nothing_is_put_beside_objects_that_were_deleted(assessed):
    assessed.objects.remove(NORTHERN, STUDY)
    with pytest.raises(InputError) as raised:
        keep_derived(assessed.workspace, assessed.objects, NORTHERN, STUDY)
    assert raised.value.code == "engine.nothing-left"
    assert assessed.objects.studies(Query(), [NORTHERN]) == []


def test_a_study_deleted_at_the_same_moment_does_not_come_back(from_folder, exam, monkeypatch):
    archive = from_folder
    archive.receive(exam)
    real = derived_module._receive

    def receive(objects, space, made):
        objects.remove(NORTHERN, STUDY)
        real(objects, space, made)

    monkeypatch.setattr(derived_module, "_receive", receive)
    with pytest.raises(InputError) as raised:
        keep_derived(archive.workspace, archive.objects, NORTHERN, STUDY)
    assert raised.value.code == "engine.nothing-left"
    assert archive.objects.studies(Query(), [NORTHERN]) == []


def test_a_file_that_lost_its_row_is_known_as_made_here(assessed):
    made = assessed.derived()
    names = {one.sop_uid: one.location for one in assessed.objects.instances_of([NORTHERN], STUDY)}
    assert {uid for uid, location in names.items() if told_origin(location, "").kind == "derived"} == set(made)
    # As after kill -9 between file and row.
    with assessed.workspace.writing() as connection:
        connection.execute(delete(stored_instance).where(stored_instance.c.sop_uid.in_(made)))
    assert assessed.objects.check().indexed == 3
    assert assessed.derived() == made
    assert set(assessed.sent()) == set(names) - set(made)


def test_what_a_run_on_the_command_line_changes_is_followed(assessed, exam):
    before = assessed.derived()
    assessed.from_folder(exam, again=True, protocols=("ct_response_recist11",))
    follow_run(assessed.workspace)
    made = {sha256(path.read_bytes()).hexdigest() for path in outputs(assessed).glob("*.dcm")}
    assert set(assessed.derived().values()) == made
    assert len(made) == len(before) == 3
    assert made != set(before.values())


def test_only_what_changed_since_is_looked_at(assessed):
    follow_outputs(assessed.workspace, assessed.objects)
    (report,) = outputs(assessed).glob("conformance-*.dcm")
    assert follow_outputs(assessed.workspace, assessed.objects) == 1, "the last one that was seen, once more"
    report.unlink()
    assert len(assessed.derived()) == 3
    assert follow_outputs(assessed.workspace, assessed.objects) == 1
    assert len(assessed.derived()) == 2


def test_what_can_not_be_followed_now_is_followed_the_next_time(assessed, monkeypatch):
    follow_outputs(assessed.workspace, assessed.objects)
    (report,) = outputs(assessed).glob("conformance-*.dcm")
    report.unlink()

    def full(*_):
        raise RemoteError(DISK_FULL)

    monkeypatch.setattr(derived_module, "keep_derived", full)
    follow_outputs(assessed.workspace, assessed.objects)
    monkeypatch.undo()
    assert len(assessed.derived()) == 3
    follow_outputs(assessed.workspace, assessed.objects)
    assert len(assessed.derived()) == 2


def test_a_workspace_without_an_archive_makes_none(from_folder):
    assert follow_run(from_folder.workspace) == 0
