"""Quantities of a pair: a series and its counterpart in the baseline exam of the same patient."""

from __future__ import annotations

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.wording import Text, text
from bingcheng.dicom.acquisition import Acquisition, PetAcquisition
from bingcheng.protocol.attributes import Told, attribute
from bingcheng.protocol.fingerprints import Part, device_parts, reconstruction_parts
from bingcheng.protocol.quantities.pet import uptake
from bingcheng.protocol.values import Kind, listed

UNKNOWN_PARTS = Problem(
    code="protocol.unknown-identity",
    says="what is known agrees, but the headers do not give: {parts}",
    remedy="Look up these settings at the console for both exams, or keep them in the header when archiving.",
    owner=Owner.PHYSICIST,
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
