"""The operators that protocols may use: what each demands, how far a value lies beyond it, how people read it.

Each is a constant found by the catalogue. `examples` gives a value that meets a limit and one that does not, so that
every criterion of every protocol can be tested without a word written about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from bingcheng.core.catalogue import Catalogue
from bingcheng.core.units import unit as known_unit
from bingcheng.core.wording import Text, text
from bingcheng.protocol.values import Kind, Value, as_text, is_number

EPSILON = 1e-9
"""Relative room for binary rounding of decimal headers: 0.1 + 0.2 is not beyond 0.3."""


class Shape(StrEnum):
    """What the limit of an operator looks like."""

    NOTHING = "no value, or true"
    ONE = "one value of the attribute's kind"
    RANGE = "two ascending numbers"
    SEVERAL = "a list of values of the attribute's kind"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operator:
    """The description of an operator.

    Parameters
    ----------
    key : how protocols write it.
    takes : kinds of attribute that it judges.
    shape : what its limit looks like.
    holds : ``(value, limit, tolerance) -> bool``.
    phrase : the limit for people, around the words of its value. It must read on after "the protocol asks for", after
        "asked" and after a colon: a noun with what belongs to it, never a clause.
    beyond : ``(value, limit)``: how far outside, negative = inside; None where there is no distance.
    examples : ``limit, tolerance -> (meets, fails)``.
    needs_baseline : whether the limit is the baseline's value.
    absence_fails : whether a value that no header gives is a failure rather than unknown: what is asked is the record.
    """

    key: str
    takes: frozenset[Kind]
    shape: Shape
    holds: Callable[[Any, Any, float], bool]
    phrase: Callable[[Text], Text]
    examples: Callable[[Any, float], tuple[Value, Value]]
    beyond: Callable[[Any, Any], float | None] | None = None
    needs_baseline: bool = False
    absence_fails: bool = False


@cache
def operators() -> Catalogue[Operator]:
    """All operators of this installation."""
    return Catalogue.of(Operator, __name__)


def limit_said(operator: Operator, limit: object, *, unit: str, words: Mapping[str, Text]) -> Text:
    """What `operator` asks for with `limit`, as people read it."""
    if limit is None or (operator.shape is Shape.NOTHING and not operator.needs_baseline):
        return operator.phrase(text("the same value"))
    if operator.shape is Shape.RANGE and isinstance(limit, tuple) and limit[0] != limit[1]:
        symbol = known_unit(unit).symbol
        if symbol:
            return operator.phrase(text("{low} to {high} {unit}", low=limit[0], high=limit[1], unit=symbol))
        return operator.phrase(text("{low} to {high}", low=limit[0], high=limit[1]))
    shown = limit[0] if operator.shape is Shape.RANGE and isinstance(limit, tuple) else limit
    return operator.phrase(as_text(shown, unit=unit, words=words))


def equal(a: object, b: object, tolerance: float) -> bool:
    """Whether two values are the same: numbers within `tolerance`, words but for case and outer blanks."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(equal(x, y, tolerance) for x, y in zip(a, b, strict=True))
    if isinstance(a, str) and isinstance(b, str):
        return a.strip().casefold() == b.strip().casefold()
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return abs(a - b) <= _room(b, tolerance)
    return a == b


def _room(limit: float, tolerance: float) -> float:
    return tolerance + EPSILON * max(1.0, abs(limit))


def _inside(value: float, limit: tuple[float, float], tolerance: float) -> bool:
    return limit[0] - _room(limit[0], tolerance) <= value <= limit[1] + _room(limit[1], tolerance)


def _outside_by(value: float, limit: tuple[float, float]) -> float:
    return max(limit[0] - value, value - limit[1])


def _holds_any(value: tuple[Any, ...], wanted: object, tolerance: float) -> bool:
    return any(equal(one, wanted, tolerance) for one in value)


def _step(limit: float, tolerance: float) -> float:
    return max(abs(limit) * 0.1, 4.0 * tolerance, 0.01)


def _another(limit: Any, tolerance: float) -> Value:
    if isinstance(limit, bool):
        return not limit
    if isinstance(limit, str):
        return f"not {limit}"
    if isinstance(limit, tuple):
        return tuple(_another(one, tolerance) for one in limit)  # type: ignore[return-value]
    return float(limit + _step(limit, tolerance))


