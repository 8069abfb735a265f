"""MR exams that conform to the shipped protocols.

No series has a name: what each one is has to be told from its physics. Only the body part stands in the header, as
consoles write it, since by it a protocol is chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from math import cos, radians, sin

from bingcheng.dicom.acquisition import AnyAcquisition, Device, MrAcquisition

START = datetime(2026, 3, 2, 9, 0, 0)  # noqa: DTZ001 - as headers give it
SCANNER = Device(vendor="SIEMENS", model="Vida", serial_number="5678", software_versions=("XA50",))
NORMALS = {"axial": (0.0, 0.0, 1.0), "sagittal": (1.0, 0.0, 0.0), "coronal": (0.0, 1.0, 0.0)}
TILT_DEG = 20.0
Roles = dict[str, AnyAcquisition]
Exam = tuple[Roles, dict[str, object]]


def tilted(plane: str, tilt_deg: float) -> tuple[float, float, float]:
    """The normal of slices that lean from an anatomical plane by an angle."""
    axis = ("sagittal", "coronal", "axial").index(plane)
    normal = [0.0, 0.0, 0.0]
    normal[axis], normal[axis - 1] = cos(radians(tilt_deg)), sin(radians(tilt_deg))
    return normal[0], normal[1], normal[2]


def mr(number: int, minutes: float, plane: str = "axial", **facts) -> MrAcquisition:
    """A series of 24 slices of 3 mm without gap, begun some minutes after the exam's start."""
    made = {
        "modality": "MR",
        "device": SCANNER,
        "series_uid": f"1.5.{number}",
        "series_number": number,
        "frame_of_reference_uid": "1.5",
        "image_type": ("ORIGINAL", "PRIMARY", "M", "ND"),
        "started_at": START + timedelta(minutes=minutes),
        "rows": 320,
        "columns": 320,
        "pixel_spacing_mm": (0.5625, 0.5625),
        "slice_thickness_mm": 3.0,
        "reconstruction_interval_mm": 3.0,
        "slice_count": 24,
        "slice_normal": NORMALS[plane],
        "first_slice_mm": -34.5,
        "centre_mm": (0.0, 0.0, 0.0),
        "volume_count": 1,
        "weight_kg": 70.0,
        "field_strength_t": 2.89362,
        "acquisition_type": "2D",
        "acquisition_matrix": (320, 256),
        "phase_direction": "ROW",
        "percent_phase_fov": 100.0,
        "fat_suppression": "NONE",
        "receive_coil": "BodyArray_30",
        "acquisition_duration_s": 100.0,
    } | facts
    ended_at = made["started_at"] + timedelta(seconds=made["acquisition_duration_s"])
    return MrAcquisition(**({"ended_at": ended_at} | made))


def t2(number: int, minutes: float, plane: str = "axial", **facts) -> MrAcquisition:
    """A T2-weighted turbo spin echo."""
    made = {
        "repetition_time_ms": 4500.0,
        "echo_times_ms": (101.0,),
        "flip_angle_deg": 150.0,
        "echo_train_length": 17,
        "scanning_sequence": ("SE",),
        "sequence_variant": ("SK", "SP"),
        "pixel_bandwidth_hz": 200.0,
    }
    return mr(number, minutes, plane, **(made | facts))


def diffusion(number: int, minutes: float, plane: str = "axial", **facts) -> MrAcquisition:
    """Single-shot spin-echo EPI with fat suppression."""
    made = {
        "image_type": ("ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"),
        "repetition_time_ms": 5000.0,
        "echo_times_ms": (68.0,),
        "flip_angle_deg": 90.0,
        "scanning_sequence": ("EP", "SE"),
        "sequence_variant": ("SK", "SP"),
        "pixel_bandwidth_hz": 1500.0,
        "b_values_s_per_mm2": (50.0, 800.0),
        "diffusion_directions": 3,
        "fat_suppression": "SPECTRAL",
        "rows": 112,
        "columns": 112,
        "pixel_spacing_mm": (1.8, 1.8),
        "acquisition_matrix": (112, 100),
        "phase_direction": "COL",
    }
    return mr(number, minutes, plane, **(made | facts))


def adc(number: int, minutes: float, **facts) -> MrAcquisition:
    """The ADC map of a diffusion series."""
    made = {"image_type": ("DERIVED", "PRIMARY", "DIFFUSION", "ADC"), "b_values_s_per_mm2": ()}
    return diffusion(number, minutes, **(made | facts))


