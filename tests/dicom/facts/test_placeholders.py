"""A dummy of de-identification is no name; a name, a number and a numbered pseudonym are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.dicom.facts.acquired import acquisition
from bingcheng.dicom.facts.placeholders import NOTHING, recorded, setting


@pytest.mark.parametrize(
    "dummy",
    [
        *("Anon", "ANON", "ANONYMIZED", "anonymised ", "Anonymous Hospital", "DE-IDENTIFIED", "De_Identified"),
        *("REMOVED", "Removed by CTP", "NONE", "None", "null", "UNKNOWN", "Unknown institution", "N/A", "n.a.", "NA"),
        *(
            "not available",
            "Not recorded",
            "0",
            "000000",
            "0000-0000",
            "XXXX",
            "xx",
            "XX-XX",
            "",
            "  ",
            "***",
            "?",
            "-",
        ),
        *("匿名", "匿名医院", "未知设备", "无", "ＡＮＯＮ"),
    ],
)
def test_a_dummy_is_not_recorded(dummy: str) -> None:
    assert recorded(dummy) is None


@pytest.mark.parametrize(
    "name",
    [
        *("Songhua Tumour Hospital", "Hospital No. 1", "Center for Imaging", "Unknown Soldier Memorial Hospital"),
        *(
            "Anonymous Site 01",
            "ANON-3",
            "site 2",
            "1",
            "90395",
            "000123",
            "X",
            "XR-0",
            "CT99",
            "NoNe7",
            "Nant Hospital",
        ),
        *("北京协和医院", "无锡市人民医院", "第一医院", "空军总医院"),
    ],
)
def test_what_tells_one_place_from_another_is_kept(name: str) -> None:
    assert recorded(f" {name} ") == name


def test_nothing_stays_nothing() -> None:
    assert recorded(None) is None
    assert setting(None) is None


@pytest.mark.parametrize(
    ("said", "told"), [("Removed", None), ("ANONYMIZED", None), ("None", "None"), ("B30f", "B30f")]
)
def test_a_dummy_is_no_setting_and_none_is_one(said: str, told: str | None) -> None:
    assert setting(said) == told


@pytest.mark.parametrize("dummy", ["Removed", "ANONYMIZED", "XXXX"])
def test_two_exams_whose_settings_were_taken_out_are_not_alike_for_that(stored, image_series, dummy) -> None:
    told = {
        "CT": {"ConvolutionKernel": dummy},
        "MR": {"SequenceName": dummy, "ReceiveCoilName": dummy},
        "PT": {"ReconstructionMethod": dummy, "ConvolutionKernel": dummy},
    }
    found = {
        modality: acquisition(image_series([stored(Modality=modality, SoftwareVersions=[dummy, "VB20A"], **changes)]))
        for modality, changes in told.items()
    }
    assert found["CT"].convolution_kernel is None
    assert (found["MR"].sequence_name, found["MR"].receive_coil) == (None, None)
    assert (found["PT"].reconstruction_method, found["PT"].filter) == (None, None)
    assert {one.device.software_versions for one in found.values()} == {("VB20A",)}


@settings(deadline=None)
@given(st.sampled_from(sorted(NOTHING)), st.sampled_from(["", " ", "-", "*", "<", "[", "__"]))
def test_case_and_signs_around_a_dummy_make_no_name_of_it(word: str, sign: str) -> None:
    for written in (word.upper(), word.title(), word):
        assert recorded(f"{sign}{written}{sign[::-1]}") is None


@settings(deadline=None)
@given(st.text())
def test_what_is_recorded_stands_in_the_text_and_stays_recorded(text: str) -> None:
    found = recorded(text)
    assert found is None or (found in text and recorded(found) == found)
