"""Units of radiomics features: squares and products of the image's unit, for readers and as UCUM codes."""

from __future__ import annotations

import re

from bingcheng.core.units import UNITS
from bingcheng.outputs.language import SUPERSCRIPTS, Language

SQUARED = re.compile(r"(?P<single>\[.+\])2|\((?P<several>.+)\)\.\((?P=several)\)|(?P<counted>\{.+\})\.(?P=counted)")


def symbol(code: str, language: Language) -> str:
    """How a reader sees the unit: ``[hnsf'U]2`` is HU², ``g/ml.mm3`` is g/ml·mm³."""
    if code in UNITS:
        return language.say(UNITS[code].symbol)
    squared = SQUARED.fullmatch(code)
    if squared is not None:
        base = symbol(str(squared[squared.lastgroup or 0]), language)
        return f"({base})²" if "/" in base else f"{base}{'2'.translate(SUPERSCRIPTS)}"
    first, dot, last = code.rpartition(".")
    if dot and last in UNITS:
        return f"{symbol(first, language)}·{symbol(last, language)}"
    return code


def quantity(value: float, unit: str, expanded_uncertainty: float | None, language: Language) -> str:
    """A value with its expanded uncertainty and unit, as a reader expects it."""
    number = language.quantity(value, "1", expanded_uncertainty)
    shown = symbol(unit, language)
    if not shown:
        return number
    return f"({number}) {shown}" if "±" in number and "×" in number else f"{number} {shown}"
