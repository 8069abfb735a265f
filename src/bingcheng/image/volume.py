"""Volumes and stacks of volumes: voxels with their geometry and unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.image.geometry import VolumeGeometry

SHAPE_MISMATCH = Problem(
    code="image.shape-mismatch",
    says="the voxels have shape {voxels} but the geometry has {geometry}",
    remedy="Give voxels as (z, y, x) on the same grid as the geometry.",
    owner=Owner.DEVELOPER,
)


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only view of `array`; nothing is copied."""
    view = array.view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Volume:
    """Voxels (z, y, x) in a real unit, on a grid in patient space.

    Parameters
    ----------
    voxels : read-only view, float32 as a rule; values outside the reconstructed field (padding) are NaN-free: see
        `valid`.
    geometry : the grid.
    unit : UCUM code of the voxel values.
    valid : boolean (z, y, x), False where the scanner recorded no value (pixel padding); None if all are valid.
    """

    voxels: NDArray[Any]
    geometry: VolumeGeometry
    unit: str
    valid: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        if self.voxels.shape != self.geometry.shape:
            raise InputError(SHAPE_MISMATCH, voxels=str(self.voxels.shape), geometry=str(self.geometry.shape))
        object.__setattr__(self, "voxels", read_only(self.voxels))
        if self.valid is not None:
            object.__setattr__(self, "valid", read_only(self.valid))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """Volumes of one grid along one more axis, in the order of its values.

    Parameters
    ----------
    volumes : one per value, all of the same grid and unit.
    axis : what changes: ``b_value``, ``echo_time``, ``time``, ``phase``.
    values : strictly increasing, in `unit`.
    unit : UCUM code of `values` (``s/mm2``, ``ms``, ``s``, ``1``).
    """

    volumes: tuple[Volume, ...]
    axis: str
    values: tuple[float, ...]
    unit: str

    @property
    def geometry(self) -> VolumeGeometry:
        """The grid that all volumes share."""
        return self.volumes[0].geometry

    def __len__(self) -> int:
        return len(self.volumes)

    def __iter__(self) -> Iterator[tuple[float, Volume]]:
        return iter(zip(self.values, self.volumes, strict=True))
