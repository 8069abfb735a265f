"""Long lists in pieces that a statement to a database may name: none takes any number of values."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TypeVar

AT_ONCE = 500
T = TypeVar("T")


def batches(things: Collection[T]) -> Iterator[list[T]]:
    """All of `things`, in their order, `AT_ONCE` at a time; nothing of none."""
    every = list(things)
    for start in range(0, len(every), AT_ONCE):
        yield every[start : start + AT_ONCE]
