from __future__ import annotations

import copy
import math
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.archive.codec import decoded, encoded
from bingcheng.compare.dose_groups import (
    UNKNOWN_SIZE,
    WHOLE_BODY,
    BodyRegion,
    Procedure,
    SizeScheme,
    bands,
    regions_of_code,
    regions_of_words,
)
from bingcheng.compare.dose_published import dose_rules
from bingcheng.compare.dose_record import Basis, DoseQuantity, DoseRecord, ExamFacts, dose_of_exam
from bingcheng.compare.dose_scans import estimated_dlp
from bingcheng.core.codes import Code
from bingcheng.core.measurement import Measurement
from bingcheng.core.provenance import Provenance
from bingcheng.dicom.acquisition import CtAcquisition, Device, PetAcquisition
from bingcheng.dicom.dose.report import AcquisitionKind, DoseReport, IrradiationEvent

AT = datetime(2026, 3, 1, 9, 30)  # noqa: DTZ001 - local times of one scanner
CHEST, ABDOMEN = Code("51185008", "SCT", "Chest"), Code("T-D4000", "SRT", "Abdomen")
SERIES = CtAcquisition(
    modality="CT",
    device=Device(),
    series_uid="1.1",
    started_at=AT,
    slice_thickness_mm=5.0,
    reconstruction_interval_mm=5.0,
    slice_count=80,
    ctdi_vol_mgy=10.0,
    ctdi_phantom_cm=32.0,
    pitch=1.0,
    total_collimation_mm=40.0,
    acquisition_type="SPIRAL",
    age_a=60.0,
    weight_kg=70.0,
    body_part="ABDOMEN",
)
CTDI, DLP, SSDE = DoseQuantity.CTDI_VOL, DoseQuantity.DLP, DoseQuantity.SSDE


def spiral(uid: str, ctdi: float, length_mm: float, **facts: object) -> IrradiationEvent:
    event = IrradiationEvent(
        uid=uid,
        region=ABDOMEN,
        kind=AcquisitionKind.SPIRAL,
        ctdi_vol_mgy=ctdi,
        phantom_cm=32.0,
        dlp_mgy_cm=ctdi * length_mm / 10.0,
        scanning_length_mm=length_mm,
    )
    return replace(event, **facts)


def doses(*events: IrradiationEvent, acquisitions=(SERIES,), measurements=None):
    reports = [DoseReport(sop_instance_uid="1", study_uid="1", events=events)] if events else []
    facts = ExamFacts(site="H1", device="scanner", exam_uid="9", acquisitions=tuple(acquisitions))
    return dose_of_exam(facts, reports, measurements or {}, dose_rules().band_of)


def measured(key: str, unit: str, value: float) -> Measurement:
    return Measurement(
        key=key,
        label=key,
        unit=unit,
        value=value,
        standard_uncertainty=0.1 * value,
        no_value=None,
        provenance=Provenance(measure=key, revision=1),
    )


def diameter(value: float):
    return {"1.1": (measured("water_equivalent_diameter", "cm", value),)}


def test_ctdi_is_the_mean_along_the_scanned_lengths_and_dlp_the_sum():
    (one,) = doses(spiral("1", 10.0, 400.0), spiral("2", 16.0, 200.0))
    assert one.values[CTDI].value == pytest.approx(12.0)
    assert one.values[DLP].value == pytest.approx(720.0)
    assert {value.basis for value in (one.values[CTDI], one.values[DLP])} == {Basis.REPORTED}


@given(st.lists(st.tuples(st.floats(1.0, 50.0), st.floats(60.0, 900.0)), min_size=1, max_size=5))
def test_mean_ctdi_times_the_whole_length_is_the_dlp(scans):
    (one,) = doses(*(spiral(str(n), ctdi, length) for n, (ctdi, length) in enumerate(scans)))
    whole_cm = sum(length for _, length in scans) / 10.0
    # a handful of roundings in sums of at most five terms
    assert one.values[CTDI].value * whole_cm == pytest.approx(one.values[DLP].value, rel=1e-12)


