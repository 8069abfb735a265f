"""Radionuclides of PET: which one a header means, and its half-life.

Half-lives: Bé et al., Table of Radionuclides, BIPM Monographie 5 (LNHB), rounded to 0.1 %.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from bingcheng.core.codes import Code

HALF_LIVES_S: Mapping[str, float] = MappingProxyType(
    {
        "C-11": 1221.8,
        "N-13": 598.0,
        "O-15": 122.2,
        "F-18": 6586.2,
        "Cu-64": 45726.0,
        "Ga-68": 4070.0,
        "Rb-82": 76.4,
        "Zr-89": 282276.0,
        "I-124": 360800.0,
    }
)
TOLERANCE = 0.02
"""Scanners round half-lives to within 1 % of the tables; another nuclide differs by far more."""

_NAMES: Mapping[str, str] = MappingProxyType(
    {
        **{symbol.split("-")[0].upper(): symbol for symbol in HALF_LIVES_S},
        "CARBON": "C-11",
        "NITROGEN": "N-13",
        "OXYGEN": "O-15",
        "FLUORINE": "F-18",
        "FLUOR": "F-18",
        "COPPER": "Cu-64",
        "GALLIUM": "Ga-68",
        "RUBIDIUM": "Rb-82",
        "ZIRCONIUM": "Zr-89",
        "IODINE": "I-124",
    }
)


def radionuclide_of(code: Code | None) -> str | None:
    """The nuclide that a code means, as ``F-18``, read from its meaning (``^18^Fluorine``, ``18F``, ``F-18``).

    Meanings name the nuclide in every coding scheme, SNOMED RT or CT or a vendor's own; None if it names none.
    """
    if code is None:
        return None
    words = re.findall(r"[A-Z]+", code.meaning.upper())
    mass = re.findall(r"\d+", code.meaning)
    for word in words:
        nuclide = _NAMES.get(word)
        if nuclide is not None and mass and mass[0] == nuclide.split("-")[1]:
            return nuclide
    return None
