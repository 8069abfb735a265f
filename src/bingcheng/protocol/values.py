"""What a criterion speaks of: a number, a word, a yes or no, or several of them; and how people read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from bingcheng.core.units import unit as known_unit
from bingcheng.core.wording import Text, text

Value = float | str | bool | tuple[float, ...] | tuple[str, ...]


class Kind(StrEnum):
    """The shape of a value."""

    NUMBER = "number"
    WORD = "word"
    FLAG = "yes or no"
    NUMBERS = "numbers"
    WORDS = "words"

    @property
    def numeric(self) -> bool:
        """Whether such a value has a unit."""
        return self in (Kind.NUMBER, Kind.NUMBERS)


def is_number(value: object) -> bool:
    """Whether `value` is a number; a yes or no is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def of_kind(value: object, kind: Kind) -> bool:
    """Whether `value` has the shape `kind`."""
    several = isinstance(value, tuple)
    inner = value if isinstance(value, tuple) else (value,)
    match kind:
        case Kind.NUMBER | Kind.NUMBERS:
            fits = all(is_number(v) for v in inner)
        case Kind.WORD | Kind.WORDS:
            fits = all(isinstance(v, str) for v in inner)
        case Kind.FLAG:
            fits = isinstance(value, bool)
    return fits and several == (kind in (Kind.NUMBERS, Kind.WORDS))


def as_text(value: object, *, unit: str = "1", words: Mapping[str, Text] | None = None) -> Text:
    """`value` as people read it, with the symbol of its unit; `words` names the words of a closed vocabulary."""
    if isinstance(value, bool):
        return text("yes") if value else text("no")
    symbol = known_unit(unit).symbol
    if isinstance(value, int | float):
        return text("{value} {unit}", value=value, unit=symbol) if symbol else text("{value}", value=value)
    shown = listed(value, words) if isinstance(value, tuple | list) else _one(value, words)
    return text("{value} {unit}", value=shown, unit=symbol) if symbol else shown


def listed(values: Sequence[object], words: Mapping[str, Text] | None = None) -> Text:
    """Several values with commas between them; what the commas are is the language's affair."""
    if not values:
        return text("none")
    shown = _one(values[0], words)
    for value in values[1:]:
        shown = text("{first}, {next}", first=shown, next=_one(value, words))
    return shown


def _one(value: object, words: Mapping[str, Text] | None) -> Text:
    if isinstance(value, str):
        return (words or {}).get(value) or text("{value}", value=value)
    if isinstance(value, Text):
        return value
    assert isinstance(value, int | float)
    return text("{value}", value=value)
