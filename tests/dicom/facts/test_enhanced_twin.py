# ruff: noqa: DTZ001 - a header's times are local to its scanner and have no zone
"""An enhanced MR object and the classic series of the same acquisition give the same facts, one by one."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from bingcheng.dicom.acquisition import Device, MrAcquisition
from bingcheng.dicom.exam import Patient
from bingcheng.dicom.facts.acquired import acquisition
from bingcheng.dicom.grouping.exams import exams
from bingcheng.dicom.index.scan import index
from bingcheng.dicom.write.enhanced_mr import write_enhanced_mr
from bingcheng.dicom.write.header import StudyHeader, uid_of
from bingcheng.dicom.write.mr import write_mr
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Stack, Volume

AT = datetime(2026, 3, 1, 9, 30, 15)
GRID = VolumeGeometry(
    shape=(3, 8, 6),
    spacing_mm=(3.3, 0.9, 0.9),
    origin_mm=(-20.0, -30.0, 12.5),
    axes=((0.0, -0.6, 0.8), (0.0, 0.8, 0.6), (1.0, 0.0, 0.0)),
    frame_of_reference_uid="2.25.4242",
)
STUDY = StudyHeader(
    uid=uid_of("twins"), patient=Patient(patient_id="T1", birth_date="19600101"), performed_at=AT, description="Twins"
)

FACTS = MrAcquisition(
    modality="MR",
    device=Device(
        vendor="PHILIPS",
        manufacturer="Philips",
        model="Ingenia",
        serial_number="41999",
        software_versions=("5.7",),
        station_name="MR2",
        institution="North Hospital",
    ),
    series_uid="",
    series_number=4,
    series_description="ax",
    protocol_name="pelvis",
    body_part="PELVIS",
    image_type=("ORIGINAL", "PRIMARY", "VOLUME", "NONE"),
    scan_options=("FC", "PFP", "SP"),
    started_at=AT,
    weight_kg=71.0,
    height_m=1.7,
    age_a=66.0,
    sex="M",
    slice_thickness_mm=3.0,
    patient_position="HFS",
    contrast_agent="Gadobutrol",
    contrast_started_at=AT - timedelta(seconds=40),
    contrast_stopped_at=AT - timedelta(seconds=33),
    contrast_volume_ml=7.5,
    contrast_flow_ml_per_s=1.5,
    contrast_concentration_mg_per_ml=604.7,
    field_strength_t=3.0,
    repetition_time_ms=4100.0,
    echo_times_ms=(92.0,),
    flip_angle_deg=111.0,
    scanning_sequence=("SE",),
    sequence_variant=("SK", "OSP"),
    sequence_name="TSE",
    acquisition_type="2D",
    acquisition_matrix=(304, 234),
    phase_direction="COL",
    percent_phase_fov=80.0,
    averages=2.0,
    pixel_bandwidth_hz=230.0,
    echo_train_length=17,
    parallel_reduction_factor=2.0,
    receive_coil="Torso 32",
    receive_coil_type="SURFACE",
    acquisition_contrast="T2",
    fat_suppression="NONE",
    acquisition_duration_s=186.0,
)
VARIANTS = {
    "spin echo": {},
    "fat saturation": {"fat_suppression": "SPECTRAL", "scan_options": ("PFP", "FS")},
    "STIR": {
        "fat_suppression": "INVERSION",
        "scanning_sequence": ("SE", "IR"),
        "inversion_time_ms": 220.0,
        "acquisition_contrast": "STIR",
    },
    "gradient echo exciting water": {
        "fat_suppression": "WATER_EXCITATION",
        "scanning_sequence": ("GR",),
        "sequence_variant": ("SS", "SP"),
        "scan_options": ("PFF", "WE"),
        "acquisition_type": "3D",
        "acquisition_contrast": "T1",
    },
    "Dixon": {
        "fat_suppression": "DIXON",
        "scanning_sequence": ("GR",),
        "sequence_variant": ("SP",),
        "image_type": ("DERIVED", "PRIMARY", "DIXON", "WATER"),
        "acquisition_contrast": "T1",
        "dixon": ("WATER",),
    },
}
# The classic word for water excitation is a vendor's; the enhanced object says it in another attribute.
IN_OTHER_WORDS = {"gradient echo exciting water": {"scan_options"}}
NOT_WRITTEN = {"series_uid"}


def volume(scale: float = 1.0) -> Volume:
    voxels = np.random.default_rng(3).normal(100, 10, GRID.shape) * scale
    return Volume(voxels=voxels.astype(np.float32), geometry=GRID, unit="1")


def twins(folder: Path, images: Volume | Stack, facts: MrAcquisition) -> tuple[MrAcquisition, MrAcquisition]:
    """The facts of both, read through index and grouping as a hospital's files would be."""
    write_mr(images, replace(facts, series_uid=uid_of("classic")), STUDY, folder / "classic", series_number=4)
    write_enhanced_mr(images, replace(facts, series_uid=uid_of("enhanced")), STUDY, folder / "e", series_number=4)
    found = exams(index([folder]))
    read = {series.uid: acquisition(series) for exam in found.exams for series in exam.series}
    classic, enhanced = read[uid_of("classic")], read[uid_of("enhanced")]
    assert isinstance(classic, MrAcquisition)
    assert isinstance(enhanced, MrAcquisition)
    return classic, enhanced


