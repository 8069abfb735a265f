"""Which vendors are known, how a manufacturer's name leads to one, and what all of them offer together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.vendors.canon import CANON
from bingcheng.dicom.vendors.diffusion import (
    Triple,
    b_value_in_words,
    private_b_value,
    private_direction,
    unit_vector,
)
from bingcheng.dicom.vendors.ge import GE
from bingcheng.dicom.vendors.philips import PHILIPS
from bingcheng.dicom.vendors.siemens import SIEMENS
from bingcheng.dicom.vendors.uih import UIH
from bingcheng.dicom.vendors.vendor import Vendor

VENDORS: tuple[Vendor, ...] = (SIEMENS, GE, PHILIPS, CANON, UIH)


def vendor_of(manufacturer: str | None) -> Vendor | None:
    """The vendor behind Manufacturer (0008,0070) in any spelling; one without habits if unknown, None if not given."""
    spelled = " ".join((manufacturer or "").upper().replace(",", " ").split())
    if not spelled:
        return None
    for vendor in VENDORS:
        # The blank lets a word that ends with one ("GE ") match the bare name, but not "GENERIC" or "IMAGE ".
        if any(f"{spelled} ".startswith(word) or f" {word}" in f" {spelled} " for word in vendor.words):
            return vendor
    return Vendor(name=spelled, words=(spelled,))


def b_value(header: Tags) -> float | None:
    """The b-value in s/mm2 of one frame: the public attribute, the trace of the b-matrix, else the vendor's place."""
    public = header.number("DiffusionBValue")
    if public is not None and public >= 0:
        return public
    traced = _traced(header)
    if traced is not None:
        return traced
    private = private_b_value(header)
    return (
        private if private is not None else b_value_in_words(header.text("SequenceName"), header.text("ImageComments"))
    )


def direction(header: Tags) -> Triple | None:
    """The unit vector of the diffusion gradient of one frame; None without one (b = 0, trace and averaged images).

    Where the header calls the image isotropic, a direction that stands beside is that of one of its parts.
    """
    directionality = header.text("DiffusionDirectionality") or header.private_text(0x0019, "SIEMENS MR HEADER", 0x0D)
    if (directionality or "").upper() in ("ISOTROPIC", "NONE"):
        return None
    gradient = header.item("DiffusionGradientDirectionSequence")
    for place in (gradient, header):
        public = unit_vector(place.numbers("DiffusionGradientOrientation"))
        if public is not None:
            return public
    return private_direction(header)


def _traced(header: Tags) -> float | None:
    """XX + YY + ZZ of the b-matrix, in the diffusion macro's item or beside the other attributes (PS3.3 C.8.13.5.9)."""
    for place in (header.item("DiffusionBMatrixSequence"), header):
        diagonal = [place.number(f"DiffusionBValue{axes}") for axes in ("XX", "YY", "ZZ")]
        known = [value for value in diagonal if value is not None]
        if len(known) == len(diagonal) and min(known) >= 0:
            return sum(known)
    return None


def decay_reference(header: Tags) -> datetime | None:
    """The moment to which a PET image is decay-corrected, from whichever vendor's private element is there."""
    return next((found for vendor in VENDORS if (found := vendor.decay_reference(header)) is not None), None)


def pet_factors(header: Tags) -> Mapping[str, float]:
    """The private PET factors by name of fact, from whichever vendor's private elements are there."""
    return {name: factor for vendor in VENDORS for name, factor in vendor.pet_factors(header)}
