"""Weighting at the edges: settings that mislead, headers that say too little, and names that must not decide."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.recognition.conftest import mr, read

SE, TSE, GR, IR, EP = ("SE",), ("SE",), ("GR",), ("SE", "IR"), ("EP",)


def case(weighting, tr, te, **facts):
    echoes = te if isinstance(te, tuple) else (te,)
    return pytest.param(
        weighting, {"repetition_time_ms": tr, "echo_times_ms": echoes} | facts, id=f"{weighting}-{tr}-{te}"
    )


@pytest.mark.parametrize(
    ("weighting", "facts"),
    [
        # Siemens writes the echo spacing of a single shot as TR, and RM for the sequence (a real header of 2004).
        case(
            "t2",
            4.4,
            90.0,
            scanning_sequence=("RM",),
            sequence_variant=("OSP",),
            flip_angle_deg=150.0,
            echo_train_length=1,
        ),
        case("t2", 1000.0, 80.0, scanning_sequence=SE, echo_train_length=256),
        # Philips 3D T2 at a TR that would be T1 for a spin echo.
        case("t2", 600.0, 186.0, scanning_sequence=SE, acquisition_type="3D", echo_train_length=60),
        case("t1", 1100.0, 10.0, scanning_sequence=SE, echo_train_length=4, field_strength_t=3.0),
        case("t1", 500.0, 20.0, scanning_sequence=SE, sequence_variant=("SS",), echo_train_length=1),
        case("pd", 3000.0, 12.0, scanning_sequence=SE, echo_train_length=6),
        # An intermediate echo is neither: T2 has begun to show and does not dominate.
        case(None, 3000.0, 45.0, scanning_sequence=SE, echo_train_length=8),
        case(None, 3000.0, (14.0, 95.0), scanning_sequence=SE, echo_train_length=8),
        # Inversion: fat, fluid, or for T1 contrast.
        case("stir", 4000.0, 60.0, scanning_sequence=IR, inversion_time_ms=150.0),
        case("stir", 5000.0, 40.0, scanning_sequence=IR, inversion_time_ms=230.0, field_strength_t=3.0),
        case("stir", 2500.0, 50.0, scanning_sequence=IR, inversion_time_ms=95.0, field_strength_t=0.35),
        case("flair", 9000.0, 120.0, scanning_sequence=("IR",), inversion_time_ms=2500.0),
        case("flair", 4800.0, 340.0, scanning_sequence=("IR",), inversion_time_ms=1650.0, acquisition_type="3D"),
        case("t1", 2200.0, 20.0, scanning_sequence=IR, inversion_time_ms=800.0),
        case(None, 9000.0, 100.0, scanning_sequence=IR),
        # A spectral fat pulse with its delay in the entry of the inversion time is no STIR.
        case(
            "t2",
            4000.0,
            80.0,
            scanning_sequence=SE,
            inversion_time_ms=110.0,
            fat_suppression="SPECTRAL",
            echo_train_length=17,
        ),
        # Gradient echoes.
        case(
            "t1",
            2300.0,
            3.0,
            scanning_sequence=("GR", "IR"),
            inversion_time_ms=900.0,
            acquisition_type="3D",
            flip_angle_deg=9.0,
        ),
        case("t1", 2000.0, 3.0, scanning_sequence=GR, acquisition_type="3D", flip_angle_deg=8.0),
        case("t1", 160.0, 4.6, scanning_sequence=GR, flip_angle_deg=70.0),
        case("t1", 22.0, 3.5, scanning_sequence=GR, flip_angle_deg=20.0, acquisition_type="3D"),
        case("pd", 10.0, 2.0, scanning_sequence=GR, flip_angle_deg=2.0, acquisition_type="3D"),
        case("t2_star", 50.0, 40.0, scanning_sequence=GR, flip_angle_deg=15.0, acquisition_type="3D"),
        case(
            "t2_star",
            27.0,
            20.0,
            scanning_sequence=GR,
            flip_angle_deg=15.0,
            acquisition_type="3D",
            field_strength_t=3.0,
        ),
        case("t2_t1", 3.5, 1.7, scanning_sequence=GR, sequence_variant=("SK", "SS"), flip_angle_deg=60.0),
        case(None, 5.0, 2.0, scanning_sequence=GR, acquisition_type="3D"),
        case("t2_star", 1500.0, 30.0, scanning_sequence=EP, flip_angle_deg=90.0),
        case(None, 4000.0, 13.0, scanning_sequence=EP, flip_angle_deg=90.0),
        # Without the scanning sequence the times still exclude one of the two kinds.
        case("t1", 4.5, 2.0, flip_angle_deg=10.0, acquisition_type="3D"),
        case("t2", 5000.0, 100.0, flip_angle_deg=150.0),
        case("t2", 5000.0, 100.0, echo_train_length=17),
    ],
)
def test_the_times_tell_the_weighting_or_leave_it_open(hand, weighting, facts):
    reading = hand.read("derived.weighting", hand.mr(**facts))
    assert reading.value == weighting, str(reading.why or reading.remark)
    if weighting is not None:
        assert reading.certainty >= 0.8


def test_the_reason_names_the_times(hand):
    series = hand.mr(repetition_time_ms=4200.0, echo_times_ms=(104.0,), scanning_sequence=SE, echo_train_length=17)
    assert str(hand.read("derived.weighting", series).remark) == "TR 4200 ms and TE 104 ms"


def test_without_times_a_name_gives_nothing(hand):
    reading = hand.read("derived.weighting", hand.mr(series_description="t2_tse_tra", scanning_sequence=SE))
    assert reading.value is None
    assert "repetition time" in str(reading.why)


INTERMEDIATE = {"repetition_time_ms": 3000.0, "echo_times_ms": (45.0,), "scanning_sequence": SE, "echo_train_length": 8}


@pytest.mark.parametrize(
    ("name", "weighting"),
    [
        ("pd_tse_fs_sag", "pd"),
        ("PDW SAG", "pd"),
        ("t2_tse", "t2"),
        ("质子 矢状位", "pd"),
        ("t1_tse", None),
        ("pd t2", None),
        ("Serie 4", None),
    ],
)
def test_a_name_picks_only_among_what_the_times_leave(hand, name, weighting):
    reading = hand.read("derived.weighting", hand.mr(**INTERMEDIATE, series_description=name))
    assert reading.value == weighting
    if weighting is not None:
        assert reading.certainty <= 0.6
        assert "the name of the series says" in str(reading.remark)


def test_a_name_never_contradicts_the_times(hand):
    series = hand.mr(
        repetition_time_ms=500.0, echo_times_ms=(10.0,), scanning_sequence=SE, series_description="t2_tse_tra"
    )
    assert hand.read("derived.weighting", series).value == "t1"


def test_a_declared_contrast_decides_among_what_the_times_leave_and_not_against_them(hand):
    open_ = hand.mr(**INTERMEDIATE, acquisition_contrast="PROTON_DENSITY", series_description="t2")
    assert hand.read("derived.weighting", open_).value == "pd"
    against = hand.mr(repetition_time_ms=500.0, echo_times_ms=(10.0,), scanning_sequence=SE, acquisition_contrast="T2")
    assert hand.read("derived.weighting", against).value == "t1"
    timeless = hand.mr(acquisition_contrast="FLUID_ATTENUATED")
    assert hand.read("derived.weighting", timeless).value == "flair"


def test_a_b_value_of_zero_alone_is_no_diffusion(hand):
    series = hand.mr(repetition_time_ms=4000.0, echo_times_ms=(100.0,), scanning_sequence=SE, echo_train_length=17)
    assert hand.read("derived.weighting", replace(series, b_values_s_per_mm2=(0.0,))).value == "t2"
    assert hand.read("derived.weighting", replace(series, b_values_s_per_mm2=(0.0, 800.0))).value == "diffusion"


@given(
    tr=st.floats(3.0, 12000.0),
    te=st.floats(0.5, 400.0),
    flip=st.floats(1.0, 180.0),
    ti=st.none() | st.floats(20.0, 3000.0),
    words=st.sampled_from([(), ("SE",), ("GR",), ("SE", "IR"), ("GR", "IR"), ("EP",), ("RM",), ("EP", "GR")]),
    name=st.sampled_from([None, "t1", "t2", "pd", "flair", "stir", "swi", "dwi", "高分辨T2"]),
)
def test_no_settings_whatever_make_a_name_overrule_physics(tr, te, flip, ti, words, name):
    series = mr(
        repetition_time_ms=tr, echo_times_ms=(te,), flip_angle_deg=flip, inversion_time_ms=ti, scanning_sequence=words
    )
    bare = read("derived.weighting", series)
    named = read("derived.weighting", replace(series, series_description=name))
    if bare.value is not None:
        assert (named.value, named.certainty) == (bare.value, bare.certainty)
    elif named.value is not None:
        assert named.certainty <= 0.6
    assert bare.value != "diffusion"
