"""Contrast phases and delays of MR series that hold one volume or many."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.protocol import exams_mr

from bingcheng.core.finding import Outcome
from bingcheng.protocol.attributes import ExamFacts, attributes
from bingcheng.protocol.conformance import judge
from bingcheng.protocol.library import protocol
from bingcheng.protocol.supplied import Supplied


def read(key, series, *others):
    return attributes()[key].read(ExamFacts(acquisitions=(series, *others)), series)


def dynamic(*delays_s: float, **facts):
    """A 3D T1 series whose volumes begin at delays after the injection."""
    first_s = delays_s[0]
    at = exams_mr.START + timedelta(minutes=10)
    made = {
        "contrast_started_at": at,
        "contrast_agent": "Gadobutrol",
        "started_at": at + timedelta(seconds=first_s),
        "volume_times_s": tuple(d - first_s for d in delays_s) if len(delays_s) > 1 else (),
        "volume_count": len(delays_s),
    }
    return exams_mr.t1_volume(1, 10, **(made | facts))


def test_a_dynamic_in_one_series_holds_every_phase_that_its_volumes_reach():
    series = dynamic(-30.0, 20.0, 32.0, 50.0, 70.0, 180.0)
    told = read("derived.phases_held", series)
    assert told.value == ("precontrast", "early_arterial", "late_arterial", "portal_venous", "delayed")
    assert read("derived.contrast_delays_s", series).value == (-30.0, 20.0, 32.0, 50.0, 70.0, 180.0)


def test_a_series_of_one_volume_holds_its_own_phase():
    assert read("derived.phases_held", dynamic(70.0)).value == ("portal_venous",)
    assert read("derived.phases_held", dynamic(-60.0)).value == ("precontrast",)


def test_volumes_that_all_fall_between_phases_leave_it_open():
    told = read("derived.phases_held", dynamic(48.0, 50.0))
    assert told.value is None
    assert "between the contrast phases" in str(told.why)


def test_without_the_time_of_injection_neither_phase_nor_delay_is_told():
    silent = replace(dynamic(20.0, 70.0), contrast_started_at=None)
    for key in ("derived.phases_held", "derived.contrast_delays_s"):
        told = read(key, silent)
        assert told.value is None
        assert told.supply is not None


@pytest.mark.parametrize("apart", [True, False], ids=["a series a phase", "one series"])
def test_the_phases_of_the_liver_are_found_however_the_scanner_writes_them(apart):
    roles, supplied = exams_mr.CONFORMING["liver_mr_lirads2018"]()
    if not apart:
        phases = ("PRE", "LAP", "CE_PHASE", "PVP", "DELAYED")
        started = sorted({roles[role].started_at for role in phases})
        times_s = tuple((moment - started[0]).total_seconds() for moment in started)
        one = replace(
            roles["LAP"], started_at=started[0], volume_times_s=times_s, volume_count=len(times_s), ended_at=None
        )
        roles = {key: series for key, series in roles.items() if key not in phases} | {"DYNAMIC": one}
    exam = list({series.series_uid: series for series in roles.values()}.values())
    found = judge(protocol("liver_mr_lirads2018"), exam, supplied=Supplied(exam=supplied))
    assert {f.criterion: f.outcome for f in found if f.outcome is not Outcome.PASS} == {}
