"""The same key gives the same pseudonyms, in any batch and order; without it nothing can be traced back."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.sequence import Sequence
from tests.archive.deidentify.making import KEY, OTHER_KEY, ct, read, written

from bingcheng.archive.deidentify.batch import Deidentifier, State, deidentified
from bingcheng.archive.deidentify.key import Key
from bingcheng.archive.deidentify.profile import Profile
from bingcheng.core.errors import InputError

FOLLOW_UP = Profile.named("research-follow-up")


def cleaned(dataset, key=KEY, profile=FOLLOW_UP, **more):
    result = Deidentifier(profile=profile, key=key, **more).one(written(dataset))
    assert result.state is State.DONE, result.problem
    return read(result.data)


def day(value):
    return datetime.strptime(value, "%Y%m%d").replace(tzinfo=None)  # noqa: DTZ007 - a date of a scanner


def test_references_between_objects_still_fit():
    image = ct()
    pointing = ct(SOPInstanceUID="1.2.276.9.9")
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    pointing.ReferencedImageSequence = Sequence([item])
    found = cleaned(pointing)
    assert found.ReferencedImageSequence[0].ReferencedSOPInstanceUID == cleaned(image).SOPInstanceUID
    assert found.ReferencedImageSequence[0].ReferencedSOPClassUID == image.SOPClassUID
    assert found.StudyInstanceUID == cleaned(image).StudyInstanceUID
    assert found.FrameOfReferenceUID == cleaned(image).FrameOfReferenceUID


def test_the_interval_between_exams_stays_and_the_dates_do_not():
    first = cleaned(ct(StudyDate="20240213", AcquisitionDateTime="20240213081500.5+0800"))
    second = cleaned(ct(StudyDate="20240613", SOPInstanceUID="1.2.276.77"))
    assert (day(second.StudyDate) - day(first.StudyDate)).days == 121
    assert first.StudyDate != "20240213"
    assert str(first.AcquisitionDateTime)[8:] == "081500.5+0800"
    assert str(first.AcquisitionDateTime)[:8] == first.StudyDate
    assert first.StudyTime == "101112"


def test_each_patient_has_another_shift_and_pseudonym():
    one, other = cleaned(ct()), cleaned(ct(PatientID="MRN-1"))
    assert one.PatientID != other.PatientID
    assert one.StudyDate != other.StudyDate
    assert one.PatientName == one.PatientID


def test_the_same_number_in_two_hospitals_is_two_patients_unless_one_issuer_gave_it():
    assert cleaned(ct(), site="North").PatientID != cleaned(ct(), site="South").PatientID
    issued = ct(IssuerOfPatientID="Province")
    assert cleaned(issued, site="North").PatientID == cleaned(issued, site="South").PatientID


def test_other_keys_give_other_everything():
    one, other = cleaned(ct()), cleaned(ct(), key=OTHER_KEY)
    assert one.SOPInstanceUID != other.SOPInstanceUID
    assert one.PatientID != other.PatientID
    assert one.StudyDate != other.StudyDate


def test_a_number_without_an_issuer_is_of_the_issuer_that_the_hospital_names():
    plain, issued = ct(), ct(IssuerOfPatientID="Province")
    assert cleaned(plain, site="North").PatientID != cleaned(issued, site="North").PatientID
    named = cleaned(plain, site="North", issuer="Province")
    assert named.PatientID == cleaned(issued, site="South").PatientID
    assert named.StudyDate == cleaned(issued).StudyDate
    assert cleaned(issued, issuer="Another").PatientID == cleaned(issued).PatientID


def test_a_name_without_a_number_means_a_person_and_without_either_a_study():
    unnumbered = ct(PatientID="")
    assert cleaned(unnumbered).PatientID == cleaned(ct(PatientID="", StudyInstanceUID="1.2.9")).PatientID
    nobody = {"PatientID": "", "PatientName": "", "PatientBirthDate": ""}
    assert cleaned(ct(**nobody)).PatientID != cleaned(ct(**nobody, StudyInstanceUID="1.2.9")).PatientID


def test_cleaning_again_changes_nothing():
    for name in ("basic", "research-follow-up", "teaching"):
        worker = Deidentifier(profile=Profile.named(name), key=KEY)
        once = worker.one(written(ct(SeriesDescription="CT Quixworth 5 mm thorax", ImageComments="seen 2024-02-13")))
        assert once.state is State.DONE, once.problem
        twice = worker.one(once.data)
        assert twice.state is State.DONE, twice.problem
        assert twice.data == once.data


def test_a_batch_takes_files_bytes_and_datasets(tmp_path):
    path = tmp_path / "Quixworth.dcm"
    path.write_bytes(written(ct()))
    results = list(deidentified([path, path.read_bytes(), ("x", path.read_bytes()), ct()], FOLLOW_UP, KEY))
    assert {one.state for one in results} == {State.DONE}
    assert len({one.data for one in results}) == 1
    assert results[0].name == f"{read(results[0].data).SOPInstanceUID}.dcm"


uids = st.from_regex(r"[0-2](\.(0|[1-9][0-9]{0,8})){1,6}", fullmatch=True)


@given(uids, st.binary(min_size=16, max_size=40))
def test_new_uids_are_valid_known_again_and_never_the_old_ones(uid, secret):
    key = Key(secret)
    new = key.new_uid(uid)
    assert new != uid
    assert len(new) <= 64
    assert new.startswith("2.25.")
    assert key.made(new)
    assert not key.made(uid)
    assert key.new_uid(new) == new
    other = Key(secret + b"!")
    assert other.new_uid(uid) != new
    assert not other.made(new)


@given(st.text(min_size=1, max_size=20))
def test_shifts_are_one_day_to_five_years(whose):
    assert 1 <= KEY.shift_days(whose) <= 1825
    assert 7 <= KEY.shift_days(whose, whole_weeks=True) <= 1825


def test_a_key_is_long_and_shows_itself_to_nobody():
    with pytest.raises(InputError, match="at least"):
        Key(b"short")
    assert "worth" not in repr(KEY)


values = st.text(st.characters(codec="ascii", categories=("Lu", "Ll", "Nd")), min_size=4, max_size=16).map(
    lambda words: f"zq{words}7"
)


@settings(max_examples=20)
@given(st.lists(values, min_size=6, max_size=6), st.permutations(range(4)))
def test_nothing_that_goes_survives_whatever_it_is(words, order):
    name, number, accession, place, comment, physician = words
    changes = {
        "PatientName": f"{name}^Ada",
        "PatientID": number,
        "AccessionNumber": accession[:16],
        "InstitutionName": place,
        "ImageComments": comment,
        "ReferringPhysicianName": physician,
        "SeriesDescription": f"CT {name} thorax {number}",
        "DerivationDescription": f"for {physician} of {place}",
    }
    files = [written(ct(SOPInstanceUID=f"1.2.276.{place}", **changes)) for place in range(1, 5)]
    worker = Deidentifier(profile=FOLLOW_UP, key=KEY)
    alone = [worker.one(data) for data in files]
    assert [one.state for one in alone] == [State.DONE] * 4, alone[0].problem
    shuffled = {files[place]: worker.one(files[place]).data for place in order}
    for data, one in zip(files, alone, strict=True):
        assert shuffled[data] == one.data
        assert not [w for w in words if w.lower()[:16].encode() in one.data.lower()]
