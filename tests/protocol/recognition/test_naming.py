"""Words of names: tokens, languages, and what takes back what."""

from __future__ import annotations

import pytest

from bingcheng.dicom.acquisition import CtAcquisition, Device, MrAcquisition
from bingcheng.protocol.attributes import attributes
from bingcheng.protocol.naming import _vocabulary, picked

WEIGHTINGS = ("t1", "t2", "pd", "flair", "stir", "t2_star", "diffusion")
PLANES = ("axial", "sagittal", "coronal")


def named(description=None, protocol=None, sequence=None):
    return MrAcquisition(
        modality="MR",
        device=Device(),
        series_uid="1",
        series_description=description,
        protocol_name=protocol,
        sequence_name=sequence,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("t2_tse_tra_p2", "t2"),
        ("AxT2FSE", "t2"),
        ("Ax T2 FLAIR", "flair"),
        ("T2* GRE", "t2_star"),
        ("t2star", "t2_star"),
        ("T1WI", "t1"),
        ("DWI_b1000", "diffusion"),
        ("轴位T2加权", "t2"),
        ("扩散加权", "diffusion"),
        ("t1_t2_map", None),
        ("AT1234", None),
        ("PDw TSE", "pd"),
        ("t2_tirm_tra_dark-fluid", "flair"),
        ("STIR sag", "stir"),
    ],
)
def test_weighting_words_in_three_languages(name, value):
    mention = picked("weighting", WEIGHTINGS, named(name))
    assert (mention.value if mention else None) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("t2_tra", "axial"),
        ("T2 transversal", "axial"),
        ("横断位", "axial"),
        ("T2 SAG", "sagittal"),
        ("矢状", "sagittal"),
        ("t2_kor", "coronal"),
        ("冠状位", "coronal"),
        ("traumatic", None),
        ("corpus", None),
        ("cor sag", None),
        (None, None),
        ("", None),
    ],
)
def test_plane_words_are_whole_tokens(name, value):
    mention = picked("plane", PLANES, named(name))
    assert (mention.value if mention else None) == value


def test_only_what_is_possible_is_picked_and_all_names_are_read():
    assert picked("weighting", ("t1", "pd"), named("t2_tse")) is None
    assert picked("weighting", ("t1", "pd"), named(None, "pd_tse")).value == "pd"
    assert picked("sequence", ("spin_echo", "turbo_spin_echo"), named(None, None, "*tse2d1_15")) is None
    assert (
        picked(
            "phase",
            ("delayed", "portal_venous"),
            CtAcquisition(modality="CT", device=Device(), series_uid="1", series_description="Spätphase"),
        ).value
        == "delayed"
    )


def test_two_names_that_disagree_pick_nothing():
    assert picked("weighting", ("t1", "pd"), named("t1_tse", "pd_tse")) is None


def test_the_word_that_is_told_is_the_vocabulary_s_and_never_the_name():
    mention = picked("content", ("adc_map", "subtraction"), named("Doe^Jane ADC left"))
    assert mention.word == "adc"


def test_every_section_names_words_of_its_quantity():
    words = {
        "plane": "derived.plane",
        "weighting": "derived.weighting",
        "content": "derived.content",
        "sequence": "derived.sequence",
        "phase": "derived.contrast_phase",
    }
    for section, key in words.items():
        assert set(_vocabulary()[section]) <= set(attributes()[key].words)
        for entry in _vocabulary()[section].values():
            assert entry.instead_of <= set(attributes()[key].words)
