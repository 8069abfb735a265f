"""Exams as facts in a workspace, for judging: no images. Each has eight series and its own small deviations.

``python -m benchmarks.judged_exams exams WORKSPACE EXAMS`` stores them; ``... fill WORKSPACE FINDINGS`` copies judged
exams until there are as many findings. In a process of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import func, literal, select

from bingcheng.archive import schema
from bingcheng.archive.records import ExamRecord, SeriesRecord
from bingcheng.archive.store import save_exam
from bingcheng.archive.workspace import Workspace
from bingcheng.dicom.acquisition import Acquisition, CtAcquisition, Device, MrAcquisition, PetAcquisition
from bingcheng.dicom.exam import Patient
from bingcheng.dicom.write.header import uid_of

SEED = 20260724
THICK = 0.3
"""Share of the series that are thicker than agreed."""
AT = datetime.fromisoformat("2026-03-02T09:00:00")
SITES = ("North Hospital", "South Hospital", "River Hospital", "Hill Hospital")
VENDORS = ("SIEMENS", "GE", "PHILIPS", "UIH")
NORMALS = {"axial": (0.0, 0.0, 1.0), "sagittal": (1.0, 0.0, 0.0), "coronal": (0.0, 1.0, 0.0)}
Facts = dict[str, Any]
T2: Facts = {
    "scanning_sequence": ("SE",),
    "sequence_variant": ("SK",),
    "flip_angle_deg": 150.0,
    "echo_train_length": 25,
}
DIFFUSION: Facts = {
    "scanning_sequence": ("EP",),
    "sequence_variant": ("SK",),
    "flip_angle_deg": 90.0,
    "fat_suppression": "SPECTRAL",
    "repetition_time_ms": 4800.0,
    "echo_times_ms": (70.0,),
    "acquisition_matrix": (128, 128),
}
T1_GRADIENT: Facts = {
    "scanning_sequence": ("GR",),
    "acquisition_type": "3D",
    "flip_angle_deg": 12.0,
    "repetition_time_ms": 4.0,
    "echo_times_ms": (1.8,),
    "fat_suppression": "SPECTRAL",
    "contrast_agent": "Gadolinium",
    "contrast_started_at": AT + timedelta(minutes=20),
}


def main(what: str, workspace: Path, count: int) -> None:
    """Store exams, or fill up with findings."""
    opened = Workspace.open(workspace)
    try:
        if what == "exams":
            chance = np.random.default_rng(SEED)
            for number in range(count):
                save_exam(opened, _exam(number, chance))
        else:
            _fill(opened, count)
    finally:
        opened.close()


def _fill(workspace: Workspace, findings: int) -> None:
    """Copies of whole exams with their findings; their times and hospitals stay."""
    exam, finding = schema.exam, schema.finding
    with workspace.writing() as connection:
        originals = connection.scalars(select(exam.c.uid).order_by(exam.c.uid)).all()
        stored = connection.scalar(select(func.count()).select_from(finding)) or 0
        for number, uid in enumerate(originals):
            if stored >= findings:
                return
            named = {"uid": f"{uid}.{number}", "exam_uid": f"{uid}.{number}"}
            for table, key in ((exam, exam.c.uid), (finding, finding.c.exam_uid)):
                columns = [column for column in table.c if column.name != "id"]
                taken = [literal(named[c.name]) if c.name in named else c for c in columns]
                copied = connection.execute(table.insert().from_select(columns, select(*taken).where(key == uid)))
                stored += copied.rowcount if table is finding else 0


def _exam(number: int, chance: np.random.Generator) -> ExamRecord:
    uid = uid_of("judged", str(number))
    kind = KINDS[number // 2 % len(KINDS)]
    at = AT + timedelta(days=number % 2 * 90 + number)
    made = (
        replace(
            one,
            series_uid=uid_of(uid, str(place)),
            series_number=place,
            slice_thickness_mm=5.0 if chance.random() < THICK else one.slice_thickness_mm,
            device=replace(one.device, vendor=VENDORS[number // 2 % len(VENDORS)], serial_number=str(number // 2 % 12)),
        )
        for place, one in enumerate(kind(), start=1)
    )
    return ExamRecord(
        uid=uid,
        fingerprint=str(number),
        patient=Patient(patient_id=f"B{number // 2}"),
        site=SITES[number // 2 % len(SITES)],
        performed_at=at,
        description="Exam",
        series=tuple(
            SeriesRecord(
                uid=one.series_uid, acquisition=one, measurements=(), lesions=(), volume_count=one.volume_count or 1
            )
            for one in made
        ),
        refusals=(),
    )


def _common(minutes: float, plane: str) -> Facts:
    return {
        "device": Device(vendor="SIEMENS", model="Model", serial_number="1", software_versions=("1",)),
        "series_uid": "1",
        "frame_of_reference_uid": "1.2.3",
        "image_type": ("ORIGINAL", "PRIMARY"),
        "started_at": AT + timedelta(minutes=minutes),
        "weight_kg": 70.0,
        "height_m": 1.75,
        "rows": 320,
        "columns": 320,
        "slice_thickness_mm": 3.0,
        "reconstruction_interval_mm": 3.0,
        "slice_count": 24,
        "slice_normal": NORMALS[plane],
        "first_slice_mm": -34.5,
        "centre_mm": (0.0, 0.0, 0.0),
        "volume_count": 1,
    }


def _mr(minutes: float, region: str, plane: str = "axial", **facts: Any) -> MrAcquisition:
    given: Facts = {
        "modality": "MR",
        "body_part": region,
        "pixel_spacing_mm": (0.5625, 0.5625),
        "field_strength_t": 3.0,
        "acquisition_type": "2D",
        "acquisition_matrix": (320, 256),
        "phase_direction": "ROW",
        "percent_phase_fov": 100.0,
        "fat_suppression": "NONE",
        "receive_coil": "Body",
        "acquisition_duration_s": 100.0,
        "repetition_time_ms": 4500.0,
        "echo_times_ms": (101.0,),
    }
    return MrAcquisition(**_common(minutes, plane) | given | facts)


def _mr_exam(region: str) -> tuple[Acquisition, ...]:
    """T2 in three planes, diffusion at low and at high b-values, its ADC map, a dynamic, and a late T1."""
    times = tuple(7.0 * n for n in range(1, 30))
    return (
        _mr(1, region, **T2),
        _mr(4, region, "sagittal", **T2),
        _mr(7, region, "coronal", **T2),
        _mr(10, region, **DIFFUSION, b_values_s_per_mm2=(50.0, 800.0), volume_count=2),
        _mr(13, region, **DIFFUSION, b_values_s_per_mm2=(0.0, 1400.0), volume_count=2),
        _mr(13, region, **DIFFUSION | {"image_type": ("DERIVED", "PRIMARY", "DIFFUSION", "ADC")}),
        _mr(19, region, **T1_GRADIENT, volume_count=30, volume_times_s=times, temporal_resolution_s=7.0),
        _mr(25, region, "sagittal", **T1_GRADIENT),
    )


def _ct(minutes: float, region: str, **facts: Any) -> CtAcquisition:
    given: Facts = {
        "modality": "CT",
        "body_part": region,
        "slice_thickness_mm": 2.5,
        "reconstruction_interval_mm": 2.5,
        "slice_count": 160,
        "pixel_spacing_mm": (0.78, 0.78),
        "rows": 512,
        "columns": 512,
        "kvp_kv": 120.0,
        "tube_current_ma": 220.0,
        "rotation_time_s": 0.5,
        "pitch": 0.9,
        "total_collimation_mm": 38.4,
        "single_collimation_mm": 0.6,
        "convolution_kernel": "Br40",
        "ctdi_vol_mgy": 9.0,
        "ctdi_phantom_cm": 32.0,
        "acquisition_type": "SPIRAL",
    }
    return CtAcquisition(**_common(minutes, "axial") | given | facts)


def _ct_exam(region: str) -> tuple[Acquisition, ...]:
    """Four phases, each thick and thin."""
    injected: Facts = {"contrast_agent": "Iodine", "contrast_volume_ml": 100.0, "contrast_flow_ml_per_s": 4.0}
    injected["contrast_started_at"] = AT + timedelta(minutes=5)
    return tuple(
        _ct(
            5 + delay_s / 60,
            region,
            slice_thickness_mm=thickness_mm,
            reconstruction_interval_mm=thickness_mm,
            **({} if delay_s < 0 else injected),
        )
        for delay_s in (-60, 35, 70, 180)
        for thickness_mm in (5.0, 1.0)
    )


def _pet_exam() -> tuple[Acquisition, ...]:
    """PET of two reconstructions and stations with and without correction, and CT of two kernels at two thicknesses."""
    given: Facts = {
        "modality": "PT",
        "pixel_spacing_mm": (4.0, 4.0),
        "units": "BQML",
        "decay_correction": "START",
        "injected_dose_bq": 260e6,
        "injected_at": AT - timedelta(minutes=62),
        "half_life_s": 6586.2,
        "radionuclide": "18F",
        "tracer": "FDG",
        "reconstruction_method": "OSEM",
        "iterations": 3,
        "subsets": 21,
        "slice_count": 300,
    }
    corrected = ("DECY", "ATTN", "SCAT", "DTIM", "RAN", "NORM")
    pets = (
        PetAcquisition(
            **_common(minutes, "axial") | given, corrections=corrections, attenuation_corrected=bool(minutes)
        )
        for minutes, corrections in ((1, corrected), (1, corrected), (0, corrected[:1]), (0, corrected[:1]))
    )
    cts = (
        _ct(0, "WHOLEBODY", convolution_kernel=kernel, slice_thickness_mm=mm, reconstruction_interval_mm=mm)
        for kernel in ("Br40", "Bl57")
        for mm in (3.0, 1.5)
    )
    return (*pets, *cts)


KINDS: tuple[Callable[[], tuple[Acquisition, ...]], ...] = (
    lambda: _mr_exam("PROSTATE"),
    lambda: _ct_exam("LIVER"),
    _pet_exam,
    lambda: _mr_exam("RECTUM"),
    lambda: _ct_exam("CHEST"),
    lambda: _mr_exam("LIVER"),
)

if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
