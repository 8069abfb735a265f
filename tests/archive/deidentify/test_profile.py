"""Profiles are data; what an object says of itself follows from them."""

from __future__ import annotations

import pytest
from tests.archive.deidentify.making import KEY, ct, read, written

from bingcheng.archive.deidentify.batch import Approval, Deidentifier
from bingcheng.archive.deidentify.profile import Option, Profile, known_profiles
from bingcheng.core.errors import InputError


def cleaned(dataset, profile, **more):
    return read(Deidentifier(profile=profile, key=KEY, **more).one(written(dataset)).data)


def test_every_shipped_profile_can_be_read():
    assert set(known_profiles()) == {"basic", "research-follow-up", "teaching"}
    for name in known_profiles():
        assert Profile.named(name).says


def test_an_object_says_by_which_profile_and_options_it_was_cleaned():
    found = cleaned(ct(), Profile.named("research-follow-up"))
    assert found.PatientIdentityRemoved == "YES"
    codes = [item.CodeValue for item in found.DeidentificationMethodCodeSequence]
    expected = ["113100", "113101", "113103", "113104", "113105", "113107", "113108", "113109", "113111"]
    assert codes == expected
    assert {item.CodingSchemeDesignator for item in found.DeidentificationMethodCodeSequence} == {"DCM"}
    assert found.LongitudinalTemporalInformationModified == "MODIFIED"
    assert found.BurnedInAnnotation == "NO"
    assert found.DeidentificationMethod[-1] == "Profile research-follow-up"
    assert cleaned(ct(), Profile.named("basic")).LongitudinalTemporalInformationModified == "REMOVED"


def test_a_hospital_writes_its_own(tmp_path):
    path = tmp_path / "ours.toml"
    path.write_text(
        'name = "ours"\noptions = ["full-dates", "institution", "uids", "descriptors"]\n'
        'remove = ["PatientWeight", "(0018,0050)"]\nwords = ["Sonderprotokoll"]\n',
        encoding="utf-8",
    )
    profile = Profile.read(path)
    found = cleaned(
        ct(InstitutionName="Charité", SpecificCharacterSet="ISO_IR 100", SeriesDescription="Sonderprotokoll Meier"),
        profile,
    )
    assert found.StudyDate == "20240213"
    assert found.InstitutionName == "Charité"
    assert found.SeriesDescription == "Sonderprotokoll"
    assert found.SOPInstanceUID == ct().SOPInstanceUID
    assert "SliceThickness" not in found
    assert found.LongitudinalTemporalInformationModified == "UNMODIFIED"


@pytest.mark.parametrize(
    "words",
    [
        "name = 3",
        'name = "x"\noptions = ["full-dates", "modified-dates"]',
        'name = "x"\noptions = ["everything"]',
        'name = "x"\noptions = "device"',
        'name = "x"\nremove = ["NoSuchAttribute"]',
        'name = "x"\ncolour = "red"',
        'name = "x"\noptions = ["clean-faces"]',
        "not toml at all",
    ],
)
def test_a_profile_that_cannot_be_is_refused(tmp_path, words):
    path = tmp_path / "wrong.toml"
    path.write_text(words, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        Profile.read(path)
    assert refused.value.code == "archive.bad-profile"


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="teaching"):
        Profile.named("nothing")


def test_patient_characteristics_stay_with_the_option_only():
    kept, gone = cleaned(ct(), Profile.named("research-follow-up")), cleaned(ct(), Profile.named("basic"))
    assert (kept.PatientSex, kept.PatientAge, float(kept.PatientWeight)) == ("M", "071Y", 81.5)
    assert gone.PatientSex == ""
    assert "PatientAge" not in gone
    assert "PatientWeight" not in gone


@pytest.mark.parametrize(("age", "told"), [("089Y", "089Y"), ("090Y", "090Y"), ("097Y", "090Y"), ("071Y", "071Y")])
def test_ages_over_89_are_told_as_90(age, told):
    assert cleaned(ct(PatientAge=age), Profile.named("research-follow-up")).PatientAge == told


def test_the_device_stays_with_the_option_only():
    scanned = ct(DeviceSerialNumber="SN440012", StationName="CTROOM2X")
    kept = cleaned(scanned, Profile.named("research-follow-up"))
    assert (kept.DeviceSerialNumber, kept.StationName) == ("SN440012", "CTROOM2X")
    gone = cleaned(scanned, Profile.named("teaching"), approvals={str(scanned.SOPInstanceUID): Approval()})
    assert "DeviceSerialNumber" not in gone
    assert "StationName" not in gone
    assert gone.ManufacturerModelName == "Biograph 64"


def test_a_station_named_like_its_model_takes_nothing_of_the_model_along():
    assert cleaned(ct(StationName="Biograph 64"), Profile.named("teaching")).ManufacturerModelName == "Biograph 64"


def test_keeping_the_weekday_moves_by_whole_weeks():
    assert KEY.shift_days("x", whole_weeks=True) % 7 == 0
    assert Option.KEEP_WEEKDAY.value == "keep-weekday"
