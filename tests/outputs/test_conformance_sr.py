"""Reports of protocol findings conform, say what the findings say, and tell no more of the patient than the images."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import highdicom as hd
import pydicom
import pytest
from pydicom.uid import EnhancedSRStorage, MRImageStorage, generate_uid
from tests.outputs.example import finding
from tests.protocol.exams_mr import prostate

from bingcheng.core.errors import InputError
from bingcheng.core.finding import Level, Outcome, Trust
from bingcheng.core.wording import text
from bingcheng.dicom.sources import open_dataset
from bingcheng.outputs import conformance_codes as codes
from bingcheng.outputs.conformance_source import JudgedExam, JudgedSeries
from bingcheng.outputs.conformance_sr import read_conformance_sr, write_conformance_sr
from bingcheng.outputs.language import Language
from bingcheng.protocol.conformance import judge
from bingcheng.protocol.library import protocol

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
PIRADS = "prostate_mpmri_pirads21"


def uid_of(series_uid):
    return generate_uid(entropy_srcs=["conformance", series_uid])


@pytest.fixture(scope="module")
def judged():
    """A prostate exam without its ADC map and its sagittal T2, judged by PI-RADS."""
    roles, _ = prostate()
    kept = tuple(one for name, one in roles.items() if name not in {"ADC", "T2W_ORTHO"})
    found = judge(protocol(PIRADS), kept)
    named = [replace(one, series_uid=one.series_uid and uid_of(one.series_uid)) for one in found]
    return [uid_of(one.series_uid) for one in kept], named


@pytest.fixture
def exam(source, judged):
    return exam_of(source, judged)


def exam_of(source, judged):
    series = (
        JudgedSeries(uid=uid, sop_class_uid=MRImageStorage, instances=tuple(f"{uid[:50]}.{n}" for n in range(3)))
        for uid in judged[0]
    )
    return JudgedExam(header=open_dataset(source.frames.frames[0]), series=tuple(series))


@pytest.fixture(scope="module")
def path(source, judged, tmp_path_factory):
    """The report of all findings; only to be read."""
    written = tmp_path_factory.mktemp("conformance") / "conformance.dcm"
    write_conformance_sr(written, judged[1], exam_of(source, judged), [protocol(PIRADS)], written_at=AT)
    return written


def test_it_conforms_and_opens_as_a_measurement_report(path, judged, complaints):
    assert complaints(path) == []
    report = hd.sr.srread(path)
    assert report.SOPClassUID == EnhancedSRStorage
    assert len(report.content.get_image_measurement_groups()) == len(judged[1])


def test_it_is_read_back_as_it_was_judged(path, judged):
    stored = read_conformance_sr(path)
    assert {one.outcome for one in judged[1]} >= {Outcome.PASS, Outcome.FAIL}
    for told, found in zip(stored.outcomes, judged[1], strict=True):
        assert (told.protocol, told.criterion, told.role) == (found.protocol, found.criterion, found.role)
        assert (told.outcome, told.level, told.series_uid) == (found.outcome, found.level, found.series_uid)
        assert (told.value, told.distance) == (found.value, found.distance)
        if found.value is not None:
            assert told.unit == (found.unit or "1")
        assert told.said.get("source") == found.source
        assert told.said.get("reason") == (found.reason and Language.of("en").say(found.reason))


def test_a_router_finds_the_answer_on_the_exam_and_on_each_protocol(path):
    stored = read_conformance_sr(path)
    assert stored.gates
    assert stored.met == {PIRADS: False}
    (standard,) = {
        item.ConceptCodeSequence[0].CodeValue
        for answer in pydicom.dcmread(path).ContentSequence[-1].ContentSequence[1:]
        for item in answer.ContentSequence
        if item.ValueType == "CODE"
    }
    assert standard == "130608"  # PS3.16 CID 6353, PI-RADS 2.1 prostate MRI acquisition requirements


def test_what_is_not_known_is_neither_met_nor_failed(tmp_path, exam):
    silent = finding("thickness", "Slice thickness", Outcome.UNKNOWN, level=Level.REQUIRED, trust=Trust.VERIFIED)
    write_conformance_sr(tmp_path / "one.dcm", [silent], exam, [], written_at=AT)
    stored = read_conformance_sr(tmp_path / "one.dcm")
    assert stored.gates
    assert set(stored.met.values()) == {None}


def test_failures_are_called_by_the_deficiency_that_they_are(path):
    by_role = {one.criterion: one.deficiency for one in read_conformance_sr(path).outcomes}
    assert by_role["role.ADC"] == codes.ADC_MAP_MISSING
    assert by_role["role.T2W_ORTHO"] == codes.INCOMPLETE_STUDY
    passed = [one for one in read_conformance_sr(path).outcomes if one.outcome is not Outcome.FAIL]
    assert all(one.deficiency is None for one in passed)


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_read_back_with_its_reason(tmp_path, exam, outcome):
    one = finding("thickness", "Slice thickness", outcome, reason=text("because of {what}", what="this"))
    write_conformance_sr(tmp_path / "one.dcm", [one], exam, [], written_at=AT)
    (stored,) = read_conformance_sr(tmp_path / "one.dcm").outcomes
    assert stored.outcome is outcome
    assert stored.said["reason"] == "because of this"


def test_it_refers_to_all_judged_images(path, exam):
    report = hd.sr.srread(path)
    wanted = {uid for series in exam.series for uid in series.instances}
    assert {str(uid) for _, _, uid, _ in report.get_evidence()} == wanted


def test_patient_and_study_are_those_of_the_images_and_stand_in_the_header_only(path, exam):
    report = pydicom.dcmread(path)
    for keyword in ("PatientID", "PatientName", "PatientBirthDate", "StudyInstanceUID", "AccessionNumber", "StudyDate"):
        assert report[keyword].value == exam.header[keyword].value
    content = str(report.ContentSequence)
    assert "Beispiel" not in content
    assert exam.header.PatientID not in content


def test_the_same_findings_give_the_same_object_and_others_another(tmp_path, exam, judged, path):
    again, other = tmp_path / "again.dcm", tmp_path / "other.dcm"
    write_conformance_sr(again, judged[1], exam, [protocol(PIRADS)], written_at=AT)
    write_conformance_sr(other, judged[1][1:], exam, [protocol(PIRADS)], written_at=AT)
    assert again.read_bytes() == path.read_bytes()
    assert pydicom.dcmread(other).SOPInstanceUID != pydicom.dcmread(path).SOPInstanceUID


def test_a_later_report_takes_patient_and_images_from_the_one_before(tmp_path, exam, judged, path, complaints):
    earlier, later = JudgedExam.of_report(path), tmp_path / "later.dcm"
    assert earlier.series == exam.series
    write_conformance_sr(later, judged[1][:5], earlier, [protocol(PIRADS)], written_at=AT)
    assert complaints(later) == []
    assert pydicom.dcmread(later).PatientName == exam.header.PatientName
    assert len(read_conformance_sr(later).outcomes) == 5


@pytest.mark.parametrize(("charset", "name"), [("ISO_IR 100", "Müller^Jürgen"), ("GB18030", "Zhao^Xiaoyan=赵^晓燕")])
def test_names_in_any_characters_survive_next_to_chinese_sentences(tmp_path, exam, judged, charset, name):
    exam.header.SpecificCharacterSet, exam.header.PatientName = charset, name
    path = tmp_path / "named.dcm"
    language = Language.of("zh")
    write_conformance_sr(path, judged[1][:3], exam, [protocol(PIRADS)], language=language, written_at=AT)
    assert str(pydicom.dcmread(path).PatientName) == name
    first = read_conformance_sr(path).outcomes[0]
    assert first.said["limit"] == language.say(judged[1][0].limit)


@pytest.mark.parametrize(("sex", "written"), [("0", ""), ("W", ""), ("", ""), ("M", "M"), ("F", "F"), ("O", "O")])
def test_a_sex_is_repeated_only_if_the_standard_knows_it(tmp_path, exam, judged, complaints, sex, written):
    exam.header.PatientSex = sex
    path = tmp_path / "sex.dcm"
    write_conformance_sr(path, judged[1][:1], exam, [protocol(PIRADS)], written_at=AT)
    assert pydicom.dcmread(path).PatientSex == written
    assert complaints(path) == []


def test_what_is_no_such_report_is_refused(tmp_path, source):
    (tmp_path / "letter.dcm").write_text("not DICOM")
    with pytest.raises(InputError) as caught:
        read_conformance_sr(tmp_path / "letter.dcm")
    assert caught.value.code == "outputs.not-a-conformance-report"
    with pytest.raises(InputError) as caught:
        JudgedExam.of_report(source.frames.frames[0].path)
    assert caught.value.code == "outputs.not-a-conformance-report"
