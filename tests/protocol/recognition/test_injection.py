"""Before and after the injection: by its time, by the agent, by names, or not at all."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

START = datetime(2026, 3, 2, 9, 0, 0)  # noqa: DTZ001 - as headers give it
T1 = {
    "repetition_time_ms": 4.5,
    "echo_times_ms": (1.8,),
    "flip_angle_deg": 10.0,
    "scanning_sequence": ("GR",),
    "rows": 320,
    "columns": 320,
    "slice_normal": (0.0, 0.0, 1.0),
    "centre_mm": (0.0, 0.0, 0.0),
    "slice_thickness_mm": 3.0,
    "acquisition_type": "3D",
}


def at(hand, second, **facts):
    return hand.mr(**(T1 | {"series_uid": f"1.{second}", "started_at": START + timedelta(seconds=second)} | facts))


def of(hand, key, group):
    return [hand.read(key, one, *(o for o in group if o is not one)).value for one in group]


def test_the_time_of_injection_sorts_the_phases(hand):
    injected = START + timedelta(seconds=60)
    group = [at(hand, 0), at(hand, 80, contrast_started_at=injected), at(hand, 140), at(hand, 200)]
    times = of(hand, "derived.contrast_times", group)
    assert times == [("before",), ("first_after",), ("later_after",), ("later_after",)]
    assert of(hand, "derived.after_contrast", group) == [False, True, True, True]


def test_one_dynamic_holds_all_three(hand):
    series = at(
        hand,
        0,
        volume_times_s=(0.0, 20.0, 40.0, 60.0),
        volume_count=4,
        contrast_started_at=START + timedelta(seconds=15),
    )
    assert hand.read("derived.contrast_times", series).value == ("before", "first_after", "later_after")


def test_a_dynamic_without_the_times_of_its_volumes_is_open_when_injected_meanwhile(hand):
    series = at(hand, 0, volume_count=4, contrast_started_at=START + timedelta(seconds=15))
    assert hand.read("derived.contrast_times", series).value is None


def test_the_agent_in_some_series_tells_those_before_it(hand):
    group = [
        at(hand, 0),
        at(hand, 400, contrast_agent="Dotarem"),
        at(hand, 460, contrast_agent="Dotarem"),
        at(hand, 520),
    ]
    assert of(hand, "derived.contrast_times", group) == [("before",), ("first_after",), ("later_after",), None]
    assert hand.read("derived.contrast_times", group[1], group[0]).certainty < 1.0


@pytest.mark.parametrize(
    ("names", "sides"),
    [
        ((None, None), [None, None]),
        (("T1 nativ", "T1 KM"), [False, True]),
        (("平扫", "增强"), [False, True]),
        (("T1 +KM", "T1 +KM"), [None, None]),
    ],
)
def test_the_agent_in_all_series_leaves_it_to_names_that_differ(hand, names, sides):
    group = [at(hand, 500 * k, contrast_agent="Gadovist", series_description=name) for k, name in enumerate(names)]
    assert of(hand, "derived.after_contrast", group) == sides


def test_without_agent_and_time_a_name_gives_nothing(hand):
    reading = hand.read("derived.after_contrast", at(hand, 0, series_description="T1 KM"))
    assert reading.value is None
    assert "does not say when the contrast injection began" in str(reading.why)


def test_one_scan_reconstructed_twice_with_the_agent_is_after_it(hand):
    group = [at(hand, 0, series_uid=str(k), rows=r, contrast_agent="Iohexol") for k, r in enumerate((256, 512))]
    assert of(hand, "derived.after_contrast", group) == [True, True]


def test_the_first_images_end_after_the_end_of_the_injection(hand):
    injected = START + timedelta(seconds=60)
    told = {"contrast_started_at": injected, "contrast_volume_ml": 15.0, "contrast_flow_ml_per_s": 3.0}
    first = at(hand, 80, **told, ended_at=START + timedelta(seconds=165))
    # Injected 60 to 65 s, images end at 165 s.
    assert hand.read("derived.first_post_end_s", first, at(hand, 0)).value == pytest.approx(100.0)
    assert hand.read("derived.first_post_end_s", at(hand, 140), first, at(hand, 0)).value is None
    dynamic = at(hand, 0, **told, volume_times_s=(0.0, 70.0, 140.0, 210.0), volume_count=4)
    assert hand.read("derived.first_post_end_s", dynamic).value == pytest.approx(140.0 - 65.0)


@pytest.mark.parametrize(
    ("agent", "delay_s", "phase"),
    [
        ("Primovist", 1200, True),
        ("EOVIST 0.25 mmol", 1200, True),
        ("普美显", 1200, True),
        ("Gd-EOB-DTPA", 180, False),
        ("Gadovist", 1200, False),
        ("MultiHance", 1200, False),
        ("MultiHance", 5400, True),
        ("CONTRAST", 1200, None),
        ("CONTRAST", 60, False),
        (None, 1200, None),
    ],
)
def test_the_liver_takes_up_some_agents_after_a_while(hand, agent, delay_s, phase):
    series = at(hand, delay_s, contrast_agent=agent, contrast_started_at=START)
    assert hand.read("derived.hepatobiliary", series).value is phase


def test_a_t2_at_twenty_minutes_is_no_hepatobiliary_phase(hand):
    t2 = {"repetition_time_ms": 4000.0, "echo_times_ms": (90.0,), "scanning_sequence": ("SE",), "echo_train_length": 17}
    series = at(hand, 1200, contrast_agent="Primovist", contrast_started_at=START, **t2)
    assert hand.read("derived.hepatobiliary", series).value is False
