"""Which regions of the body an exam is of, as its header names them. They choose protocols and decide no outcome."""

from __future__ import annotations

from functools import lru_cache

from bingcheng.core.errors import Owner
from bingcheng.core.wording import text
from bingcheng.dicom.acquisition import AnyAcquisition
from bingcheng.protocol.attributes import ExamFacts, attribute
from bingcheng.protocol.naming import spoken_of
from bingcheng.protocol.values import Kind

REGIONS = {
    "prostate": text("prostate"),
    "liver": text("liver"),
    "breast": text("breast"),
    "brain": text("brain"),
    "rectum": text("rectum"),
    "uterus": text("uterus"),
    "cervix": text("cervix of the uterus"),
    "endometrium": text("endometrium"),
    "bladder": text("bladder"),
    "pancreas": text("pancreas"),
    "lung": text("lung"),
    "spine": text("spine"),
    "abdomen": text("abdomen"),
    "pelvis": text("pelvis"),
    "whole_body": text("whole body"),
}


@attribute(
    "derived.named_regions",
    label=text("regions of the body that the header names"),
    kind=Kind.WORDS,
    words=REGIONS,
    why=text("neither the body part nor any name in the header tells the region of the body"),
    supply=text("Enter the body part at the console, or ask for the protocol by name."),
    owner=Owner.TECHNOLOGIST,
    source="PS3.16 annex L (terms of Body Part Examined)",
)
def named_regions(exam: ExamFacts) -> tuple[str, ...] | None:
    """The regions named by BodyPartExamined and by the names of the study, its series and console protocols."""
    names = {name for acquisition in exam.acquisitions for name in _names(acquisition) if name}
    # Each name speaks for itself: a gall bladder in one of them does not take back the bladder of another.
    found = {region for name in names for region in _named(name)}
    return tuple(region for region in REGIONS if region in found) or None


def _names(acquisition: AnyAcquisition) -> tuple[str | None, ...]:
    return (
        acquisition.body_part,
        acquisition.study_description,
        acquisition.series_description,
        acquisition.protocol_name,
    )


@lru_cache(maxsize=4096)
def _named(name: str) -> frozenset[str]:
    return spoken_of("region", name)
