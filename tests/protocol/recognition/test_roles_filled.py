"""The roles of shipped protocols, filled from physics: the right series with right, no and wrong names."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from tests.protocol.recognition.exams import (
    brain,
    by_time,
    diffusion,
    dixon,
    dynamic,
    liver,
    misnamed,
    without_names,
)
from tests.protocol.recognition.scanner import MadeExam, Maker
from tests.protocol.recognition.vendors import ORIGINAL, Dice

from bingcheng.protocol.demands import Evidence
from bingcheng.protocol.library import protocol
from bingcheng.protocol.roles import filling

Roles = dict[str, set[int]]
"""By role, the places in the exam of the series that fill it."""


def glioma(maker: Maker) -> tuple[MadeExam, Roles]:
    exam = brain(maker, by_time)
    return exam, {"T1_PRE": {0}, "FLAIR": {1}, "DWI": {2}, "T2_AX": {3}, "T1_POST": {4}, "DSC": set()}


def breast(maker: Maker) -> tuple[MadeExam, Roles]:
    exam = dynamic(maker, "breast dynamic fs", by_time, step_s=80.0, count=6, separate=True)
    # Six phases, a subtraction, a projection, and a T2 of another stack.
    roles = {"T2": {8}, "T1_PRE": {0}, "T1_EARLY_POST": {1}, "T1_DELAYED_POST": {2, 3, 4, 5}}
    exam.samples[8].acquisition = replace(
        maker.series("breast t2").acquisition, started_at=exam.samples[8].acquisition.started_at
    )
    return exam, roles


def prostate(maker: Maker) -> tuple[MadeExam, Roles]:
    exam = next(diffusion(maker))
    for plane in ("axial", "sagittal", "coronal"):
        exam.samples.append(maker.series("prostate t2", plane=plane))
    exam.samples += [maker.series("prostate high b"), maker.series("prostate t1")]
    exam.samples.append(dynamic(maker, "liver t1 3d", by_time, step_s=9.0, count=20, separate=False).samples[0])
    roles = {"T2W_AX": {3}, "T2W_ORTHO": {4, 5}, "DWI": {0}, "DWI_HIGHB": {2, 6}, "ADC": {1}, "DCE": {8}}
    return exam, roles


def hepatic(maker: Maker) -> tuple[MadeExam, Roles]:
    exam = liver(maker, "Primovist")
    exam.samples += [maker.series(name) for name in ("liver haste", "liver t2 fs", "liver dwi")]
    exam.samples += next(one for one in dixon(maker) if one.kind == "dual echo").samples
    return exam, {"HBP": {4}, "T2W": {5, 6}, "DWI": {7}, "T1_IP_OP": {8, 9}}


EXAMS = {
    "brain_glioma_btip": glioma,
    "breast_mr_acr": breast,
    "prostate_mpmri_pirads21": prostate,
    "liver_mr_lirads2018": hepatic,
}


@pytest.fixture(scope="module")
def exams() -> list[tuple[str, MadeExam, Roles]]:
    """Four protocols, five vendors, two field strengths, twice."""
    dice = Dice(20261125)
    return [
        (key, *make(Maker(vendor, field_t, dice)))
        for key, make in EXAMS.items()
        for vendor in ORIGINAL
        for field_t in (1.5, 3.0)
        for _ in range(2)
    ]


@pytest.mark.parametrize("named", [list, without_names, misnamed])
def test_roles_are_filled_by_the_right_series_or_left_in_doubt(exams, named):
    outcomes: Counter[str] = Counter()
    wrong = []
    for (key, _, roles), exam in zip(exams, named([exam for _, exam, _ in exams]), strict=True):
        evidence = Evidence(exam.acquisitions)
        places = {id(acquisition): k for k, acquisition in enumerate(exam.acquisitions)}
        for role, expected in roles.items():
            filled = filling(protocol(key).role(role), evidence)
            sure = {places[id(one.acquisition)] for one in filled.sure}
            open_ = {places[id(one.acquisition)] for one in filled.doubtful}
            if sure == expected and (sure or not open_):
                outcomes["right"] += 1
            elif sure <= expected <= sure | open_:
                outcomes["in doubt"] += 1
            else:
                wrong.append((key, role, exam.samples[0].acquisition.device.vendor, expected, sure, open_))
    assert not wrong
    assert outcomes["right"] >= 0.98 * outcomes.total(), outcomes
