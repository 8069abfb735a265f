"""What counts as betraying a patient, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.dicom.exam import Exam, Patient
from bingcheng.engine.discretion import Discretion


def about(**facts):
    patient = Patient(**({"patient_id": "AB-1234"} | facts))
    exam = Exam(
        uid="1.2",
        patient=patient,
        institution=None,
        performed_at=None,
        description=None,
        accession_number="77-11",
        series=(),
    )
    return Discretion.about([exam])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Zhang^San", "ZHANG SAN THORAX"),
        ("Zhang^San", "zhangsan_ct"),
        ("Zhang^San", "SanZhang"),
        ("Li^Na", "CT Li follow-up"),
        ("Müller^Jürgen", "MULLER abdomen"),
        ("Mueller^J", "mueller"),
        ("ZHANG^SAN=张^三", "张三 胸部"),
        ("王^小明", "小明"),
        ("王^小明", "小明王"),
        ("A^B", "AB-1234 chest"),
        ("A^B", "for 77-11"),
        ("A^B", "born 1950/02/03"),
        ("A^B", "19500203"),
    ],
)
def test_names_and_numbers_betray_in_every_way_in_which_people_write_them(name, words):
    discretion = about(name=name, birth_date="19500203")
    assert discretion.betrays(words)
    assert discretion.without(words) == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Li^Na", "Liver and national"),
        ("Zhang^San", "Sand in the chest"),
        ("王^小明", "王字形"),
        ("A^B", "series A, kernel B"),
        ("A^B", "AB-12"),
        (None, "Thorax"),
        ("", ""),
    ],
)
def test_other_words_stay(name, words):
    discretion = about(name=name)
    assert not discretion.betrays(words)
    assert discretion.without(words) == words


def test_a_label_keeps_what_tells_lesions_apart():
    discretion = about(name="Zhang^San")
    assert discretion.label("Zhang San liver met 2") == "liver met 2"
    assert discretion.label("zhangsan") == "lesion"
    assert discretion.label("Lesion 2") == "Lesion 2"


def test_of_a_path_the_folder_that_betrays_is_hidden():
    assert about(name="Zhang^San").path("north/ZHANG_SAN/ct/0001.dcm") == "north/***/ct/0001.dcm"


@given(st.text())
def test_without_anything_known_nothing_is_hidden(words):
    assert Discretion.about([]).without(words) == words


@given(st.text(), st.text(max_size=12), st.text(max_size=12))
def test_what_is_left_of_a_label_never_betrays(words, number, name):
    discretion = about(patient_id=number, name=name)
    label = discretion.label(words)
    assert label in (words, "lesion") or not discretion.betrays(label)
    assert discretion.without(words) in ("", words)
