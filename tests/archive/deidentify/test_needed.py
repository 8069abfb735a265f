"""Counts of a PET stay measurable: the maker's factors to SUV and Bq/ml stay where what measures need stays."""

from __future__ import annotations

import struct

import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from tests.archive.deidentify.making import KEY, ct, read, written

from bingcheng.archive.deidentify.batch import Deidentifier, State
from bingcheng.archive.deidentify.profile import Profile
from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.vendors.philips import pet_factors

PET, CREATOR = "1.2.840.10008.5.1.4.1.1.128", "Philips PET Private Group"
SAFE_PRIVATE = "113111"


def pet(suv=b"0.000551237", activity=b"3.1415926535", creator=CREATOR, **more):
    dataset = ct(SOPClassUID=PET, Modality="PT", Units="CNTS", Manufacturer="Philips")
    block = dataset.private_block(0x7053, creator, create=True)
    for element, vr, value in ((0x00, "DS", suv), (0x09, "DS", activity), (0x03, "ST", b"quixworth.img")):
        block.add_new(element, vr, value.decode())
    for keyword, value in more.items():
        setattr(dataset, keyword, value)
    return dataset


def cleaned(dataset, profile):
    result = Deidentifier(profile=Profile.named(profile), key=KEY).one(written(dataset))
    assert result.state is State.DONE, result.problem
    return read(result.data)


def private_tags(dataset):
    return sorted(int(one.tag) for one in dataset if one.tag.is_private)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("profile", ["teaching", "research-follow-up"])
def test_the_factors_of_a_pet_in_counts_stay_to_the_last_digit_and_nothing_beside_them(profile, syntax):
    dataset = pet()
    dataset.file_meta.TransferSyntaxUID = syntax
    found = cleaned(dataset, profile)
    assert pet_factors(Tags(found)) == (("suv_factor", 0.000551237), ("stored_unit_factor", 3.1415926535))
    assert private_tags(found) == [0x70530010, 0x70531000, 0x70531009]
    assert [item.CodeValue for item in found.DeidentificationMethodCodeSequence].count(SAFE_PRIVATE) == 1


def test_without_them_the_teaching_profile_does_not_say_that_private_attributes_stay():
    found = cleaned(ct(), "teaching")
    assert SAFE_PRIVATE not in [item.CodeValue for item in found.DeidentificationMethodCodeSequence]


def test_the_basic_profile_which_takes_the_weight_takes_them_too():
    assert not private_tags(cleaned(pet(), "basic"))


@pytest.mark.parametrize("value", [b"Quixworth", b"7730921", b"19520317", "张三".encode("gb18030")])
def test_what_is_no_factor_goes_from_their_place(value):
    data = written(pet(suv=b"1.23456789"))
    at = data.index(b"1.23456789")
    assert len(value) <= 10
    data = data[:at] + value.ljust(10) + data[at + 10 :]
    assert struct.unpack_from("<H", data, at - 2) == (10,)
    result = Deidentifier(profile=Profile.named("teaching"), key=KEY).one(data)
    assert private_tags(read(result.data)) == [0x70530010, 0x70531009]


def test_another_maker_s_block_of_that_group_goes():
    assert not private_tags(cleaned(pet(creator="NOBODY KNOWS"), "teaching"))


def test_the_second_pass_refuses_what_the_first_leaves_beside_them(monkeypatch):
    monkeypatch.setattr("bingcheng.archive.deidentify.private.NEEDED", {(0x7053, CREATOR, 0x03)})
    monkeypatch.setattr("bingcheng.archive.deidentify.private.may_stay", lambda *_: True)
    result = Deidentifier(profile=Profile.named("teaching"), key=KEY).one(written(pet()))
    assert result.state is State.REFUSED
    assert result.problem.code == "archive.deidentify-leak"
