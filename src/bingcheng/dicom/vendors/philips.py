"""Philips (and ADAC, whose PET scanners it sold)."""

from __future__ import annotations

from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.vendors.vendor import Vendor

_PET = "Philips PET Private Group"
_MR = "Philips MR Imaging DD 001"


def pet_factors(header: Tags) -> tuple[tuple[str, float], ...]:
    """The factors of Philips PET Private Group: (7053,xx00) to SUVbw and (7053,xx09) to Bq/ml; zero means absent."""
    places = (("suv_factor", 0x00), ("stored_unit_factor", 0x09))
    found = ((name, header.private_numbers(0x7053, _PET, element)) for name, element in places)
    return tuple((name, numbers[0]) for name, numbers in found if numbers and numbers[0] > 0)


def iterative(header: Tags) -> str | None:
    """From (01F7,xx9B) of ELSCINT1: the level of iDose."""
    found = header.private_numbers(0x01F7, "ELSCINT1", 0x9B)
    return f"iDose {int(found[0])}" if found and found[0] > 0 else None


def duration_s(header: Tags) -> float | None:
    """From (2005,xx33) of Philips MR Imaging DD 001, in seconds."""
    found = header.private_numbers(0x2005, _MR, 0x33, form="f")
    return found[0] if found and found[0] > 0 else None


def fat_suppression(header: Tags) -> str | None:
    """From (2001,xx21) of Philips Imaging DD 001, SPIR or SPAIR, and (2005,xx15), another fat saturation: Y or N."""
    told = {
        (header.private_text(0x2001, "Philips Imaging DD 001", 0x21) or "").upper(),
        (header.private_text(0x2005, _MR, 0x15) or "").upper(),
    }
    return "SPECTRAL" if "Y" in told else "NONE" if told == {"N"} else None


PHILIPS = Vendor(
    name="PHILIPS",
    words=("PHILIPS", "ADAC"),
    iterative=iterative,
    duration_s=duration_s,
    fat_suppression=fat_suppression,
    pet_factors=pet_factors,
)
