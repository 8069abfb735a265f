"""Dynamics in one series and in several, and what is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bingcheng.dicom.acquisition import CtAcquisition, Device

START = datetime(2026, 3, 2, 9, 0, 0)  # noqa: DTZ001 - as headers give it
VIBE = {
    "repetition_time_ms": 4.5,
    "echo_times_ms": (1.8,),
    "flip_angle_deg": 10.0,
    "scanning_sequence": ("GR",),
    "rows": 320,
    "columns": 320,
    "slice_normal": (0.0, 0.0, 1.0),
    "centre_mm": (0.0, 0.0, 0.0),
    "slice_thickness_mm": 3.0,
}


def phase(hand, second, **facts):
    at = START + timedelta(seconds=second)
    return hand.mr(**(VIBE | {"series_uid": f"1.{second}", "started_at": at} | facts))


def test_one_series_with_the_times_of_its_volumes(hand):
    series = phase(hand, 0, volume_times_s=tuple(9.0 * k for k in range(20)), volume_count=20)
    assert hand.read("derived.is_dynamic", series).value is True
    assert hand.read("derived.n_phases", series).value == 20.0
    assert hand.read("derived.temporal_resolution_s", series).value == pytest.approx(9.0)
    assert hand.read("derived.dynamic_duration_s", series).value == pytest.approx(180.0)
    ended = replace(series, ended_at=START + timedelta(seconds=184))
    assert hand.read("derived.dynamic_duration_s", ended).value == pytest.approx(184.0)


def test_a_series_a_phase_is_one_dynamic_and_the_pause_for_the_injection_no_step(hand):
    injected = START + timedelta(seconds=90)
    group = [phase(hand, s, contrast_started_at=injected) for s in (0, 110, 170, 230)]
    for one in group:
        others = [other for other in group if other is not one]
        assert hand.read("derived.is_dynamic", one, *others).value is True
        assert hand.read("derived.n_phases", one, *others).value == 4.0
        assert hand.read("derived.temporal_resolution_s", one, *others).value == pytest.approx(60.0)


def test_a_late_phase_is_no_part_of_it(hand):
    group = [phase(hand, s) for s in (0, 60, 120, 1300)]
    assert hand.read("derived.n_phases", group[0], *group[1:]).value == 3.0
    assert hand.read("derived.is_dynamic", group[3], *group[:3]).value is False


@pytest.mark.parametrize(
    "change",
    [
        {"flip_angle_deg": 25.0},
        {"echo_times_ms": (2.4,)},
        {"slice_normal": (1.0, 0.0, 0.0)},
        {"centre_mm": (0.0, 0.0, 250.0)},
        {"image_type": ("DERIVED", "SECONDARY", "SUB")},
        {"dixon": ("FAT",)},
        {"rows": 256},
    ],
)
def test_another_setting_or_place_is_no_phase(hand, change):
    group = [phase(hand, 0), phase(hand, 60), phase(hand, 120, **change)]
    assert hand.read("derived.is_dynamic", group[0], *group[1:]).value is False


def test_a_pair_before_and_after_contrast_is_no_dynamic(hand):
    assert hand.read("derived.is_dynamic", phase(hand, 0), phase(hand, 200)).value is False


def test_images_of_one_moment_are_one_phase(hand):
    group = [phase(hand, 0), phase(hand, 0, series_uid="2"), phase(hand, 0, series_uid="3")]
    assert hand.read("derived.is_dynamic", group[0], *group[1:]).value is False


def test_volumes_without_times_leave_it_open_unless_echoes_or_b_values_explain_them(hand):
    assert hand.read("derived.is_dynamic", phase(hand, 0, volume_count=6)).value is None
    assert (
        hand.read(
            "derived.is_dynamic", phase(hand, 0, volume_count=6, echo_times_ms=tuple(1.0 + k for k in range(6)))
        ).value
        is False
    )
    assert (
        hand.read("derived.is_dynamic", phase(hand, 0, volume_count=3, b_values_s_per_mm2=(0.0, 400.0, 800.0))).value
        is False
    )
    assert hand.read("derived.is_dynamic", phase(hand, 0, volume_count=None)).value is None


def test_ct_phases_are_no_dynamic_but_a_perfusion_is(hand):
    ct = CtAcquisition(
        modality="CT", device=Device(), series_uid="1", started_at=START, slice_count=200, volume_count=1
    )
    later = [replace(ct, series_uid=str(k), started_at=START + timedelta(seconds=40 * k)) for k in (1, 2)]
    assert hand.read("derived.is_dynamic", ct, *later).value is False
    assert hand.read("derived.is_dynamic", replace(ct, volume_times_s=(0.0, 1.5, 3.0), volume_count=3)).value is True
