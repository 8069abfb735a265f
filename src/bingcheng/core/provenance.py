"""Where a number comes from: enough to make it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import bingcheng


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Which measure in which revision, with which parameters, on which DICOM instances or series, by which release.

    `parameters` are JSON values by name; `inputs` are the UIDs of the series (and segmentation) that were read.
    """

    measure: str
    revision: int
    parameters: Mapping[str, object] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    package: str = "bingcheng"
    version: str = bingcheng.__version__

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))

    def __reduce__(self) -> tuple[object, ...]:
        stored = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return _again, (stored | {"parameters": dict(self.parameters)},)


def _again(stored: dict[str, Any]) -> Provenance:
    return Provenance(**stored)
