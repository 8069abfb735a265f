"""Inputs that several measures share (`air`, `suv`, `adc`): made from the case's givens, at most once a case."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from bingcheng.core.catalogue import attach

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Derived:
    """The description of a derived input: `key` is its name wherever it is asked for."""

    key: str
    function: Callable[..., object]
    inputs: tuple[str, ...]


def derived(function: F) -> F:
    """Describe `function` as the maker of the input that bears its name; its parameters are inputs themselves."""
    attach(
        function,
        Derived(
            key=function.__name__,
            function=function,
            inputs=tuple(p.name for p in inspect.signature(function).parameters.values() if p.default is p.empty),
        ),
    )
    return function
