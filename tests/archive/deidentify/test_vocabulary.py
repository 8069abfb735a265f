"""Descriptions keep words of examinations and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.archive.deidentify.vocabulary import chinese, cleaned, device_words, words

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
        "CT 0% 10% 20% 30% 40%",
        "T1 2 3 4 mm",
        "MAR 5 mm",
        "TE 10 20 30 40 50 60",
        "dynamic 30 60 90 120 s",
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
        ("CT 1 9 5 2 0 3 1 7", "CT"),
        ("chest 12 34 56 78", "chest"),
        ("chest 130 250 70 900", "chest"),
        ("born 17 Mar 52", ""),
        ("MRI 3 OCT 1952 knee", "MRI knee"),
        ("----", ""),
        ("", ""),
    ],
)
def test_everything_else_goes(said, stays):
    assert cleaned(said, NOBODY) == stays


@pytest.mark.parametrize("said", ["AX 138 1234 5678", "T2 1952 0317", "AX Mar 17, 1952"])
def test_a_number_in_pieces_goes_from_what_devices_say_too(said):
    assert cleaned(said, NOBODY, of_device=True) == said[:2]


@pytest.mark.parametrize("said", ["Biograph128", "Biograph64_mCT 4R", "GEMINI TF Big Bore", "uWS-MI R001"])
def test_a_model_with_its_number_stays_in_what_devices_say(said):
    assert cleaned(said, NOBODY, device_words(), of_device=True) == said


@pytest.mark.parametrize("said", ["Biograph1952031", "Zonkel128", "Biograph128Zonkel"])
def test_a_name_with_a_number_is_no_model(said):
    assert cleaned(said, NOBODY, device_words(), of_device=True) == ""


@pytest.mark.parametrize("number", ["II", "III", "IVa", "VII", "VIII"])
def test_a_segment_of_the_liver_keeps_its_number(number):
    assert cleaned(f"Liver lesion, segment {number}", NOBODY) == f"Liver lesion, segment {number}"


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


@pytest.mark.parametrize(
    ("said", "stays"),
    [
        ("1952年3月17日", ""),
        ("胸部平扫 1952年3月17日", "胸部平扫"),
        ("胸部 3月17日 增强", "胸部 增强"),
        ("1952 年 3 月", ""),
        ("110101 19520317 123X", ""),
        ("110101-19520317-123x chest", "chest"),
        ("11010119520317123X", ""),
        ("CT 512x512", "CT 512x512"),
        ("FOV 350 123x", "FOV 350 123x"),
    ],
)
def test_a_chinese_day_and_the_end_of_an_identity_card_go_whole(said, stays):
    once = cleaned(said, NOBODY)
    assert " ".join(once.split()) == stays
    assert cleaned(once, NOBODY) == once


DENIED = (
    *(
        "no metastasis",
        "not a metastasis",
        "without evidence of metastasis",
        "metastasis excluded",
        "metastasis unlikely",
    ),
    *("cannot exclude metastasis", "rule out metastasis", "neither lesion nor nodule", "lack of enhancement"),
    *(
        "metastasis?",
        "isn't a metastasis",
        "non-enhancing nodule",
        "metastasis gone",
        "keine metastasis",
        "sans metastasis",
    ),
    *(
        "未见转移",
        "无转移",
        "非转移",
        "不考虑转移",
        "转移待排",
        "排除转移",
        "除外转移",
        "转移阴性",
        "可疑转移",
        "转移不除外",
        "未累及肝脏",
    ),
    *("转移？", "肝内未见明显强化结节", "转移可能"),
)


@pytest.mark.parametrize("said", DENIED)
def test_what_is_denied_or_doubted_does_not_become_a_finding(said):
    assert cleaned(said, NOBODY) == said


@pytest.mark.parametrize(
    "said", ["未探及转移", "无任何转移", "no discernible metastasis", "not in any way a metastasis"]
)
def test_a_word_that_nobody_knows_takes_no_denial_along(said):
    assert cleaned(said, NOBODY)[:1] == said[:1]


@pytest.mark.parametrize("said", ["no metastasis", "not a metastasis", "non-enhancing nodule"])
def test_a_patient_who_is_called_like_a_denial_does_not_take_it_along(said):
    assert cleaned(said, {"no", "not", "non"}.__contains__) == said


@pytest.mark.parametrize(
    "said",
    [
        "肝S4占位，动脉期明显强化，大小约3.2×2.1cm",
        "右肺上叶尖段磨玻璃结节，边界清楚，伴毛刺",
        "双侧胸腔积液，对比前片增多",
        "homogeneous hypodense lesion with capsule, washout ~ 12 mm",
        "mildly enlarged lymph node, no necrosis",
    ],
)
def test_what_a_reader_needs_of_a_finding_stays(said):
    assert cleaned(said, NOBODY) == said


@pytest.mark.parametrize(
    ("said", "stays"), [("Ma Li liver", "liver"), ("Hu liver", "liver"), ("120 mA 40 HU", "120 mA 40 HU")]
)
def test_a_surname_that_is_a_unit_goes_as_names_are_written(said, stays):
    assert cleaned(said, NOBODY) == stays