def differences(one: MrAcquisition, other: MrAcquisition) -> dict[str, tuple[object, object]]:
    """The fields in which both differ, by name. Numbers may differ by the rounding of a decimal string."""
    pairs = {f.name: (getattr(one, f.name), getattr(other, f.name)) for f in fields(MrAcquisition)}
    return {name: pair for name, pair in pairs.items() if not same(*pair) and name not in NOT_WRITTEN}


def same(one: object, other: object) -> bool:
    if one is None or other is None or isinstance(one, str | Device) or not isinstance(one, float | tuple):
        return one == other
    numbers = isinstance(one, float) or all(isinstance(part, float | int) for part in one)
    return one == pytest.approx(other, rel=1e-6, abs=1e-6) if numbers else one == other


@pytest.mark.parametrize("name", VARIANTS)
def test_every_fact_of_an_enhanced_object_is_that_of_its_classic_twin(tmp_path: Path, name: str) -> None:
    given = replace(FACTS, **VARIANTS[name])
    classic, enhanced = twins(tmp_path, volume(), given)
    assert set(differences(classic, enhanced)) == IN_OTHER_WORDS.get(name, set())
    assert classic.contradictions == enhanced.contradictions == ()


@pytest.mark.parametrize("name", VARIANTS)
def test_every_written_fact_comes_back(tmp_path: Path, name: str) -> None:
    given = replace(FACTS, **VARIANTS[name])
    known = {f.name for f in fields(MrAcquisition) if getattr(given, f.name) not in (None, (), "")}
    for read in twins(tmp_path, volume(), given):
        lost = set(differences(given, read)) & known
        assert lost <= IN_OTHER_WORDS.get(name, set())


def test_place_and_end_are_those_of_the_volume_that_was_written(tmp_path: Path) -> None:
    for read in twins(tmp_path, volume(), FACTS):
        assert read.ended_at == AT + timedelta(seconds=186)
        assert (read.volume_count, read.slice_count, read.rows, read.columns) == (1, 3, 8, 6)
        assert read.slice_normal == pytest.approx((0.0, -0.6, 0.8))
        assert read.centre_mm == pytest.approx(tuple(GRID.to_mm((1, 3.5, 2.5))), abs=1e-5)
        # The first slice lies where its corner does, seen along the normal.
        assert read.first_slice_mm == pytest.approx(-0.6 * -30.0 + 0.8 * 12.5, abs=1e-5)
        assert read.reconstruction_interval_mm == pytest.approx(3.3, abs=1e-5)


def test_diffusion_twins_agree(tmp_path: Path) -> None:
    stack = Stack(volumes=(volume(2), volume(1), volume(0.5)), axis="b_value", values=(0.0, 50.0, 800.0), unit="s/mm2")
    given = replace(
        FACTS,
        scanning_sequence=("EP", "SE"),
        fat_suppression="SPECTRAL",
        scan_options=("PFP", "FS"),
        image_type=("ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"),
        acquisition_contrast="DIFFUSION",
    )
    classic, enhanced = twins(tmp_path, stack, given)
    assert differences(classic, enhanced) == {}
    assert classic.b_values_s_per_mm2 == (0.0, 50.0, 800.0)
    assert (classic.synthetic_b, classic.diffusion_directions, classic.volume_count) == (False, None, 3)
    assert classic.volume_times_s == ()


@pytest.mark.parametrize("vendor", ["SIEMENS", "GE", "PHILIPS", "UIH", "CANON"])
def test_dynamic_twins_agree_whoever_wrote_them(tmp_path: Path, vendor: str) -> None:
    times = (0.0, 9.5, 19.0, 30.0)
    stack = Stack(volumes=tuple(volume(1 + t / 100) for t in times), axis="time", values=times, unit="s")
    device = replace(FACTS.device, vendor=vendor, manufacturer=vendor)
    given = replace(
        FACTS,
        device=device,
        scanning_sequence=("GR",),
        sequence_variant=("SP",),
        fat_suppression="SPECTRAL",
        scan_options=("FS",),
        image_type=("ORIGINAL", "PRIMARY", "DYNAMIC", "NONE"),
        acquisition_contrast="T1",
        acquisition_duration_s=40.0,
    )
    classic, enhanced = twins(tmp_path, stack, given)
    assert set(differences(classic, enhanced)) == set()
    for read in (classic, enhanced):
        assert read.volume_times_s == pytest.approx(times)
        assert read.temporal_resolution_s == pytest.approx(9.5)
        assert read.ended_at == AT + timedelta(seconds=40)
        assert read.volume_count == 4
