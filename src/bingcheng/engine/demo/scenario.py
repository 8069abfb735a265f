"""What a story of the demo consists of: scanners' techniques, lesions over time, patients and their visits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bingcheng.dicom.acquisition import Device
from bingcheng.dicom.exam import Patient
from bingcheng.engine.demo.anatomy import Build
from bingcheng.engine.demo.images import Growth
from bingcheng.engine.demo.tissue import Tissue
from bingcheng.image.geometry import Triple
from bingcheng.image.phantoms.shapes import Ellipsoid, turned

REAL = "real"
WITHIN = "within repeatability"
NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True, slots=True, kw_only=True)
class CtTechnique:
    """How a hospital makes its CT. `blur_mm` is the in-plane standard deviation of the kernel's point spread.

    `unusually_low` is true of a dose that asks whether the images are still good enough.
    """

    slice_mm: float
    slices: int
    kernel: str
    blur_mm: float
    noise_hu: float
    ctdi_vol_mgy: float
    exposure_mas: float
    kvp_kv: float = 120.0
    pitch: float = 0.9
    rotation_s: float = 0.5
    collimation_mm: float = 38.4
    detector_mm: float = 0.6
    field_mm: float = 400.0
    matrix: int = 512
    unusually_low: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PetTechnique:
    """How a hospital makes its PET. `calibration` is shown over true activity; `noise` the liver's relative SD."""

    voxel_mm: Triple
    matrix: int
    slices: int
    fwhm_mm: float
    noise: float
    calibration: float
    uptake_min: float
    dose_mbq_per_kg: float
    method: str
    iterations: int
    subsets: int
    filter: str
    bed_s: float = 120.0
    units: str = "BQML"


@dataclass(frozen=True, slots=True, kw_only=True)
class MrTechnique:
    """How a hospital makes its DWI. `noise` is the SD in each channel; tissue signals are multiplied by `gain`."""

    pixel_mm: float
    matrix: int
    slice_mm: float
    slices: int
    b_values: tuple[float, ...]
    noise: float
    gain: float
    field_t: float
    repetition_ms: float
    echo_ms: float
    sequence: str
    enhanced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionState:
    """A lesion at one time point."""

    semi_axes_mm: Triple
    hu: float
    suv: float
    diffusivity_mm2_per_s: float
    perfusion: float = 0.0
    signal: float = 330.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionStory:
    """A lesion over time. `verdict` is what an honest comparison of the two exams says."""

    name: str
    label: str
    centre_mm: Triple
    lean_deg: Triple
    before: LesionState
    after: LesionState
    verdict: str
    why: str

    def growth(self, *, follow_up: bool) -> Growth:
        """The lesion as a scene has it."""
        state = self.after if follow_up else self.before
        return Growth(
            shape=Ellipsoid(centre_mm=self.centre_mm, semi_axes_mm=state.semi_axes_mm, rotation=turned(*self.lean_deg)),
            tissue=Tissue(state.hu, state.suv, state.signal, state.diffusivity_mm2_per_s, state.perfusion),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An invented patient."""

    identity: Patient
    sex: str
    age_a: float
    height_m: float
    weight_kg: float
    build: Build
    lesions: tuple[LesionStory, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One time point of a patient: when, and how each modality was made (None if it was not)."""

    at: datetime
    follow_up: bool
    ct: CtTechnique | None
    pet: PetTechnique | None
    mr: MrTechnique | None
    broken: tuple[str, ...] = ()
    weight_recorded: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One patient at one hospital."""

    folder: str
    hospital: str
    pet_ct: Device
    mr_scanner: Device
    person: Person
    visits: tuple[Visit, ...]
