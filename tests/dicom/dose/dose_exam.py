"""A known exam's dose report, for tests of reading, writing and judging."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from bingcheng.core.codes import Code
from bingcheng.dicom.acquisition import CtAcquisition, Device
from bingcheng.dicom.dose.report import AcquisitionKind, DoseReport, IrradiationEvent
from bingcheng.dicom.exam import FrameSource, Patient
from bingcheng.dicom.write.dose_report import write_dose_report
from bingcheng.dicom.write.header import StudyHeader, uid_of

AT = datetime(2026, 3, 1, 9, 30)  # noqa: DTZ001 - local times of one scanner
STUDY = StudyHeader(uid=uid_of("study"), patient=Patient(patient_id="P1", name="Example^Person"), performed_at=AT)
ABDOMEN = Code("818981001", "SCT", "Abdomen")
LOCALISER = IrradiationEvent(
    uid=uid_of("event", "0"),
    protocol="Topogram",
    region=ABDOMEN,
    kind=AcquisitionKind.CONSTANT_ANGLE,
    scanning_length_mm=500.0,
    exposure_time_s=5.0,
    single_collimation_mm=0.6,
    total_collimation_mm=3.6,
    source_count=1,
    kvp_kv=120.0,
    tube_current_ma=35.0,
    maximum_tube_current_ma=35.0,
)
SPIRAL = IrradiationEvent(
    uid=uid_of("event", "1"),
    protocol="Abdomen",
    region=ABDOMEN,
    kind=AcquisitionKind.SPIRAL,
    started_at=AT,
    scanning_length_mm=400.0,
    exposure_time_s=6.0,
    rotation_time_s=0.5,
    pitch=0.9,
    single_collimation_mm=0.6,
    total_collimation_mm=38.4,
    source_count=1,
    kvp_kv=120.0,
    tube_current_ma=150.0,
    maximum_tube_current_ma=300.0,
    ctdi_vol_mgy=10.0,
    phantom_cm=32.0,
    dlp_mgy_cm=400.0,
    ssde_mgy=12.5,
    ssde_method=Code("113988", "DCM", "Estimated from Water Equivalent Diameter"),
)
VENDORS = (("SIEMENS", "SIEMENS"), ("GE", "GE MEDICAL SYSTEMS"), ("UIH", "UIH"), (None, None))


def report(*events: IrradiationEvent, **facts: object) -> DoseReport:
    return replace(DoseReport(sop_instance_uid=None, study_uid=None, events=events, made_at=AT), **facts)


def written(folder: Path, *events: IrradiationEvent, vendor=VENDORS[0], **facts: object) -> FrameSource:
    """A dose report of these events, as a file."""
    device = Device(vendor=vendor[0], manufacturer=vendor[1])
    series = uid_of("series", str(len(list(folder.iterdir()))))
    made_by = CtAcquisition(modality="CT", device=device, series_uid=series, started_at=AT)
    return FrameSource(path=write_dose_report(report(*events, **facts), made_by, STUDY, folder / f"{series}.dcm"))