def t1_volume(number: int, minutes: float, plane: str = "axial", **facts) -> MrAcquisition:
    """A fast spoiled 3D gradient echo with fat suppression, as VIBE, LAVA and THRIVE are."""
    made = {
        "repetition_time_ms": 4.4,
        "echo_times_ms": (1.7,),
        "flip_angle_deg": 12.0,
        "echo_train_length": 1,
        "scanning_sequence": ("GR",),
        "sequence_variant": ("SK", "SP"),
        "acquisition_type": "3D",
        "fat_suppression": "SPECTRAL",
        "contrast_flow_ml_per_s": 2.5,
        "acquisition_duration_s": 16.0,
    }
    return mr(number, minutes, plane, **(made | facts))


def dixon(number: int, minutes: float, image: str, **facts) -> MrAcquisition:
    """One of the images of a Dixon acquisition: WATER, FAT, IN_PHASE or OPPOSED_PHASE."""
    made = {
        "dixon": (image,),
        "image_type": ("DERIVED", "PRIMARY", "DIXON", image),
        "fat_suppression": "DIXON",
        "slice_thickness_mm": 5.0,
        "reconstruction_interval_mm": 5.0,
    }
    return t1_volume(number, minutes, **(made | facts))


def mprage(number: int, minutes: float, **facts) -> MrAcquisition:
    """The inversion-prepared 3D gradient echo of the brain, 1 mm isotropic, sagittal."""
    made = {
        "repetition_time_ms": 2000.0,
        "inversion_time_ms": 900.0,
        "echo_times_ms": (2.9,),
        "flip_angle_deg": 9.0,
        "echo_train_length": 1,
        "scanning_sequence": ("GR", "IR"),
        "sequence_variant": ("SK", "SP", "MP"),
        "acquisition_type": "3D",
        "rows": 256,
        "columns": 256,
        "pixel_spacing_mm": (1.0, 1.0),
        "acquisition_matrix": (256, 256),
        "slice_thickness_mm": 1.0,
        "reconstruction_interval_mm": 1.0,
        "slice_count": 176,
    }
    return mr(number, minutes, "sagittal", **(made | facts))


def flair(number: int, minutes: float, **facts) -> MrAcquisition:
    """A turbo spin echo after an inversion that nulls fluid."""
    made = {
        "repetition_time_ms": 9000.0,
        "inversion_time_ms": 2500.0,
        "echo_times_ms": (100.0,),
        "scanning_sequence": ("SE", "IR"),
        "sequence_variant": ("SK", "SP", "MP"),
    }
    return t2(number, minutes, **(made | facts))


def stir(number: int, minutes: float, plane: str = "sagittal", **facts) -> MrAcquisition:
    """A turbo spin echo after an inversion that nulls fat."""
    made = {
        "repetition_time_ms": 4000.0,
        "inversion_time_ms": 220.0,
        "echo_times_ms": (60.0,),
        "scanning_sequence": ("SE", "IR"),
        "sequence_variant": ("SK", "SP", "MP"),
        "fat_suppression": "INVERSION",
    }
    return t2(number, minutes, plane, **(made | facts))


def t1_spin_echo(number: int, minutes: float, plane: str = "axial", **facts) -> MrAcquisition:
    """A T1-weighted turbo spin echo with a short train."""
    made = {"repetition_time_ms": 600.0, "echo_times_ms": (9.0,), "echo_train_length": 3}
    return t2(number, minutes, plane, **(made | facts))


def perfusion(number: int, minutes: float, **facts) -> MrAcquisition:
    """Echo-planar gradient echoes of the brain, every 1.6 s: DSC."""
    made = {
        "repetition_time_ms": 1600.0,
        "echo_times_ms": (30.0,),
        "flip_angle_deg": 60.0,
        "scanning_sequence": ("EP", "GR"),
        "sequence_variant": ("SK",),
        "volume_count": 60,
        "volume_times_s": tuple(1.6 * k for k in range(60)),
        "acquisition_duration_s": 96.0,
    }
    return mr(number, minutes, **(made | facts))


def injected(at_minutes: float, **series: MrAcquisition) -> Roles:
    """The same series with the time of injection, and its agent in those that came after it."""
    at = START + timedelta(minutes=at_minutes)
    return {role: _injected(one, at) for role, one in series.items()}


def _injected(one: MrAcquisition, at: datetime) -> MrAcquisition:
    assert one.started_at is not None
    last_s = max(one.volume_times_s, default=0.0)
    if one.started_at + timedelta(seconds=last_s) < at:
        return one
    return replace(
        one,
        contrast_agent=one.contrast_agent or "Gadobutrol",
        contrast_started_at=at,
        contrast_stopped_at=at + timedelta(seconds=5),
    )


def of_region(body_part: str, series: Roles) -> Roles:
    """The same series with the body part that the console writes."""
    return {role: replace(one, body_part=body_part) for role, one in series.items()}


