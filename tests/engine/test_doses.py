"""Dose reports in the main job: read with their own exam, stored once, judged with all exams, no patient in them."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta

import pydicom
import pytest
from tests.engine import making
from tests.engine.making import ANNA, BRUNO, FIRST, NORTH, SOUTH, ct, device, study

from bingcheng.compare.dose_record import Basis, DoseQuantity
from bingcheng.compare.dose_verdict import DoseVerdict
from bingcheng.core.codes import Code
from bingcheng.core.finding import Level, Outcome
from bingcheng.dicom.acquisition import CtAcquisition
from bingcheng.dicom.dose.report import AcquisitionKind, DoseReport, IrradiationEvent
from bingcheng.dicom.write.dose_report import write_dose_report
from bingcheng.dicom.write.header import uid_of

CTDI, DLP = DoseQuantity.CTDI_VOL, DoseQuantity.DLP
CHEST = Code("51185008", "SCT", "Chest")


pytestmark = pytest.mark.usefixtures("brief")


def dose_report(folder, *, name="anna-1", patient=ANNA, site=NORTH, ctdi=8.0, length_mm=120.0, **facts):
    """The dose report of the exam `name`, as a file beside its images."""
    event = IrradiationEvent(
        uid=uid_of("irradiation", name),
        protocol="Thorax",
        region=CHEST,
        kind=AcquisitionKind.SPIRAL,
        scanning_length_mm=length_mm,
        exposure_time_s=3.0,
        single_collimation_mm=0.6,
        total_collimation_mm=38.4,
        kvp_kv=120.0,
        tube_current_ma=100.0,
        maximum_tube_current_ma=140.0,
        ctdi_vol_mgy=ctdi,
        phantom_cm=32.0,
        dlp_mgy_cm=ctdi * length_mm / 10.0,
    )
    report = DoseReport(
        sop_instance_uid=None, study_uid=None, events=(replace(event, **facts),), made_at=FIRST + timedelta(minutes=5)
    )
    made_by = CtAcquisition(
        modality="CT",
        device=device(site, f"{site} CT"),
        series_uid=uid_of("dose series", name),
        started_at=FIRST,
        body_part="CHEST",
    )
    return write_dose_report(report, made_by, study(name, patient, FIRST), folder / f"dose-{name}.dcm")


def dose_of(seen):
    (exam,) = seen.dose.exams
    return exam.record


def codes(seen):
    return {refusal.code for exam in seen.exams for refusal in exam.refusals} | {one.code for one in seen.refusals}


def dose_rows(workspace):
    with sqlite3.connect(workspace / "bingcheng.sqlite") as connection:
        rows = connection.execute("SELECT exam_uid, record FROM dose").fetchall()
    connection.close()
    return rows


def test_a_dose_report_beside_the_images_gives_the_dose_and_is_no_refusal(tmp_path, assessed):
    ct(tmp_path / "x")
    dose_report(tmp_path / "x")
    _, seen = assessed(tmp_path / "x")
    one = dose_of(seen)
    assert (one.values[CTDI].value, one.values[DLP].value) == (8.0, 96.0)
    assert {one.values[CTDI].basis, one.values[DLP].basis} == {Basis.REPORTED}
    assert (one.site, one.device) == (NORTH, seen.exams[0].series[0].device)
    assert codes(seen) == set()
    assert len(seen.exams[0].series) == 1


def test_without_a_report_the_dose_is_the_headers_and_the_length_an_estimate(tmp_path, assessed, without_objects):
    ct(tmp_path / "x")
    one = dose_of(assessed(tmp_path / "x")[1])
    assert (one.values[CTDI].basis, one.values[DLP].basis) == (Basis.HEADER, Basis.ESTIMATED)


def test_a_damaged_report_is_refused_by_name_and_the_exam_goes_on(tmp_path, assessed):
    ct(tmp_path / "x")
    path = dose_report(tmp_path / "x")
    making.change(path, lambda data: setattr(data, "ContentSequence", []))
    tally, seen = assessed(tmp_path / "x")
    assert codes(seen) == {"dicom.dose-without-events"}
    assert tally.failed == 0
    assert dose_of(seen).values[CTDI].basis is Basis.HEADER


def test_a_report_without_images_is_a_dose_and_not_an_exam_without_images(tmp_path, assessed):
    (tmp_path / "x").mkdir()
    dose_report(tmp_path / "x")
    _, seen = assessed(tmp_path / "x")
    assert codes(seen) == set()
    assert dose_of(seen).values[DLP].value == 96.0
    assert dose_of(seen).device == "SIEMENS Model 1 #?"


def test_a_report_of_no_ct_alone_is_said_and_no_dose(tmp_path, assessed):
    (tmp_path / "x").mkdir()
    path = dose_report(tmp_path / "x")

    def of_fluoroscopy(data):
        data.ContentSequence[1].ConceptCodeSequence[0].CodeValue = "113704"
        data.ContentSequence = [
            item for item in data.ContentSequence if item.ConceptNameCodeSequence[0].CodeValue != "113819"
        ]

    making.change(path, of_fluoroscopy)
    _, seen = assessed(tmp_path / "x")
    assert codes(seen) == {"dicom.dose-not-of-ct"}
    assert seen.dose is None


def test_a_report_that_comes_later_completes_the_exam_and_one_that_is_corrected_replaces_it(
    tmp_path, assessed, without_objects
):
    ct(tmp_path / "x")
    workspace = tmp_path / "workspace"
    assessed(tmp_path / "x")
    path = dose_report(tmp_path / "x")
    tally, seen = assessed(tmp_path / "x")
    assert (tally.assessed, dose_of(seen).values[DLP].value) == (1, 96.0)
    assert assessed(tmp_path / "x")[0].unchanged == 1

    before = path.read_bytes()
    path.write_bytes(before.replace(b"\x02\x0096", b"\x02\x0048").replace(b"\x04\x008.0 ", b"\x04\x004.0 "))
    if path.read_bytes() == before:
        pytest.fail("the report holds its DLP in another form")
    tally, seen = assessed(tmp_path / "x")
    assert (tally.assessed, dose_of(seen).values[DLP].value) == (1, 48.0)
    assert len(dose_rows(workspace)) == 1


def test_an_exam_has_the_report_of_its_own_study_only(tmp_path, assessed, without_objects):
    ct(tmp_path / "x" / "1", name="anna-1")
    ct(tmp_path / "x" / "2", name="bruno", patient=BRUNO, site=SOUTH)
    # the report of the second exam lies among the files of the first
    dose_report(tmp_path / "x" / "1", name="bruno", patient=BRUNO, site=SOUTH, ctdi=12.0)
    _, seen = assessed(tmp_path / "x")
    found = {one.record.site: one.record.values[CTDI] for one in seen.dose.exams}
    assert (found[NORTH].value, found[NORTH].basis) == (8.0, Basis.HEADER)
    assert (found[SOUTH].value, found[SOUTH].basis) == (12.0, Basis.REPORTED)


def test_a_report_of_another_patient_in_the_same_study_leaves_the_study_out(tmp_path, assessed):
    ct(tmp_path / "x")
    dose_report(tmp_path / "x", patient=BRUNO)
    _, seen = assessed(tmp_path / "x")
    assert "dicom.mixed-patients" in codes(seen)
    assert (seen.exams, seen.dose) == ((), None)


def test_a_dose_above_a_published_level_asks_on_the_exams_page_and_decides_nothing(tmp_path, assessed, without_objects):
    ct(tmp_path / "x", facts={"age_a": 60.0})
    dose_report(tmp_path / "x", ctdi=30.0)  # far above any published level for a chest
    _, seen = assessed(tmp_path / "x")
    assert DoseVerdict.ABOVE in {one.verdict for one in seen.dose.exams[0].judgements}
    asked = [one for one in seen.exams[0].findings if one.protocol == "dose"]
    above = [one for one in asked if one.outcome is Outcome.FAIL]
    assert above
    assert str(above[0].protocol_title) == "CT dose"
    assert {one.level for one in asked} == {Level.RECOMMENDED}
    assert not any(one.gates for one in asked)
    assert not {title for title, _ in seen.sites[0].top_failures} & {one.title for one in asked}
    with sqlite3.connect(tmp_path / "workspace" / "bingcheng.sqlite") as connection:
        # they depend on all exams, so they are not stored with one
        assert connection.execute("SELECT count(*) FROM finding WHERE protocol = 'dose'").fetchone() == (0,)
    connection.close()


def test_what_is_missing_for_every_quantity_is_asked_for_once(tmp_path, assessed, without_objects):
    ct(tmp_path / "x", facts={"ctdi_phantom_cm": None})
    _, seen = assessed(tmp_path / "x")
    reasons = [str(one.reason) for one in seen.exams[0].findings if one.protocol == "dose"]
    assert len(reasons) == len(set(reasons)) > 0


def test_nothing_of_the_patient_is_stored_with_the_dose(tmp_path, assessed, without_objects):
    ct(tmp_path / "x")
    path = dose_report(tmp_path / "x", protocol="Quellberg Annabeth 19580917", phantom_cm=None)

    def spoil(data):
        for item in data.iterall():
            if item.keyword == "CodeValue" and item.value == "mGy.cm":
                item.value = "Quellberg"

    making.change(path, spoil)
    assert pydicom.dcmread(path).PatientID == ANNA.patient_id
    _, seen = assessed(tmp_path / "x")
    assert {one.code for one in dose_of(seen).remarks} >= {"dicom.dose-unit-unknown", "dicom.dose-no-phantom"}
    stored = str(dose_rows(tmp_path / "workspace"))
    for betraying in ("Quellberg", "Annabeth", "KH-70412", "19580917", "ACC-551203"):
        assert betraying not in stored
