"""What a measure is: a described function. `@measure` only attaches the description; nothing registers at import."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from bingcheng.core.catalogue import attach
from bingcheng.core.codes import Code
from bingcheng.core.measurement import Tells
from bingcheng.core.units import unit as known_unit

Givens = Mapping[str, object]


class Better(StrEnum):
    """Which way a measure improves, for charts and comparisons."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


class ReferenceKind(StrEnum):
    """Who says that the expected value is right. Our own earlier output is never a reference."""

    ANALYTIC = "analytic"
    CONSENSUS = "consensus"
    OTHER_TOOL = "other tool"
    MEASURED = "measured"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """A case with a known answer, recomputed by ``bingcheng verify`` on the user's machine.

    Parameters
    ----------
    name : what the case is, in a few words.
    case : makes the inputs; called without arguments, returns the givens by name (see `bingcheng.core.case.GIVENS`).
    expect : the value that must come out, in the measure's unit (or in the part's unit, with `part`).
    atol, rtol : allowed difference, ``|value - expect| <= atol + rtol * |expect|``.
    kind, source : who says so; `why` derives the tolerance in one sentence if the source gives none.
    part : which value, for a measure that returns a family.
    """

    name: str
    case: Callable[[], Givens]
    expect: float
    kind: ReferenceKind
    source: str
    atol: float = 0.0
    rtol: float = 0.0
    why: str = ""
    part: str | None = None

    def accepts(self, value: float) -> bool:
        """Whether `value` lies within the tolerance."""
        # An expected value that numpy computed would make this a numpy boolean, which JSON does not know.
        return bool(abs(value - self.expect) <= self.atol + self.rtol * abs(self.expect))


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One systematic part of the uncertainty that the image itself cannot show (calibration, definition).

    `relative` is a standard uncertainty (k = 1) as a fraction of the value; `absolute` one in the measure's unit.
    """

    name: str
    source: str
    relative: float = 0.0
    absolute: float = 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its standard uncertainty (k = 1), both in the measure's unit."""

    value: float
    standard_uncertainty: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One value of a family that a single pass returns."""

    label: str
    unit: str
    better: Better = Better.NEITHER
    code: Code | None = None
    ibsi: str | None = None


Answer = float | Estimate | Mapping[str, "float | Estimate"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measure:
    """The description of a measure; see `measure` for the fields."""

    key: str
    label: str
    unit: str
    modalities: frozenset[str]
    source: str
    revision: int
    function: Callable[..., Answer]
    inputs: tuple[str, ...]
    parameters: Mapping[str, object]
    better: Better
    references: tuple[Reference, ...]
    budget: tuple[Component, ...]
    parts: Mapping[str, Part]
    code: Code | None
    ibsi: str | None
    order: int = 100
    tells: Tells = Tells.SCANNER

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the values that this measure gives: its own, or one per part."""
        return tuple(f"{self.key}.{part}" for part in self.parts) if self.parts else (self.key,)


def measure(
    *,
    label: str,
    unit: str,
    modalities: Iterable[str],
    source: str,
    references: Iterable[Reference],
    revision: int = 1,
    better: Better | str = Better.NEITHER,
    budget: Iterable[Component] = (),
    parts: Mapping[str, Part] | None = None,
    code: Code | None = None,
    ibsi: str | None = None,
    order: int = 100,
    tells: Tells = Tells.SCANNER,
) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Describe a function as a measure of the catalogue.

    The function's name is the measure's key. Its parameters without a default are inputs, filled by name from the
    case (`bingcheng.core.case.GIVENS`) or from a `@derived` function of that name; those with a default are settings,
    recorded with every value. It returns a float, an `Estimate`, or a mapping of part to either, and raises
    `Undefined` where the definition gives no value.

    Parameters
    ----------
    label : the name people read, sentence case.
    unit : UCUM code (`bingcheng.core.units`).
    modalities : DICOM modalities to which it applies (``CT``, ``MR``, ``PT``).
    source : where the definition is published.
    references : cases with a known answer; at least one.
    revision : raised whenever the same input gives another value.
    better : which way it improves.
    budget : systematic parts of the uncertainty.
    parts : for a function that returns a family: what each value is.
    code : coded concept for structured reports.
    ibsi : identifier in the IBSI reference manual.
    order : where it stands in lists for people, lower first; what most people look for has less than 100.
    tells : of a measure of a whole series: of what it speaks; by default of the scanner.
    """

    def describe(function: Callable[..., Answer]) -> Callable[..., Answer]:
        known_unit(unit)
        parameters = inspect.signature(function).parameters.values()
        attach(
            function,
            Measure(
                key=function.__name__,
                label=label,
                unit=unit,
                modalities=frozenset(modalities),
                source=source,
                revision=revision,
                function=function,
                inputs=tuple(p.name for p in parameters if p.default is p.empty),
                parameters=MappingProxyType({p.name: p.default for p in parameters if p.default is not p.empty}),
                better=Better(better),
                references=tuple(references),
                budget=tuple(budget),
                parts=MappingProxyType(dict(parts or {})),
                code=code,
                ibsi=ibsi,
                order=order,
                tells=tells,
            ),
        )
        return function

    return describe
