"""Units as UCUM codes: which are known, how they convert, how a reader sees them.

A dimensionless fraction is ``1``; Hounsfield units are UCUM's ``[hnsf'U]``; SUV by body weight is ``g/ml``.
Source: UCUM 2.1 (https://ucum.org), DICOM PS3.16 CID 82 and CID 84.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bingcheng.core.errors import CatalogueError, Owner, Problem

UNKNOWN_UNIT = Problem(
    code="core.unknown-unit",
    says="'{unit}' is not a unit that this program knows",
    remedy="Write the unit as a UCUM code from the table in bingcheng.core.units.",
    owner=Owner.DEVELOPER,
)
INCOMPATIBLE_UNITS = Problem(
    code="core.incompatible-units",
    says="'{source}' can't be converted into '{target}'",
    remedy="Give both in units of the same quantity.",
    owner=Owner.DEVELOPER,
)


@dataclass(frozen=True, slots=True)
class Unit:
    """A UCUM unit: its code, how it is shown, its quantity, and its size in the quantity's base unit."""

    code: str
    symbol: str
    quantity: str
    factor: float
    meaning: str


def _table(*rows: tuple[str, str, str, float, str]) -> Mapping[str, Unit]:
    return MappingProxyType({row[0]: Unit(*row) for row in rows})


UNITS: Mapping[str, Unit] = _table(
    ("1", "", "number", 1.0, "no units"),
    ("%", "%", "number", 1e-2, "percent"),
    ("m", "m", "length", 1.0, "metre"),
    ("cm", "cm", "length", 1e-2, "centimetre"),
    ("mm", "mm", "length", 1e-3, "millimetre"),
    ("um", "µm", "length", 1e-6, "micrometre"),
    ("mm2", "mm²", "area", 1e-6, "square millimetre"),
    ("cm2", "cm²", "area", 1e-4, "square centimetre"),
    ("mm3", "mm³", "volume", 1e-9, "cubic millimetre"),
    ("cm3", "cm³", "volume", 1e-6, "cubic centimetre"),
    ("ml", "ml", "volume", 1e-6, "millilitre"),
    ("l", "l", "volume", 1e-3, "litre"),
    ("s", "s", "time", 1.0, "second"),
    ("ms", "ms", "time", 1e-3, "millisecond"),
    ("min", "min", "time", 60.0, "minute"),
    ("h", "h", "time", 3600.0, "hour"),
    ("d", "d", "time", 86400.0, "day"),
    ("a", "a", "time", 31557600.0, "year"),
    ("kg", "kg", "mass", 1.0, "kilogram"),
    ("g", "g", "mass", 1e-3, "gram"),
    ("kg/m2", "kg/m²", "mass per area", 1.0, "kilogram per square metre"),
    ("ml/s", "ml/s", "flow", 1e-6, "millilitre per second"),
    ("ml/kg", "ml/kg", "volume per mass", 1e-6, "millilitre per kilogram"),
    ("mg/ml", "mg/ml", "mass concentration", 1.0, "milligram per millilitre"),
    ("mmol/l", "mmol/l", "substance concentration", 1.0, "millimole per litre"),
    ("Bq", "Bq", "activity", 1.0, "becquerel"),
    ("kBq", "kBq", "activity", 1e3, "kilobecquerel"),
    ("MBq", "MBq", "activity", 1e6, "megabecquerel"),
    ("MBq/kg", "MBq/kg", "activity per mass", 1e6, "megabecquerel per kilogram"),
    ("Bq/ml", "Bq/ml", "activity concentration", 1.0, "becquerel per millilitre"),
    ("kBq/ml", "kBq/ml", "activity concentration", 1e3, "kilobecquerel per millilitre"),
    ("g/ml", "g/ml", "standardised uptake", 1.0, "standardised uptake value, body weight"),
    ("g/ml{SUVlbm}", "g/ml", "standardised uptake lean", 1.0, "standardised uptake value, lean body mass"),
    ("[hnsf'U]", "HU", "CT number", 1.0, "Hounsfield unit"),
    ("mm2/s", "mm²/s", "diffusivity", 1e-6, "square millimetre per second"),
    ("um2/s", "µm²/s", "diffusivity", 1e-12, "square micrometre per second"),
    ("10-3.mm2/s", "10⁻³ mm²/s", "diffusivity", 1e-9, "thousandth of a square millimetre per second"),
    ("s/mm2", "s/mm²", "diffusion weighting", 1.0, "second per square millimetre"),
    ("/mm", "mm⁻¹", "spatial frequency", 1e3, "per millimetre"),
    ("/cm", "cm⁻¹", "spatial frequency", 1e2, "per centimetre"),
    ("mGy", "mGy", "absorbed dose", 1e-3, "milligray"),
    ("mGy.cm", "mGy·cm", "dose length", 1e-5, "milligray centimetre"),
    ("kV", "kV", "tube voltage", 1e3, "kilovolt"),
    ("mA", "mA", "tube current", 1e-3, "milliampere"),
    ("mA.s", "mAs", "tube charge", 1e-3, "milliampere second"),
    ("T", "T", "magnetic flux density", 1.0, "tesla"),
    ("G", "G", "magnetic flux density", 1e-4, "gauss"),
    ("deg", "°", "plane angle", 1.0, "degree"),
    ("Hz", "Hz", "frequency", 1.0, "hertz"),
    ("{arbitrary}", "a.u.", "arbitrary", 1.0, "arbitrary units"),
    ("{counts}", "counts", "counts", 1.0, "counts"),
)


def unit(code: str) -> Unit:
    """The unit of a UCUM code.

    Raises
    ------
    CatalogueError
        ``core.unknown-unit``.
    """
    try:
        return UNITS[code]
    except KeyError:
        raise CatalogueError(UNKNOWN_UNIT, unit=code) from None


def convert(value: float, source: str, target: str) -> float:
    """`value` of unit `source`, expressed in `target`.

    Raises
    ------
    CatalogueError
        ``core.unknown-unit``, ``core.incompatible-units``.
    """
    before, after = unit(source), unit(target)
    if before.quantity != after.quantity:
        raise CatalogueError(INCOMPATIBLE_UNITS, source=source, target=target)
    return value * (before.factor / after.factor)
