"""Acquisition facts of the demo's series, as its scanners would record them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from bingcheng.dicom.acquisition import CtAcquisition, Device, MrAcquisition, PetAcquisition
from bingcheng.dicom.write.header import StudyHeader, uid_of
from bingcheng.engine.demo.scenario import CtTechnique, MrTechnique, Person, PetTechnique, Story, Visit

HALF_LIFE_S = 6586.2
"""Of fluorine-18: 109.77 minutes (NIST)."""

PHILIPS_BQ_PER_ML_A_COUNT = 1.37
"""What one count stands for on the demo's Philips scanner: any number but one."""

CORRECTIONS = ("DECY", "ATTN", "SCAT", "DTIM", "RAN", "NORM")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Makes the UIDs of one visit, all of them from the seed."""

    seed: int
    story: Story
    visit: Visit

    def uid(self, *parts: str) -> str:
        """The UID of something in this visit."""
        when = self.visit.at.isoformat()
        return uid_of("bingcheng demo", str(self.seed), self.story.person.identity.patient_id, when, *parts)

    def lesion_uid(self, lesion: str) -> str:
        """The tracking UID of a lesion: the same at all times and in all series."""
        return uid_of("bingcheng demo", str(self.seed), self.story.person.identity.patient_id, "lesion", lesion)

    def study(self, kind: str, moment: datetime, description: str) -> StudyHeader:
        """The study of one scanner at this visit."""
        return StudyHeader(
            uid=self.uid(kind, "study"),
            patient=self.story.person.identity,
            performed_at=moment,
            description=description,
            number=self.visit.at.strftime("%y%m%d"),
            accession_number=f"{self.story.folder[:2].upper()}{kind[0].upper()}{self.visit.at:%m%d%H%M}",
        )


def body(person: Person, device: Device, *, weight_recorded: bool = True) -> dict[str, object]:
    """The facts of patient and device that every series repeats."""
    return {
        "device": device,
        "weight_kg": person.weight_kg if weight_recorded else None,
        "height_m": person.height_m,
        "age_a": person.age_a,
        "sex": person.sex,
        "patient_position": "HFS",
    }


def ct_facts(names: Names, technique: CtTechnique, moment: datetime) -> CtAcquisition:
    """The CT of a PET/CT exam, portal-venous."""
    return CtAcquisition(
        modality="CT",
        series_uid=names.uid("CT", "series"),
        series_description=f"CE CT {technique.slice_mm:g} mm {technique.kernel}",
        protocol_name="Abdomen portal venous",
        body_part="ABDOMEN",
        image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
        started_at=moment,
        slice_thickness_mm=technique.slice_mm,
        contrast_agent="Iohexol 350",
        contrast_started_at=moment - timedelta(seconds=70),
        reconstruction_diameter_mm=technique.field_mm,
        kvp_kv=technique.kvp_kv,
        tube_current_ma=technique.exposure_mas * technique.pitch / technique.rotation_s,
        exposure_mas=technique.exposure_mas,
        rotation_time_s=technique.rotation_s,
        pitch=technique.pitch,
        total_collimation_mm=technique.collimation_mm,
        single_collimation_mm=technique.detector_mm,
        convolution_kernel=technique.kernel,
        ctdi_vol_mgy=technique.ctdi_vol_mgy,
        ctdi_phantom_cm=32.0,
        gantry_tilt_deg=0.0,
        exposure_modulation="XYZ_EC",
        irradiation_event_uids=(names.uid("CT", "irradiation"),),
        **body(names.story.person, names.story.pet_ct),  # type: ignore[arg-type]
    )


def pet_facts(names: Names, technique: PetTechnique, moment: datetime) -> PetAcquisition:
    """The FDG PET whose acquisition starts at `moment`."""
    person = names.story.person
    dose_bq = technique.dose_mbq_per_kg * 1e6 * person.weight_kg
    counts = technique.units == "CNTS"
    recorded = names.visit.weight_recorded
    return PetAcquisition(
        modality="PT",
        series_uid=names.uid("PT", "series"),
        series_description="PET AC body",
        protocol_name="FDG body",
        body_part="CHESTABDOMEN",
        image_type=("ORIGINAL", "PRIMARY"),
        started_at=moment,
        slice_thickness_mm=technique.voxel_mm[0],
        reconstruction_diameter_mm=technique.matrix * technique.voxel_mm[1],
        units=technique.units,
        stored_unit_factor=PHILIPS_BQ_PER_ML_A_COUNT if counts else None,
        suv_factor=PHILIPS_BQ_PER_ML_A_COUNT / bq_per_ml_a_suv(technique, person) if counts and recorded else None,
        corrections=CORRECTIONS,
        attenuation_corrected=True,
        decay_correction="START",
        injected_dose_bq=dose_bq,
        injected_at=moment - timedelta(minutes=technique.uptake_min),
        decay_reference_at=moment,
        half_life_s=HALF_LIFE_S,
        radionuclide="^18^Fluorine",
        radiopharmaceutical="Fluorodeoxyglucose",
        reconstruction_method=technique.method,
        iterations=technique.iterations,
        subsets=technique.subsets,
        filter=technique.filter,
        time_of_flight=True,
        point_spread_function=True,
        frame_duration_s=technique.bed_s,
        **body(person, names.story.pet_ct, weight_recorded=recorded),  # type: ignore[arg-type]
    )


def bq_per_ml_a_suv(technique: PetTechnique, person: Person) -> float:
    """The activity concentration at the start of the scan that SUV 1 stands for."""
    dose_bq = technique.dose_mbq_per_kg * 1e6 * person.weight_kg
    decayed_bq = dose_bq * math.exp(-math.log(2.0) * technique.uptake_min * 60.0 / HALF_LIFE_S)
    return decayed_bq / (person.weight_kg * 1e3)


def mr_facts(names: Names, technique: MrTechnique, moment: datetime) -> MrAcquisition:
    """The diffusion-weighted MR of the upper abdomen."""
    field_mm = technique.matrix * technique.pixel_mm
    acquired = technique.matrix // 2
    return MrAcquisition(
        modality="MR",
        series_uid=names.uid("MR", "series"),
        series_description="DWI liver " + "/".join(f"{b:g}" for b in technique.b_values),
        protocol_name="Liver DWI",
        body_part="ABDOMEN",
        image_type=("ORIGINAL", "PRIMARY", "OTHER"),
        started_at=moment,
        slice_thickness_mm=technique.slice_mm,
        spacing_between_slices_mm=technique.slice_mm,
        reconstruction_diameter_mm=field_mm,
        field_strength_t=technique.field_t,
        repetition_time_ms=technique.repetition_ms,
        echo_times_ms=(technique.echo_ms,),
        flip_angle_deg=90.0,
        b_values_s_per_mm2=technique.b_values,
        scanning_sequence=("EP", "SE"),
        sequence_variant=("SK", "SP"),
        sequence_name=technique.sequence,
        acquisition_type="2D",
        acquisition_matrix=(acquired, acquired),
        phase_direction="COL",
        percent_phase_fov=100.0,
        averages=4.0,
        pixel_bandwidth_hz=1954.0,
        echo_train_length=acquired // 2,
        **body(names.story.person, names.story.mr_scanner),  # type: ignore[arg-type]
    )