def _between_examples(limit: tuple[float, float], tolerance: float) -> tuple[Value, Value]:
    return (limit[0] + limit[1]) / 2.0, limit[1] + _step(limit[1], tolerance)


def _any_in_examples(limit: tuple[float, float], tolerance: float) -> tuple[Value, Value]:
    meets, fails = _between_examples(limit, tolerance)
    beside = 0.0 if limit[0] > 0.0 else fails
    return (0.0, float(meets)), (float(beside), float(fails))  # type: ignore[arg-type]


def _in_examples(limit: tuple[Any, ...], tolerance: float) -> tuple[Value, Value]:
    largest = max(limit)
    return limit[0], _another(largest, tolerance)


NUMBER = frozenset({Kind.NUMBER})
NUMBERS = frozenset({Kind.NUMBERS})
SINGLE = frozenset({Kind.NUMBER, Kind.WORD, Kind.FLAG})
SEVERAL = frozenset({Kind.NUMBERS, Kind.WORDS})
EVERY = frozenset(Kind)

AT_MOST = Operator(
    key="<=",
    takes=NUMBER,
    shape=Shape.ONE,
    holds=lambda value, limit, tolerance: value <= limit + _room(limit, tolerance),
    beyond=lambda value, limit: value - limit,
    phrase=lambda limit: text("at most {limit}", limit=limit),
    examples=lambda limit, tolerance: (float(limit), limit + _step(limit, tolerance)),
)
BELOW = Operator(
    key="<",
    takes=NUMBER,
    shape=Shape.ONE,
    holds=lambda value, limit, tolerance: value < limit - EPSILON * max(1.0, abs(limit)),  # noqa: ARG005
    beyond=lambda value, limit: value - limit,
    phrase=lambda limit: text("below {limit}", limit=limit),
    examples=lambda limit, tolerance: (limit - _step(limit, tolerance), float(limit)),
)
AT_LEAST = Operator(
    key=">=",
    takes=NUMBER,
    shape=Shape.ONE,
    holds=lambda value, limit, tolerance: value >= limit - _room(limit, tolerance),
    beyond=lambda value, limit: limit - value,
    phrase=lambda limit: text("at least {limit}", limit=limit),
    examples=lambda limit, tolerance: (float(limit), limit - _step(limit, tolerance)),
)
ABOVE = Operator(
    key=">",
    takes=NUMBER,
    shape=Shape.ONE,
    holds=lambda value, limit, tolerance: value > limit + EPSILON * max(1.0, abs(limit)),  # noqa: ARG005
    beyond=lambda value, limit: limit - value,
    phrase=lambda limit: text("above {limit}", limit=limit),
    examples=lambda limit, tolerance: (limit + _step(limit, tolerance), float(limit)),
)
BETWEEN = Operator(
    key="between",
    takes=NUMBER,
    shape=Shape.RANGE,
    holds=_inside,
    beyond=_outside_by,
    phrase=lambda limit: limit,
    examples=_between_examples,
)
ALL_IN = Operator(
    key="all_in",
    takes=NUMBERS,
    shape=Shape.RANGE,
    holds=lambda value, limit, tolerance: all(_inside(one, limit, tolerance) for one in value),
    beyond=lambda value, limit: max(_outside_by(one, limit) for one in value),
    phrase=lambda limit: text("only values of {limit}", limit=limit),
    examples=lambda limit, tolerance: tuple((one, one) for one in _between_examples(limit, tolerance)),  # type: ignore[return-value, arg-type]
)
ANY_IN = Operator(
    key="any_in",
    takes=NUMBERS,
    shape=Shape.RANGE,
    holds=lambda value, limit, tolerance: any(_inside(one, limit, tolerance) for one in value),
    beyond=lambda value, limit: min(_outside_by(one, limit) for one in value),
    phrase=lambda limit: text("a value of {limit} among them", limit=limit),
    examples=_any_in_examples,
)
ANY_AT_LEAST = Operator(
    key="any_ge",
    takes=NUMBERS,
    shape=Shape.ONE,
    holds=lambda value, limit, tolerance: max(value) >= limit - _room(limit, tolerance),
    beyond=lambda value, limit: limit - max(value),
    phrase=lambda limit: text("a value of at least {limit} among them", limit=limit),
    examples=lambda limit, tolerance: ((0.0, float(limit)), (0.0, limit - _step(limit, tolerance))),
)
MAX_AT_MOST = Operator(
    key="max_le",
    takes=NUMBERS,
    shape=Shape.ONE,
    holds=lambda value, limit, tolerance: max(value) <= limit + _room(limit, tolerance),
    beyond=lambda value, limit: max(value) - limit,
    phrase=lambda limit: text("no value above {limit}", limit=limit),
    examples=lambda limit, tolerance: ((0.0, float(limit)), (0.0, limit + _step(limit, tolerance))),
)
EQUAL = Operator(
    key="==",
    takes=SINGLE,
    shape=Shape.ONE,
    holds=equal,
    beyond=lambda value, limit: abs(value - limit) if is_number(value) else None,
    phrase=lambda limit: limit,
    examples=lambda limit, tolerance: (limit, _another(limit, tolerance)),
)
DIFFERENT = Operator(
    key="!=",
    takes=SINGLE,
    shape=Shape.ONE,
    holds=lambda value, limit, tolerance: not equal(value, limit, tolerance),
    phrase=lambda limit: text("anything but {limit}", limit=limit),
    examples=lambda limit, tolerance: (_another(limit, tolerance), limit),
)
ONE_OF = Operator(
    key="in",
    takes=frozenset({Kind.NUMBER, Kind.WORD}),
    shape=Shape.SEVERAL,
    holds=lambda value, limit, tolerance: any(equal(value, one, tolerance) for one in limit),
    phrase=lambda limit: text("one of: {limit}", limit=limit),
    examples=_in_examples,
)
CONTAINS = Operator(
    key="contains_all",
    takes=SEVERAL,
    shape=Shape.SEVERAL,
    holds=lambda value, limit, tolerance: all(_holds_any(value, one, tolerance) for one in limit),
    phrase=lambda limit: text("{limit} among them", limit=limit),
    examples=lambda limit, tolerance: (limit, limit[1:]),  # noqa: ARG005
)
CONTAINS_ANY = Operator(
    key="contains_any",
    takes=SEVERAL,
    shape=Shape.SEVERAL,
    holds=lambda value, limit, tolerance: any(_holds_any(value, one, tolerance) for one in limit),
    phrase=lambda limit: text("at least one of these: {limit}", limit=limit),
    examples=lambda limit, tolerance: (limit[:1], ()),  # noqa: ARG005
)
EXCLUDES = Operator(
    key="contains_none",
    takes=SEVERAL,
    shape=Shape.SEVERAL,
    holds=lambda value, limit, tolerance: not any(_holds_any(value, one, tolerance) for one in limit),
    phrase=lambda limit: text("none of: {limit}", limit=limit),
    examples=lambda limit, tolerance: ((), limit),  # noqa: ARG005
)
SAME_LIST = Operator(
    key="list_is",
    takes=SEVERAL,
    shape=Shape.SEVERAL,
    holds=equal,
    phrase=lambda limit: text("exactly {limit}", limit=limit),
    examples=lambda limit, tolerance: (limit, _another(limit, tolerance)),
)
HAS_PART = Operator(
    key="has_part",
    takes=frozenset({Kind.WORD}),
    shape=Shape.SEVERAL,
    holds=lambda value, limit, tolerance: any(one.strip().casefold() in value.casefold() for one in limit),  # noqa: ARG005
    phrase=lambda limit: text("a text with one of these in it: {limit}", limit=limit),
    examples=lambda limit, tolerance: (f"with {limit[0]}", ""),  # noqa: ARG005
)
PRESENT = Operator(
    key="present",
    takes=frozenset({Kind.NUMBER, Kind.WORD, Kind.NUMBERS, Kind.WORDS}),
    shape=Shape.NOTHING,
    holds=lambda value, limit, tolerance: bool(value),  # noqa: ARG005 - neither empty nor zero
    phrase=lambda limit: text("a recorded value"),  # noqa: ARG005
    examples=lambda limit, tolerance: (1.0, 0.0),  # noqa: ARG005
    absence_fails=True,
)
SAME_AS_BASELINE = Operator(
    key="same_as_baseline",
    takes=EVERY,
    shape=Shape.NOTHING,
    holds=equal,
    phrase=lambda limit: text("{limit}, as at baseline", limit=limit),
    examples=lambda limit, tolerance: (limit, _another(limit, tolerance)),
    needs_baseline=True,
)
