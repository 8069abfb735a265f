"""Progress of a command's steps as bars on the error stream, so that what is printed can be piped on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from bingcheng.core.wording import Text
from bingcheng.outputs.language import Language

Told = Callable[[Text, int, int], None]
"""Told of each step: what is being done, how many are done, how many there are."""


@contextmanager
def progress_bars(language: Language, *, shown: bool, passing: bool = False) -> Iterator[Told]:
    """One bar a step.

    Parameters
    ----------
    passing : of a short command: the bars go when all is done, and the time that is left is not told.
    """
    columns: list[ProgressColumn] = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    ]
    if not passing:
        columns.append(TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=passing, disable=not shown) as bars:
        numbers: dict[str, int] = {}

        def told(step: Text, done: int, total: int) -> None:
            words = language.say(step)
            if words not in numbers:
                numbers[words] = bars.add_task(words, total=total)
            bars.update(bars.task_ids[numbers[words]], completed=done, total=total)

        yield told