def prostate() -> Exam:
    field = {"rows": 512, "columns": 512, "pixel_spacing_mm": (0.3515625, 0.3515625), "acquisition_matrix": (480, 300)}
    sparse = {"rows": 128, "columns": 128, "pixel_spacing_mm": (1.6, 1.6), "acquisition_matrix": (128, 110)}
    dynamic = {
        "volume_count": 30,
        "volume_times_s": tuple(9.0 * k for k in range(30)),
        "temporal_resolution_s": 9.0,
        "acquisition_duration_s": 270.0,
    }
    roles = injected(
        20.2,
        T2W_AX=t2(2, 3, **field),
        T2W_ORTHO=t2(3, 7, "sagittal", **field),
        DWI=diffusion(4, 11, b_values_s_per_mm2=(50.0, 400.0, 1000.0)),
        ADC=adc(5, 11),
        DWI_HIGHB=diffusion(
            6,
            11,
            image_type=("DERIVED", "PRIMARY", "DIFFUSION", "CALC_BVALUE"),
            b_values_s_per_mm2=(1500.0,),
            synthetic_b=True,
        ),
        DCE=t1_volume(7, 20, **sparse, **dynamic),
    )
    return of_region("PROSTATE", roles), {}


def liver() -> Exam:
    def phase(number: int, delay_s: float) -> MrAcquisition:
        return t1_volume(
            number,
            20.0 + delay_s / 60.0,
            contrast_agent="Primovist" if delay_s > 0 else None,
            contrast_flow_ml_per_s=1.5,
        )

    late_arterial = phase(6, 32.0)
    dual_echo = {
        "acquisition_type": "2D",
        "fat_suppression": "NONE",
        "repetition_time_ms": 140.0,
        "flip_angle_deg": 70.0,
    }
    roles = injected(
        20.0,
        T2W=t2(2, 2, slice_thickness_mm=5.0, reconstruction_interval_mm=6.0),
        DWI=diffusion(3, 6, slice_thickness_mm=5.0, reconstruction_interval_mm=6.0),
        T1_IP_OP=t1_volume(4, 10, echo_times_ms=(1.15,), **dual_echo),
        T1_IN_PHASE=t1_volume(10, 10, echo_times_ms=(2.3,), **dual_echo),
        PRE=phase(5, -120.0),
        CE_PHASE=late_arterial,
        LAP=late_arterial,
        PVP=phase(7, 70.0),
        DELAYED=phase(8, 180.0),
        HBP=phase(9, 1200.0),
    )
    return of_region("LIVER", roles), {}


def breast() -> Exam:
    field = {"rows": 448, "columns": 448, "pixel_spacing_mm": (0.75, 0.75), "acquisition_matrix": (448, 400)}
    dynamic = t1_volume(
        3,
        10,
        volume_count=6,
        volume_times_s=(0.0, 100.0, 180.0, 260.0, 340.0, 420.0),
        acquisition_duration_s=500.0,
        slice_thickness_mm=1.5,
        reconstruction_interval_mm=1.5,
        slice_count=120,
        receive_coil="Breast_18",
        **field,
    )
    roles = injected(
        11.5, T2=t2(2, 2, **field), T1_PRE=dynamic, T1_EARLY_POST=dynamic, T1_DELAYED_POST=dynamic
    )  # fmt: skip
    return of_region("BREAST", roles), {"image.breast_coverage": True}


def rectum() -> Exam:
    roles: Roles = {
        "T2W_SAG": t2(2, 2, "sagittal"),
        "T2W_AX": t2(3, 6, slice_normal=tilted("axial", TILT_DEG)),
        "T2W_COR": t2(4, 10, slice_normal=tilted("coronal", TILT_DEG)),
        "DWI": diffusion(5, 14, b_values_s_per_mm2=(0.0, 1000.0)),
        "ADC": adc(6, 14),
    }
    return of_region("RECTUM", roles), {"clinical.low_rectal_tumour": True}


def _brain() -> Roles:
    return injected(
        20.0,
        T1_PRE=mprage(2, 2),
        FLAIR=flair(3, 8),
        DWI=diffusion(4, 12),
        DSC=perfusion(5, 19.5),
        T2_AX=t2(6, 22),
        T1_POST=mprage(7, 26),
    )


def glioma() -> Exam:
    return of_region("BRAIN", _brain()), {"derived.exam_acq_minutes": 28.0}


def metastases() -> Exam:
    volume = {
        "acquisition_type": "3D",
        "slice_thickness_mm": 1.0,
        "reconstruction_interval_mm": 1.0,
        "slice_count": 160,
    }
    more = injected(
        20.0,
        T1_TSE_PRE=t1_spin_echo(8, 16, "sagittal", **volume),
        T1_SE_POST=t1_spin_echo(9, 31),
        T1_TSE_POST=t1_spin_echo(10, 35, "sagittal", **volume),
    )
    return of_region("BRAIN", _brain() | more), {}


