"""Everything that was done to a lesion by hand, in order: undone and redone at will, and told with its numbers."""

from __future__ import annotations

import copy
import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from bingcheng.image.region import Region

EDITED = "; edited: "
"""Stands between how a region was drawn and the corrections by hand, in `Region.method`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EditStep:
    """One correction: what was done, with which parameters, and what came of it."""

    action: str
    parameters: Mapping[str, object]
    result: Region

    def __post_init__(self) -> None:
        # Copied: what the caller later does to a position that it gave must not rewrite the record.
        object.__setattr__(self, "parameters", MappingProxyType(copy.deepcopy(dict(self.parameters))))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EditHistory:
    """A region and its corrections; never changed, each action gives a new one.

    Parameters
    ----------
    drawn : as it was before any correction.
    steps : all corrections, including undone ones.
    done : how many of them hold.
    """

    drawn: Region
    steps: tuple[EditStep, ...] = ()
    done: int = 0

    @property
    def region(self) -> Region:
        """The lesion as corrected; its method says how it was drawn and which corrections it had."""
        if self.done == 0:
            return self.drawn
        counted = Counter(step.action for step in self.steps[: self.done])
        said = ", ".join(f"{action} x{count}" if count > 1 else action for action, count in counted.items())
        result = self.steps[self.done - 1].result
        return dataclasses.replace(result, method=f"{self.drawn.method}{EDITED}{said}")

    @property
    def can_undo(self) -> bool:
        """Whether a correction holds."""
        return self.done > 0

    @property
    def can_redo(self) -> bool:
        """Whether a correction was undone and none made since."""
        return self.done < len(self.steps)

    def edited(self, function: Callable[..., Region], **parameters: Any) -> EditHistory:
        """With one more correction by a function of `bingcheng.quantify.lesion.edit`; what was undone is gone.

        Raises
        ------
        BingchengError
            whatever the function raises; this history stays as it is.
        """
        result = function(self.region, **parameters)
        step = EditStep(action=function.__name__, parameters=parameters, result=result)
        kept = (*self.steps[: self.done], step)
        return EditHistory(drawn=self.drawn, steps=kept, done=len(kept))

    def undo(self) -> EditHistory:
        """Without the last correction; the same if there is none."""
        return dataclasses.replace(self, done=max(0, self.done - 1))

    def redo(self) -> EditHistory:
        """With the correction that was undone last; the same if there is none."""
        return dataclasses.replace(self, done=min(len(self.steps), self.done + 1))

    def recorded(self) -> list[dict[str, object]]:
        """The corrections that hold, as JSON values, for the provenance."""
        return [
            {"action": step.action, "parameters": {name: _as_json(value) for name, value in step.parameters.items()}}
            for step in self.steps[: self.done]
        ]


def _as_json(value: object) -> object:
    """A parameter as JSON holds it: positions are often numpy's."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_as_json(one) for one in value]
    return value
