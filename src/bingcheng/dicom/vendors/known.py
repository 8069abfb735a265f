"""Which vendors are known, how a manufacturer's name leads to one, and what all of them offer together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.vendors.canon import CANON
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
    """The b-value in s/mm2 of one frame: the public attribute first, then where its vendor writes it.

    The private places are tried for every manufacturer, since a private creator names its owner without doubt and a
    re-exported image often lacks the manufacturer.
    """
    public = header.number("DiffusionBValue")
    candidates = (public, *(vendor.b_value(header) for vendor in VENDORS))
    return next((value for value in candidates if value is not None and value >= 0), None)


def decay_reference(header: Tags) -> datetime | None:
    """The moment to which a PET image is decay-corrected, from whichever vendor's private element is there."""
    return next((found for vendor in VENDORS if (found := vendor.decay_reference(header)) is not None), None)


def pet_factors(header: Tags) -> Mapping[str, float]:
    """The private PET factors by name of fact, from whichever vendor's private elements are there."""
    return {name: factor for vendor in VENDORS for name, factor in vendor.pet_factors(header)}
