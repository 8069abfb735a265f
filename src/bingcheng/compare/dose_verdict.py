"""What is said of a dose beside a reference level, what to do about it, and who."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from bingcheng.compare.dose_record import DoseQuantity, DoseRecord, DoseValue
from bingcheng.compare.dose_reference import ReferenceLevel, SiteDose
from bingcheng.core.errors import Owner
from bingcheng.core.finding import Outcome
from bingcheng.core.units import unit
from bingcheng.core.wording import Text, text


class DoseVerdict(StrEnum):
    """How a dose stands to its reference level."""

    ABOVE = "above the reference level"
    USUAL = "within the usual range"
    LOW = "unusually low"
    UNKNOWN = "can't be judged"


VERDICT_OUTCOMES: Mapping[DoseVerdict, Outcome] = MappingProxyType(
    {
        DoseVerdict.ABOVE: Outcome.FAIL,
        DoseVerdict.LOW: Outcome.FAIL,
        DoseVerdict.USUAL: Outcome.PASS,
        DoseVerdict.UNKNOWN: Outcome.UNKNOWN,
    }
)

LOOK_WHY_HIGH = text(
    "Look whether the patient was centred, the range longer than asked, a scan repeated or the tube current modulation"
    " off; one exam above the level is no fault in itself."
)
OPTIMISE = text(
    "Compare the protocol's reference mAs, voltage, range and number of phases with a hospital near the median, and"
    " lower the dose while the images stay good enough."
)
LOOK_AT_IMAGES = text(
    "Look at the noise and at the lesions' edges in the images: if they are good enough, keep the protocol;"
    " if not, raise the dose."
)
OWN = text("hospitals compared here")
SEND_REPORT = text("Send the dose report (RDSR) with the images.")


def what_to_do(verdict: DoseVerdict, value: DoseValue) -> tuple[Text | None, Owner | None]:
    """What to do about an exam of this verdict, and who; None if nothing."""
    if verdict is DoseVerdict.ABOVE:
        return LOOK_WHY_HIGH, Owner.TECHNOLOGIST
    if verdict is DoseVerdict.LOW:
        return LOOK_AT_IMAGES, Owner.RADIOLOGIST
    if verdict is DoseVerdict.UNKNOWN and value.is_estimate:
        return SEND_REPORT, Owner.TECHNOLOGIST
    return None, None


def exam_sentence(
    record: DoseRecord,
    quantity: DoseQuantity,
    value: DoseValue,
    verdict: DoseVerdict,
    *,
    reference: float,
    low: float | None,
    whose: Text,
) -> Text:
    """The sentence on one exam's dose beside one level."""
    symbol = unit(quantity.unit).symbol
    facts: dict[str, str | float | Text] = {
        "quantity": text("estimated {quantity}", quantity=quantity.symbol) if value.is_estimate else quantity.symbol,
        "value": value.value,
        "unit": symbol,
        "whose": whose,
        "reference": reference,
        "low": reference if low is None else low,
        "procedure": record.procedure.label,
        "band": record.band.label,
    }
    template = {
        DoseVerdict.ABOVE: text(
            "{quantity} {value} {unit} is above the diagnostic reference level of {reference} {unit}"
            " ({whose}) for {procedure}, {band}."
        ),
        DoseVerdict.LOW: text(
            "{quantity} {value} {unit} is unusually low: below {low} {unit}, the 25th percentile of hospitals"
            " ({whose}) for {procedure}, {band}; check the image quality."
        ),
        DoseVerdict.USUAL: text(
            "{quantity} {value} {unit} does not exceed the diagnostic reference level of {reference} {unit}"
            " ({whose}) for {procedure}, {band}."
        ),
        DoseVerdict.UNKNOWN: text(
            "{quantity} {value} {unit} is too uncertain to be judged by the diagnostic reference level of"
            " {reference} {unit} ({whose}) for {procedure}, {band}."
        ),
    }[verdict]
    return Text(template.template, facts)


def why_no_group(record: DoseRecord) -> tuple[Text, Text, Owner]:
    """Why an exam can't be compared with any other, what to do, and who."""
    if record.phantom_cm is None:
        return (
            text("It is not known which phantom the CTDIvol refers to, and they differ by about a factor of two."),
            text("Ask the vendor to write the CTDI phantom type into images and dose reports."),
            Owner.VENDOR,
        )
    if not record.procedure.regions:
        return (
            text("Neither the dose report nor the images say which part of the body was scanned."),
            text("Set the body part (0018,0015) in the scanner's protocols."),
            Owner.TECHNOLOGIST,
        )
    return (
        text("The patient's size is not known: neither its water-equivalent diameter nor its weight, or its age."),
        text("Enter the patient's weight at the scanner console, or send the axial images."),
        Owner.TECHNOLOGIST,
    )


def too_few(level: ReferenceLevel | None) -> Text:
    """Why a level does not judge yet."""
    if level is None:
        return text("No hospital has reported this dose for this procedure and patient size yet.")
    return text(
        "The level is provisional: {held} hospitals have {exams} exams or more of this procedure and patient size;"
        " {asked} are needed.",
        held=sum(site.counts for site in level.sites),
        exams=level.fewest_exams,
        asked=level.fewest_sites,
    )


def site_sentence(
    quantity: DoseQuantity, site: SiteDose, verdict: DoseVerdict, reference: float, low: float, whose: Text
) -> Text:
    """The sentence on one hospital's median beside one level."""
    facts: dict[str, str | float | Text] = {
        "quantity": quantity.symbol,
        "value": site.median,
        "unit": unit(quantity.unit).symbol,
        "count": site.count,
        "reference": reference,
        "low": low,
        "whose": whose,
    }
    template = {
        DoseVerdict.ABOVE: text(
            "The median {quantity} of {count} exams, {value} {unit}, is above the diagnostic reference level of"
            " {reference} {unit} ({whose}): optimise the protocol."
        ),
        DoseVerdict.LOW: text(
            "The median {quantity} of {count} exams, {value} {unit}, is unusually low, below {low} {unit} ({whose}):"
            " check the image quality."
        ),
        DoseVerdict.USUAL: text(
            "The median {quantity} of {count} exams, {value} {unit}, does not exceed the diagnostic reference level of"
            " {reference} {unit} ({whose})."
        ),
        DoseVerdict.UNKNOWN: text(
            "The median {quantity} of {count} exams is {value} {unit}; it can't be judged, because the level is"
            " provisional or unverified ({whose}) or the exams are too few."
        ),
    }[verdict]
    return Text(template.template, facts)
