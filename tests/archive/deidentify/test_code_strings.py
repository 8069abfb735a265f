"""A name has the form of a code string too: only terms of the attribute and known words stay."""

from __future__ import annotations

import re

import pytest
from pydicom._dicom_dict import DicomDictionary
from tests.archive.deidentify.making import KEY, ct, read, written

from bingcheng.archive.deidentify.attributes import terms
from bingcheng.archive.deidentify.batch import Deidentifier, State
from bingcheng.archive.deidentify.code_strings import is_term
from bingcheng.archive.deidentify.profile import Profile, known_profiles

FOLLOW_UP = Profile.named("research-follow-up")
CODES = sorted(tag for tag, row in DicomDictionary.items() if row[0] == "CS")


def cleaned(dataset, profile=FOLLOW_UP, **more):
    result = Deidentifier(profile=profile, key=KEY, **more).one(written(dataset))
    assert result.state is State.DONE, result.problem
    return result


@pytest.mark.parametrize("name", known_profiles())
def test_a_name_in_any_code_string_goes(name):
    left = {0x00080005, 0x00080016, 0x00080060}
    dataset = ct()
    for tag in CODES:
        if tag >> 16 > 8 and tag not in left and tag >> 16 not in (0x0028, 0x7FE0):
            dataset.add_new(tag, "CS", "ZHANG_SAN")
    data = cleaned(dataset, Profile.named(name)).data
    found = read(data)
    assert {tag for tag in CODES if "ZHANG" in str(found.get(tag, ""))} <= {
        0x00203401
    }  # a device's identity, by option
    assert (b"ZHANG" in data) is (name == "research-follow-up")


@pytest.mark.parametrize(
    ("keyword", "value", "stays"),
    [
        ("ImageType", ["ORIGINAL", "PRIMARY", "ZHANG_SAN"], ["ORIGINAL", "PRIMARY", ""]),
        ("ImageType", ["DERIVED", "PRIMARY", "MPR", "LIU XI", "WATER"], ["DERIVED", "PRIMARY", "MPR", "", "WATER"]),
        ("ScanOptions", "WANG WU", None),
        ("PatientOrientation", ["L", "PH"], ["L", "PH"]),
        ("PatientOrientation", ["LIU", "XI"], ["", ""]),
        ("ContentLabel", "LUNG LIU", "LUNG"),
        ("Modality", "CT", "CT"),
        ("PresentationIntentType", "FOR PROCESSING", "FOR PROCESSING"),
    ],
)
def test_of_several_values_each_stays_or_goes(keyword, value, stays):
    result = cleaned(ct(**{keyword: value}), preview=True)
    found = read(result.data)[keyword].value
    assert (list(found) if isinstance(stays, list) and found else found or None) == (
        stays if any(stays or ()) else None
    )
    said = [one for one in result.changes if one.action.name == "TERMS"]
    assert bool(said) is (stays != value)
    assert all("terms" in str(one.reason) for one in said)


def test_a_term_of_one_attribute_is_none_of_another():
    assert is_term(0x00080008, "PRIMARY")
    assert not is_term(0x00185100, "PRIMARY")
    assert is_term(0x00185100, "HFS")


def test_a_patient_who_is_called_like_a_term_takes_no_term_along():
    found = read(cleaned(ct(PatientName="Axial^Primary")).data)
    assert list(found.ImageType) == ["ORIGINAL", "PRIMARY", "AXIAL"]


def test_the_terms_are_terms():
    assert len(terms()) > 500
    for tag, listed in terms().items():
        assert DicomDictionary[tag][0] == "CS"
        assert all(re.fullmatch(r"[A-Z0-9_](?:[A-Z0-9 _]{0,14}[A-Z0-9_])?", one) for one in listed), listed


def test_the_second_pass_finds_a_name_in_a_code_string_that_the_first_let_pass(monkeypatch):
    monkeypatch.setattr("bingcheng.archive.deidentify.code_strings.is_term", lambda tag, said: True)
    worker = Deidentifier(profile=FOLLOW_UP, key=KEY)
    assert worker.one(written(ct())).state is State.DONE
    result = worker.one(written(ct(ScanOptions="ZHANG_SAN")))
    assert result.problem.code == "archive.deidentify-leak"


def test_what_is_too_long_for_a_code_string_loses_whole_words():
    dataset = ct()
    dataset.add_new("ScanOptions", "LO", "abdomen pelvis chest")
    assert read(cleaned(dataset).data).ScanOptions == "abdomen pelvis"
