"""Philips (and ADAC, whose PET scanners it sold)."""

from __future__ import annotations

from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.vendors.vendor import Vendor

_PET = "Philips PET Private Group"


def b_value(header: Tags) -> float | None:
    """From (2001,xx03) of Philips Imaging DD 001."""
    found = header.private_numbers(0x2001, "Philips Imaging DD 001", 0x03, form="f")
    return found[0] if found else None


def pet_factors(header: Tags) -> tuple[tuple[str, float], ...]:
    """The factors of Philips PET Private Group: (7053,xx00) to SUVbw and (7053,xx09) to Bq/ml; zero means absent."""
    places = (("suv_factor", 0x00), ("stored_unit_factor", 0x09))
    found = ((name, header.private_numbers(0x7053, _PET, element)) for name, element in places)
    return tuple((name, numbers[0]) for name, numbers in found if numbers and numbers[0] > 0)


def iterative(header: Tags) -> str | None:
    """From (01F7,xx9B) of ELSCINT1: the level of iDose."""
    found = header.private_numbers(0x01F7, "ELSCINT1", 0x9B)
    return f"iDose {int(found[0])}" if found and found[0] > 0 else None


PHILIPS = Vendor(
    name="PHILIPS", words=("PHILIPS", "ADAC"), b_value=b_value, iterative=iterative, pet_factors=pet_factors
)