def test_bolus_tracking_counts_for_dlp_only_and_localisers_for_neither():
    tracking = spiral("2", 30.0, 10.0, kind=AcquisitionKind.STATIONARY)
    scout = spiral("3", 0.1, 500.0, kind=AcquisitionKind.CONSTANT_ANGLE)
    (one,) = doses(spiral("1", 10.0, 400.0), tracking, scout)
    assert one.values[CTDI].value == 10.0
    assert one.values[DLP].value == pytest.approx(430.0)
    assert one.scan_count == 2


def test_a_scan_without_dlp_leaves_the_exam_without_one_and_says_so():
    (one,) = doses(spiral("1", 10.0, 400.0), spiral("2", 10.0, 400.0, dlp_mgy_cm=None))
    assert DLP not in one.values
    assert one.absent[DLP].code == "compare.dose-incomplete"


def test_phantoms_are_never_added_up():
    head = spiral("2", 50.0, 150.0, phantom_cm=16.0, region=Code("69536005", "SCT", "Head"))
    first, second = doses(spiral("1", 10.0, 400.0), head)
    assert (first.phantom_cm, second.phantom_cm) == (16.0, 32.0)
    assert first.procedure == Procedure.of([BodyRegion.HEAD])
    assert second.procedure == Procedure.of([BodyRegion.ABDOMEN])
    assert first.values[DLP].value == pytest.approx(750.0)


def test_regions_of_all_scans_make_one_procedure_and_pet_makes_it_another():
    chest = spiral("2", 10.0, 300.0, region=CHEST)
    (one,) = doses(spiral("1", 10.0, 400.0), chest)
    assert one.procedure == Procedure.of([BodyRegion.ABDOMEN, BodyRegion.CHEST])
    pet = PetAcquisition(modality="PT", device=Device(), series_uid="1.2")
    (hybrid,) = doses(spiral("1", 3.0, 900.0), acquisitions=(SERIES, pet))
    assert hybrid.procedure.hybrid
    assert "PET/CT" in str(hybrid.procedure.label)


def test_without_a_report_ctdi_is_the_headers_and_dlp_an_estimate_with_its_uncertainty():
    (one,) = doses()
    assert one.values[CTDI] == replace(one.values[CTDI], value=10.0, basis=Basis.HEADER)
    dlp = one.values[DLP]
    # 79 x 5 + 5 = 400 mm of images and 0 to 80 mm of run-up: 10 mGy x 44 cm, and 4 cm / sqrt(3) of doubt
    assert dlp.value == pytest.approx(440.0)
    assert dlp.standard_uncertainty == pytest.approx(10.0 * 4.0 / math.sqrt(3.0))
    assert dlp.is_estimate


def test_the_estimate_covers_what_a_real_scanner_reported():
    # GE Optima: 418.75 mm of table travel, CTDIvol 3.23 mGy, reported DLP 155.97 mGy.cm
    scan = replace(SERIES, ctdi_vol_mgy=3.23, slice_count=160, slice_thickness_mm=2.5, reconstruction_interval_mm=2.5)
    value, uncertainty, _ = estimated_dlp(replace(scan, slice_count=168, pitch=1.375))
    assert abs(value - 155.97) <= 2.0 * uncertainty


def test_a_sequence_has_no_run_up():
    value, uncertainty, length = estimated_dlp(replace(SERIES, acquisition_type="SEQUENCED"))
    assert (value, uncertainty, length) == (400.0, 0.0, 400.0)


def test_two_reconstructions_of_one_scan_count_once_and_two_phases_twice():
    lung = replace(SERIES, series_uid="1.2", slice_count=60)
    late = replace(SERIES, series_uid="1.3", started_at=AT + timedelta(seconds=40))
    assert doses(acquisitions=(SERIES, lung))[0].values[DLP].value == pytest.approx(440.0)
    assert doses(acquisitions=(SERIES, lung, late))[0].values[DLP].value == pytest.approx(880.0)


