"""Many rows in one test: all of which something does not hold are named together, each with what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest


def each(rows: Iterable[tuple[str, tuple[Any, ...]]], holds: Callable[..., None]) -> None:
    """Fail with the names of all rows of which it does not hold.

    Parameters
    ----------
    rows : a name for each, and what `holds` is called with.
    """
    found, count = [], 0
    for name, given in rows:
        count += 1
        try:
            holds(*given)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other rows are looked at too
            found.append(f"{name}: {type(error).__name__}: {error}")
    assert count, "there is nothing of which it could hold"
    if found:
        pytest.fail("\n\n".join((f"{len(found)} of {count}", *found)), pytrace=False)
