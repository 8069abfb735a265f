"""A PET against the one at baseline: what was measured in both."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.protocol.exams_ct_pet import F18_S, pet

from bingcheng.core.finding import Outcome
from bingcheng.protocol.conformance import judge
from bingcheng.protocol.library import protocol
from bingcheng.protocol.quantities.pet import lean_share
from bingcheng.protocol.supplied import Supplied

PERCIST = protocol("fdg_petct_percist")


def fdg(uid, **facts):
    made = pet(uid, tracer="FDG", half_life_s=F18_S, uptake_min=60.0, mbq_per_kg=3.5)
    return replace(made, **({"sex": "M"} | facts))


def liver(uid, suv):
    return Supplied(series={uid: {"image.liver_suv_mean": suv}})


def judged(criterion, now, before, suvs):
    findings = judge(
        PERCIST,
        [now],
        baseline=[before],
        supplied=liver(now.series_uid, suvs[0]),
        supplied_at_baseline=liver(before.series_uid, suvs[1]),
    )
    return next(f for f in findings if f.criterion == criterion)


def test_the_lean_share_is_that_of_the_published_formula():
    # 70 kg and 1.70 m: BMI 24.2215; 9270 / (6680 + 216 BMI) = 0.7782 and 9270 / (8780 + 244 BMI) = 0.6310.
    assert lean_share(fdg("1")) == pytest.approx(0.7782, abs=5e-5)
    assert lean_share(fdg("1", sex="F")) == pytest.approx(0.6310, abs=5e-5)


@pytest.mark.parametrize("missing", ["weight_kg", "height_m", "sex"])
def test_without_the_body_there_is_no_lean_share(missing):
    assert lean_share(fdg("1", **{missing: None})) is None


def test_a_liver_that_stayed_the_same_passes_and_one_that_did_not_fails_with_both_values():
    assert judged("liver_delta_abs", fdg("1"), fdg("2"), (2.1, 2.0)).outcome is Outcome.PASS
    # 0.7782 * (3.0 - 2.0) = 0.78 g/ml, of the larger 33 %.
    far = judged("liver_delta_abs", fdg("1"), fdg("2"), (3.0, 2.0))
    assert far.outcome is Outcome.FAIL
    assert far.value == pytest.approx(0.7782, abs=5e-5)
    assert "1.56 g/ml at baseline, 2.33 g/ml now" in str(far.reason)
    share = judged("liver_delta_rel", fdg("1"), fdg("2"), (3.0, 2.0))
    assert share.outcome is Outcome.FAIL
    assert share.value == pytest.approx(1 / 3)


def test_a_patient_who_lost_weight_is_compared_by_lean_mass():
    # The same lean SUL: SUV by weight is higher in the heavier patient.
    heavy, light = fdg("1", weight_kg=100.0), fdg("2", weight_kg=70.0)
    suv = 2.0 * lean_share(light) / lean_share(heavy)
    assert judged("liver_delta_abs", heavy, light, (suv, 2.0)).value == pytest.approx(0.0, abs=1e-9)


def test_a_liver_that_was_measured_once_only_leaves_the_difference_unknown():
    findings = judge(PERCIST, [fdg("1")], baseline=[fdg("2")], supplied=liver("1", 2.0))
    found = next(f for f in findings if f.criterion == "liver_delta_abs")
    assert found.outcome is Outcome.UNKNOWN
    assert "both exams" in str(found.reason)
    assert found.remedy is not None
