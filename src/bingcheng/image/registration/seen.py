"""A volume as registration looks at it: upright and coarse, values 0 to 1, with its field of view and the body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.registration.appearance import appearance_of, body, otsu, window_of
from bingcheng.image.registration.rigid import Rigid
from bingcheng.image.resample import averaged, placed, upright
from bingcheng.image.volume import Volume


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """One exam on a grid.

    Parameters
    ----------
    values : (z, y, x) float32, 0 to 1.
    field : where the exam recorded values.
    body : where the patient is.
    grid : upright.
    """

    values: NDArray[np.float32]
    field: NDArray[np.bool_]
    body: NDArray[np.bool_]
    grid: VolumeGeometry


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Looking:
    """An exam whose voxels were averaged to a working size once, to be looked at on any grid from then on.

    Parameters
    ----------
    blocks : its averaged values.
    recorded : the share of each block that is no padding; None if there is none.
    window : which values become 0 and 1.
    threshold : of the body, between 0 and 1; None to find one.
    matched : whether its values must be matched to the other exam's.
    """

    blocks: Volume
    recorded: Volume | None
    window: tuple[float, float]
    threshold: float | None
    matched: bool

    @staticmethod
    def at(volume: Volume, size_mm: float) -> Looking:
        """The volume in blocks of up to `size_mm`."""
        appearance = appearance_of(volume)
        low, high = window_of(volume, appearance)
        threshold = appearance.body_above
        if threshold is not None:
            threshold = (threshold - low) / (high - low)
        recorded = None
        if volume.valid is not None:
            share = Volume(voxels=volume.valid.view(np.uint8), geometry=volume.geometry, unit="1")
            recorded = averaged(share, size_mm, window=(0.0, 1.0))
        return Looking(
            blocks=averaged(volume, size_mm, window=(low, high)),
            recorded=recorded,
            window=(low, high),
            threshold=threshold,
            matched=appearance.matched,
        )

    @property
    def constant(self) -> bool:
        """Whether there is nothing to see."""
        return self.window[1] <= self.window[0] or float(np.ptp(self.blocks.voxels)) <= 0.0

    def whole(self, spacing_mm: float) -> Seen:
        """All of it, on its own upright grid."""
        coarser = averaged(self.blocks, spacing_mm, window=self.window)
        grid = upright(self.blocks.geometry, spacing_mm)
        values, field = self._values(coarser, grid, Rigid())
        threshold = 0.6 * otsu(values[field]) if self.threshold is None else self.threshold
        return Seen(values=values, field=field, body=body(np.where(field, values, 0.0), threshold), grid=grid)

    def on(self, grid: VolumeGeometry, motion: Rigid) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Its values and its field of view at the voxels of `grid`, which lie at ``motion(p)`` in it."""
        return self._values(self.blocks, grid, motion)

    def _values(
        self, blocks: Volume, grid: VolumeGeometry, motion: Rigid
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        values, field = placed(blocks, grid, motion.rotation, motion.shift_mm)
        low, high = self.window
        values -= np.float32(low)
        values /= np.float32(high - low)
        if self.recorded is not None:
            share, _ = placed(self.recorded, grid, motion.rotation, motion.shift_mm)
            field &= share > 0.5
        return values, field
