"""Contrast phases by the delay, by the image, by the agent and the name."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bingcheng.dicom.acquisition import CtAcquisition, Device
from bingcheng.protocol.attributes import Told

START = datetime(2026, 3, 2, 9, 0, 0)  # noqa: DTZ001 - as headers give it


def ct(delay_s=None, **facts):
    told = {} if delay_s is None else {"contrast_started_at": START, "started_at": START + timedelta(seconds=delay_s)}
    made = {
        "modality": "CT",
        "device": Device(),
        "series_uid": "1",
        "started_at": START,
        "image_type": ("ORIGINAL", "PRIMARY", "AXIAL"),
    }
    return CtAcquisition(**(made | told | facts))


@pytest.mark.parametrize(
    ("delay_s", "liver", "all_organs"),
    [
        (-30, "precontrast", ("precontrast",)),
        (20, "early_arterial", ("early_arterial",)),
        (32, "late_arterial", ("late_arterial",)),
        (42, "late_arterial", ("late_arterial", "pancreatic")),
        (50, None, ("pancreatic",)),
        (68, "portal_venous", ("portal_venous", "pancreatic")),
        (90, "portal_venous", ("portal_venous", "nephrographic")),
        (105, None, ("nephrographic",)),
        (600, "delayed", ("delayed", "excretory")),
        (5, None, None),
    ],
)
def test_the_delay_tells_the_phase_of_the_liver_and_those_of_all_organs(hand, delay_s, liver, all_organs):
    assert hand.read("derived.contrast_phase", ct(delay_s)).value == liver
    assert hand.read("derived.possible_phases", ct(delay_s)).value == all_organs


def test_at_the_edge_of_its_window_a_phase_is_less_sure(hand):
    assert hand.read("derived.contrast_phase", ct(70)).certainty > hand.read("derived.contrast_phase", ct(98)).certainty


def test_the_image_tells_where_the_delay_does_not(hand):
    seen = {"1": {"image.contrast_phase": Told("pancreatic", None, 0.85)}}
    for series in (ct(), ct(50)):
        reading = hand.read("derived.contrast_phase", series, measured=seen)
        assert (reading.value, reading.certainty) == ("pancreatic", 0.85)
    assert hand.read("derived.contrast_phase", ct(70), measured=seen).value == "portal_venous"
    odd = {"1": {"image.contrast_phase": "somewhere"}}
    assert hand.read("derived.contrast_phase", ct(), measured=odd).value is None


@pytest.mark.parametrize(
    ("name", "phase"),
    [
        ("Abdomen art.", "late_arterial"),
        ("portalvenös", "portal_venous"),
        ("门脉期 1mm", "portal_venous"),
        ("延迟期", "delayed"),
        ("Abdomen", None),
    ],
)
def test_with_the_agent_and_without_a_time_the_name_says_which_phase_after_it(hand, name, phase):
    series = ct(contrast_agent="Iohexol", series_description=name)
    reading = hand.read("derived.contrast_phase", series)
    assert reading.value == phase
    assert phase is None or reading.certainty <= 0.6
    assert hand.read("derived.contrast_phase", ct(series_description=name)).value is None


def test_a_series_before_the_agent_is_precontrast(hand):
    plain, late = ct(), ct(contrast_agent="Iohexol", series_uid="2", started_at=START + timedelta(seconds=200))
    assert hand.read("derived.contrast_phase", plain, late).value == "precontrast"


def test_the_phases_of_an_exam_are_open_as_soon_as_one_is(hand):
    first, second, open_ = ct(35), ct(70, series_uid="2"), ct(50, series_uid="3")
    assert hand.read("derived.contrast_phases", first, second).value == ("late_arterial", "portal_venous")
    assert hand.read("derived.contrast_phases", first, second, open_).value is None
