"""Coded concepts (DICOM, SNOMED CT, RadLex, LOINC, UCUM) as the standard's triplets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept: value, coding scheme designator, meaning (PS3.3 section 8)."""

    value: str
    scheme: str
    meaning: str
