# ruff: noqa: DTZ001 - a header's times are local to its scanner and have no zone
"""What judges and measures an exam is the same before and after: numbers that stand in makers' own attributes too."""

from __future__ import annotations

import struct
from datetime import datetime, timedelta

import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from tests.archive.deidentify.making import KEY, MR, ct, read, written

from bingcheng.archive.deidentify.batch import Deidentifier
from bingcheng.archive.deidentify.profile import Profile, known_profiles
from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.vendors import ge, siemens
from bingcheng.dicom.vendors.known import b_value, decay_reference, direction

PET = "1.2.840.10008.5.1.4.1.1.128"
SIDE = [0.6, 0.0, 0.8]
MAKERS = {
    "SIEMENS": ((0x0019, "SIEMENS MR HEADER", ((0x0C, "IS", 800), (0x0D, "CS", "DIRECTIONAL"), (0x0E, "FD", SIDE))),),
    "GE": (
        (0x0043, "GEMS_PARM_01", ((0x39, "IS", [1000000800, 8, 0, 0]),)),
        (0x0019, "GEMS_ACQU_01", ((0xBB, "DS", 0.6), (0xBC, "DS", 0.0), (0xBD, "DS", 0.8))),
    ),
    "PHILIPS": (
        (0x2001, "Philips Imaging DD 001", ((0x03, "FL", 800.0),)),
        (0x2005, "Philips MR Imaging DD 001", ((0xB0, "FL", 0.6), (0xB1, "FL", 0.0), (0xB2, "FL", 0.8))),
    ),
    "UIH": ((0x0065, "Image Private Header", ((0x09, "FD", 800.0), (0x37, "FD", SIDE))),),
}


def image(blocks=(), **changes):
    """A liver that a scanner made, with makers' private attributes."""
    dataset = ct(**({"SOPClassUID": MR, "Modality": "MR", "BodyPartExamined": "LIVER"} | changes))
    for group, creator, values in blocks:
        block = dataset.private_block(group, creator, create=True)
        for element, vr, value in values:
            block.add_new(element, vr, value)
    return dataset


def cleaned(dataset, profile="research-follow-up", **options):
    return Deidentifier(profile=Profile.named(profile), key=KEY, **options).one(written(dataset))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("profile", known_profiles())
@pytest.mark.parametrize("maker", MAKERS)
def test_the_b_value_and_its_direction_stay_in_the_standard_s_attributes(maker, profile, syntax):
    dataset = image(MAKERS[maker], Manufacturer=maker)
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        dataset["PixelData"].VR = "OW"
    found = read(cleaned(dataset, profile).data)
    assert found.DiffusionBValue == 800
    assert found.DiffusionGradientOrientation == pytest.approx(SIDE, abs=1e-6)
    assert (b_value(Tags(found)), direction(Tags(found))) == (800, pytest.approx(SIDE, abs=1e-6))
    assert "DiffusionDirectionality" not in found or found.DiffusionDirectionality == "DIRECTIONAL"


def test_what_the_standard_s_attribute_says_is_not_written_over():
    found = read(cleaned(image(MAKERS["UIH"], DiffusionBValue=50.0), "teaching").data)
    assert found.DiffusionBValue == 50
    assert "DiffusionGradientOrientation" not in found


@pytest.mark.parametrize("number", [19520317.0, -800.0, float("nan"), float("inf")])
def test_a_number_that_is_no_b_value_does_not_become_one(number):
    blocks = ((0x0065, "Image Private Header", ((0x09, "FD", number),)),)
    assert "DiffusionBValue" not in read(cleaned(image(blocks), "teaching").data)


def test_no_b_value_is_made_up():
    assert "DiffusionBValue" not in read(cleaned(image()).data)
    assert "DiffusionBValue" not in read(cleaned(image(MAKERS["UIH"], SOPClassUID=PET, Modality="PT")).data)


def test_a_preview_tells_of_it():
    told = {one.name: one.after for one in cleaned(image(MAKERS["UIH"]), "teaching", preview=True).changes}
    assert told["Diffusion b-value"] == "800"
    assert told["Diffusion Gradient Orientation"] == "0.6\\0\\0.8"


@pytest.mark.parametrize(
    ("said", "stays"),
    [
        ("DWI 0/50/400/800", "DWI 0/50/400/800"),
        ("DWI 50_400_800", "DWI 50_400_800"),
        ("DWI 50/400", "DWI"),
        ("DWI 400/800", "DWI"),
        ("DWI 10/20/1800", "DWI"),
    ],
)
def test_an_image_with_one_b_value_keeps_the_list_of_all_of_its_series(said, stays):
    for maker in MAKERS.values():
        assert read(cleaned(image(maker, SeriesDescription=said), "teaching").data).SeriesDescription == stays


PARTS = (
    (0x0051, "SIEMENS MR HEADER", ((0x0A, "LO", "TA 04:14*2"), (0x19, "LO", "A1/PFP/FS"))),
    (0x0009, "GEMS_PETD_01", ((0xB2, "SL", 2), (0xB3, "SL", 24))),
)


