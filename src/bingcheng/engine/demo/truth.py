"""What is true of the demo study, and how it is written down beside it as ``truth.json``.

Lengths in mm, volumes in mm3, CT numbers in HU, SUV in g/ml (body weight), diffusivities in mm2/s.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

SCHEMA = "bingcheng-demo-truth/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionTruth:
    """One lesion in one series.

    Parameters
    ----------
    lesion : name within the patient; `label` and `tracking_uid` as in the segmentation.
    volume_mm3, longest_diameter_mm, short_axis_mm, diameter_3d_mm : of the true ellipsoid in closed form: volume,
        longest diameter in an axial plane, longest chord perpendicular to it there, largest extent in any direction.
    segment_mm3 : volume of the voxels in the segmentation.
    hu : the lesion's own CT number; None but in CT.
    suv : the lesion's own uptake at the time of the scan, as an ideal scanner would show it; None but in PET.
    adc_mm2_per_s : what fitting one exponential to the lesion's noise-free signals at this series' b-values gives;
        None but in MR. `diffusivity_mm2_per_s` and `perfusion_fraction` are the lesion's own.
    imaged : statistics over the segmentation of the image before noise and without calibration error: what blur and
        voxels leave of the truth (``hu_mean``; ``suv_mean``, ``suv_max``).
    """

    lesion: str
    label: str
    tracking_uid: str
    volume_mm3: float
    longest_diameter_mm: float
    short_axis_mm: float
    diameter_3d_mm: float
    segment_mm3: float
    hu: float | None = None
    suv: float | None = None
    adc_mm2_per_s: float | None = None
    diffusivity_mm2_per_s: float | None = None
    perfusion_fraction: float | None = None
    imaged: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseTruth:
    """The dose of one CT exam, its localiser left out.

    Parameters
    ----------
    ctdi_vol_mgy, dlp_mgy_cm : in the phantom of `phantom_cm`; DLP is CTDIvol times `scanned_mm`.
    unusually_low : whether the hospital's dose is so low that one should ask whether its images are good enough.
    """

    ctdi_vol_mgy: float
    dlp_mgy_cm: float
    phantom_cm: float
    scanned_mm: float
    unusually_low: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesTruth:
    """One series.

    Parameters
    ----------
    folder : where its files are, relative to the study's folder.
    noise_sd : standard deviation of the noise: in CT in HU; in MR of the signal in each channel; in PET of a liver
        voxel, as a fraction of its activity.
    f50_per_mm : spatial frequency at which the in-plane modulation transfer function is one half.
    water_equivalent_diameter_cm : CT only: ``mean`` over slices and ``middle`` slice.
    liver_suv, calibration : PET only: the liver's true SUV, and by what factor the scanner shows it.
    liver_signal : MR only: noise-free liver signal at each b-value.
    dose : CT only: what the exam's dose report states.
    """

    series_uid: str
    modality: str
    folder: str
    noise_sd: float
    f50_per_mm: float
    lesions: tuple[LesionTruth, ...]
    water_equivalent_diameter_cm: Mapping[str, float] | None = None
    liver_suv: float | None = None
    calibration: float | None = None
    uptake_min: float | None = None
    liver_signal: Mapping[str, float] | None = None
    dose: DoseTruth | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamTruth:
    """One exam (study). `broken` says how it broke the hospital's own protocol."""

    study_uid: str
    hospital: str
    patient_id: str
    performed_at: str
    follow_up: bool
    broken: tuple[str, ...]
    series: tuple[SeriesTruth, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictTruth:
    """What an honest comparison of a lesion's two time points says, and why."""

    hospital: str
    patient_id: str
    lesion: str
    tracking_uid: str
    verdict: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Everything that is true of the demo study.

    `refusals` are the files and series that can't be used, with the reason in words.
    """

    seed: int
    exams: tuple[ExamTruth, ...]
    verdicts: tuple[VerdictTruth, ...]
    refusals: tuple[tuple[str, str], ...]

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        content = {"schema": SCHEMA, "meaning": MEANING, "units": UNITS, **asdict(self)}
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


MEANING = {
    "lesions": (
        "volume_mm3, longest_diameter_mm (in an axial plane), short_axis_mm (perpendicular to it there) and "
        "diameter_3d_mm are those of the true ellipsoid in closed form; segment_mm3 is the volume of the voxels in the "
        "DICOM SEG, which are those that lie at least half in the ellipsoid"
    ),
    "hu, suv": "the lesion's own value, as a scanner without blur, noise and calibration error would show it",
    "adc_mm2_per_s": (
        "what least squares with one exponential find in the lesion's noise-free signals at this series' b-values; "
        "diffusivity_mm2_per_s and perfusion_fraction are what the lesion is made of"
    ),
    "imaged": (
        "statistics over the segment of the image before noise and calibration error: what blur and voxels leave of "
        "the lesion's own value"
    ),
    "noise_sd": "in CT in HU; in MR of the signal in each channel; in PET of a liver voxel as a fraction of its value",
    "f50_per_mm": "the frequency in the plane at which the modulation transfer function is one half",
    "water_equivalent_diameter_cm": "AAPM report 220 on the patient without couch and noise: mean of slices; middle",
    "liver_suv, calibration": "the liver's true SUV, and by what factor the scanner shows it",
    "liver_signal": "the liver's noise-free signal at each b-value",
    "dose": (
        "what the exam's dose report states, its localiser left out; unusually_low: less than half of the other "
        "hospitals' medians, so that one should ask whether the images are good enough"
    ),
    "verdicts": "what an honest comparison of both time points says of each lesion, and why",
}

UNITS = {
    "volume_mm3": "mm3",
    "diameters": "mm",
    "hu": "[hnsf'U]",
    "suv": "g/ml",
    "adc_mm2_per_s": "mm2/s",
    "f50_per_mm": "/mm",
    "water_equivalent_diameter_cm": "cm",
    "ctdi_vol_mgy": "mGy",
    "dlp_mgy_cm": "mGy.cm",
    "noise_sd": "CT: [hnsf'U]; MR: {arbitrary}; PT: 1 (of the liver)",
}
