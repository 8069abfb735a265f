"""Judging exams: the five traps of protocol checkers, and what happens with several, doubtful or missing series."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.core.errors import InputError, Owner
from bingcheng.core.finding import Level, Outcome
from bingcheng.core.wording import text
from bingcheng.dicom.acquisition import CtAcquisition, Device
from bingcheng.protocol.attributes import SURE, ExamFacts, Reading, attributes
from bingcheng.protocol.conformance import applicable, choose, judge, judge_all, judge_fitting
from bingcheng.protocol.demands import Evidence, weigh_reading
from bingcheng.protocol.library import protocol, protocols
from bingcheng.protocol.model import Demand, Scope
from bingcheng.protocol.supplied import Correction, Supplied, Waiver

RECIST, LIRADS, CQIE = "ct_response_recist11", "liver_ct_lirads2018", "ct_volumetry_cqie"
QIBA, EANM, PERCIST = "fdg_petct_qiba114", "fdg_petct_eanm2", "fdg_petct_percist"


def found(findings, criterion):
    return next(f for f in findings if f.criterion == criterion)


# The five traps.


def test_headers_stripped_of_every_name_are_judged(make):
    series = make.ct(series_description=None, protocol_name=None, body_part=None, device=Device())
    assert found(judge(protocol(RECIST), [series]), "thickness").outcome is Outcome.PASS


def test_names_do_not_decide_which_series_is_which(make):
    misleading = make.ct(series_description="SCOUT", protocol_name="PET AC", slice_thickness_mm=8.0)
    findings = judge(protocol(RECIST), [misleading])
    assert found(findings, "role.CT").outcome is Outcome.PASS
    assert found(findings, "thickness").outcome is Outcome.FAIL


def test_a_required_series_that_is_absent_fails_once_and_says_what_to_send(make):
    findings = judge(protocol(QIBA), [make.pet()])
    role = found(findings, "role.CTAC")
    assert role.outcome is Outcome.FAIL
    assert role.gates
    assert "CT" in str(role.remedy)
    assert [f.criterion for f in findings if f.outcome is Outcome.FAIL] == ["role.CTAC"]


def test_a_missing_value_is_unknown_with_reason_and_owner_and_never_passes(make):
    finding = found(judge(protocol(RECIST), [make.ct(slice_thickness_mm=None)]), "thickness")
    assert finding.outcome is Outcome.UNKNOWN
    assert finding.gates
    assert "slice thickness" in str(finding.reason)
    assert finding.owner is Owner.ARCHIVE
    assert finding.remedy is not None
    assert finding.measured is None


def test_a_pet_series_is_not_judged_by_a_ct_protocol(make):
    pet = make.pet(slice_thickness_mm=99.0)
    assert not applicable(protocol(RECIST), [pet])
    assert guidelines([pet], asked=[RECIST]) == [QIBA]
    assert all(f.series_uid is None for f in judge(protocol(RECIST), [pet]))
    assert all(f.outcome is not Outcome.PASS for f in judge(protocol(RECIST), [pet]) if f.criterion != "no_chest_mri")


# Certainty.


def of_name_only(make, **facts):
    """A CT without timing of the contrast agent, of which a name alone tells the phase."""
    facts = {"contrast_started_at": None, "series_description": "Abdomen portal venous"} | facts
    return make.liver_ct("portal_venous", **facts)


def test_what_only_a_name_tells_is_unknown_with_the_reason_and_who_can_tell_it(make):
    phase = (
        protocol(CQIE)
        .criterion("qiba.contrast_same")
        .model_copy(
            update={"id": "phase", "attribute": "derived.contrast_phase", "operator": "==", "value": "portal_venous"}
        )
    )
    asking = protocol(RECIST).model_copy(update={"criteria": (as_series(phase),)})
    exam = [of_name_only(make), make.liver_ct("precontrast", contrast_agent=None, contrast_started_at=None)]
    reading = attributes()["derived.contrast_phase"].read(ExamFacts(acquisitions=tuple(exam)), exam[0])
    assert reading.value == "portal_venous"
    assert reading.certainty < SURE
    named = next(f for f in judge(asking, exam, measured_on=[exam[0].series_uid]) if f.criterion == "phase")
    assert named.outcome is Outcome.UNKNOWN
    assert "60 % certainty only" in str(named.reason)
    assert "derived.contrast_phase" in str(named.remedy)
    assert named.owner is not None
    wrong = of_name_only(make, series_description="Abdomen arterial")
    other = next(f for f in judge(asking, [wrong, exam[1]], measured_on=[wrong.series_uid]) if f.criterion == "phase")
    assert other.outcome is Outcome.UNKNOWN  # neither side of the limit


def test_what_the_timing_tells_is_decided(make):
    phase = (
        protocol(CQIE)
        .criterion("qiba.contrast_same")
        .model_copy(
            update={"id": "phase", "attribute": "derived.contrast_phase", "operator": "==", "value": "portal_venous"}
        )
    )
    asking = protocol(RECIST).model_copy(update={"criteria": (as_series(phase),)})
    assert found(judge(asking, [make.liver_ct("portal_venous")]), "phase").outcome is Outcome.PASS
    assert found(judge(asking, [make.liver_ct("late_arterial")]), "phase").outcome is Outcome.FAIL


def as_series(criterion):
    """A criterion on each CT series by itself, without conditions."""
    return criterion.model_copy(
        update={"scope": Scope.SERIES, "roles": ("CT",), "when": (), "level": Level.REQUIRED, "source": ("RECIST11",)}
    )


@pytest.mark.parametrize(("certainty", "outcome"), [(SURE - 0.01, Outcome.UNKNOWN), (SURE, Outcome.FAIL)])
def test_a_fact_decides_from_a_certainty_on(certainty, outcome):
    demand = protocol(RECIST).criterion("thickness")
    judged = weigh_reading(demand, Reading(value=8.0, certainty=certainty, remark=text("seen in the image")))
    assert judged.outcome is outcome
    if outcome is Outcome.UNKNOWN:
        assert "seen in the image" in str(judged.reason)
        assert judged.supply is not None
        assert judged.value is None


def test_a_condition_that_is_told_with_too_little_certainty_leaves_the_criterion_open(make):
    condition = Demand(attribute="derived.contrast_phase", operator="==", value="portal_venous")
    thickness = protocol(RECIST).criterion("thickness").model_copy(update={"when": (condition,)})
    asking = protocol(RECIST).model_copy(update={"criteria": (thickness,)})
    exam = [of_name_only(make), make.liver_ct("precontrast", contrast_agent=None, contrast_started_at=None)]
    finding = found(judge(asking, exam, measured_on=[exam[0].series_uid]), "thickness")
    assert (finding.outcome, finding.level) == (Outcome.UNKNOWN, Level.OPTIONAL)
    sure = found(judge(asking, [make.liver_ct("portal_venous")]), "thickness")
    assert sure.outcome is not Outcome.UNKNOWN


def test_an_answer_about_a_series_takes_the_place_of_a_guess_but_not_of_a_header(make):
    exam = [of_name_only(make), make.liver_ct("precontrast", contrast_agent=None, contrast_started_at=None)]
    uid, attribute = exam[0].series_uid, attributes()["derived.contrast_phase"]
    answered = Supplied(series={uid: {attribute.key: "late_arterial"}})
    assert Evidence(exam, answered).reading(attribute, exam[0]).value == "late_arterial"
    timed = make.liver_ct("portal_venous")
    answered = Supplied(series={timed.series_uid: {attribute.key: "late_arterial"}})
    assert Evidence([timed], answered).reading(attribute, timed).value == "portal_venous"
    of_exam = Supplied(exam={attribute.key: "late_arterial"})
    assert Evidence(exam, of_exam).reading(attribute, exam[0]).value == "portal_venous"


# The time of the injection.


def dynamic(make, **facts):
    """One series of twelve volumes, 30 s each, that names an agent and not when it was injected."""
    times = tuple(30.0 * n for n in range(12))
    agent = {"contrast_agent": "Gadobutrol", "contrast_started_at": None}
    return make.mr.t1_volume(
        8, 20, volume_count=12, volume_times_s=times, acquisition_duration_s=360.0, **(agent | facts)
    )


def test_a_dynamic_without_the_time_of_injection_asks_for_it_and_takes_the_answer(make):
    series, attribute = dynamic(make), attributes()["derived.contrast_times"]
    silent = Evidence([series]).reading(attribute, series)
    assert silent.value is None
    assert "clinical.injection_time" in str(silent.supply)
    assert silent.owner is Owner.TECHNOLOGIST
    at = (series.started_at + timedelta(seconds=70)).time().isoformat("seconds")
    told = Evidence([series], Supplied(exam={"clinical.injection_time": at})).reading(attribute, series)
    assert told.value == ("before", "first_after", "later_after")
    assert told.sure


def test_a_time_of_injection_is_of_the_nearer_side_of_midnight(make):
    started = make.start.replace(hour=0, minute=1)
    series, delay = dynamic(make, started_at=started), attributes()["derived.contrast_delay_s"]
    told = Evidence([series], Supplied(exam={"clinical.injection_time": "23:59"})).reading(delay, series)
    assert told.value == pytest.approx(120.0)


def test_a_header_goes_before_the_time_that_somebody_states(make):
    series = dynamic(make, contrast_started_at=make.start)
    answered = Supplied(exam={"clinical.injection_time": "03:00"})
    delay = attributes()["derived.contrast_delay_s"]
    assert Evidence([series], answered).reading(delay, series) == Evidence([series]).reading(delay, series)


# Which of several series.


def test_which_of_several_series_is_judged_is_said_by_number_and_uid(make):
    thin = make.ct(series_uid="1", series_number=4, slice_thickness_mm=1.0)
    thick = make.ct(series_uid="2", series_number=7, slice_thickness_mm=8.0)
    role = found(judge(protocol(RECIST), [thick, thin]), "role.CT")
    assert "the one that meets the protocol best is judged: series 4" in str(role.reason)
    assert role.series_uid == "1"
    assert str(role.measured) == "2 series"
    role = found(judge(protocol(RECIST), [thick, thin], measured_on=["1", "2"]), "role.CT")
    assert str(role.reason).endswith("are judged: series 4, series 7")
    assert role.series_uid is None
    consistency = found(judge(protocol("consistency_ct"), [thick, thin]), "role.CT")
    assert str(consistency.reason).endswith("is judged: series 4, series 7")


def test_a_series_that_is_missing_is_said_to_be_none(make):
    assert str(found(judge(protocol(QIBA), [make.pet()]), "role.CTAC").measured) == "none"


def test_diffusion_of_the_bladder_without_an_axial_plane_fails(make):
    parts = make.conforming("bladder_mr_virads")
    supplied = Supplied(exam=parts.supplied)
    assert (
        found(judge(protocol("bladder_mr_virads"), parts.exam, supplied=supplied), "dwi_axial").outcome is Outcome.PASS
    )
    turned = [replace(one, slice_normal=(0.0, 1.0, 0.0)) if one is parts.roles["DWI"] else one for one in parts.exam]
    findings = judge(protocol("bladder_mr_virads"), turned, supplied=supplied)
    assert found(findings, "dwi_axial").outcome is Outcome.FAIL
    assert found(findings, "dwi_planes").outcome is Outcome.PASS


# Which protocols.


def guidelines(exam, asked=()):
    """The protocols chosen, without those that compare a header with itself and the image, which fit every exam."""
    return [p.id for p in choose(protocols(), exam, asked=asked) if not p.id.startswith("consistency_")]


def test_header_and_image_of_every_modality_are_compared(make):
    chosen = {p.id for p in choose(protocols(), [make.ct(), make.pet(), make.dwi()])}
    assert chosen >= {"consistency_ct", "consistency_mr", "consistency_pet"}


def test_a_whole_exam_is_judged_by_one_default_protocol_a_modality(make):
    exam = [make.ct(), make.pet(), make.dwi()]
    assert guidelines(exam) == [RECIST, "dwi_adc_qiba", QIBA]


def test_a_protocol_that_someone_asks_for_is_judged_even_if_its_series_are_missing(make):
    assert protocol(LIRADS) in choose(
        protocols(), [make.ct(image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"))], asked=[LIRADS]
    )


def test_whole_body_diffusion_is_recognised_by_its_length(make):
    stations = [
        make.dwi(series_uid=f"1.4.{n}", slice_normal=(0.0, 0.0, 1.0), first_slice_mm=-225.0 * n) for n in range(4)
    ]
    assert protocol("wbdwi_uk") in choose(protocols(), stations)
    assert protocol("wbdwi_uk") not in choose(protocols(), stations[:1])


def test_the_attenuation_ct_of_a_pet_exam_is_not_taken_for_a_diagnostic_ct(make):
    assert guidelines([make.pet(), make.petct_ct()]) == [QIBA]
    assert protocol(RECIST) in choose(protocols(), [make.pet(), make.petct_ct(contrast_agent="Iohexol")])


def test_another_tracer_is_not_judged_as_fdg_and_an_unnamed_one_stays_in_doubt(make):
    assert not applicable(protocol(QIBA), [make.pet(radiopharmaceutical="PSMA-1007")])
    assert not applicable(protocol(QIBA), [make.pet(radiopharmaceutical=None, radionuclide="^68^Gallium")])
    unnamed = [make.pet(radiopharmaceutical=None)]
    assert applicable(protocol(QIBA), unnamed)
    assert found(judge(protocol(QIBA), unnamed), "role.PET").outcome is Outcome.UNKNOWN


# Several series in a role.


def test_of_a_thin_and_a_thick_reconstruction_the_thin_one_is_judged_and_said_so(make):
    thick, thin = make.ct(series_uid="1", slice_thickness_mm=8.0), make.ct(series_uid="2", slice_thickness_mm=2.5)
    findings = judge(protocol(RECIST), [thick, thin])
    assert found(findings, "thickness").series_uid == "2"
    assert found(findings, "thickness").outcome is Outcome.PASS
    assert "2 series" in str(found(findings, "role.CT").reason)


def test_the_series_that_was_measured_on_is_judged_instead(make):
    thick, thin = make.ct(series_uid="1", slice_thickness_mm=8.0), make.ct(series_uid="2", slice_thickness_mm=2.5)
    findings = judge(protocol(RECIST), [thick, thin], measured_on={"1"})
    assert [(f.series_uid, f.outcome) for f in findings if f.criterion == "thickness"] == [("1", Outcome.FAIL)]


def test_the_order_of_the_series_changes_nothing(make):
    exam = [make.ct(series_uid=str(n), slice_thickness_mm=t) for n, t in enumerate((8.0, 2.5, 5.0, 1.0))]
    assert judge(protocol(RECIST), exam) == judge(protocol(RECIST), exam[::-1])


def test_a_localiser_a_reformat_and_a_derived_series_fill_no_role(make):
    for image_type in (
        ("ORIGINAL", "PRIMARY", "LOCALIZER"),
        ("DERIVED", "SECONDARY", "REFORMATTED"),
        ("DERIVED", "PRIMARY", "AXIAL"),
    ):
        assert found(judge(protocol(RECIST), [make.ct(image_type=image_type)]), "role.CT").outcome is Outcome.FAIL


# Doubt.


def test_without_injection_time_no_series_is_called_late_arterial(make):
    exam = [make.liver_ct(p, contrast_started_at=None) for p in ("late_arterial", "portal_venous", "delayed")]
    findings = judge(protocol(LIRADS), exam)
    for role in ("role.LAP", "role.PVP", "role.DELAYED"):
        assert found(findings, role).outcome is Outcome.UNKNOWN
        assert "3 series" in str(found(findings, role).reason)
    # All three are thin enough, so whichever is meant is.
    assert {f.outcome for f in findings if f.criterion == "thickness"} == {Outcome.PASS}


def test_what_depends_on_the_doubt_is_unknown(make):
    exam = [make.liver_ct("late_arterial", contrast_started_at=None, slice_thickness_mm=8.0)]
    exam.append(make.liver_ct("delayed", contrast_started_at=None))
    findings = judge(protocol(LIRADS), exam)
    assert {f.outcome for f in findings if f.criterion == "thickness"} == {Outcome.UNKNOWN}


def test_an_optional_series_in_doubt_does_not_fail(make):
    series = make.ct(rows=None, slice_thickness_mm=8.0)
    finding = found(judge(protocol(CQIE), [series]), "abdomen.thickness")
    assert finding.outcome is Outcome.UNKNOWN
    assert finding.level is Level.OPTIONAL
    assert not finding.gates


def test_one_injection_time_serves_the_whole_exam(make):
    exam = [make.liver_ct(p) for p in ("late_arterial", "portal_venous", "delayed")]
    exam = [exam[0], *(replace(a, contrast_started_at=None) for a in exam[1:])]
    assert {f.outcome for f in judge(protocol(LIRADS), exam) if f.criterion.startswith("role.")} == {
        Outcome.PASS,
        Outcome.NOT_APPLICABLE,
    }


# Conditions, scopes and what is supplied.


def test_a_condition_that_does_not_hold_makes_a_criterion_not_applicable(make):
    finding = found(judge(protocol(RECIST), [make.ct()]), "petct_ct_quality")
    assert finding.outcome is Outcome.NOT_APPLICABLE
    assert "PET" in str(finding.reason)


def test_a_condition_that_nobody_can_decide_asks_no_more_than_optional(make):
    finding = found(judge(protocol(LIRADS), [make.liver_ct("delayed")]), "precontrast")
    assert finding.outcome is Outcome.UNKNOWN
    assert finding.level is Level.OPTIONAL


def test_phantom_lesion_and_site_criteria_are_carried_and_judged_when_supplied(make):
    dwi = protocol("dwi_adc_qiba")
    before = found(judge(dwi, [make.dwi()]), "adc_bias")
    assert before.outcome is Outcome.NOT_APPLICABLE
    assert before.owner is Owner.PHYSICIST
    after = found(judge(dwi, [make.dwi()], supplied=Supplied(exam={"phantom.adc_bias_abs": 0.06})), "adc_bias")
    assert after.outcome is Outcome.FAIL
    assert after.distance == pytest.approx(0.02)


def test_what_is_supplied_never_overrules_a_header(make):
    findings = judge(
        protocol(EANM), [make.pet(glucose_mmol_per_l=13.0)], supplied=Supplied(exam={"derived.blood_glucose": 5.0})
    )
    assert found(findings, "glucose").outcome is Outcome.FAIL


@pytest.mark.parametrize("supplied", [{"no.such": 1.0}, {"phantom.snr_b0": "good"}, {"phantom.snr_b0": True}])
def test_a_supply_of_the_wrong_kind_is_refused(make, supplied):
    with pytest.raises(InputError, match=r"protocol\.unfit-supply"):
        judge(protocol(RECIST), [make.ct()], supplied=Supplied(exam=supplied))


def test_a_vendor_without_a_limit_is_not_judged_by_it_and_an_unknown_vendor_is_unknown(make):
    small = {"reconstruction_diameter_mm": 230.0, "slice_thickness_mm": 1.0}
    other = found(judge(protocol(CQIE), [make.ct(device=Device(vendor="UIH"), **small)]), "kernel")
    nobody = found(judge(protocol(CQIE), [make.ct(device=Device(), **small)]), "kernel")
    assert (other.outcome, nobody.outcome) == (Outcome.NOT_APPLICABLE, Outcome.UNKNOWN)


# Pairs.


def test_without_a_baseline_pair_criteria_are_not_applicable(make):
    finding = found(judge(protocol(QIBA), [make.pet(), make.petct_ct()]), "uptake_delta")
    assert finding.outcome is Outcome.NOT_APPLICABLE


def test_an_uptake_time_that_moved_by_35_minutes_fails_against_the_baseline(make):
    late = make.pet(started_at=make.start + timedelta(minutes=95))
    findings = judge(protocol(QIBA), [late, make.petct_ct()], baseline=[make.pet(), make.petct_ct()])
    assert found(findings, "uptake_delta").outcome is Outcome.FAIL
    assert found(findings, "uptake_delta").distance == pytest.approx(25.0)
    assert found(findings, "uptake").distance == pytest.approx(20.0)


def test_a_baseline_without_pet_leaves_the_comparison_unknown(make):
    findings = judge(protocol(QIBA), [make.pet()], baseline=[make.ct()])
    assert found(findings, "uptake_delta").outcome is Outcome.UNKNOWN


def test_a_baseline_of_another_modality_fails(make):
    findings = judge(protocol(RECIST), [make.ct()], baseline=[make.dwi()])
    assert found(findings, "same_modality").outcome is Outcome.FAIL


def test_the_counterpart_is_the_baseline_series_made_most_like_it(make):
    thin, thick = make.ct(series_uid="1", slice_thickness_mm=1.25), make.ct(series_uid="2", slice_thickness_mm=5.0)
    small = {"reconstruction_diameter_mm": 230.0}
    now = make.liver_ct("portal_venous", slice_thickness_mm=1.25, **small)
    same = make.liver_ct("portal_venous", slice_thickness_mm=1.25, series_uid="a", **small)
    other = make.liver_ct("late_arterial", slice_thickness_mm=5.0, series_uid="0", **small)
    findings = judge(protocol(CQIE), [now], baseline=[other, same, thin, thick])
    assert found(findings, "qiba.contrast_same").outcome is Outcome.PASS


def test_a_reconstruction_with_unknown_settings_is_never_called_the_same(make):
    silent = make.pet(iterations=None, subsets=None)
    findings = judge(protocol(EANM), [silent], baseline=[silent])
    assert found(findings, "same_settings").outcome is Outcome.UNKNOWN
    assert "iterations, subsets" in str(found(findings, "same_settings").reason)
    other = judge(protocol(EANM), [silent], baseline=[make.pet(iterations=None, subsets=None, filter="Gauss 2 mm")])
    assert found(other, "same_settings").outcome is Outcome.FAIL


def test_what_differs_from_the_baseline_is_named_with_both_settings(make):
    findings = judge(protocol("dwi_adc_qiba"), [make.dwi(b_values_s_per_mm2=(0.0, 400.0))], baseline=[make.dwi()])
    assert str(found(findings, "same_params").reason) == "b-values: 50, 900 at baseline, 0, 400 now"


def test_another_scanner_is_told_without_its_serial_number(make):
    other = make.dwi(device=Device(vendor="SIEMENS", model="Aera", serial_number="9876"))
    finding = found(judge(protocol("dwi_adc_qiba"), [other], baseline=[make.dwi()]), "same_scanner")
    assert str(finding.reason) == "another serial number of the scanner"


# Sentences and speed.


def test_a_finding_reads_like_a_technologist_speaks(make):
    finding = found(judge(protocol(RECIST), [make.ct(slice_thickness_mm=8.0)]), "thickness")
    assert str(finding.title) == "Slice thickness"
    assert str(finding.measured) == "8 mm"
    assert str(finding.limit) == "at most 5 mm"
    assert str(finding.reason) == "8 mm where the protocol asks for at most 5 mm: 3 mm outside"
    assert "raw data" in str(finding.remedy)
    assert "section 3.1.1" in finding.source


def test_numbers_stay_numbers_for_other_languages(make):
    finding = found(judge(protocol(RECIST), [make.ct(slice_thickness_mm=2.5)]), "thickness")
    assert finding.measured.in_words(lambda s: s, lambda n: f"{n:.2f}".replace(".", ",")) == "2,50 mm"


def test_judging_by_all_protocols_at_once_gives_the_same_as_one_by_one(make):
    exam = [make.ct(), make.pet(), make.petct_ct(), make.dwi()]
    one_by_one = tuple(f for p in protocols() for f in judge(p, exam, baseline=exam))
    assert judge_all(protocols(), exam, baseline=exam) == one_by_one


def test_judging_what_fits_gives_the_same_as_choosing_first(make):
    exam = [make.ct(), make.pet(), make.petct_ct(), make.dwi()]
    chosen = choose(protocols(), exam, asked=[CQIE])
    assert judge_fitting(protocols(), exam, asked=[CQIE], baseline=exam) == judge_all(chosen, exam, baseline=exam)


def test_what_a_missing_series_leaves_unjudged_is_one_finding_for_all_exams(make):
    missing = [
        f
        for f in judge(protocol(LIRADS), [make.liver_ct("portal_venous")])
        if f.role == "LAP" and not f.criterion.startswith("role")
    ]
    again = [
        f
        for f in judge(protocol(LIRADS), [make.liver_ct("portal_venous")])
        if f.role == "LAP" and not f.criterion.startswith("role")
    ]
    assert missing
    assert all(one is other for one, other in zip(missing, again, strict=True))
    assert {f.outcome for f in missing} == {Outcome.NOT_APPLICABLE}
    assert all("no series fills the role" in str(f.reason) for f in missing)


def test_an_exam_of_eight_series_takes_milliseconds(make):
    exam = [
        replace(a, series_uid=f"1.{n}.{a.series_uid}")
        for n in range(2)
        for a in (make.ct(), make.pet(), make.petct_ct(), make.dwi())
    ]
    judge_all(protocols(), exam)
    best_s = min(_seconds(lambda: judge_all(protocols(), exam)) for _ in range(10))
    # The aim is 5 ms on a quiet core (benchmarks measure it); ten times that fails only for a change of complexity.
    assert best_s < 0.05


def _seconds(action):
    start = time.process_time()
    action()
    return time.process_time() - start


@given(st.floats(0.1, 20.0))
def test_thickness_passes_exactly_up_to_the_limit(thickness_mm):
    series = CtAcquisition(
        modality="CT",
        device=Device(),
        series_uid="1",
        image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
        slice_thickness_mm=thickness_mm,
    )
    finding = found(judge(protocol(RECIST), [series]), "thickness")
    # 0.005 mm is the rounding of declared thicknesses that the attribute allows for.
    assert (finding.outcome is Outcome.PASS) == (thickness_mm <= 5.005)
    assert finding.distance == pytest.approx(thickness_mm - 5.0)


# What people say: waivers, corrections, lesions.


def test_a_waiver_marks_a_failure_with_who_why_and_until_when_and_gates_no_more(make):
    waiver = Waiver(protocol=RECIST, criterion="thickness", by="Dr Li", why="old scanner", until="2026-12-31")
    thick = make.ct(slice_thickness_mm=8.0)
    finding = found(judge(protocol(RECIST), [thick], waivers=[waiver]), "thickness")
    assert finding.outcome is Outcome.WAIVED
    assert not finding.gates
    for said in ("Dr Li", "old scanner", "2026-12-31", "8 mm"):
        assert said in str(finding.reason)
    assert found(judge(protocol(RECIST), [make.ct()], waivers=[waiver]), "thickness").outcome is Outcome.PASS


def test_what_a_person_says_about_a_series_goes_before_its_header(make):
    first, second = make.ct(series_uid="1"), make.ct(series_uid="2", slice_thickness_mm=8.0)
    said = {"1": [Correction(protocol=RECIST, role="CT", fills=False)]}
    findings = judge(protocol(RECIST), [first, second], told=said)
    assert found(findings, "thickness").series_uid == "2"
    localiser = make.ct(series_uid="3", image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"))
    said = {"3": [Correction(protocol=RECIST, role="CT", fills=True)]}
    role = found(judge(protocol(RECIST), [localiser], told=said), "role.CT")
    assert role.outcome is Outcome.PASS
    assert "person" in str(role.reason)
    other = {"3": [Correction(protocol=CQIE, role="CT", fills=True)]}
    assert found(judge(protocol(RECIST), [localiser], told=other), "role.CT").outcome is Outcome.FAIL


def test_a_series_that_a_person_named_is_judged_even_if_another_would_do_better(make):
    thin, thick = make.ct(series_uid="1"), make.ct(series_uid="2", slice_thickness_mm=8.0)
    said = {"2": [Correction(protocol=RECIST, role="CT", fills=True)]}
    assert found(judge(protocol(RECIST), [thin, thick], told=said), "thickness").series_uid == "2"


def test_of_several_lesions_the_worst_decides_and_is_named(make):
    lesions = {name: {"image.target_longest_diameter": mm} for name, mm in (("L1", 20.0), ("L2", 6.0), ("L3", 8.0))}
    finding = found(judge(protocol(RECIST), [make.ct()], supplied=Supplied(lesions=lesions)), "lesion_min_v")
    assert (finding.outcome, finding.lesion, finding.value) == (Outcome.FAIL, "L2", 6.0)
    assert "2 of 3" in str(finding.reason)


def test_a_finding_carries_the_number_that_was_measured_in_the_limits_unit(make):
    finding = found(judge(protocol(RECIST), [make.ct(slice_thickness_mm=8.0)]), "thickness")
    assert (finding.value, finding.unit, finding.role) == (8.0, "mm", "CT")