@pytest.mark.parametrize("vr", ["SL", "SS"])
def test_counts_of_two_bytes_and_four_stay(vr):
    counts = ((0x0009, "GEMS_PETD_01", ((0xB2, vr, 3), (0xB3, vr, 21))),)
    assert ge.iterations(Tags(read(cleaned(image(counts)).data))) == (3, 21)


def test_what_this_program_measures_by_stays_with_safe_private_attributes():
    found = Tags(read(cleaned(image(PARTS)).data))
    assert siemens.fat_suppression(found) == "SPECTRAL"
    assert ge.iterations(found) == (2, 24)
    assert found.private_text(0x0051, "SIEMENS MR HEADER", 0x0A) == "TA 04:14*2"
    assert not [one for one in read(cleaned(image(PARTS), "teaching").data) if one.tag.is_private]


@pytest.mark.parametrize(
    ("group", "creator", "element", "vr", "value"),
    [
        (0x0051, "SIEMENS MR HEADER", 0x0A, "LO", "TA Quixworth"),
        (0x0051, "SIEMENS MR HEADER", 0x0A, "LO", "TA 7730921"),
        (0x0051, "SIEMENS MR HEADER", 0x19, "LO", "QUIXWORTH"),
        (0x0051, "SIEMENS MR HEADER", 0x19, "LO", "A1/ZEBEDIAH"),
        (0x0009, "GEMS_PETD_01", 0xB2, "SL", 7730921),
        (0x0009, "GEMS_PETD_01", 0xB2, "OB", b"QUIXWORTH "),
        (0x0009, "GEMS_PETD_01", 0xB2, "UN", b"\2\0"),
        (0x0009, "GEMS_PETD_01", 0x0D, "LO", "Quixworth"),
        (0x0071, "SIEMENS MED PT", 0x22, "SQ", [Dataset()]),
    ],
)
def test_in_their_place_nothing_else_stays(group, creator, element, vr, value):
    result = cleaned(image(((group, creator, ((element, vr, value),)),)))
    assert not [one for one in read(result.data) if one.tag.is_private]


@pytest.mark.parametrize(
    ("group", "creator", "element"), [(0x0009, "GEMS_PETD_01", 0x0D), (0x0071, "SIEMENS MED PT", 0x22)]
)
@pytest.mark.parametrize("vr", ["DT", "UN"])
def test_the_moment_of_decay_correction_moves_with_the_other_dates(group, creator, element, vr):
    moment = "20240213101530.00"
    value = moment if vr == "DT" else moment.encode() + b" "
    dataset = image(
        ((group, creator, ((element, vr, value),)),), SOPClassUID=PET, Modality="PT", AcquisitionDateTime=moment
    )
    result = cleaned(dataset)
    found = read(result.data)
    days = timedelta(days=result.subject.shift_days)
    assert decay_reference(Tags(found)) == datetime(2024, 2, 13, 10, 15, 30) - days
    assert found.AcquisitionDateTime == f"{datetime(2024, 2, 13) - days:%Y%m%d}101530.00"
    for profile in ("teaching", "basic"):
        assert not [one for one in read(cleaned(dataset, profile).data) if one.tag.is_private]


NAME = "诸葛小明"


@pytest.mark.parametrize("words", [NAME.encode(), NAME.encode("gb18030"), f"{NAME}, CT 3".encode("gb18030")])
@pytest.mark.parametrize(
    ("group", "creator", "element", "vr"),
    [
        (0x0019, "GEMS_ACQU_01", 0x5A, "UN"),
        (0x2001, "Philips Imaging DD 001", 0x21, "OB"),
        (0x7053, "Philips PET Private Group", 0x00, "DS"),
        (0x0009, "GEMS_PETD_01", 0x01, "LO"),
        (0x0053, "GEHC_CT_ADVAPP_001", 0x40, "UN"),
    ],
)
def test_a_chinese_name_in_a_safe_private_attribute_takes_it_along(group, creator, element, vr, words):
    data = written(image(((group, creator, ((element, "UN", words + bytes(len(words) % 2)),)),)))
    place = struct.pack("<HH", group, 0x1000 | element)
    assert data.count(place + b"UN") == 1
    if vr in ("DS", "LO"):  # the same bytes under a VR with a short length
        at = data.index(place + b"UN")
        length = struct.unpack_from("<I", data, at + 8)[0]
        data = data[: at + 4] + vr.encode() + struct.pack("<H", length) + data[at + 12 :]
    found = read(Deidentifier(profile=Profile.named("research-follow-up"), key=KEY).one(data).data)
    assert not [one for one in found if one.tag.is_private]


@pytest.mark.parametrize("number", [5.24e8, 1.5, 0.0, -1.0, 120.25, 3.3e5])
def test_a_number_under_an_unknown_vr_is_no_chinese(number):
    blocks = ((0x0019, "GEMS_ACQU_01", ((0x5A, "UN", struct.pack("<f", number)),)),)
    found = read(cleaned(image(blocks)).data)
    assert [one.tag.is_private for one in found].count(True) == 2
