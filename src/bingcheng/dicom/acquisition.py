"""Typed acquisition facts, units normalised: how an image was made. None means that the header does not say.

This module holds the facts only (no pydicom), so that arithmetic can read them; `bingcheng.dicom.facts`
fills them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """The scanner. `vendor` is normalised: SIEMENS, GE, PHILIPS, CANON, UIH, or the manufacturer's name in capitals."""

    vendor: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    serial_number: str | None = None
    software_versions: tuple[str, ...] = ()
    station_name: str | None = None
    institution: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquisition:
    """Facts that every modality has.

    `started_at` is the earliest acquisition time of the series (not the series time where that is later: a
    reconstructed or re-processed series). `slice_thickness_mm` is as declared; `reconstruction_interval_mm` is from
    the positions. `weight_kg`, `height_m`, `age_a` and `sex` (M, F, O) are the patient's at the exam.
    `ended_at` is the end of its last acquisition, known only where the header gives a duration.
    `slice_normal` is the unit normal of the slices in LPS; `first_slice_mm` and `centre_mm` say where the stack lies:
    the first slice's place along the normal, and the centre of the volume. `volume_count` counts the volumes of the
    series (b-values, echoes, phases); `volume_times_s` are the times of a dynamic series' phases after the first.
    `scan_options` are the words of (0018,0022).
    `contradictions` are codes of facts in the header that contradict each other or were corrected
    (e.g. ``field-strength-in-gauss``), with what was found.
    """

    modality: str
    device: Device
    series_uid: str
    series_number: int | None = None
    frame_of_reference_uid: str | None = None
    study_description: str | None = None
    series_description: str | None = None
    protocol_name: str | None = None
    body_part: str | None = None
    image_type: tuple[str, ...] = ()
    scan_options: tuple[str, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    weight_kg: float | None = None
    height_m: float | None = None
    age_a: float | None = None
    sex: str | None = None
    rows: int | None = None
    columns: int | None = None
    pixel_spacing_mm: tuple[float, float] | None = None
    slice_thickness_mm: float | None = None
    spacing_between_slices_mm: float | None = None
    reconstruction_interval_mm: float | None = None
    slice_count: int | None = None
    slice_normal: tuple[float, float, float] | None = None
    first_slice_mm: float | None = None
    centre_mm: tuple[float, float, float] | None = None
    volume_count: int | None = None
    volume_times_s: tuple[float, ...] = ()
    patient_position: str | None = None
    contrast_agent: str | None = None
    contrast_started_at: datetime | None = None
    contrast_stopped_at: datetime | None = None
    contrast_volume_ml: float | None = None
    contrast_flow_ml_per_s: float | None = None
    contrast_concentration_mg_per_ml: float | None = None
    reconstruction_diameter_mm: float | None = None
    lossy: bool = False
    contradictions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CtAcquisition(Acquisition):
    """Facts of a CT series.

    `ctdi_phantom_cm` is 16 or 32, the phantom that CTDIvol refers to; `acquisition_type` is (0018,9302): SPIRAL,
    SEQUENCED, CONSTANT_ANGLE, STATIONARY or FREE. `irradiation_event_uids` name the irradiations that its first slice
    was made from (0008,3010), by which a dose report's events are told.
    """

    acquisition_type: str | None = None
    kvp_kv: float | None = None
    tube_current_ma: float | None = None
    exposure_mas: float | None = None
    rotation_time_s: float | None = None
    pitch: float | None = None
    total_collimation_mm: float | None = None
    single_collimation_mm: float | None = None
    convolution_kernel: str | None = None
    iterative: str | None = None
    ctdi_vol_mgy: float | None = None
    ctdi_phantom_cm: float | None = None
    gantry_tilt_deg: float | None = None
    exposure_modulation: str | None = None
    irradiation_event_uids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MrAcquisition(Acquisition):
    """Facts of an MR series.

    `acquisition_matrix` is (frequency, phase); `phase_direction` is ROW or COL. `acquisition_contrast` is the enhanced
    (0008,9209): T1, T2, T2_STAR, PROTON_DENSITY, FLUID_ATTENUATED, STIR, DIFFUSION, PERFUSION... `fat_suppression` is
    NONE, SPECTRAL, INVERSION, WATER_EXCITATION or DIXON where the header tells. `dixon` names the images that it holds:
    WATER, FAT, IN_PHASE, OPPOSED_PHASE. `diffusion_directions` counts the distinct directions at the highest b-value;
    None for trace images. `synthetic_b` is whether a b-value was computed rather than measured. `receive_coil_type` is
    (0018,9043).
    """

    field_strength_t: float | None = None
    repetition_time_ms: float | None = None
    echo_times_ms: tuple[float, ...] = ()
    inversion_time_ms: float | None = None
    flip_angle_deg: float | None = None
    b_values_s_per_mm2: tuple[float, ...] = ()
    scanning_sequence: tuple[str, ...] = ()
    sequence_variant: tuple[str, ...] = ()
    sequence_name: str | None = None
    acquisition_type: str | None = None
    acquisition_matrix: tuple[int, int] | None = None
    phase_direction: str | None = None
    percent_phase_fov: float | None = None
    averages: float | None = None
    pixel_bandwidth_hz: float | None = None
    echo_train_length: int | None = None
    temporal_resolution_s: float | None = None
    parallel_reduction_factor: float | None = None
    receive_coil: str | None = None
    receive_coil_type: str | None = None
    acquisition_contrast: str | None = None
    fat_suppression: str | None = None
    dixon: tuple[str, ...] = ()
    diffusion_directions: int | None = None
    synthetic_b: bool | None = None
    acquisition_duration_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PetAcquisition(Acquisition):
    """Facts of a PET series.

    `units` is DICOM's (0054,1001) code. `stored_unit_factor` turns the rescaled pixel value into Bq/ml (for BQML 1;
    for Philips CNTS the private activity factor) and `suv_factor` into SUVbw where the vendor gives one (Philips
    (7053,1000); GML 1). `corrections` are the terms of (0028,0051). `injected_at` and `decay_reference_at` are
    already mended by the vendor's rules (midnight, missing date); `decay_correction` is NONE, START or ADMIN.
    `series_type` is (0054,1000), e.g. (WHOLE BODY, IMAGE); `suv_type` is (0054,1006), which body size an image in
    GML is normalised to (BW, LBM, LBMJAMES128, BSA, IBW). `tracer` is the radiopharmaceutical by one name whatever the
    language of its header: FDG, PSMA-11, PSMA-1007, PSMA-617, DCFPYL, FLUCICLOVINE, CHOLINE, DOTATATE, DOTATOC,
    DOTANOC, FAPI-04, FAPI-46, FLT, FES, NAF, FET, METHIONINE, FDOPA, FMISO, ACETATE; None where it is told neither by
    code nor by an unmistakable name, or contradicts its radionuclide.
    """

    series_type: tuple[str, ...] = ()
    units: str | None = None
    stored_unit_factor: float | None = None
    suv_factor: float | None = None
    suv_type: str | None = None
    corrections: tuple[str, ...] = ()
    attenuation_corrected: bool | None = None
    decay_correction: str | None = None
    injected_dose_bq: float | None = None
    injected_at: datetime | None = None
    decay_reference_at: datetime | None = None
    half_life_s: float | None = None
    radionuclide: str | None = None
    radiopharmaceutical: str | None = None
    tracer: str | None = None
    reconstruction_method: str | None = None
    iterations: int | None = None
    subsets: int | None = None
    filter: str | None = None
    time_of_flight: bool | None = None
    point_spread_function: bool | None = None
    frame_duration_s: float | None = None
    glucose_mmol_per_l: float | None = None

    @property
    def uptake_s(self) -> float | None:
        """Seconds from injection to the start of the acquisition; None if either time is unknown."""
        if self.injected_at is None or self.started_at is None:
            return None
        return (self.started_at - self.injected_at).total_seconds()


AnyAcquisition = CtAcquisition | MrAcquisition | PetAcquisition | Acquisition
