"""TCIA's MR images with planted identities: every planted one gone, everything the profile keeps unchanged."""

from __future__ import annotations

import re
from functools import cache

import pytest
from pydicom import dcmread
from tests.archive.deidentify.making import KEY, read

from bingcheng.archive.deidentify.batch import Approval, State, deidentified
from bingcheng.archive.deidentify.profile import Profile, known_profiles

PLANTED = (
    *("PatientName", "PatientID", "PatientAddress", "PatientTelephoneNumbers", "PatientBirthDate", "AccessionNumber"),
    *("ReferringPhysicianName", "PerformingPhysicianName", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"),
    *("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "ScheduledProcedureStepID"),
)
KEPT = (
    *("StudyDescription", "SeriesDescription", "PatientSex", "PatientAge", "PatientWeight", "BodyPartExamined"),
    *("Manufacturer", "ManufacturerModelName", "SoftwareVersions", "DeviceSerialNumber", "StudyTime", "EchoTime"),
    *("RepetitionTime", "SliceThickness", "PixelSpacing", "ImagePositionPatient", "SequenceName", "Rows", "PixelData"),
    *("SliceLocation", "InstanceNumber", "MagneticFieldStrength", "FlipAngle", "ImageComments", "ImageType"),
)


def without_uids(complaints):
    return {re.sub(r"\d+(\.\d+){3,}", "UID", one) for one in complaints}


@pytest.fixture(scope="module")
def files(reference_data):
    return sorted((reference_data / "10_deid_protocol" / "pseudo_phi_mr").glob("*.dcm"))


@pytest.fixture(scope="module")
def cleaned(files):
    """What a profile makes of the files; each is cleaned once."""

    @cache
    def by(name):
        return list(deidentified(files, Profile.named(name), KEY))

    return by


@pytest.mark.parametrize("name", known_profiles())
def test_every_planted_identifier_is_gone(files, cleaned, name):
    for path, result in zip(files, cleaned(name), strict=True):
        assert result.state is State.DONE, result.problem
        low = result.data.lower()
        original = dcmread(path, stop_before_pixels=True)
        for keyword in PLANTED:
            for part in re.split(r"[\^,]", str(original.get(keyword, ""))):
                assert len(part) < 3 or part.strip().lower().encode() not in low, keyword
        for tag in (0x00131010, 0x00131013):
            assert str(original[tag].value).lower().encode() not in low


def test_everything_that_the_profile_keeps_is_unchanged(files, cleaned):
    for path, result in zip(files, cleaned("research-follow-up"), strict=True):
        original, found = dcmread(path), read(result.data)
        for keyword in KEPT:
            assert found.get(keyword) == original.get(keyword), keyword


def test_the_series_stays_one_series_in_its_order(files, cleaned):
    found = [read(one.data) for one in cleaned("teaching")]
    originals = [dcmread(path, stop_before_pixels=True) for path in files]
    assert len({one.SOPInstanceUID for one in found}) == len(files)
    pairs = {(a.SeriesInstanceUID, b.SeriesInstanceUID) for a, b in zip(originals, found, strict=True)}
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


@pytest.mark.parametrize("name", known_profiles())
def test_the_validator_finds_no_more_errors_than_before(files, cleaned, name, complaints, tmp_path):
    path = tmp_path / "cleaned.dcm"
    for source, one in list(zip(files, cleaned(name), strict=True))[::9]:
        path.write_bytes(one.data)
        assert without_uids(complaints(path)) <= without_uids(complaints(source))


@pytest.mark.parametrize("folder", ["01_ibsi1", "05_suv", "06_sts001", "07_dce_breast", "08_mr_phantoms"])
def test_real_images_of_many_makers_are_cleaned_and_no_wolf_is_cried(reference_data, folder):
    listed = sorted((reference_data / folder).rglob("*.dcm"))
    some = listed[:: max(1, len(listed) // 12)]
    series = {str(dcmread(path, stop_before_pixels=True).SeriesInstanceUID) for path in some}
    allowed = dict.fromkeys(series, Approval(face_allowed=True))
    results = list(deidentified(some, Profile.named("research-follow-up"), KEY, approvals=allowed))
    codes = {one.problem.code for one in results if one.problem is not None}
    assert codes <= {"archive.pixels-need-a-person"}
    assert sum(one.data is not None for one in results) >= len(some) - 3
