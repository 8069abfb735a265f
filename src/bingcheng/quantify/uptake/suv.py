"""Standardised uptake values: the activity concentration of a PET image relative to the injected dose per body weight.

Source of the rules: RSNA QIBA, FDG-PET/CT as an imaging biomarker, profile 1.14, appendix G (vendor-neutral
pseudo-code), which refuses an image that lacks a correction or a fact instead of assuming one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from bingcheng.core.derived import derived
from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.dicom.acquisition import Acquisition, PetAcquisition
from bingcheng.image.volume import Volume

NOT_PET = Problem(
    code="quantify.suv-of-no-pet",
    says="the series is no PET image ({modality}), so that it has no uptake value",
    remedy="Ask for uptake values of PET series only.",
    owner=Owner.DEVELOPER,
)
REPROJECTION = Problem(
    code="quantify.suv-of-reprojection",
    says="the PET series is a reprojection (a view from outside), whose values are no activity concentrations",
    remedy="Send the reconstructed slices of the scan.",
    owner=Owner.TECHNOLOGIST,
)
NOT_ATTENUATION_CORRECTED = Problem(
    code="quantify.suv-not-attenuation-corrected",
    says="the PET image is not corrected for attenuation, so that its values are no activity concentrations",
    remedy="Send the attenuation-corrected series (CorrectedImage (0028,0051) contains ATTN).",
    owner=Owner.TECHNOLOGIST,
)
ATTENUATION_UNKNOWN = Problem(
    code="quantify.suv-attenuation-unknown",
    says="the header does not say whether the PET image is corrected for attenuation",
    remedy="Send the original series from the scanner, with CorrectedImage (0028,0051) filled.",
    owner=Owner.ARCHIVE,
)
NOT_DECAY_CORRECTED = Problem(
    code="quantify.suv-not-decay-corrected",
    says="the header says that the PET image is not decay-corrected (DecayCorrection is {found})",
    remedy="Reconstruct with decay correction to the scan's start or to the injection.",
    owner=Owner.TECHNOLOGIST,
)
DECAY_NOT_LISTED = Problem(
    code="quantify.suv-decay-correction-not-listed",
    says="the header names a decay correction ({found}), but does not list it among the corrections of the image",
    remedy="Send the original series from the scanner; ask the vendor why CorrectedImage (0028,0051) lacks DECY.",
    owner=Owner.ARCHIVE,
)
DECAY_UNKNOWN = Problem(
    code="quantify.suv-decay-unknown",
    says="the header does not say to which moment the PET image is decay-corrected",
    remedy="Send the original series from the scanner, with DecayCorrection (0054,1102) filled.",
    owner=Owner.ARCHIVE,
)
NO_DOSE = Problem(
    code="quantify.suv-no-dose",
    says="the injected dose is missing, zero or not in becquerel",
    remedy="Enter the injected activity at the scanner before the scan, in its unit.",
    owner=Owner.TECHNOLOGIST,
)
NO_WEIGHT = Problem(
    code="quantify.suv-no-weight",
    says="the patient's weight is missing, zero or impossible",
    remedy="Weigh the patient and enter the weight in kilograms at the scanner.",
    owner=Owner.TECHNOLOGIST,
)
NO_HALF_LIFE = Problem(
    code="quantify.suv-no-half-life",
    says="the half-life of the radionuclide is missing or contradicts the nuclide",
    remedy="Select the right radionuclide at the scanner.",
    owner=Owner.TECHNOLOGIST,
)
NO_TIMES = Problem(
    code="quantify.suv-no-times",
    says="the time of injection or of the scan's start is missing",
    remedy="Enter the time of injection at the scanner, whose clock agrees with the dose calibrator's.",
    owner=Owner.TECHNOLOGIST,
)
INJECTION_AFTER_SCAN = Problem(
    code="quantify.suv-injection-after-scan",
    says="the injection lies {late_min} min after the scan's start",
    remedy="Correct the time of injection; set the scanner's and the dose calibrator's clocks by one time server.",
    owner=Owner.TECHNOLOGIST,
)
UPTAKE_ABSURD = Problem(
    code="quantify.suv-uptake-absurd",
    says="the scan starts {uptake_h} h after the injection, more than {half_lives} half-lives of the radionuclide",
    remedy="Correct the date or the time of injection.",
    owner=Owner.TECHNOLOGIST,
)
UNIT_UNKNOWN = Problem(
    code="quantify.suv-unit-unknown",
    says="the header does not say in which unit the PET image is",
    remedy="Send the original PET series instead of a screenshot or a re-export.",
    owner=Owner.ARCHIVE,
)
UNIT_UNUSABLE = Problem(
    code="quantify.suv-unit-unusable",
    says="the PET image is in {units}, which no factor in the header turns into an activity concentration",
    remedy="Reconstruct in Bq/ml on a calibrated scanner, or keep the vendor's private factors when exporting.",
    owner=Owner.PHYSICIST,
)
OTHER_NORMALISATION = Problem(
    code="quantify.suv-other-normalisation",
    says="the PET image is stored as SUV by {suv_type}, which is not body weight",
    remedy="Send the series in Bq/ml, from which every kind of SUV can be made.",
    owner=Owner.TECHNOLOGIST,
)

SUV_UNIT = "g/ml"
BODY_WEIGHT_TYPES = (None, "BW")
"""An absent SUV Type (0054,1006) means body weight (PS3.3 C.8.9.1.1.11)."""
LONGEST_UPTAKE_HALF_LIVES = 10.0
"""After it less than 0.1 % of the dose is left: no scan is planned so, but a date that is off by a day looks so."""


@derived
def suv(volume: Volume, acquisition: Acquisition) -> Volume:
    """The image as SUV by body weight, in g/ml: SUVbw = C W / (D 2^(-t/T)).

    C is the activity concentration in Bq/ml, W the weight in g, D the injected dose in Bq, t the time from injection
    to the moment to which the image is decay-corrected (none if that is the injection), T the half-life. An image
    that its scanner stored as SUVbw stays as it is.

    Parameters
    ----------
    volume : PET image in Bq/ml, in counts for which the header has the vendor's factor, or in g/ml.
    acquisition : its facts, a `PetAcquisition`.

    Raises
    ------
    Undefined
        Each ``quantify.suv-...`` problem of this module: a correction, a fact or a unit is absent or contradictory.
    """
    factor = suv_factor(acquisition, image_unit=volume.unit)
    # A Python float leaves float32 voxels as they are: no second copy in float64 is made.
    voxels = volume.voxels if factor == 1.0 else volume.voxels * factor
    return Volume(voxels=voxels, geometry=volume.geometry, unit=SUV_UNIT, valid=volume.valid)


def suv_factor(acquisition: Acquisition, *, image_unit: str | None = None) -> float:
    """The factor by which a voxel of the image as read becomes SUVbw in g/ml.

    Parameters
    ----------
    acquisition : facts of a PET series.
    image_unit : UCUM code of the voxels as read; a reader may already have applied the vendor's factors. None: as
        the header's Units (0054,1001) say.

    Raises
    ------
    Undefined
        As `suv`.
    """
    if not isinstance(acquisition, PetAcquisition):
        raise Undefined(NOT_PET, modality=acquisition.modality)
    if "REPROJECTION" in acquisition.series_type[1:2]:  # PS3.3 C.8.9.1.1.4
        raise Undefined(REPROJECTION)
    unit = image_unit if image_unit in _MEASURED_UNITS else _UNIT_OF.get(acquisition.units or "")
    if unit is None:
        if acquisition.units is None:
            raise Undefined(UNIT_UNKNOWN)
        raise Undefined(UNIT_UNUSABLE, units=acquisition.units)
    if acquisition.attenuation_corrected is None:
        raise Undefined(ATTENUATION_UNKNOWN)
    if not acquisition.attenuation_corrected:
        raise Undefined(NOT_ATTENUATION_CORRECTED)
    _require_decay_correction(acquisition)
    return _FACTORS[unit](acquisition)


def dose_at_reference_bq(acquisition: PetAcquisition) -> float:
    """What is left of the injected dose at the moment to which the image is decay-corrected, in Bq.

    Raises
    ------
    Undefined
        ``quantify.suv-no-dose``, ``-no-half-life``, ``-no-times``, ``-injection-after-scan``, ``-uptake-absurd``.
    """
    if acquisition.injected_dose_bq is None:
        raise Undefined(NO_DOSE)
    if acquisition.decay_correction == "ADMIN":
        return acquisition.injected_dose_bq
    if acquisition.half_life_s is None:
        raise Undefined(NO_HALF_LIFE)
    if acquisition.injected_at is None or acquisition.decay_reference_at is None:
        raise Undefined(NO_TIMES)
    elapsed_s = (acquisition.decay_reference_at - acquisition.injected_at).total_seconds()
    if elapsed_s < 0:
        raise Undefined(INJECTION_AFTER_SCAN, late_min=-elapsed_s / 60)
    if elapsed_s > LONGEST_UPTAKE_HALF_LIVES * acquisition.half_life_s:
        raise Undefined(UPTAKE_ABSURD, uptake_h=elapsed_s / 3600, half_lives=LONGEST_UPTAKE_HALF_LIVES)
    remaining: float = acquisition.injected_dose_bq * 2.0 ** (-elapsed_s / acquisition.half_life_s)
    return remaining


def _require_decay_correction(acquisition: PetAcquisition) -> None:
    if acquisition.decay_correction is None:
        raise Undefined(DECAY_UNKNOWN)
    if acquisition.decay_correction not in ("START", "ADMIN"):
        raise Undefined(NOT_DECAY_CORRECTED, found=acquisition.decay_correction)
    if acquisition.corrections and "DECY" not in acquisition.corrections:
        raise Undefined(DECAY_NOT_LISTED, found=acquisition.decay_correction)


def _from_concentration(acquisition: PetAcquisition) -> float:
    if acquisition.weight_kg is None:
        raise Undefined(NO_WEIGHT)
    return 1000.0 * acquisition.weight_kg / dose_at_reference_bq(acquisition)


def _from_counts(acquisition: PetAcquisition) -> float:
    """The vendor's own factor to SUV if there is one, else its factor to Bq/ml and then as any other image."""
    if acquisition.suv_factor is not None:
        return acquisition.suv_factor
    if acquisition.stored_unit_factor is None:
        raise Undefined(UNIT_UNUSABLE, units=acquisition.units or "CNTS")
    return acquisition.stored_unit_factor * _from_concentration(acquisition)


def _as_stored(acquisition: PetAcquisition) -> float:
    if acquisition.suv_type not in BODY_WEIGHT_TYPES:
        raise Undefined(OTHER_NORMALISATION, suv_type=str(acquisition.suv_type))
    return 1.0


_FACTORS: Mapping[str, Callable[[PetAcquisition], float]] = MappingProxyType(
    {
        "Bq/ml": _from_concentration,
        "kBq/ml": lambda acquisition: 1000.0 * _from_concentration(acquisition),
        "{counts}": _from_counts,
        SUV_UNIT: _as_stored,
    }
)
_MEASURED_UNITS = frozenset(_FACTORS) - {"{counts}"}
"""Counts say too little: those of a Philips CNTS image have a factor, those that are only proportional have none."""
_UNIT_OF: Mapping[str, str] = MappingProxyType({"BQML": "Bq/ml", "CNTS": "{counts}", "GML": SUV_UNIT})
