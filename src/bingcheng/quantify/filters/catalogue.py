"""Filters by name, from plain settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from difflib import get_close_matches
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.wording import Text, text
from bingcheng.quantify.filters.boundary import Boundary
from bingcheng.quantify.filters.filter import Filter, bad_parameter
from bingcheng.quantify.filters.gabor import Gabor, Part
from bingcheng.quantify.filters.gaussian import Gaussian, LaplacianOfGaussian
from bingcheng.quantify.filters.laws import Laws
from bingcheng.quantify.filters.mean import Mean
from bingcheng.quantify.filters.nonseparable_wavelet import NonseparableWavelet
from bingcheng.quantify.filters.riesz import RieszTransform
from bingcheng.quantify.filters.rotation import Pooling
from bingcheng.quantify.filters.separable_wavelet import SeparableWavelet
from bingcheng.quantify.filters.spectrum import FrequencyGrid

UNKNOWN_FILTER = Problem(
    code="quantify.unknown-filter",
    says="no filter is called '{name}'; {nearest}",
    remedy="Name one of the filters in the documentation.",
    owner=Owner.PHYSICIST,
)
UNKNOWN_PARAMETER = Problem(
    code="quantify.unknown-filter-parameter",
    says="the filter {filter} has no parameter '{parameter}'; {nearest}",
    remedy="Mend its name, or leave it out.",
    owner=Owner.PHYSICIST,
)
MISSING_PARAMETER = Problem(
    code="quantify.missing-filter-parameter",
    says="the filter {filter} needs the parameter {parameter}",
    remedy="Give it a value.",
    owner=Owner.PHYSICIST,
)

FILTERS: Mapping[str, type[Any]] = MappingProxyType(
    {
        one.name: one
        for one in (
            Mean,
            Gaussian,
            LaplacianOfGaussian,
            Laws,
            Gabor,
            SeparableWavelet,
            NonseparableWavelet,
            RieszTransform,
        )
    }
)
"""Every filter by its name."""

LABELS: Mapping[str, Text] = MappingProxyType(
    {
        "mean": text("Mean filter"),
        "gaussian": text("Gaussian filter"),
        "laplacian_of_gaussian": text("Laplacian of Gaussian"),
        "laws": text("Laws kernels"),
        "gabor": text("Gabor filter"),
        "separable_wavelet": text("Separable wavelet"),
        "nonseparable_wavelet": text("Non-separable wavelet"),
        "riesz": text("Riesz transform"),
    }
)
"""What people call each."""


def filter_of(settings: Mapping[str, object]) -> Filter:
    """The filter of plain settings, as `Filter.as_mapping` writes them.

    Parameters
    ----------
    settings : ``name`` and the filter's parameters; those left out take their defaults.

    Raises
    ------
    InputError
        ``quantify.unknown-filter``, ``quantify.unknown-filter-parameter``, ``quantify.missing-filter-parameter``,
        ``quantify.filter-parameter``, ``quantify.unknown-boundary``.
    """
    name = str(settings.get("name", ""))
    if name not in FILTERS:
        raise InputError(UNKNOWN_FILTER, name=name, nearest=_nearest(name, FILTERS))
    known = {field.name: field for field in fields(FILTERS[name])}
    for given in settings:
        if given != "name" and given not in known:
            raise InputError(UNKNOWN_PARAMETER, filter=name, parameter=str(given), nearest=_nearest(str(given), known))
    for field in known.values():
        if field.default is MISSING and settings.get(field.name) is None:
            raise InputError(MISSING_PARAMETER, filter=name, parameter=field.name)
    chosen = {
        given: _converted(name, given, str(known[given].type), value)
        for given, value in settings.items()
        if given != "name"
    }
    found: Filter = FILTERS[name](**chosen)
    return found


def _nearest(given: str, known: Mapping[str, object]) -> Text:
    close = get_close_matches(given, list(known), n=1)
    if close:
        return text("nearest is '{nearest}'", nearest=close[0])
    return text("there are {known}", known=", ".join(known))


def _converted(name: str, parameter: str, kind: str, value: object) -> object:
    if value is None and kind.endswith("| None"):
        return None
    convert = _CONVERT[kind.removesuffix(" | None")]
    try:
        return convert(value)
    except _NotAllowedError as refused:
        raise bad_parameter(name, parameter, value, refused.allowed) from None


class _NotAllowedError(Exception):
    def __init__(self, allowed: Text) -> None:
        self.allowed = allowed
        super().__init__(str(allowed))


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _NotAllowedError(text("a number"))
    return float(value)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise _NotAllowedError(text("a whole number"))
    return int(value)


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise _NotAllowedError(text("true or false"))
    return value


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise _NotAllowedError(text("a word"))
    return value


def _wholes(value: object) -> tuple[int, ...]:
    if not isinstance(value, list | tuple):
        raise _NotAllowedError(text("a list of whole numbers"))
    return tuple(_whole(one) for one in value)


def _isotropic(value: object) -> Filter:
    inner = filter_of(value) if isinstance(value, Mapping) else value
    if not isinstance(inner, LaplacianOfGaussian | NonseparableWavelet):
        raise _NotAllowedError(text("a laplacian_of_gaussian or a nonseparable_wavelet"))
    return inner


def _one_of(choices: type[StrEnum]) -> Callable[[object], object]:
    def chosen(value: object) -> object:
        try:
            return choices(str(value))
        except ValueError:
            raise _NotAllowedError(text("one of {known}", known=", ".join(choices))) from None

    return chosen


_CONVERT: Mapping[str, Callable[[object], object]] = MappingProxyType(
    {
        "float": _number,
        "int": _whole,
        "bool": _switch,
        "str": _word,
        "tuple[int, ...]": _wholes,
        "Boundary": Boundary.of,
        "Pooling": _one_of(Pooling),
        "Part": _one_of(Part),
        "FrequencyGrid": _one_of(FrequencyGrid),
        "LaplacianOfGaussian | NonseparableWavelet": _isotropic,
    }
)
"""How plain values become those of a field, by the field's annotation."""
