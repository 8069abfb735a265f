from __future__ import annotations

import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from bingcheng.core.codes import Code
from bingcheng.dicom.facts.tags import Tags


def enhanced() -> Dataset:
    """Thickness in the shared groups, TR there and at the top, echo time a frame."""
    dataset = Dataset()
    dataset.RepetitionTime = 1.0
    shared, measures, timing = Dataset(), Dataset(), Dataset()
    measures.SliceThickness = 4.0
    timing.RepetitionTime = 500.0
    shared.PixelMeasuresSequence, shared.MRTimingAndRelatedParametersSequence = [measures], [timing]
    dataset.SharedFunctionalGroupsSequence = [shared]
    dataset.PerFrameFunctionalGroupsSequence = []
    for echo in (10.0, 20.0):
        group, item = Dataset(), Dataset()
        item.EffectiveEchoTime = echo
        group.MREchoSequence = [item]
        dataset.PerFrameFunctionalGroupsSequence.append(group)
    return dataset


def test_values_are_found_in_shared_groups_before_the_top_level():
    header = Tags(enhanced())
    assert header.number("SliceThickness") == 4.0
    assert header.number("RepetitionTime") == 500.0


def test_each_frame_has_its_own_values():
    assert [Tags(enhanced(), frame).number("EffectiveEchoTime") for frame in (0, 1)] == [10.0, 20.0]


def test_a_frame_that_is_not_there_still_has_the_shared_values():
    assert Tags(enhanced(), 99).number("SliceThickness") == 4.0


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("vr", "stored"),
    [("DS", b"3,5"), ("DS", b"nan"), ("FL", b"\1\2"), ("DS", b"  "), ("DS", b"1\\x"), ("DS", b"1_0"), ("DS", b"1e999")],
)
def test_garbled_numbers_have_no_value(vr, stored):
    dataset = Dataset()
    tag = Tag("SliceThickness")
    dataset[tag] = RawDataElement(tag, vr, len(stored), stored, 0, False, True)
    assert Tags(dataset).number("SliceThickness") is None


@pytest.mark.parametrize("value", [0, -1, None])
def test_zero_is_no_positive_number(value):
    dataset = Dataset()
    dataset.PatientWeight = value
    assert Tags(dataset).positive("PatientWeight") is None


def test_private_elements_are_found_in_whichever_block_their_creator_reserved():
    dataset = Dataset()
    dataset.add_new(0x00190010, "LO", "OTHER")
    dataset.add_new(0x00190012, "LO", "Siemens MR Header")
    dataset.add_new(0x0019120C, "IS", 800)
    assert Tags(dataset).private_numbers(0x0019, "SIEMENS MR HEADER", 0x0C) == (800.0,)
    assert Tags(dataset).private_numbers(0x0019, "OTHER", 0x0C) == ()


@pytest.mark.parametrize(
    ("stored", "form", "expect"),
    [(b"800 ", "", (800.0,)), (b"\0\0\0\0\0\0\x59\x40", "d", (100.0,)), (b"\0\0\xc8\x42", "f", (100.0,))],
)
def test_private_numbers_stored_as_bytes_are_read(stored, form, expect):
    dataset = Dataset()
    block = dataset.private_block(0x0065, "X", create=True)
    block.add_new(0x09, "UN", stored)
    assert Tags(dataset).private_numbers(0x0065, "X", 0x09, form=form) == expect


def test_codes_are_triplets_of_any_length():
    dataset, short, long = Dataset(), Dataset(), Dataset()
    short.CodeValue, short.CodingSchemeDesignator, short.CodeMeaning = "113691", "DCM", "IEC Body"
    long.LongCodeValue, long.CodingSchemeDesignator, long.CodeMeaning = "12345678901234567890", "X", "long"
    dataset.CTDIPhantomTypeCodeSequence = [short, long, Dataset()]
    assert Tags(dataset).codes("CTDIPhantomTypeCodeSequence") == (
        Code("113691", "DCM", "IEC Body"),
        Code("12345678901234567890", "X", "long"),
    )


def test_pydicom_own_test_images_are_read_without_an_exception():
    for name in ("CT_small.dcm", "MR_small.dcm"):
        header = Tags(pydicom.dcmread(pydicom.data.get_testdata_file(name), stop_before_pixels=True))
        assert header.text("SOPClassUID")
