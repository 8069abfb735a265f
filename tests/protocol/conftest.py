"""Exams made by hand: one that conforms to each shipped protocol, and ways to set one quantity to a wanted value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from tests.protocol import changes_mr, exams_ct_pet, exams_mr

from bingcheng.dicom.acquisition import AnyAcquisition, CtAcquisition, Device, MrAcquisition, PetAcquisition

START = datetime(2026, 3, 2, 9, 0, 0)  # noqa: DTZ001 - as headers give it
ORIGINAL = ("ORIGINAL", "PRIMARY", "AXIAL")
CT_SCANNER = Device(vendor="SIEMENS", model="Somatom", serial_number="4711", software_versions=("VB20",))
PET_SCANNER = Device(vendor="GE", model="Discovery MI", serial_number="0815", software_versions=("61.50",))
MR_SCANNER = Device(vendor="SIEMENS", model="Aera", serial_number="1234", software_versions=("XA20",))
PHASE_DELAY_S = {"precontrast": -60.0, "late_arterial": 35.0, "portal_venous": 70.0, "delayed": 180.0}


def ct(**facts) -> CtAcquisition:
    made = {
        "modality": "CT",
        "device": CT_SCANNER,
        "series_uid": "1.2.1",
        "image_type": ORIGINAL,
        "started_at": START,
        "rows": 512,
        "columns": 512,
        "pixel_spacing_mm": (0.75, 0.75),
        "slice_thickness_mm": 2.5,
        "reconstruction_interval_mm": 2.5,
        "slice_count": 120,
        "weight_kg": 70.0,
        "contrast_agent": "Iohexol",
        "kvp_kv": 120.0,
        "exposure_mas": 240.0,
        "convolution_kernel": "B30f",
        "total_collimation_mm": 38.4,
        "single_collimation_mm": 0.6,
        "contrast_flow_ml_per_s": 3.5,
        "contrast_concentration_mg_per_ml": 350.0,
        "contrast_volume_ml": 130.0,
    }
    return CtAcquisition(**(made | facts))


def liver_ct(phase: str, **facts) -> CtAcquisition:
    made = {"contrast_started_at": START, "series_uid": f"1.2.{phase}"}
    return ct(**(made | {"started_at": START + timedelta(seconds=PHASE_DELAY_S[phase])} | facts))


def pet(**facts) -> PetAcquisition:
    made = {
        "modality": "PT",
        "device": PET_SCANNER,
        "series_uid": "1.3.1",
        "image_type": ("ORIGINAL", "PRIMARY"),
        "started_at": START + timedelta(minutes=60),
        "injected_at": START,
        "injected_dose_bq": 250e6,
        "weight_kg": 70.0,
        "height_m": 1.7,
        "pixel_spacing_mm": (2.73, 2.73),
        "slice_thickness_mm": 2.78,
        "reconstruction_interval_mm": 2.78,
        "slice_count": 299,
        "units": "BQML",
        "corrections": ("DECY", "ATTN", "SCAT", "DTIM", "RAN", "NORM"),
        "decay_correction": "START",
        "radiopharmaceutical": "FDG -- fluorodeoxyglucose",
        "radionuclide": "^18^Fluorine",
        "reconstruction_method": "VPFXS",
        "iterations": 3,
        "subsets": 16,
        "filter": "Gauss 5 mm",
        "glucose_mmol_per_l": 5.5,
    }
    return PetAcquisition(**(made | facts))


def petct_ct(**facts) -> CtAcquisition:
    return ct(**({"device": PET_SCANNER, "contrast_agent": None, "series_uid": "1.3.2"} | facts))


def dwi(**facts) -> MrAcquisition:
    made = {
        "modality": "MR",
        "device": MR_SCANNER,
        "series_uid": "1.4.1",
        "image_type": ("ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"),
        "started_at": START,
        "rows": 128,
        "columns": 128,
        "pixel_spacing_mm": (3.0, 3.0),
        "slice_thickness_mm": 5.0,
        "reconstruction_interval_mm": 5.0,
        "slice_count": 45,
        "field_strength_t": 1.5,
        "echo_times_ms": (70.0,),
        "inversion_time_ms": 170.0,
        "averages": 4.0,
        "b_values_s_per_mm2": (50.0, 900.0),
        "scanning_sequence": ("EP",),
        "sequence_name": "*ep_b50",
        "acquisition_matrix": (128, 128),
        "phase_direction": "COL",
        "percent_phase_fov": 100.0,
        "parallel_reduction_factor": 2.0,
        "receive_coil": "BodyArray",
        "body_part": "ABDOMEN",
    }
    return MrAcquisition(**(made | facts))


@dataclass
class Conforming:
    """An exam that meets a protocol: a series by role, what someone supplied, and what was measured by series."""

    roles: dict[str, AnyAcquisition]
    supplied: dict[str, object] = field(default_factory=dict)
    measured: dict[str, dict[str, object]] = field(default_factory=dict)

    @property
    def exam(self) -> list[AnyAcquisition]:
        return list({a.series_uid: a for a in self.roles.values()}.values())


def lirads() -> Conforming:
    names = {"PRE": "precontrast", "LAP": "late_arterial", "PVP": "portal_venous", "DELAYED": "delayed"}
    roles: dict[str, AnyAcquisition] = {role: liver_ct(phase) for role, phase in names.items()}
    roles["MPR"] = ct(series_uid="1.2.9", image_type=("DERIVED", "SECONDARY", "REFORMATTED"))
    return Conforming(roles, {"clinical.saline_ml": 35.0, "clinical.after_locoregional_therapy": False})


def cqie() -> Conforming:
    small = {"pixel_spacing_mm": (0.45, 0.45), "reconstruction_diameter_mm": 230.0}
    roles = {
        "VOL": liver_ct("portal_venous", slice_thickness_mm=1.0, **small),
        "VOL_LIVER": liver_ct("delayed", pitch=1.0, **small),
        "ADULT_ABD": ct(slice_thickness_mm=5.0, reconstruction_diameter_mm=380.0),
    }
    return Conforming(roles, {"derived.scan_mode": "axial"})


def fdg() -> Conforming:
    supplied = {
        "site.earl_accredited_recon": True,
        "derived.liver_sulmean_delta_rel": 0.05,
        "derived.liver_sulmean_delta_abs": 0.1,
        "image.baseline_sulpeak_over_threshold": 2.0,
    }
    return Conforming({"PET": pet(), "PET_EARL": pet(), "CTAC": petct_ct()}, supplied)


def whole_body() -> Conforming:
    place = {"slice_normal": (0.0, 0.0, 1.0)}
    stations = {f"S{n}": dwi(series_uid=f"1.4.{n}", first_slice_mm=-225.0 * n, **place) for n in range(4)}
    supplied = {"image.anatomic_extent": "vertex_to_mid_thigh", "derived.exam_acq_minutes": 25.0}
    return Conforming({"WB_DWI": stations["S0"], **stations}, supplied)


def lung() -> Conforming:
    thin = ct(slice_thickness_mm=1.0, reconstruction_interval_mm=0.8, pitch=1.0, ctdi_vol_mgy=2.0)
    return Conforming({"LUNG": thin}, {"site.kernel_without_edge_enhancement": True})


CONFORMING: dict[str, Callable[[], Conforming]] = {
    "ct_response_recist11": lambda: Conforming({"CT": ct()}, {"clinical.tumour": "NSCLC"}),
    "ct_volumetry_cqie": cqie,
    "dwi_adc_qiba": lambda: Conforming({"DWI": dwi(), "DWI_BRAIN": dwi(series_uid="1.4.2", body_part="HEAD")}),
    "fdg_petct_eanm2": fdg,
    "fdg_petct_percist": fdg,
    "fdg_petct_qiba114": fdg,
    "liver_ct_lirads2018": lirads,
    "lung_nodule_volumetry": lung,
    "wbdwi_uk": whole_body,
}
CONFORMING |= {key: lambda made=made: Conforming(*made()) for key, made in exams_mr.CONFORMING.items()}
CONFORMING |= {key: lambda made=made: Conforming(*made()) for key, made in exams_ct_pet.CONFORMING.items()}


def conforming(protocol: str) -> Conforming:
    return CONFORMING[protocol]()


def _matrix_of(mm: float) -> dict[str, object]:
    return {"rows": 128, "columns": 128, "pixel_spacing_mm": (mm, mm), "acquisition_matrix": (128, 128)}


SERIES: dict[str, Callable] = {
    "SliceThickness": lambda a, v: replace(a, slice_thickness_mm=v),
    "derived.slice_gap": lambda a, v: replace(a, reconstruction_interval_mm=a.slice_thickness_mm + v),
    "CTDIvol": lambda a, v: replace(a, ctdi_vol_mgy=v),
    "SpiralPitchFactor": lambda a, v: replace(a, pitch=v),
    "KVP": lambda a, v: replace(a, kvp_kv=v),
    "Exposure": lambda a, v: replace(a, exposure_mas=v),
    "ReconstructionDiameter": lambda a, v: replace(a, reconstruction_diameter_mm=v),
    "ConvolutionKernel": lambda a, v: replace(a, convolution_kernel=v),
    "Rows": lambda a, v: replace(a, rows=int(v)),
    "derived.contrast_delay_s": lambda a, v: replace(a, started_at=a.contrast_started_at + timedelta(seconds=v)),
    "derived.detector_rows": lambda a, v: replace(a, total_collimation_mm=v * a.single_collimation_mm),
    "ContrastFlowRate": lambda a, v: replace(a, contrast_flow_ml_per_s=v),
    "ContrastBolusIngredientConcentration": lambda a, v: replace(a, contrast_concentration_mg_per_ml=v),
    "derived.contrast_ml_per_kg": lambda a, v: replace(a, contrast_volume_ml=v * a.weight_kg),
    "derived.uptake_min": lambda a, v: replace(a, started_at=a.injected_at + timedelta(minutes=v)),
    "Units": lambda a, v: replace(a, units=v),
    "CorrectedImage": lambda a, v: replace(a, corrections=v),
    "DecayCorrection": lambda a, v: replace(a, decay_correction=v),
    "derived.administered_mbq": lambda a, v: replace(a, injected_dose_bq=v * 1e6),
    "derived.mbq_per_kg": lambda a, v: replace(a, injected_dose_bq=v * 1e6 * a.weight_kg),
    "PatientWeight": lambda a, v: replace(a, weight_kg=v),
    "PatientSize": lambda a, v: replace(a, height_m=v),
    "derived.blood_glucose": lambda a, v: replace(a, glucose_mmol_per_l=v),
    "derived.b_values": lambda a, v: replace(a, b_values_s_per_mm2=tuple(v) + (50.0,) * (max(v) < 50)),
    "derived.n_b_values": lambda a, v: replace(a, b_values_s_per_mm2=(800.0, 50.0)[: int(v)]),
    "EchoTime": lambda a, v: replace(a, echo_times_ms=(v,)),
    "InversionTime": lambda a, v: replace(a, inversion_time_ms=v),
    "NumberOfAverages": lambda a, v: replace(a, averages=v),
    "ParallelReductionFactorInPlane": lambda a, v: replace(a, parallel_reduction_factor=v),
    "derived.coil_type": lambda a, v: replace(a, receive_coil=v),
    "derived.single_shot_epi": lambda a, v: replace(a, sequence_name="*ep_b50" if v else "*re_b50"),
    "derived.acq_pixel_min": lambda a, v: replace(a, **_matrix_of(v)),
    "derived.slices_per_station": lambda a, v: replace(a, slice_count=int(v)),
}
"""How the facts of a series come to give a quantity a value."""
SERIES |= changes_mr.SERIES | exams_ct_pet.SERIES

BASELINE: dict[str, Callable] = {
    "Modality": lambda a, v: a if v == a.modality else dwi(),
    "ManufacturerModelName": lambda a, v: replace(a, device=replace(a.device, model=v)),
    "SoftwareVersions": lambda a, v: replace(a, device=replace(a.device, software_versions=v)),
    "derived.contrast_phase": lambda a, v: liver_ct(v if v in PHASE_DELAY_S else "late_arterial", **_volume_of(a)),
    "derived.delta_uptake_min": lambda a, v: replace(a, injected_at=a.injected_at - timedelta(minutes=v)),
    "derived.dose_delta_rel": lambda a, v: replace(a, injected_dose_bq=a.injected_dose_bq / (1.0 + v)),
    "derived.same_device": lambda a, v: replace(a, device=a.device if v else replace(a.device, serial_number="2")),
    "derived.same_reconstruction": lambda a, v: a if v else replace(a, slice_thickness_mm=a.slice_thickness_mm + 1.0),
}
"""How the baseline's series comes to differ from `a` by a wanted value."""
BASELINE |= exams_ct_pet.BASELINE


def _volume_of(a: CtAcquisition) -> dict[str, object]:
    return {"slice_thickness_mm": a.slice_thickness_mm, "reconstruction_diameter_mm": a.reconstruction_diameter_mm}


EXAM: dict[str, Callable] = {
    "derived.contrast_phases": lambda v, limit: [
        liver_ct(phase) for phase in (v or [next(p for p in PHASE_DELAY_S if p not in limit)])
    ],
    "derived.modality_and_body_part": lambda v, limit: [ct(), dwi(body_part="THORAX" if v else "ABDOMEN")],
}
"""The exam of which a quantity of exams has a value."""
EXAM |= changes_mr.EXAM


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """Builders of series and exams."""
    return SimpleNamespace(
        ct=ct,
        liver_ct=liver_ct,
        pet=pet,
        petct_ct=petct_ct,
        dwi=dwi,
        conforming=conforming,
        series=SERIES,
        baseline=BASELINE,
        exam=EXAM,
        roles=changes_mr.ROLES,
        mr=exams_mr,
        start=START,
    )
