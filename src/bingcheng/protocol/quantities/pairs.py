"""Quantities of a pair: a series and its counterpart in the baseline exam of the same patient."""

from __future__ import annotations

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.wording import Text, text
from bingcheng.dicom.acquisition import Acquisition, PetAcquisition
from bingcheng.protocol.attributes import ExamFacts, Told, attribute
from bingcheng.protocol.fingerprints import Part, device_parts, reconstruction_parts
from bingcheng.protocol.quantities.outside.image import LIVER_SUV
from bingcheng.protocol.quantities.pet import lean_share, uptake
from bingcheng.protocol.values import Kind, listed

UNKNOWN_PARTS = Problem(
    code="protocol.unknown-identity",
    says="what is known agrees, but the headers do not give: {parts}",
    remedy="Look up these settings at the console for both exams, or keep them in the header when archiving.",
    owner=Owner.PHYSICIST,
)
NO_LIVER = text("the mean SUL of the liver is not known for both exams")
MEASURE_BOTH = text(
    "Assess both exams with the PET series that shows the liver, and enter weight, height and sex of the patient."
)


@attribute(
    "derived.delta_uptake_min",
    label=text("difference in uptake time from the baseline"),
    unit="min",
    tolerance=0.05,
    supply=text("Send injection time and scan start of both exams from the injection records."),
    owner=Owner.TECHNOLOGIST,
)
def delta_uptake(now: PetAcquisition, before: Acquisition) -> float | None:
    """Absolute difference of the two uptake times in minutes."""
    if not isinstance(before, PetAcquisition):
        return None
    mine, theirs = uptake(now), uptake(before)
    return None if mine is None or theirs is None else abs(mine - theirs)


@attribute(
    "derived.dose_delta_rel",
    label=text("difference in administered activity from the baseline"),
    tolerance=0.0005,
    supply=text("Send the administered activity of both exams from the injection records."),
    owner=Owner.TECHNOLOGIST,
)
def delta_dose(now: PetAcquisition, before: Acquisition) -> float | None:
    """Absolute difference of the administered activities as a fraction of the baseline's."""
    if not isinstance(before, PetAcquisition) or now.injected_dose_bq is None or not before.injected_dose_bq:
        return None
    return abs(now.injected_dose_bq - before.injected_dose_bq) / before.injected_dose_bq


@attribute(
    "derived.liver_sulmean_delta_abs",
    label=text("difference of the liver's mean SUL from the baseline"),
    unit="g/ml{SUVlbm}",
    why=NO_LIVER,
    supply=MEASURE_BOTH,
    owner=Owner.RADIOLOGIST,
)
def delta_liver_sul(now: PetAcquisition, before: Acquisition, exam: ExamFacts) -> Told | None:
    """Absolute difference of the mean SUL in the sphere in the right lobe of the liver (PERCIST 1.0)."""
    both = _liver_suls(now, before, exam)
    return None if both is None else Told(abs(both[0] - both[1]), _of_both(both))


@attribute(
    "derived.liver_sulmean_delta_rel",
    label=text("difference of the liver's mean SUL from the baseline, relative to the larger"),
    why=NO_LIVER,
    supply=MEASURE_BOTH,
    owner=Owner.RADIOLOGIST,
)
def relative_delta_liver_sul(now: PetAcquisition, before: Acquisition, exam: ExamFacts) -> Told | None:
    """The same difference as a fraction of the larger of both."""
    both = _liver_suls(now, before, exam)
    return None if both is None else Told(abs(both[0] - both[1]) / max(both), _of_both(both))


@attribute("derived.same_device", label=text("same scanner as at baseline"), kind=Kind.FLAG)
def same_device(now: Acquisition, before: Acquisition) -> bool | Told:
    """Whether vendor, model and serial number agree (software apart: an update does not make another scanner)."""
    return _same(device_parts(now), device_parts(before))


@attribute(
    "derived.same_reconstruction", label=text("same acquisition and reconstruction as at baseline"), kind=Kind.FLAG
)
def same_reconstruction(now: Acquisition, before: Acquisition) -> bool | Told:
    """Whether the settings that shape the numbers agree (`bingcheng.protocol.fingerprints`).

    One setting that differs decides; settings that are unknown on either side leave the question open.
    """
    if type(now) is not type(before):
        return False
    return _same(reconstruction_parts(now), reconstruction_parts(before))


def _liver_suls(now: PetAcquisition, before: Acquisition, exam: ExamFacts) -> tuple[float, float] | None:
    """The liver's mean SUL now and at baseline: mean SUV by weight times the lean share of the body."""
    found = []
    for series in (now, before):
        measured = exam.measured_in(series, LIVER_SUV.key)
        suv = measured.value if isinstance(measured, Told) else measured
        share = lean_share(series)
        if not isinstance(suv, int | float) or suv <= 0 or share is None:
            return None
        found.append(suv * share)
    return found[0], found[1]


def _of_both(suls: tuple[float, float]) -> Text:
    return text("{before} g/ml at baseline, {now} g/ml now", before=round(suls[1], 2), now=round(suls[0], 2))


def _same(mine: tuple[Part, ...], theirs: tuple[Part, ...]) -> bool | Told:
    unknown: list[Text] = []
    differing: list[Text] = []
    for a, b in zip(mine, theirs, strict=True):
        if a.value is None or b.value is None:
            if a.essential or b.essential:
                unknown.append(a.label)
        elif a.value != b.value:
            differing.append(
                text("{what}: {before} at baseline, {now} now", what=a.label, before=b.value, now=a.value)
                if a.shown
                else text("another {what}", what=a.label)
            )
    if differing:
        return Told(False, listed(differing))
    if unknown:
        raise Undefined(UNKNOWN_PARTS, parts=listed(unknown))
    return True
