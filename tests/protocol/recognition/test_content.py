"""What images show: by the image type, by Dixon, by echoes, and by a name where only DERIVED is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bingcheng.dicom.acquisition import CtAcquisition, Device

DERIVED = ("DERIVED", "SECONDARY")


@pytest.mark.parametrize(
    ("image_type", "content"),
    [
        (("ORIGINAL", "PRIMARY", "M", "ND", "NORM"), "image"),
        (("DERIVED", "PRIMARY", "DIFFUSION", "ADC", "ND"), "adc_map"),
        (("DERIVED", "PRIMARY", "DIFFUSION", "TRACEW", "ND"), "image"),
        (("DERIVED", "PRIMARY", "DIFFUSION", "CALC_BVALUE", "TRACEW"), "synthetic_diffusion"),
        (("DERIVED", "SECONDARY", "MPR", "MIP"), "mip"),
        (("DERIVED", "SECONDARY", "REFORMATTED", "AVERAGE"), "mpr"),
        (("DERIVED", "PRIMARY", "M", "SUB"), "subtraction"),
        (("DERIVED", "PRIMARY", "PERFUSION", "RELCBV"), "perfusion_map"),
        (("DERIVED", "PRIMARY", "DCE", "SER"), "perfusion_map"),
        (("DERIVED", "PRIMARY", "DIFFUSION", "FA"), "parametric_map"),
        (("ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"), "phase"),
        (("ORIGINAL", "PRIMARY", "LOCALIZER"), "localiser"),
        (("DERIVED", "SECONDARY", "SCREEN SAVE"), "screenshot"),
        (("DERIVED", "SECONDARY", "OTHER"), None),
        ((), None),
    ],
)
def test_the_image_type_tells(hand, image_type, content):
    assert hand.read("derived.content", hand.mr(image_type=image_type)).value == content


@pytest.mark.parametrize(
    ("name", "facts", "content"),
    [
        ("ADC (10^-6 mm2/s)", {"b_values_s_per_mm2": (0.0, 1000.0)}, "adc_map"),
        ("表观扩散系数", {"b_values_s_per_mm2": (0.0, 1000.0)}, "adc_map"),
        ("SUB 2-1", {}, "subtraction"),
        ("减影", {}, "subtraction"),
        ("MIP cor", {"b_values_s_per_mm2": (0.0, 1000.0)}, None),  # no b-value's map is a projection of it here
        ("ADC MIP", {}, None),
        ("Serie 7", {}, None),
    ],
)
def test_a_name_says_what_was_derived_and_only_that(hand, name, facts, content):
    series = hand.mr(image_type=(*DERIVED, "OTHER"), series_description=name, **facts)
    reading = hand.read("derived.content", series)
    assert reading.value == content
    assert content is None or reading.certainty <= 0.6
    original = replace(series, image_type=("ORIGINAL", "PRIMARY", "OTHER"))
    assert hand.read("derived.content", original).value == "image"


def test_a_computed_b_value_is_told_by_the_fact(hand):
    series = hand.mr(image_type=(*DERIVED, "OTHER"), synthetic_b=True, b_values_s_per_mm2=(1500.0,))
    assert hand.read("derived.content", series).value == "synthetic_diffusion"


def test_dixon_images_are_named_by_the_header(hand):
    assert hand.read("derived.content", hand.mr(dixon=("WATER",))).value == "dixon_water"
    assert hand.read("derived.content", hand.mr(dixon=("FAT",))).value == "dixon_fat"
    assert hand.read("derived.content", hand.mr(dixon=("WATER", "FAT"))).value == "dixon_set"


# Fat turns once against water in 1 / (3.4 ppm x 42.577 MHz/T x B): 4.6 ms at 1.5 T, 2.3 ms at 3 T.
@pytest.mark.parametrize(("field_t", "opposed_ms", "in_ms"), [(1.5, 2.3, 4.6), (3.0, 1.15, 2.3)])
def test_the_twin_echoes_of_a_dual_echo_are_told_apart_by_the_turn_of_fat(hand, field_t, opposed_ms, in_ms):
    gre = {
        "scanning_sequence": ("GR",),
        "repetition_time_ms": 170.0,
        "flip_angle_deg": 70.0,
        "field_strength_t": field_t,
    }
    opposed = hand.mr(**gre, echo_times_ms=(opposed_ms,), series_uid="1")
    in_phase = hand.mr(**gre, echo_times_ms=(in_ms,), series_uid="2")
    assert hand.read("derived.content", opposed, in_phase).value == "opposed_phase"
    assert hand.read("derived.content", in_phase, opposed).value == "in_phase"
    assert hand.read("derived.content", opposed).value == "image"
    assert hand.read("derived.content", hand.mr(**gre, echo_times_ms=(opposed_ms, in_ms))).value == "dixon_set"


def test_few_slices_far_apart_are_a_scout_and_a_lone_slice_may_be_anything(hand):
    fast = {"scanning_sequence": ("GR",), "repetition_time_ms": 4.0, "echo_times_ms": (2.0,)}
    spread = {"slice_count": 5, "slice_thickness_mm": 8.0, "reconstruction_interval_mm": 20.0}
    assert hand.read("derived.content", hand.mr(**fast, **spread)).value == "localiser"
    assert hand.read("derived.content", hand.mr(**fast, slice_count=1)).value == "localiser"
    assert hand.read("derived.content", hand.mr(scanning_sequence=("SE",), slice_count=1)).value is None
    assert (
        hand.read(
            "derived.content", hand.mr(scanning_sequence=("SE",), slice_count=1, b_values_s_per_mm2=(500.0,))
        ).value
        is None
    )


def test_one_slice_of_ct_again_and_again_waits_for_the_bolus(hand):
    one = CtAcquisition(
        modality="CT",
        device=Device(),
        series_uid="1",
        image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
        slice_count=1,
        volume_count=12,
    )
    assert hand.read("derived.content", one).value == "bolus_tracking"
    assert hand.read("derived.content", replace(one, volume_count=1)).value is None
    assert (
        hand.read("derived.content", replace(one, volume_count=1, series_description="Premonitoring")).value
        == "bolus_tracking"
    )
