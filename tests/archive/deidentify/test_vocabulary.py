"""Descriptions keep words of examinations and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.archive.deidentify.vocabulary import chinese, cleaned, words

NOBODY = {"smith", "王小明", "thorax"}.__contains__


@pytest.mark.parametrize(
    "said",
    [
        "MRI ABDOMEN PELVIS W+WO CONT",
        "LIVER-PELVIS/HASTE_AXIAL_P",
        "AX T1 FS 3.0mm b1000",
        "胸部平扫+增强 5mm 动脉期",
        "Lesion 1",
        "CT 120 kV 10% B30f",
        "*tse2d1_13",
        "Cornerstone3DTools@^0.1.0:Bidirectional",
    ],
)
def test_descriptions_of_technique_stay_as_they_are(said):
    assert cleaned(said, NOBODY) == said


@pytest.mark.parametrize(
    ("said", "stays"),
    [
        ("John Smith liver 12345678", "liver"),
        ("CT Abdomen Fr. Meier geb. 12.05.1961", "CT Abdomen"),
        ("胸部平扫王小明增强", "胸部平扫增强"),
        ("call 555-225-5887", ""),
        ("liver met, room 4711", "liver met"),
        ("P1234 pelvis", "pelvis"),
        ("THORAX of Smith", "of"),
        ("seen 2024-02-13", ""),
        ("----", ""),
        ("", ""),
    ],
)
def test_everything_else_goes(said, stays):
    assert cleaned(said, NOBODY) == stays


def test_further_words_may_stay():
    assert cleaned("Sonderprotokoll Meier", NOBODY, {"sonderprotokoll"}) == "Sonderprotokoll"


@given(st.text(max_size=60))
def test_cleaning_again_changes_nothing(said):
    once = cleaned(said, NOBODY)
    assert cleaned(once, NOBODY) == once
    assert "smith" not in once.casefold()
    assert len(once) <= len(said)


@given(st.lists(st.sampled_from(sorted(words())[:400]), min_size=1, max_size=5), st.integers(10_000, 10**12))
def test_long_numbers_never_stay(known, number):
    assert str(number) not in cleaned(f"{' '.join(known)} {number}", NOBODY)


def test_the_words_are_words():
    assert len(words()) > 700
    assert len(chinese()) > 150
    assert not [word for word in words() if word != word.casefold()]
