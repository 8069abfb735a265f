"""Kinds of sequence in vendors' ways of writing them."""

from __future__ import annotations

import pytest

from bingcheng.dicom.acquisition import Device

DWI = {"b_values_s_per_mm2": (0.0, 800.0), "repetition_time_ms": 4000.0, "echo_times_ms": (70.0,)}


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("turbo_spin_echo", {"scanning_sequence": ("SE",), "echo_train_length": 17}),
        ("turbo_spin_echo", {"scanning_sequence": ("SE",), "sequence_variant": ("SK", "SP")}),
        ("turbo_spin_echo", {"scanning_sequence": ("SE",), "acquisition_type": "3D"}),
        ("spin_echo", {"scanning_sequence": ("SE",), "echo_train_length": 1, "sequence_variant": ("SP",)}),
        (None, {"scanning_sequence": ("SE",)}),
        ("epi_spin_echo", DWI | {"scanning_sequence": ("EP",)}),
        (
            "epi_spin_echo",
            DWI | {"scanning_sequence": ("SE",), "device": Device(vendor="PHILIPS"), "pixel_bandwidth_hz": 2200.0},
        ),
        (
            "turbo_spin_echo",
            DWI
            | {
                "scanning_sequence": ("SE",),
                "device": Device(vendor="PHILIPS"),
                "pixel_bandwidth_hz": 400.0,
                "echo_train_length": 64,
            },
        ),
        (None, DWI | {"scanning_sequence": ("SE",), "device": Device(vendor="PHILIPS"), "echo_train_length": 64}),
        ("epi_gradient_echo", {"scanning_sequence": ("EP",), "echo_times_ms": (30.0,), "repetition_time_ms": 1500.0}),
        ("ir_gradient_echo", {"scanning_sequence": ("GR", "IR"), "inversion_time_ms": 900.0}),
        ("gradient_echo", {"scanning_sequence": ("GR",), "sequence_variant": ("MP",), "fat_suppression": "SPECTRAL"}),
        (None, {"scanning_sequence": ("GR",), "sequence_variant": ("MP",)}),
        (
            "balanced",
            {"scanning_sequence": ("GR",), "repetition_time_ms": 3.5, "echo_times_ms": (1.7,), "flip_angle_deg": 60.0},
        ),
        (
            "gradient_echo",
            {
                "scanning_sequence": ("GR",),
                "sequence_variant": ("SS", "SP"),
                "repetition_time_ms": 4.0,
                "echo_times_ms": (1.9,),
                "flip_angle_deg": 40.0,
            },
        ),
        ("gradient_echo", {"repetition_time_ms": 4.0, "echo_times_ms": (2.0,), "flip_angle_deg": 10.0}),
        (None, {}),
    ],
)
def test_the_kind_follows_from_what_is_stated_and_from_the_times(hand, kind, facts):
    reading = hand.read("derived.sequence", hand.mr(**facts))
    assert reading.value == kind, str(reading.why or reading.remark)


def test_a_large_flip_angle_with_an_early_echo_may_be_balanced_or_not(hand):
    early = {"scanning_sequence": ("GR",), "repetition_time_ms": 4.4, "echo_times_ms": (1.4,), "flip_angle_deg": 50.0}
    assert hand.read("derived.sequence", hand.mr(**early)).value is None
    assert hand.read("derived.weighting", hand.mr(**early)).value is None
    assert hand.read("derived.weighting", hand.mr(**early, series_description="BTFE cor")).value == "t2_t1"


@pytest.mark.parametrize(
    ("name", "kind"), [("t2_tse", "turbo_spin_echo"), ("T1 SE tra", "spin_echo"), ("mprage", None)]
)
def test_a_name_picks_among_spin_echoes_only(hand, name, kind):
    assert hand.read("derived.sequence", hand.mr(scanning_sequence=("SE",), series_description=name)).value == kind


@pytest.mark.parametrize(
    ("written", "meant"), [("2D", "2D"), ("2D/MS", "2D"), ("MS", "2D"), ("3D", "3D"), (None, None), ("1D", None)]
)
def test_dimensions_in_the_vendors_words(hand, written, meant):
    assert hand.read("MRAcquisitionType", hand.mr(acquisition_type=written)).value == meant


@pytest.mark.parametrize(
    ("facts", "suppressed"),
    [
        ({"fat_suppression": "SPECTRAL"}, True),
        ({"fat_suppression": "INVERSION"}, True),
        ({"fat_suppression": "NONE"}, False),
        ({"fat_suppression": None, "series_description": "t1_vibe_fs"}, None),
        ({"dixon": ("WATER",), "fat_suppression": "DIXON"}, True),
        ({"dixon": ("FAT",)}, False),
        ({"dixon": ("IN_PHASE", "OPPOSED_PHASE")}, False),
        ({"dixon": ("WATER", "FAT")}, True),
    ],
)
def test_fat_is_suppressed_where_the_header_says_so_and_never_by_a_name(hand, facts, suppressed):
    assert hand.read("derived.fat_suppressed", hand.mr(**facts)).value is suppressed
