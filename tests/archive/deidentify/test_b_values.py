"""Lists of b-values in descriptions stay; dates, numbers of somebody and rooms that look like them don't."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from tests.archive.deidentify.making import KEY, MR, ct, read, written

from bingcheng.archive.deidentify.batch import Deidentifier
from bingcheng.archive.deidentify.profile import Profile
from bingcheng.archive.deidentify.vocabulary import cleaned

SETTINGS = (
    "DWI b0/50/400/800",
    "b=0,500,1000",
    "b=0, 500, 1000",
    "b 0 50 400 800",
    "b0-1000",
    "b0_b500_b1000",
    "b=50/400/800 s/mm2",
    "ep2d_diff_b50_400_800_tra",
    "ep2d_diff_b50_400_800_TRACEW",
    "DWI b50/400/800 5 mm",
    "DWI b50,400,800 5mm",
    "DWI (b=0,800)",
    "DWI b(0,800)",
    "DWI [b0;800]",
    "b-values 0, 500, 1000",
    "b-value 0/800",
    "bvalues 0/50/100/200/400/800",
    "bval 0 1000",
    "b_val 50_800",
    "B0/B1000",
    "B 0/800",
    "AX DWI b=0/1500",
    "WB DWI b50/900",
    "b0/1000/2000",
    "b=0, 1000, 2000",
    "b=0&800",
    "b0+800",
    "IVIM b0/10/20/40/80/110/140/170/200/300/400/500/600/700/800/900",
    "IVIM b=0,2,4,8,12,18,24,32,40,50,75,100,200,400,800",
    "IVIM b 0 5 10 25 50 100 500",
    "b0/3000",
    "b=100,1200,1900,2000",
    "扩散b0/800",
    "弥散加权成像 b=0,1000",
    "b值0/800",
    "b值=50,400,800",
    "DWI b0 b50 b400 b800",
    "b=0,b=500,b=1000",
    "dwi_b0_b700_ax",
    "ADC (b0/800)",
    "DWI b 0, 500, 1000 8 slices",
    "b0/5/10",
)
"""As scanners and technologists write them, in English and Chinese, parted by whatever is at hand."""
SOMEBODYS = (
    ("b 17/03/1952", "b"),
    ("b. 17/03/1952", "b"),
    ("b 3/17/1952", "b"),
    ("b17-03-1952", "b17"),
    ("b=17,03,1952", "b="),
    ("b 10/20/1950", "b"),
    ("b 10/20/2000", "b"),
    ("b 10/20/50", "b"),
    ("b=10,20,30", "b="),
    ("b5/10/50", "b5"),
    ("b 1950/10/20", "b"),
    ("b 50-10-20", "b"),
    ("b 10/1950", "b"),
    ("b 10/50", "b"),
    ("b1950/10", "10"),
    ("b 1952", "b"),
    ("b1952", ""),
    ("b=1952", "b="),
    ("b. 1952", "b"),
    ("b 0/1952", "b"),
    ("b=0,500,1955", "b="),
    ("b0/138/1234/5678", "b0"),
    ("b 138 1234 5678", "b"),
    ("b 555-225-5887", "b"),
    ("b=0,500,123456", "b="),
    ("b0/500/12345678", "b0"),
    ("b 100 200 12345678", "b"),
    ("b 100/200-300", "b"),
    ("b 500/400/50", "b"),
    ("b 050/400", "b"),
    ("b 0/007/800", "b"),
    ("b=500,1001", "b="),
    ("b=500/500", "b="),
    ("b 0/50/400.12.1960", "b"),
    ("b 0/50:30", "b"),
    ("0/50/400/800", ""),
    ("DWI 0,500,1000", "DWI"),
    ("20/100/1950", ""),
    ("bed 0/50/400/800", "bed"),
    ("born 10/20/1950", ""),
    ("Abb 100/200/300", ""),
    ("AB-100/200/300", ""),
    ("3b 100/200", "3b"),
    ("bb0/50/400", ""),
    ("b/0/50/400", "b"),
    ("sub100/200", ""),
    ("room 400/800", ""),
    ("b0/773/0921", "b0"),
)
"""Birthdays and parts of them, telephone and record numbers, rooms, numbers cut off; and what stays of each."""


def nobody(_word):
    return False


@pytest.mark.parametrize("said", SETTINGS)
def test_a_list_of_b_values_stays_as_it_is(said):
    assert cleaned(said, nobody) == said


@pytest.mark.parametrize(("said", "stays"), SOMEBODYS)
def test_what_only_looks_like_one_goes(said, stays):
    assert cleaned(said, nobody) == stays


def test_the_tables_are_as_long_as_they_should_be():
    assert min(len(set(SETTINGS)), len(set(SOMEBODYS))) >= 40


@pytest.mark.parametrize("number", ["400", "50400800", "50,400,800"])
def test_a_list_that_holds_a_number_of_the_patient_goes(number):
    assert cleaned("DWI b=50,400,800", {number}.__contains__) == "DWI b="


@given(st.text(alphabet="b0123456789/ ,;-_=+&.值x", max_size=24))
def test_cleaning_again_changes_nothing_and_no_birthday_stays(said):
    once = cleaned(said, nobody)
    assert cleaned(once, nobody) == once
    assert not re.search(r"(?<!\d)(?:19|20)(?!00)\d\d(?!\d)", once)
    assert not re.search(r"\d{5}", once)


def diffusion(said, b_values, syntax=ExplicitVRLittleEndian):
    """An MR image that names its b-values frame by frame."""
    dataset = ct(SOPClassUID=MR, Modality="MR", BodyPartExamined="LIVER", SeriesDescription=said, ProtocolName=said)
    frames = []
    for value in b_values:
        frame, inner = Dataset(), Dataset()
        inner.DiffusionBValue = value
        frame.MRDiffusionSequence = Sequence([inner])
        frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(frames)
    dataset.file_meta.TransferSyntaxUID = syntax
    return written(dataset)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize(
    ("said", "stays"),
    [
        ("DWI 0/400/800", "DWI 0/400/800"),
        ("DWI 0_400_800", "DWI 0_400_800"),
        ("DWI 400/800", "DWI 400/800"),
        ("DWI 0/400/900", "DWI"),
        ("DWI 800/400", "DWI"),
        ("DWI 12-400/800", "DWI"),
    ],
)
def test_without_a_b_only_the_object_s_own_make_a_list(said, stays, syntax):
    data = diffusion(said, [0.0, 400.0, 800.0, 812.5], syntax)
    found = read(Deidentifier(profile=Profile.named("teaching"), key=KEY).one(data).data)
    assert found.SeriesDescription == stays
    assert found.ProtocolName == stays


def test_nobody_s_birthday_becomes_a_b_value_by_being_called_one():
    data = diffusion("DWI 3/17/1952", [3.0, 17.0, 1952.0])
    found = read(Deidentifier(profile=Profile.named("teaching"), key=KEY).one(data).data)
    assert found.SeriesDescription == "DWI"
