"""The last gate: an object that claims to be de-identified is held against that claim."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.sequence import Sequence
from tests.archive.deidentify.making import ct, plant, written
from tests.archive.pairing.making import KEY, image

from bingcheng.archive.deidentify.batch import Approval, State, deidentified
from bingcheng.archive.deidentify.profile import Profile
from bingcheng.archive.pairing.manifest import ListedObject
from bingcheng.archive.pairing.object_check import check_object
from bingcheng.core.errors import InputError

CLEAN = image(1)


def listed(data: bytes) -> ListedObject:
    found = dcmread(io.BytesIO(data), stop_before_pixels=True)
    return ListedObject(
        sop_uid=str(found.SOPInstanceUID),
        sop_class_uid=str(found.SOPClassUID),
        study_uid=str(found.StudyInstanceUID),
        series_uid=str(found.SeriesInstanceUID),
        size=len(data),
        sha256="0" * 64,
    )


def checked(data: bytes, whose: ListedObject) -> None:
    check_object(io.BytesIO(data), whose)


def changed(change) -> bytes:
    dataset = dcmread(io.BytesIO(CLEAN))
    change(dataset)
    stream = io.BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def refused(data: bytes, whose: ListedObject | None = None) -> str:
    with pytest.raises(InputError) as raised:
        checked(data, whose or listed(CLEAN))
    assert raised.value.code == "archive.not-whitelisted"
    return str(raised.value)


@pytest.mark.parametrize("profile", ["basic", "teaching", "research-follow-up"])
@pytest.mark.parametrize("planted", [False, True])
def test_what_every_profile_gives_may_cross(profile, planted):
    dataset = ct()
    if planted:
        plant(dataset, leave=frozenset((0x00080005, 0x00080016, 0x00080018, 0x00280010, 0x00280011, 0x7FE00010)))
    source = written(dataset)
    approvals = {str(dataset.SOPInstanceUID): Approval(regions=(), face_allowed=True)}
    (found,) = deidentified([source], Profile.named(profile), KEY, approvals=approvals)
    assert found.state is State.DONE, found.problem
    checked(found.data, listed(found.data))


def test_real_objects_of_public_collections_may_cross_when_they_are_cleaned(reference_data):
    """One object of each folder: of every vendor and kind that is there."""
    folders: dict[Path, Path] = {}
    for path in sorted(reference_data.rglob("*.dcm")):
        if path.stat().st_size < 1_000_000:
            folders.setdefault(path.parent, path)
    passed = 0
    for path in folders.values():
        raw = dcmread(path, stop_before_pixels=True)
        allow = {str(raw.SOPInstanceUID): Approval(regions=(), face_allowed=True)}
        for profile in ("teaching", "research-follow-up"):
            (found,) = deidentified([path], Profile.named(profile), KEY, approvals=allow)
            if found.state is State.DONE:
                checked(found.data, listed(found.data))
                passed += 1
        refused(path.read_bytes(), listed(CLEAN))
    assert passed >= len(folders), "most of them can be cleaned"


def test_an_original_does_not_cross():
    original = written(ct())
    assert "not de-identified" in refused(original, listed(CLEAN))


def set_to(**values):
    def change(dataset):
        for name, value in values.items():
            setattr(dataset, name, value)

    return change


def private(dataset):
    dataset.private_block(0x0029, "SOMEBODY'S OWN", create=True).add_new(1, "LO", "Quixworth")


def nested(dataset):
    item = Dataset()
    item.PatientName = "Quixworth^Zebediah"
    dataset.ReferencedStudySequence = Sequence([item])


def overlay(dataset):
    dataset.add_new(0x60003000, "OW", bytes(8))


def codes(*values):
    def change(dataset):
        items = []
        for value in values:
            item = Dataset()
            item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", "x"
            items.append(item)
        dataset.DeidentificationMethodCodeSequence = Sequence(items)

    return change


def without(name):
    def change(dataset):
        delattr(dataset, name)

    return change


@pytest.mark.parametrize(
    "change",
    [
        set_to(PatientName="Quixworth^Zebediah"),
        set_to(PatientID="MRN-7730921"),
        set_to(PatientBirthDate="19520317"),
        set_to(AccessionNumber="ACC5521907"),
        set_to(OtherPatientIDs="12"),
        set_to(PatientAddress="Somewhere"),
        set_to(ReferringPhysicianName="Doe^Jane"),
        set_to(PerformingPhysicianName="Doe^Jane"),
        set_to(InstitutionName="North Hospital"),
        set_to(FrameOfReferenceUID="1.2.276.0.7230010.3.1.4.8323329.5576.4"),
        set_to(PatientIdentityRemoved="NO"),
        set_to(BurnedInAnnotation="YES"),
        without("BurnedInAnnotation"),
        without("PatientIdentityRemoved"),
        without("DeidentificationMethodCodeSequence"),
        codes("113101", "113105"),
        codes("113100", "113106"),
        codes("113100", "113110"),
        private,
        nested,
        overlay,
    ],
)
def test_one_thing_that_may_not_cross_keeps_the_object_here(change):
    said = refused(changed(change))
    assert "Quixworth" not in said
    assert "MRN" not in said


def test_another_object_than_the_listed_one_does_not_cross():
    checked(CLEAN, listed(CLEAN))
    refused(image(2))
    other = listed(CLEAN).model_copy(update={"study_uid": "2.25.9"})
    refused(CLEAN, other)


def test_nothing_stands_before_an_object():
    refused(b"#!/bin/sh\n" + CLEAN[10:])


@pytest.mark.parametrize("data", [b"", b"x" * 200, CLEAN[: len(CLEAN) // 3]])
def test_what_can_not_be_read_does_not_cross(data):
    refused(data, listed(CLEAN))


def test_a_kind_that_nobody_can_look_through_does_not_cross():
    pdf = "1.2.840.10008.5.1.4.1.1.104.1"
    data = changed(set_to(SOPClassUID=pdf))
    assert "look through" in refused(data, listed(CLEAN).model_copy(update={"sop_class_uid": pdf}))