def test_localisers_have_no_estimate():
    scout = replace(SERIES, series_uid="1.0", image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"), started_at=None)
    assert doses(acquisitions=(scout, SERIES))[0].values[DLP].value == pytest.approx(440.0)


def test_an_exam_that_states_no_dose_has_a_record_with_reasons():
    bare = replace(SERIES, ctdi_vol_mgy=None, ctdi_phantom_cm=None)
    (one,) = doses(acquisitions=(bare,))
    assert one.values == {}
    assert {reason.code for reason in one.absent.values()} == {"compare.no-dose"}


def test_an_exam_without_ct_has_no_record():
    assert doses(acquisitions=()) == ()


def test_ssde_is_the_measured_one_else_the_reported_ctdi_at_the_measured_size():
    both = {"1.1": (*diameter(30.0)["1.1"], measured("size_specific_dose_estimate", "mGy", 12.0))}
    (one,) = doses(spiral("1", 10.0, 400.0), measurements=both)
    assert (one.values[SSDE].value, one.values[SSDE].basis) == (12.0, Basis.MEASURED)
    (other,) = doses(spiral("1", 10.0, 400.0), measurements=diameter(30.0))
    # AAPM Report 204: 3.704369 exp(-0.03671937 x 30) = 1.23098
    assert other.values[SSDE].value == pytest.approx(12.3112, rel=1e-4)
    assert other.values[SSDE].basis is Basis.DERIVED


def made_from(*uids: str, series: str = "1.1", **facts: object) -> CtAcquisition:
    return replace(SERIES, series_uid=series, irradiation_event_uids=uids, **facts)


def test_series_belong_to_the_events_that_they_were_made_from_whatever_phantom_their_headers_name():
    body = made_from("1", body_part=None, ctdi_phantom_cm=None)
    head = made_from("2", series="1.2", body_part="HEAD", ctdi_phantom_cm=None)
    scans = (spiral("1", 10.0, 400.0), spiral("2", 50.0, 150.0, region=None, phantom_cm=16.0))
    values = {**diameter(30.0), "1.2": (measured("water_equivalent_diameter", "cm", 17.0),)}
    first, second = doses(*scans, acquisitions=(body, head), measurements=values)
    assert (first.phantom_cm, first.procedure, first.water_equivalent_diameter_cm) == (
        16.0,
        Procedure.of([BodyRegion.HEAD]),
        17.0,
    )
    assert (second.phantom_cm, second.water_equivalent_diameter_cm) == (32.0, 30.0)


def test_a_scan_that_the_report_leaves_out_leaves_the_exam_without_a_total_and_is_said():
    images = (made_from("1"), made_from("2", series="1.2"), made_from("2", series="1.3"))
    (one,) = doses(spiral("1", 10.0, 400.0), acquisitions=images)
    assert {CTDI, DLP} <= one.absent.keys()
    assert one.absent[DLP].code == "compare.dose-incomplete"
    assert one.absent[DLP].reason.facts["missing"] == 1  # two series of one scan
    (remark,) = one.remarks
    assert (remark.code, remark.reason.facts["series"]) == ("compare.dose-scans-unreported", 2)


def test_a_scan_of_a_phantom_that_no_report_speaks_of_has_the_headers_dose_and_spoils_no_other():
    images = (made_from("1"), made_from("2", series="1.2", ctdi_phantom_cm=16.0, body_part="HEAD"))
    head, body = doses(spiral("1", 10.0, 400.0), acquisitions=images)
    assert (body.values[DLP].value, body.values[DLP].basis) == (400.0, Basis.REPORTED)
    assert (head.values[CTDI].basis, head.values[DLP].basis) == (Basis.HEADER, Basis.ESTIMATED)


SCOUT = ("ORIGINAL", "PRIMARY", "LOCALIZER")
REPORTED = spiral("1", 10.0, 400.0)


@pytest.mark.parametrize(
    ("images", "events"),
    [
        ((made_from("other"),), (REPORTED,)),
        ((made_from("1"), made_from("2", series="1.2")), (REPORTED, replace(REPORTED, uid=None))),
        ((SERIES,), (REPORTED,)),
        ((made_from("1"), made_from("2", series="1.2", image_type=SCOUT)), (REPORTED,)),
    ],
    ids=["uids given anew", "an event without uid", "images without uid", "an unreported localiser"],
)
def test_nothing_is_claimed_to_be_left_out_where_the_uids_cannot_tell(images, events):
    (one,) = doses(*events, acquisitions=images)
    assert not one.remarks
    assert DLP in one.values


def test_series_of_one_irradiation_count_once_though_they_begin_at_other_moments():
    later = made_from("1", series="1.2", started_at=AT + timedelta(seconds=40))
    (one,) = doses(acquisitions=(made_from("1"), later))
    assert one.scan_count == 1


def test_without_a_phantom_there_is_no_ssde_and_the_vendor_is_asked():
    (one,) = doses(spiral("1", 10.0, 400.0, phantom_cm=None), measurements=diameter(30.0))
    assert one.absent[SSDE].code == "compare.no-phantom-for-ssde"


def test_patients_are_banded_by_dw_else_by_weight_and_heads_by_age():
    (by_dw,) = doses(spiral("1", 10.0, 400.0), measurements=diameter(30.0))
    assert (by_dw.band.scheme, by_dw.band.low, by_dw.band.high) == (SizeScheme.DIAMETER, 29.0, 33.0)
    (by_weight,) = doses(spiral("1", 10.0, 400.0))
    assert (by_weight.band.scheme, by_weight.band.low) == (SizeScheme.WEIGHT, 50.0)
    head = replace(SERIES, body_part="HEAD")
    (by_age,) = doses(spiral("1", 50.0, 150.0, region=None, phantom_cm=16.0), acquisitions=(head,))
    assert (by_age.band.scheme, by_age.band.low) == (SizeScheme.AGE, 18.0)
    unknown = replace(SERIES, weight_kg=None)
    assert doses(spiral("1", 10.0, 400.0), acquisitions=(unknown,))[0].band == UNKNOWN_SIZE


@given(st.floats(0.0, 100.0))
def test_every_size_lies_in_exactly_one_band(size):
    assert sum(band.holds(size) for band in bands(SizeScheme.DIAMETER, (21.0, 25.0, 29.0))) == 1


@pytest.mark.parametrize(
    ("words", "regions"),
    [
        ("CHESTABDPELVIS", {BodyRegion.CHEST, BodyRegion.ABDOMEN, BodyRegion.PELVIS}),
        ("胸部", {BodyRegion.CHEST}),
        ("TSPINE", {BodyRegion.SPINE}),
        ("Schaedel", {BodyRegion.HEAD}),
        ("WHOLEBODY", WHOLE_BODY),
        ("", set()),
        (None, set()),
    ],
)
def test_body_parts_are_known_by_their_words(words, regions):
    assert regions_of_words(words) == regions


def test_a_code_goes_before_its_meaning():
    assert regions_of_code(Code("T-D3000", "SRT", "Brustkorb")) == {BodyRegion.CHEST}
    assert regions_of_code(Code("X", "99LOCAL", "Becken")) == {BodyRegion.PELVIS}


def test_a_record_and_a_report_are_stored_and_read_back():
    records = doses(spiral("1", 10.0, 400.0, phantom_cm=None))
    assert decoded(tuple[DoseRecord, ...], encoded(records)) == records
    report = DoseReport(sop_instance_uid="1", study_uid="1", events=(spiral("1", 10.0, 400.0),), made_at=AT)
    assert decoded(DoseReport, encoded(report)) == report


def test_a_record_is_copied_whole():
    (one,) = doses(spiral("1", 10.0, 400.0))
    assert copy.copy(one) == one
