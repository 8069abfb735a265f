"""CT, PET and phantom exams that conform to the shipped protocols, and ways to set one quantity of a series.

Also series that contradict themselves: the consistency protocols ask whether two things that are said agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from bingcheng.dicom.acquisition import (
    Acquisition,
    AnyAcquisition,
    CtAcquisition,
    Device,
    MrAcquisition,
    PetAcquisition,
)
from bingcheng.protocol.attributes import Told

START = datetime(2026, 3, 2, 9, 0, 0)  # noqa: DTZ001 - as headers give it
ORIGINAL = ("ORIGINAL", "PRIMARY", "AXIAL")
CT_SCANNER = Device(vendor="SIEMENS", model="Force", serial_number="4712", software_versions=("VB20",))
PET_SCANNER = Device(vendor="GE", model="Discovery MI", serial_number="0815", software_versions=("61.50",))
MR_SCANNER = Device(vendor="SIEMENS", model="Aera", serial_number="1234", software_versions=("XA20",))
F18_S, GA68_S = 6586.2, 4062.6
Measured = dict[str, dict[str, object]]
Exam = tuple[dict[str, AnyAcquisition], dict[str, object], Measured]


def ct(uid: str, delay_s: float | None = None, **facts) -> CtAcquisition:
    """A CT series; with a delay, its images begin so long after the injection."""
    made = {
        "modality": "CT",
        "device": CT_SCANNER,
        "series_uid": uid,
        "image_type": ORIGINAL,
        "acquisition_type": "SPIRAL",
        "started_at": START,
        "rows": 512,
        "columns": 512,
        "pixel_spacing_mm": (0.75, 0.75),
        "reconstruction_diameter_mm": 384.0,
        "slice_thickness_mm": 1.0,
        "reconstruction_interval_mm": 1.0,
        "spacing_between_slices_mm": 1.0,
        "slice_count": 300,
        "weight_kg": 70.0,
        "height_m": 1.7,
        "kvp_kv": 120.0,
        "pitch": 1.0,
        "ctdi_vol_mgy": 2.0,
        "convolution_kernel": "Br40d",
        "total_collimation_mm": 57.6,
        "single_collimation_mm": 0.6,
    }
    if delay_s is not None:
        agent = {"contrast_agent": "Iohexol", "contrast_started_at": START, "contrast_flow_ml_per_s": 4.0}
        made |= agent | {"started_at": START + timedelta(seconds=delay_s)}
    return CtAcquisition(**(made | facts))


def pet(uid: str, *, tracer: str, half_life_s: float, uptake_min: float, mbq_per_kg: float) -> PetAcquisition:
    """A PET series whose header hangs together."""
    return PetAcquisition(
        modality="PT",
        device=PET_SCANNER,
        series_uid=uid,
        image_type=("ORIGINAL", "PRIMARY"),
        started_at=START + timedelta(minutes=uptake_min),
        injected_at=START,
        injected_dose_bq=70.0 * mbq_per_kg * 1e6,
        half_life_s=half_life_s,
        weight_kg=70.0,
        height_m=1.7,
        pixel_spacing_mm=(2.73, 2.73),
        slice_thickness_mm=2.78,
        reconstruction_interval_mm=2.78,
        spacing_between_slices_mm=2.78,
        slice_count=299,
        units="BQML",
        corrections=("DECY", "ATTN", "SCAT", "DTIM", "RAN", "NORM"),
        decay_correction="START",
        tracer=tracer,
    )


def dwi() -> MrAcquisition:
    """A diffusion series whose header hangs together."""
    return MrAcquisition(
        modality="MR",
        device=MR_SCANNER,
        series_uid="1.8.1",
        image_type=("ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"),
        started_at=START,
        weight_kg=70.0,
        height_m=1.7,
        slice_thickness_mm=5.0,
        reconstruction_interval_mm=5.5,
        spacing_between_slices_mm=5.5,
        slice_count=40,
        field_strength_t=1.5,
        repetition_time_ms=6000.0,
        echo_times_ms=(70.0,),
        scanning_sequence=("EP", "SE"),
        b_values_s_per_mm2=(50.0, 800.0),
    )


def lung_screening() -> Exam:
    thin = ct("1.6.1", ctdi_vol_mgy=1.5)
    roles = {
        "LUNG": thin,
        "MPR": ct("1.6.2", image_type=("DERIVED", "SECONDARY", "MPR")),
        "MIP": ct("1.6.3", image_type=("DERIVED", "SECONDARY", "MIP")),
    }
    return roles, {"image.anatomic_extent": "thoracic_inlet_to_adrenals", "derived.contrast_phase": "precontrast"}, {}


def pancreas() -> Exam:
    thin = {"slice_thickness_mm": 0.75, "reconstruction_interval_mm": 0.5, "spacing_between_slices_mm": 0.5}
    roles = {"PANC": ct("1.6.4", 45.0, **thin), "PV": ct("1.6.5", 70.0, **thin)}
    return roles, {"clinical.delay_after_trigger_s": 25.0, "image.pancreas_hu": 110.0}, {}


def psma() -> Exam:
    series = pet("1.7.1", tracer="PSMA-11", half_life_s=GA68_S, uptake_min=60.0, mbq_per_kg=2.0)
    return {"PET": series}, {"image.anatomic_extent": "skull_base_to_mid_thigh"}, {}


PHANTOM = {
    "phantom.ct_number_bone": 910.0,
    "phantom.ct_number_air": -990.0,
    "phantom.ct_number_acrylic": 120.0,
    "phantom.ct_number_water": 1.0,
    "phantom.ct_number_polyethylene": -95.0,
    "phantom.geometric_error": 0.5,
    "phantom.high_contrast_resolution": 0.9,
    "phantom.piu": 92.0,
    "phantom.psg": 0.8,
    "phantom.lcd_spokes": 38.0,
    "phantom.field_strength": 3.0,
    "phantom.earl_standard": "EARL2",
    "site.normalization_interval_days": 30.0,
    "site.cross_calibration_interval_days": 30.0,
    "site.attenuation_calibration_interval_days": 90.0,
    "site.sensitivity_interval_days": 90.0,
    "site.spatial_resolution_interval_days": 200.0,
    "site.image_quality_interval_days": 200.0,
}
"""What a physicist entered of scanners that are in order."""
RECOVERY_EARL2 = {37: (0.92, 1.15), 28: (0.9, 1.15), 22: (0.9, 1.15), 17: (0.85, 1.15), 13: (0.75, 1.0), 10: (0.5, 0.7)}


def phantoms() -> Exam:
    recovery = {
        f"phantom.rc_{what}_{mm}mm": value
        for mm, both in RECOVERY_EARL2.items()
        for what, value in zip(("mean", "max"), both, strict=True)
    }
    return {}, PHANTOM | recovery, {}


def consistent_ct() -> Exam:
    series = ct("1.6.6", 70.0)
    seen = {"image.edge_f50": 0.3, "image.contrast_phase": Told("portal_venous", None, 0.97)}
    return {"CT": series}, {}, {series.series_uid: seen}


def consistent_mr() -> Exam:
    series = dwi()
    return {"MR": series}, {}, {series.series_uid: {"image.body_adc": 1.1}}


def consistent_pet() -> Exam:
    series = pet("1.7.3", tracer="FDG", half_life_s=F18_S, uptake_min=60.0, mbq_per_kg=3.5)
    return {"PET": series}, {}, {series.series_uid: {"image.liver_suv_mean": 2.0}}


CONFORMING: dict[str, Callable[[], Exam]] = {
    "lung_ldct_screening": lung_screening,
    "pancreas_ct_pdac": pancreas,
    "psma_petct": psma,
    "phantom_acceptance": phantoms,
    "consistency_ct": consistent_ct,
    "consistency_mr": consistent_mr,
    "consistency_pet": consistent_pet,
}


def contradicting(code: str) -> Callable[[Acquisition, float], Acquisition]:
    """Sets a count of contradictions: one of that code for any number but 0."""
    return lambda a, v: replace(a, contradictions=((code, "1"),) if v else ())


def late(a: CtAcquisition) -> CtAcquisition:
    """The same series, by its times 10 min after the injection."""
    assert a.contrast_started_at is not None
    return replace(a, started_at=a.contrast_started_at + timedelta(minutes=10))


SERIES: dict[str, Callable] = {
    "derived.interval_over_thickness": lambda a, v: replace(a, reconstruction_interval_mm=v * a.slice_thickness_mm),
    "derived.interval_over_declared_spacing": lambda a, v: replace(
        a, spacing_between_slices_mm=a.reconstruction_interval_mm / v
    ),
    "derived.scan_mode": lambda a, v: replace(
        a, acquisition_type="SPIRAL" if v in ("helical", "not axial") else "SEQUENCED", pitch=None
    ),
    "derived.field_over_diameter": lambda a, v: replace(a, reconstruction_diameter_mm=512 * 0.75 / v),
    "derived.kernel_agrees": lambda a, v: replace(a, convolution_kernel="Br40d" if v else "T90u"),
    "derived.phase_agrees": lambda a, v: a if v else late(a),
    "derived.contrast_agrees": lambda a, v: a if v else replace(a, contrast_agent=None),
    "derived.body_mass_index": lambda a, v: replace(a, weight_kg=v * a.height_m**2),
    "derived.wrong_entries": contradicting("weight-in-grams"),
    "derived.time_contradictions": contradicting("series-date-shifted"),
    "derived.decay_contradictions": contradicting("half-life-contradicts-nuclide"),
    "derived.echo_over_repetition": lambda a, v: replace(a, repetition_time_ms=a.echo_times_ms[0] / v),
    "derived.uptake_half_lives": lambda a, v: replace(
        a, started_at=a.injected_at + timedelta(seconds=v * a.half_life_s)
    ),
    "derived.tracer": lambda a, v: replace(a, tracer=v),
    "RadionuclideTotalDose": lambda a, v: replace(a, injected_dose_bq=v or None),
}
"""How the facts of a series come to give a quantity a value."""

BASELINE: dict[str, Callable] = {"derived.tracer": lambda a, v: replace(a, tracer=v)}
"""How the baseline's series comes to have a quantity."""
