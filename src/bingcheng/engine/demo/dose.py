"""The dose report of the demo's CT exams, as their scanners would send it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bingcheng.core.codes import Code
from bingcheng.dicom.acquisition import CtAcquisition
from bingcheng.dicom.dose.report import AcquisitionKind, DoseReport, IrradiationEvent
from bingcheng.dicom.write.dose_report import write_dose_report
from bingcheng.engine.demo.job import Job
from bingcheng.engine.demo.scenario import CtTechnique
from bingcheng.engine.demo.truth import DoseTruth

ABDOMEN = Code("818981001", "SCT", "Abdomen")
SCOUT_MM, SCOUT_S, SCOUT_MA = 256.0, 2.6, 35.0
"""Length, duration and tube current of the localiser; too little dose for a CTDIvol of its own."""
BODY_PHANTOM_CM = 32.0


def make_dose_report(job: Job, scan: CtAcquisition, scout: CtAcquisition) -> DoseTruth:
    """Write the dose report of the study in which `scan` and `scout` were made; returns its truth."""
    technique = job.visit.ct
    assert technique is not None
    spiral = _spiral(technique, scan)
    report = DoseReport(
        sop_instance_uid=None,
        study_uid=None,
        events=(_localiser(technique, scout), spiral),
        made_at=job.started_at + timedelta(minutes=2),
        started_at=scout.started_at,
        ended_at=job.started_at + timedelta(seconds=spiral.exposure_time_s or 0.0),
    )
    facts = replace(scan, series_uid=job.names.uid("CT", "dose report"), series_description="Dose Report")
    write_dose_report(report, facts, job.study, job.folder / "dose" / "report.dcm")
    assert spiral.dlp_mgy_cm is not None
    return DoseTruth(
        ctdi_vol_mgy=technique.ctdi_vol_mgy,
        dlp_mgy_cm=spiral.dlp_mgy_cm,
        phantom_cm=BODY_PHANTOM_CM,
        scanned_mm=spiral.scanning_length_mm or 0.0,
        unusually_low=technique.unusually_low,
    )


def _spiral(technique: CtTechnique, scan: CtAcquisition) -> IrradiationEvent:
    """The scan: irradiated half a rotation's travel beyond the images at either end."""
    travel_mm = technique.pitch * technique.collimation_mm
    length_mm = technique.slices * technique.slice_mm + travel_mm
    return IrradiationEvent(
        uid=scan.irradiation_event_uids[0],
        protocol=scan.protocol_name,
        region=ABDOMEN,
        kind=AcquisitionKind.SPIRAL,
        started_at=scan.started_at,
        scanning_length_mm=length_mm,
        exposure_time_s=length_mm / travel_mm * technique.rotation_s,
        rotation_time_s=technique.rotation_s,
        pitch=technique.pitch,
        single_collimation_mm=technique.detector_mm,
        total_collimation_mm=technique.collimation_mm,
        kvp_kv=technique.kvp_kv,
        tube_current_ma=scan.tube_current_ma,
        maximum_tube_current_ma=None if scan.tube_current_ma is None else 1.4 * scan.tube_current_ma,
        ctdi_vol_mgy=technique.ctdi_vol_mgy,
        phantom_cm=BODY_PHANTOM_CM,
        dlp_mgy_cm=technique.ctdi_vol_mgy * length_mm / 10.0,
    )


def _localiser(technique: CtTechnique, scout: CtAcquisition) -> IrradiationEvent:
    return IrradiationEvent(
        uid=scout.irradiation_event_uids[0],
        protocol="Topogram",
        region=ABDOMEN,
        kind=AcquisitionKind.CONSTANT_ANGLE,
        started_at=scout.started_at,
        scanning_length_mm=SCOUT_MM,
        exposure_time_s=SCOUT_S,
        single_collimation_mm=technique.detector_mm,
        total_collimation_mm=6.0 * technique.detector_mm,
        kvp_kv=technique.kvp_kv,
        tube_current_ma=SCOUT_MA,
        maximum_tube_current_ma=SCOUT_MA,
    )
