"""Quantities of PET series: tracer, timing, activity, corrections."""

from __future__ import annotations

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.wording import Text, text
from bingcheng.dicom.acquisition import Acquisition, PetAcquisition
from bingcheng.protocol.attributes import ExamFacts, attribute
from bingcheng.protocol.values import Kind

NEGATIVE_UPTAKE = Problem(
    code="protocol.negative-uptake",
    says="by the header the PET began {minutes} min before the injection",
    remedy="Correct the injection time and date at the console or in the archive.",
    owner=Owner.TECHNOLOGIST,
)
FROM_THE_INJECTION_RECORD = text("Enter it from the injection record at the console, or send it with the exam.")
TRACERS = {
    **{
        name: Text(name)
        for name in (
            *("FDG", "PSMA-11", "PSMA-1007", "PSMA-617", "DCFPYL", "FLUCICLOVINE", "CHOLINE", "DOTATATE", "DOTATOC"),
            *("DOTANOC", "FAPI-04", "FAPI-46", "FLT", "FES", "NAF", "FET", "METHIONINE", "FDOPA", "FMISO", "ACETATE"),
        )
    },
    "other": text("another tracer"),
}
NO_TRACER = text("the header does not name the tracer")
ACTIVITY = text("administered activity")


@attribute(
    "derived.tracer", label=text("tracer"), kind=Kind.WORD, words=TRACERS, why=NO_TRACER, owner=Owner.TECHNOLOGIST
)
def tracer(acquisition: PetAcquisition) -> str | None:
    """The tracer by code or unmistakable name; ``other`` for another name, or for a nuclide that FDG has not."""
    if acquisition.tracer is not None:
        return acquisition.tracer if acquisition.tracer in TRACERS else "other"
    name = (acquisition.radiopharmaceutical or "").upper()
    nuclide = "".join(letter for letter in (acquisition.radionuclide or "").upper() if letter.isalnum())
    if nuclide and not any(mark in nuclide for mark in ("18F", "F18", "FLUOR")):
        return "other"
    if not name:
        return None
    spellings = ("FDG", "FLUDEOXYGLUCOSE", "FLUORODEOXYGLUCOSE", "DEOXYGLUCOSE")
    if any(spelling in name for spelling in spellings):
        return "FDG"
    named = "".join(letter for letter in name if letter.isalnum())
    return None if named in {"F18", "18F", "FLUORINE18", "SOLUTION"} else "other"


@attribute(
    "derived.tracers",
    label=text("tracers of the exam"),
    kind=Kind.WORDS,
    words=TRACERS,
    why=NO_TRACER,
    owner=Owner.TECHNOLOGIST,
)
def tracers(exam: ExamFacts) -> tuple[str, ...] | None:
    """The tracers of the exam's PET series, as far as their headers name them."""
    found = {tracer(one) for one in exam.acquisitions if isinstance(one, PetAcquisition)}
    return tuple(name for name in TRACERS if name in found) or None


@attribute(
    "derived.uptake_min",
    label=text("uptake time"),
    unit="min",
    tolerance=0.05,
    supply=text("Send the injection time and the scan start from the injection record."),
    owner=Owner.TECHNOLOGIST,
)
def uptake(acquisition: PetAcquisition) -> float | None:
    """Minutes from injection to the start of acquisition. 3 s of tolerance: consoles round to seconds or minutes."""
    if acquisition.uptake_s is None:
        return None
    if acquisition.uptake_s < 0:
        raise Undefined(NEGATIVE_UPTAKE, minutes=-acquisition.uptake_s / 60.0)
    return acquisition.uptake_s / 60.0


@attribute(
    "RadionuclideTotalDose",
    label=ACTIVITY,
    unit="Bq",
    supply=FROM_THE_INJECTION_RECORD,
    owner=Owner.TECHNOLOGIST,
)
def dose(acquisition: PetAcquisition) -> float | None:
    """Administered activity (0018,1074)."""
    return acquisition.injected_dose_bq


@attribute(
    "derived.administered_mbq",
    label=ACTIVITY,
    unit="MBq",
    tolerance=0.5,
    supply=FROM_THE_INJECTION_RECORD,
    owner=Owner.TECHNOLOGIST,
)
def administered(acquisition: PetAcquisition) -> float | None:
    """Administered activity in megabecquerel."""
    return None if acquisition.injected_dose_bq is None else acquisition.injected_dose_bq / 1e6


@attribute(
    "derived.mbq_per_kg",
    label=text("activity by body weight"),
    unit="MBq/kg",
    tolerance=0.005,
    supply=FROM_THE_INJECTION_RECORD,
    owner=Owner.TECHNOLOGIST,
)
def activity_by_weight(acquisition: PetAcquisition) -> float | None:
    """Administered activity over the patient's weight."""
    dose_bq, weight_kg = acquisition.injected_dose_bq, acquisition.weight_kg
    return None if dose_bq is None or not weight_kg else dose_bq / 1e6 / weight_kg


@attribute(
    "derived.blood_glucose",
    label=text("blood glucose"),
    unit="mmol/l",
    tolerance=0.05,
    supply=text("Send the glucose measured before injection (Acquisition Context, or by hand)."),
    owner=Owner.TECHNOLOGIST,
)
def glucose(acquisition: PetAcquisition) -> float | None:
    """Blood glucose before injection, where the Acquisition Context (0040,0555) carries it."""
    return acquisition.glucose_mmol_per_l


@attribute("Units", label=text("unit of the stored values"), kind=Kind.WORD)
def units(acquisition: PetAcquisition) -> str | None:
    """The unit (0054,1001); ``CNTS+private_factor`` where the vendor's private factor makes counts quantitative."""
    if acquisition.units == "CNTS" and (acquisition.suv_factor or acquisition.stored_unit_factor):
        return "CNTS+private_factor"
    return acquisition.units


@attribute("CorrectedImage", label=text("corrections applied"), kind=Kind.WORDS)
def corrections(acquisition: PetAcquisition) -> tuple[str, ...] | None:
    """The corrections (0028,0051)."""
    return tuple(word.upper() for word in acquisition.corrections) or None


@attribute("derived.attenuation_corrected", label=text("corrected for attenuation"), kind=Kind.FLAG)
def attenuation_corrected(acquisition: PetAcquisition) -> bool | None:
    """Whether attenuation was corrected, by the facts or by ATTN among the corrections."""
    if acquisition.attenuation_corrected is not None:
        return acquisition.attenuation_corrected
    return "ATTN" in acquisition.corrections if acquisition.corrections else None


@attribute("DecayCorrection", label=text("reference time of decay correction"), kind=Kind.WORD)
def decay_correction(acquisition: PetAcquisition) -> str | None:
    """NONE, START or ADMIN (0054,1102)."""
    return acquisition.decay_correction


def lean_share(acquisition: Acquisition) -> float | None:
    """Lean body mass over weight, by weight, height and sex.

    9270 kg over (6680 + 216 BMI) kg for men, over (8780 + 244 BMI) for women (Janmahasatian et al., Clin Pharmacokinet
    2005;44:1051; as EANM 2.0 asks, since the formula of James falls at a high body mass index).
    """
    weight_kg, height_m = acquisition.weight_kg, acquisition.height_m
    constants = {"M": (6680.0, 216.0), "F": (8780.0, 244.0)}.get(acquisition.sex or "")
    if not weight_kg or not height_m or constants is None:
        return None
    return 9270.0 / (constants[0] + constants[1] * weight_kg / height_m**2)