def uterus() -> Exam:
    roles = injected(
        20.0,
        T2_SAG=t2(2, 2, "sagittal"),
        T2_AX=t2(3, 6),
        T2_OBLIQUE=t2(4, 10, slice_normal=tilted("coronal", TILT_DEG)),
        DWI=diffusion(5, 14, b_values_s_per_mm2=(0.0, 1000.0)),
        T1_AX=t1_spin_echo(6, 17),
        CE_T1=t1_volume(7, 22.5, "sagittal"),
    )
    supplied = {
        "clinical.antiperistaltic_given": True,
        "clinical.tumour": "cervix",
        "image.anatomic_extent": "symphysis_to_left_renal_vein",
    }
    return of_region("CERVIX", roles), supplied


def bladder() -> Exam:
    dynamic = {
        "volume_count": 12,
        "volume_times_s": tuple(30.0 * k for k in range(12)),
        "acquisition_duration_s": 360.0,
    }
    dynamic_series = t1_volume(8, 20, **dynamic)
    roles = injected(
        20.4,
        T2W=t2(2, 2),
        T2W_SECOND=t2(3, 6, "sagittal"),
        DWI=diffusion(4, 10),
        DWI_SECOND=diffusion(5, 14, "sagittal"),
        T1_PRE=dynamic_series,
        DCE=dynamic_series,
    )
    supplied = {
        "image.anatomic_extent": "whole_bladder",
        "clinical.days_since_intravesical_treatment": 30.0,
        "clinical.days_since_catheter_or_cystoscopy": 10.0,
    }
    return of_region("BLADDER", roles), supplied


def _whole_body(**facts) -> Roles:
    """Five stations of diffusion that overlap by 10 mm, and what else a whole-body exam has."""
    station = {
        "rows": 128,
        "columns": 128,
        "pixel_spacing_mm": (3.125, 3.125),
        "acquisition_matrix": (132, 128),
        "slice_thickness_mm": 5.0,
        "reconstruction_interval_mm": 5.0,
        "slice_count": 50,
        "field_strength_t": 1.494,
        "inversion_time_ms": 180.0,
        "fat_suppression": "INVERSION",
        "scanning_sequence": ("EP", "SE", "IR"),
    } | facts
    stations = {
        f"STATION_{n}": diffusion(10 + n, 10 + 4 * n, **(station | {"first_slice_mm": -240.0 * n})) for n in range(5)
    }
    roles: Roles = {"WB_DWI": stations["STATION_0"], **stations, "ADC": adc(20, 10, **station)}
    return roles


def myeloma() -> Exam:
    facts = {
        "repetition_time_ms": 6500.0,
        "b_values_s_per_mm2": (50.0, 600.0, 900.0),
        "parallel_reduction_factor": 2.0,
        "averages": 4.0,
        "pixel_bandwidth_hz": 1800.0,
    }
    spine = {"slice_thickness_mm": 4.0, "reconstruction_interval_mm": 4.4, "field_strength_t": 1.494}
    roles = _whole_body(**facts) | {
        "SPINE_T1": t1_spin_echo(2, 2, "sagittal", **spine),
        "SPINE_STIR": stir(3, 5, **spine | {"inversion_time_ms": 160.0}),
        "WB_DIXON": dixon(4, 8, "WATER", field_strength_t=1.494),
        "WB_DIXON_FAT": dixon(6, 8, "FAT", field_strength_t=1.494),
        "WB_T2": t2(5, 40, field_strength_t=1.494),
    }
    return of_region("WHOLEBODY", roles), {}


def screening() -> Exam:
    roles = _whole_body() | {
        "WB_T1_DIXON": dixon(4, 6, "WATER", field_strength_t=1.494),
        "WB_T2": t2(5, 40, slice_thickness_mm=5.0, field_strength_t=1.494),
        "MIP": diffusion(21, 10, "coronal", image_type=("DERIVED", "SECONDARY", "MIP", "NONE"), field_strength_t=1.494),
        "LUNG_GRE": t1_volume(6, 44, fat_suppression="NONE", slice_thickness_mm=2.5, field_strength_t=1.494),
        "BRAIN_FLAIR": flair(7, 48, field_strength_t=1.494),
        "SPINE": stir(8, 52, slice_thickness_mm=4.0, inversion_time_ms=160.0, field_strength_t=1.494),
    }
    return of_region("WHOLEBODY", roles), {"image.anatomic_extent": "head_to_mid_thigh"}


CONFORMING: dict[str, Callable[[], Exam]] = {
    "prostate_mpmri_pirads21": prostate,
    "liver_mr_lirads2018": liver,
    "breast_mr_acr": breast,
    "rectal_mr_esgar2016": rectum,
    "brain_glioma_btip": glioma,
    "brain_mets_btipbm": metastases,
    "gyn_uterus_mr_esur": uterus,
    "bladder_mr_virads": bladder,
    "wbmr_myrads": myeloma,
    "wbmr_screening_general": screening,
}
