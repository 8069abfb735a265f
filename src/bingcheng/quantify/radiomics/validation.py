"""What a setting may be, and what is said of one that may not."""

from __future__ import annotations

import math
from collections.abc import Iterable
from difflib import get_close_matches
from enum import Enum
from typing import TypeVar

from bingcheng.core.errors import InputError, Owner, Problem

SETTING_NOT_ALLOWED = Problem(
    code="quantify.radiomics-setting-not-allowed",
    says="the radiomics setting '{name}' is {value}; allowed is {allowed}",
    remedy="Correct the setting and run it again.",
    owner=Owner.PHYSICIST,
)
SETTING_UNKNOWN = Problem(
    code="quantify.radiomics-setting-unknown",
    says="'{name}' is not a radiomics setting; the nearest known one is '{nearest}'",
    remedy="Write the setting as the documentation names it, or leave it out.",
    owner=Owner.PHYSICIST,
)

Choice = TypeVar("Choice", bound=Enum)


def not_allowed(name: str, value: object, allowed: str) -> InputError:
    """The error of a setting with a value that is not allowed."""
    return InputError(SETTING_NOT_ALLOWED, name=name, value=str(value), allowed=allowed)


def number(name: str, value: object, *, above: float | None = None, at_least: float | None = None) -> float:
    """`value` as a finite float within its bounds.

    Raises
    ------
    InputError
        ``quantify.radiomics-setting-not-allowed``.
    """
    bound = "" if above is None and at_least is None else f" above {above:g}" if above is not None else ""
    bound = f" of at least {at_least:g}" if at_least is not None else bound
    allowed = f"a finite number{bound}"
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise not_allowed(name, value, allowed)
    if (above is not None and value <= above) or (at_least is not None and value < at_least):
        raise not_allowed(name, value, allowed)
    return float(value)


def whole(name: str, value: object, low: int, high: int) -> int:
    """`value` as a whole number from `low` to `high`.

    Raises
    ------
    InputError
        ``quantify.radiomics-setting-not-allowed``.
    """
    # Bounds first: infinity and NaN are no whole numbers, and must not be made one.
    if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high and value == int(value):
        return int(value)
    raise not_allowed(name, value, f"a whole number from {low} to {high}")


def choice(name: str, value: object, kind: type[Choice]) -> Choice:
    """The member of `kind` that `value` is or names.

    Raises
    ------
    InputError
        ``quantify.radiomics-setting-not-allowed``.
    """
    try:
        return kind(value)
    except ValueError:
        raise not_allowed(name, value, ", ".join(str(one.value) for one in kind)) from None


def known_only(given: Iterable[str], known: Iterable[str], within: str = "") -> None:
    """Refuse names that are no settings.

    Raises
    ------
    InputError
        ``quantify.radiomics-setting-unknown``.
    """
    names = list(known)
    for name in given:
        if name not in names:
            near = get_close_matches(str(name), names, n=1, cutoff=0.0)
            prefix = f"{within}." if within else ""
            raise InputError(SETTING_UNKNOWN, name=f"{prefix}{name}", nearest=f"{prefix}{near[0]}" if near else "-")
