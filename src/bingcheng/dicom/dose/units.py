"""The units in which dose reports write their numbers, by the codes that are met."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bingcheng.core.errors import Owner, Problem

UNKNOWN_DOSE_UNIT = Problem(
    code="dicom.dose-unit-unknown",
    says="a value of the dose report is in '{unit}' where '{expected}' belongs, so it is left out",
    remedy="Ask the vendor to write the units of PS3.16 TID 10013.",
    owner=Owner.VENDOR,
)

_FACTORS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "mgy": {"mgy": 1.0, "gy": 1e3, "cgy": 10.0, "ugy": 1e-3},
        # old software leaves the point out; some write lengths of other units into the product
        "mgycm": {"mgycm": 1.0, "mgymm": 0.1, "gycm": 1e3, "mgym": 100.0, "cgycm": 10.0, "ugycm": 1e-3, "gymm": 100.0},
        "mm": {"mm": 1.0, "cm": 10.0, "m": 1e3, "um": 1e-3},
        "s": {"s": 1.0, "ms": 1e-3, "min": 60.0},
        "kv": {"kv": 1.0, "kvp": 1.0, "v": 1e-3},
        "ma": {"ma": 1.0, "a": 1e3, "ua": 1e-3},
    }
)
"""By wanted unit: how much of it one of the written unit is; keys without case, points and spaces."""


def in_unit(value: float, written: str, wanted: str) -> float | None:
    """A value of unit `written` in unit `wanted`; None if `written` is no unit of that quantity.

    >>> in_unit(4.5, "mGycm", "mGy.cm"), in_unit(0.012, "Gy", "mGy"), in_unit(1.0, "1", "mGy")
    (4.5, 12.0, None)
    """
    factor = _FACTORS[_plain(wanted)].get(_plain(written))
    return None if factor is None else value * factor


def _plain(unit: str) -> str:
    spelt = unit.replace("µ", "u").replace("μ", "u")
    return "".join(letter for letter in spelt.lower() if letter.isalnum())
