"""Exams that are received: assessed once, again when they change, whoever sends them and whatever they hold."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pydicom
import pytest
from tests.archive.objects.sent import written
from tests.engine.making import CARLA, change, ct, pet, structure_set, uid_of
from tests.engine.received.conftest import NOON, NORTHERN, ONE, SENT, SOUTHERN, STUDY, job, nothing

from bingcheng.archive.objects.query import Query
from bingcheng.archive.objects.received import Origin, ReceivedStatus
from bingcheng.archive.statements import Statement, StatementKind, state, statements
from bingcheng.engine import examine
from bingcheng.engine.received.assessing import assess_received

CT2 = Origin(kind="dimse", peer="CT2@127.0.0.1")
PDF, CAPTURE = "1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.5.1.4.1.1.7"


@pytest.fixture
def copy(exam, tmp_path):
    """The exam in another folder, to be changed."""
    return shutil.copytree(exam, tmp_path / "copy")


def lesions(record):
    return [one.label for series in record.series for one in series.lesions]


def test_assessing_again_changes_nothing(owned):
    archive = owned
    before, made = archive.exams(), archive.derived()
    assert archive.assess().refusal is None
    assert (archive.exams(), archive.derived()) == (before, made)


def test_a_slice_that_comes_later_has_the_exam_assessed_once_more_and_keeps_what_people_stated(archive, exam):
    late = exam / "00016.dcm"
    archive.receive(*(path for path in sorted(exam.glob("*.dcm")) if path != late))
    first = archive.assess()
    before, made = archive.exams()[STUDY], archive.derived()
    stated = Statement(
        kind=StatementKind.ANSWER, by="Dr Li", made_at=NOON, subject="clinical.tumour", exam_uid=STUDY, value="HCC"
    )
    with archive.workspace.writing() as connection:
        state(connection, stated)
    archive.receive(late)
    second = archive.assess()
    assert second.digest != first.digest
    after = archive.exams()[STUDY]
    assert after.fingerprint != before.fingerprint
    assert lesions(after) == lesions(before) == ["Lesion 1"]
    assert len(archive.exams()) == 1
    assert len(archive.derived()) == len(made) == 3
    with archive.workspace.reading() as connection:
        assert [one.statement for one in statements(connection)] == [stated]


def test_the_same_study_from_two_scanners_at_once_is_kept_and_assessed_once(archive, exam):
    files = sorted(exam.glob("*.dcm"))
    with ThreadPoolExecutor(4) as pool:
        senders = [pool.submit(archive.receive, *files, origin=origin) for origin in (SENT, CT2) * 2]
        told = [one.status for sender in senders for one in sender.result()]
    assert told.count(ReceivedStatus.STORED) == len(files)
    assert told.count(ReceivedStatus.ALREADY) == 3 * len(files)
    assert archive.assess().refusal is None
    assert len(archive.sent()) == len(files)
    assert archive.objects.conflicts([NORTHERN]) == []


def test_other_bytes_under_a_uid_are_kept_aside_and_do_not_count(owned, copy):
    archive = owned
    before = archive.assess().digest
    change(copy / "00008.dcm", lambda found: setattr(found, "PatientWeight", 99))
    (received,) = archive.receive(copy / "00008.dcm")
    assert received.status is ReceivedStatus.CONFLICT
    (conflict,) = archive.objects.conflicts([NORTHERN])
    with archive.objects.open_conflict(conflict) as stream:
        assert stream.read() == (copy / "00008.dcm").read_bytes()
    assert archive.assess().digest == before
    archive.objects.settle_conflict(NORTHERN, conflict.id, keep="received")
    assert archive.assess().digest != before


def test_two_hospitals_that_send_the_same_study_each_keep_their_own(archive, exam):
    archive.receive(exam)
    archive.receive(exam, space=SOUTHERN)
    jobs = [job(NORTHERN), replace(job(SOUTHERN), number=2)]
    first, second = assess_received(archive.workspace, archive.objects, jobs, ONE, nothing)
    assert first.refusal is None
    assert second.refusal.code == "engine.held-elsewhere"
    assert len(archive.derived(NORTHERN)) == 3
    assert archive.derived(SOUTHERN) == {}
    archive.objects.remove(SOUTHERN, STUDY)
    assert len(archive.sent(NORTHERN)) == len(list(exam.glob("*.dcm")))


@pytest.mark.parametrize("earlier", [False, True])
def test_a_study_deleted_while_it_is_assessed_leaves_no_results_of_a_part_of_it(archive, exam, monkeypatch, earlier):
    late = exam / "00016.dcm"
    archive.receive(*(path for path in sorted(exam.glob("*.dcm")) if path != late))
    if earlier:
        archive.assess()
    archive.receive(late)
    before = archive.exams()
    assert len(before) == earlier
    real = examine._series

    def deleted_meanwhile(*arguments):
        archive.objects.remove(NORTHERN, STUDY)
        return real(*arguments)

    monkeypatch.setattr(examine, "_series", deleted_meanwhile)
    assert archive.assess().refusal.code == "engine.files-went"
    assert archive.exams() == before
    assert archive.objects.studies(Query(), [NORTHERN]) == []


def test_a_study_of_two_patients_is_nobody_s(archive, exam, copy):
    for path in sorted(copy.glob("0*.dcm"))[:5]:
        change(path, lambda found: setattr(found, "PatientID", CARLA.patient_id))
    archive.receive(copy)
    assert archive.assess().refusal.code == "dicom.mixed-patients"
    assert archive.exams() == {}
    (study,) = archive.objects.studies(Query(), [NORTHERN])
    assert study.patient_differs


def test_pet_without_ct_is_assessed(archive, tmp_path):
    pet(tmp_path / "pet")
    archive.receive(tmp_path / "pet")
    study = uid_of("study", "bruno-1")
    assert archive.assess(study=study).refusal is None
    assert lesions(archive.exams()[study]) == ["Lesion 1"]


def document(exam, sop_class, modality, **attributes) -> bytes:
    """An object of the exam that is no slice."""
    made = pydicom.dcmread(exam / "00001.dcm", stop_before_pixels=True)
    made.SOPClassUID = sop_class
    made.SOPInstanceUID = f"{made.StudyInstanceUID}.7"
    made.SeriesInstanceUID = f"{made.StudyInstanceUID}.8"
    made.Modality = modality
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    if "PixelData" in made:
        made["PixelData"].VR = "OW"
    return written(made)


def only(kind: str, archive, exam, copy) -> bytes:
    """The bytes of the one object that an exam holds."""
    if kind == "SR":
        archive.receive(exam)
        archive.assess()
        reports = list(archive.derived())
        found = [one for one in archive.objects.instances_of([NORTHERN], STUDY) if one.sop_uid in reports]
        (report, *_) = [one for one in found if "1.1.88" in one.sop_class_uid]
        data = archive.objects.path(report).read_bytes()
        archive.objects.remove(NORTHERN, STUDY)
        return data
    if kind == "SEG":
        return (exam / "seg.dcm").read_bytes()
    if kind == "RTSTRUCT":
        return structure_set(copy).read_bytes()
    if kind == "capture":
        pixels = {"Rows": 4, "Columns": 4, "PixelData": bytes(32)}
        return document(exam, CAPTURE, "OT", ConversionType="WSD", **pixels)
    return document(
        exam, PDF, "DOC", EncapsulatedDocument=b"%PDF-1.4\n%%EOF\n ", MIMETypeOfEncapsulatedDocument="application/pdf"
    )


@pytest.mark.parametrize("kind", ["SR", "SEG", "RTSTRUCT", "capture", "PDF"])
def test_an_exam_without_images_says_what_is_wanted_and_nothing_is_made_of_it(archive, exam, copy, kind):
    data = only(kind, archive, exam, copy)
    before = archive.exams()
    archive.objects.receive(data, space=NORTHERN, origin=SENT)
    outcome = archive.assess()
    found = archive.exams().get(STUDY)
    said = [outcome.refusal] if outcome.refusal is not None else list(found.refusals)
    assert said
    assert all(one.reason and one.code for one in said)
    if found != before.get(STUDY):
        assert found.series == ()
        assert found.findings == ()
    assert archive.derived() == {}
    assert len(archive.sent()) == 1


def test_one_exam_that_fails_keeps_no_other_from_being_assessed(archive, exam, tmp_path):
    ct(tmp_path / "second", name="second")
    archive.receive(exam, tmp_path / "second")
    second = uid_of("study", "second")
    for one in archive.objects.instances_of([NORTHERN], STUDY):
        archive.objects.path(one).write_bytes(b"overwritten by somebody")
    jobs = [job(), replace(job(study=second), number=2)]
    bad, good = assess_received(archive.workspace, archive.objects, jobs, ONE, nothing)
    assert bad.refusal is not None
    assert good.refusal is None
    assert set(archive.exams()) == {second}
