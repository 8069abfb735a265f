"""Where a lesion lies, for matching: its centre, its size, some of its points, and how far any point is from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.image.region import Region

EMPTY_LESION = Problem(
    code="quantify.matching-empty-lesion",
    says="a lesion to be matched holds no voxel: {label}",
    remedy="Draw it, or leave it out.",
    owner=Owner.RADIOLOGIST,
)

MOST_POINTS = 600
"""Points that stand for a lesion: shares are then known to 0.02 (binomial standard deviation of a half)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """One lesion in its exam.

    Parameters
    ----------
    region : as drawn.
    points_mm : centres of some of its voxels (n, 3), LPS.
    centre_mm : of mass.
    volume_mm3, radius_mm : its volume, and the radius of the sphere of that volume.
    """

    region: Region
    points_mm: NDArray[np.float64]
    centre_mm: NDArray[np.float64]
    volume_mm3: float
    radius_mm: float

    @staticmethod
    def of(region: Region) -> Place:
        """The place of a region.

        Raises
        ------
        InputError
            ``quantify.matching-empty-lesion``.
        """
        inside = region.inside if region.inside.any() else region.mask > 0
        index = np.argwhere(inside)
        if len(index) == 0:
            raise InputError(EMPTY_LESION, label=region.label)
        geometry = region.geometry
        volume = float(region.mask.sum(dtype=float)) * geometry.voxel_mm3
        return Place(
            region=region,
            points_mm=geometry.to_mm(index[:: max(1, -(-len(index) // MOST_POINTS))]),
            centre_mm=geometry.to_mm(index.mean(axis=0)),
            volume_mm3=volume,
            radius_mm=float(np.cbrt(volume * 0.75 / np.pi)),
        )

    def distances_mm(self, points_mm: NDArray[np.float64], reach_mm: float) -> NDArray[np.float64]:
        """How far points (n, 3) lie from the nearest voxel centre of the lesion; infinite beyond `reach_mm`."""
        geometry, inside = self.region.geometry, self.region.mask > 0
        margin = [int(np.ceil(reach_mm / s)) + 1 for s in geometry.spacing_mm]
        apart = ndimage.distance_transform_edt(~np.pad(inside, [(m, m) for m in margin]), sampling=geometry.spacing_mm)
        index = np.rint(geometry.to_index(points_mm)).astype(int) + margin
        known = ((index >= 0) & (index < apart.shape)).all(axis=1)
        found = np.full(len(index), np.inf)
        found[known] = apart[tuple(index[known].T)]
        found[found > reach_mm] = np.inf
        return found
