"""What a hospital sent is its own: the command line assesses the same objects anew, and no other copy of them."""

from __future__ import annotations

import shutil

import pydicom
import pytest
from sqlalchemy import func, update
from tests.archive.objects.sent import written
from tests.engine.making import change, ct
from tests.engine.received.conftest import NORTHERN, SOUTHERN, STUDY

from bingcheng.archive import schema
from bingcheng.archive.exam_sources import sources
from bingcheng.archive.ownership import claim
from bingcheng.archive.store import save_exam
from bingcheng.core.errors import InputError
from bingcheng.engine.plan import DICOM_FOLDER
from bingcheng.engine.received.owned import Owned
from bingcheng.engine.received.problems import OWNED_BY_HOSPITAL


@pytest.fixture
def copy(exam, tmp_path):
    """The exam in another folder, to be changed."""
    return shutil.copytree(exam, tmp_path / "copy")


def state(archive):
    """All that an assessment might change of the exam."""
    outputs = archive.workspace.folder / DICOM_FOLDER
    return archive.exams(), sources(archive.workspace), {path: path.read_bytes() for path in outputs.rglob("*.dcm")}


def kept(archive, folder, **options) -> bool:
    """Whether the command line leaves the exam as it is, and says so."""
    before = state(archive)
    tally = archive.from_folder(folder, **options)
    if tally.failed == 0:
        return False
    assert (tally.found, tally.assessed, tally.unchanged, tally.given) == (1, 0, 0, frozenset())
    assert [one.code for one in tally.failures] == ["engine.owned-by-hospital"]
    assert state(archive) == before
    return True


def test_the_same_files_are_assessed_anew(owned, exam):
    tally = owned.from_folder(exam, again=True)
    assert (tally.assessed, tally.failed) == (1, 0)
    assert sources(owned.workspace)[STUDY] == (exam,)


def test_the_same_objects_behind_another_meta_header_are_the_same(owned, copy):
    for path in copy.glob("0*.dcm"):
        found = pydicom.dcmread(path)
        found.file_meta.SourceApplicationEntityTitle = "ELSEWHERE"
        found.save_as(path)
    assert not kept(owned, copy)


def test_files_in_which_nothing_changed_are_not_even_looked_at(owned, exam):
    tally = owned.from_folder(exam)
    assert (tally.unchanged, tally.failed) == (1, 0)


def test_a_changed_object_leaves_the_results_alone(owned, copy):
    change(copy / "00008.dcm", lambda found: setattr(found, "PatientWeight", 99))
    assert kept(owned, copy)


def test_a_changed_pixel_of_the_same_size_leaves_the_results_alone(owned, copy):
    def louder(found):
        found.PixelData = bytes(len(found.PixelData))

    change(copy / "00008.dcm", louder)
    assert kept(owned, copy, again=True)


def test_a_part_of_the_exam_leaves_the_results_alone(owned, copy):
    (copy / "00008.dcm").unlink()
    assert kept(owned, copy)


def test_an_object_more_leaves_the_results_alone(owned, copy):
    found = pydicom.dcmread(copy / "00008.dcm")
    found.SOPInstanceUID = f"{found.SeriesInstanceUID}.99"
    found.ImagePositionPatient[2] += 40
    (copy / "more.dcm").write_bytes(written(found))
    assert kept(owned, copy)


def test_results_outlive_the_objects_whoever_has_a_copy(archive, exam):
    archive.receive(exam)  # into the folder where it then lies, which the workspace remembers
    assert archive.assess().refusal is None
    archive.objects.remove(NORTHERN, STUDY)
    assert kept(archive, exam, again=True)
    path = schema.exam_source.c.path
    with archive.workspace.writing() as connection:  # as if the workspace had been moved here since
        here = str(archive.workspace.folder.absolute())
        moved = connection.execute(update(schema.exam_source).values(path=func.replace(path, here, "/before")))
        assert moved.rowcount
    assert all("/before/" in str(place) for place in sources(archive.workspace)[STUDY])
    assert kept(archive, exam, again=True)


def test_another_exam_in_the_same_folder_is_assessed_all_the_same(owned, copy, tmp_path):
    (copy / "00008.dcm").unlink()
    ct(copy / "second", name="second")
    tally = owned.from_folder(copy)
    assert (tally.found, tally.assessed, tally.failed) == (2, 1, 1)
    assert set(owned.exams()) == {STUDY, *tally.given}


def test_an_exam_that_was_brought_in_is_assessed_again_from_where_it_lay(from_folder, exam):
    assert from_folder.bring_in()[0].refusal is None
    assert not kept(from_folder, exam, again=True)


def test_an_exam_that_was_brought_in_and_deleted_is_still_that_of_its_folder(from_folder, exam):
    from_folder.bring_in()
    from_folder.objects.remove(NORTHERN, STUDY)
    assert not kept(from_folder, exam, again=True)


def test_what_nobody_owns_is_assessed_as_ever(from_folder, copy):
    (copy / "00008.dcm").unlink()
    assert not kept(from_folder, copy)


def test_who_comes_to_own_an_exam_while_it_is_assessed_keeps_its_results(archive, exam):
    archive.receive(exam, space=SOUTHERN)
    guard = Owned.among(archive.workspace, ())
    with archive.workspace.writing() as connection:
        assert claim(connection, STUDY, SOUTHERN)
    with pytest.raises(InputError) as raised, archive.workspace.writing() as connection:
        guard.allow(connection, STUDY)
    assert raised.value.code == "engine.owned-by-hospital"
    assert archive.exams() == {}


def test_storing_asks_in_the_same_transaction(from_folder):
    archive = from_folder
    (record,) = archive.exams().values()

    def refuse(_connection, exam_uid):
        raise InputError(OWNED_BY_HOSPITAL, exam=exam_uid)

    with pytest.raises(InputError):
        save_exam(archive.workspace, record, allow=refuse)
    assert archive.exams() == {STUDY: record}
