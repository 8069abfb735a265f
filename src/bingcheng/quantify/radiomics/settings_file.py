"""Settings from plain values, as a settings file or a stored result holds them; `as_mapping` writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from bingcheng.quantify.filters.filter import Filter
from bingcheng.quantify.radiomics import validation
from bingcheng.quantify.radiomics.discretisation import (
    Discretisation,
    FixedBinNumber,
    FixedBinSize,
    NoDiscretisation,
)
from bingcheng.quantify.radiomics.interpolation import Interpolation
from bingcheng.quantify.radiomics.resegmentation import Resegmentation
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

_BIN_METHODS: Mapping[str, type[FixedBinSize | FixedBinNumber | NoDiscretisation]] = {
    "fixed bin size": FixedBinSize,
    "fixed bin number": FixedBinNumber,
    "none": NoDiscretisation,
}
_SHORT = {"fbs": "fixed bin size", "fbn": "fixed bin number"}


def from_mapping(given: Mapping[str, object]) -> RadiomicsSettings:
    """The settings of a mapping of plain values; what is left out has its default.

    Raises
    ------
    InputError
        ``quantify.radiomics-setting-unknown``, ``quantify.radiomics-setting-not-allowed``.
    """
    known = [one.name for one in fields(RadiomicsSettings)]
    validation.known_only(given, known)
    readers: Mapping[str, Callable[[object], object]] = {
        "interpolation": lambda value: _part("interpolation", value, Interpolation),
        "resegmentation": lambda value: _part("resegmentation", value, Resegmentation) or Resegmentation(),
        "discretisation": lambda value: _discretisation("discretisation", value),
        "volume_histogram": lambda value: _discretisation("volume_histogram", value),
        "filter": _filter,
        "families": lambda value: _listed("families", value),
        "aggregations": lambda value: _listed("aggregations", value),
    }
    read: dict[str, Any] = {
        name: readers[name](given[name]) if name in readers else given[name] for name in known if name in given
    }
    return RadiomicsSettings(**read)


def _part(name: str, value: object, kind: type[Any]) -> Any:
    if value is None:
        return None
    given = _mapping(name, value)
    validation.known_only(given, [one.name for one in fields(kind)], name)
    if kind is Interpolation and "spacing_mm" not in given:
        raise validation.not_allowed("interpolation.spacing_mm", None, "three spacings (z, y, x), not all empty")
    return kind(**{key: tuple(one) if isinstance(one, list) else one for key, one in given.items()})


def _discretisation(name: str, value: object) -> Discretisation:
    if value is None:
        return NoDiscretisation()
    given = dict(_mapping(name, value))
    method = str(given.pop("method", "")).casefold()
    kind = _BIN_METHODS.get(_SHORT.get(method, method))
    if kind is None:
        raise validation.not_allowed(f"{name}.method", method, ", ".join(_BIN_METHODS))
    needed = {FixedBinSize: "width", FixedBinNumber: "count"}.get(kind)
    validation.known_only(given, [one.name for one in fields(kind)], name)
    if needed is not None and needed not in given:
        raise validation.not_allowed(f"{name}.{needed}", None, "a number")
    return kind(**given)


def _filter(value: object) -> Filter | None:
    if value is None:
        return None
    from bingcheng.quantify.filters.catalogue import filter_of  # noqa: PLC0415 - most settings have no filter

    chosen: Filter = filter_of(_mapping("filter", value))
    return chosen


def _mapping(name: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise validation.not_allowed(name, value, "a group of settings")
    return value


def _listed(name: str, value: object) -> tuple[object, ...]:
    if not isinstance(value, list | tuple):
        raise validation.not_allowed(name, value, "a list")
    return tuple(value)
