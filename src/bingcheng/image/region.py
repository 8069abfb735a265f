"""A region of a volume: which voxels, or which fraction of each, belong to a lesion or an organ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.codes import Code
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Volume, read_only


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Region:
    """Membership on a box of a volume's grid: only the bounding box is stored.

    Parameters
    ----------
    mask : (z, y, x) of the box; boolean, or float32 in [0, 1] where a voxel belongs in part.
    start : index (z, y, x) in the volume at which the box begins.
    grid : geometry of the whole volume.
    label : what it is, e.g. ``liver`` or the segment's label; never patient data.
    tracking_uid : the same for the same lesion at other time points and in other series; None if not tracked.
    code : coded segment type, if known.
    method : how it was drawn (``manual``, ``semi-automatic``, algorithm name), stored with every number.
    source_uid : SOP Instance UID of the segmentation, None if made here.
    """

    mask: NDArray[Any]
    start: tuple[int, int, int]
    grid: VolumeGeometry
    label: str
    tracking_uid: str | None = None
    code: Code | None = None
    method: str = ""
    source_uid: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "mask", read_only(self.mask))

    @staticmethod
    def of(
        full: NDArray[Any],
        grid: VolumeGeometry,
        *,
        label: str,
        tracking_uid: str | None = None,
        code: Code | None = None,
        method: str = "",
        source_uid: str | None = None,
    ) -> Region:
        """The region of a full-size mask (z, y, x), cropped to its bounding box; an empty one has an empty box."""
        inside = full if full.dtype == bool else full > 0
        # The slices first: of most masks nearly all are empty, and need not be looked at along two more axes.
        first, last = _bounds(inside.any(axis=(1, 2)))
        plane = inside[first:last].any(axis=0)
        bounds = [(first, last), _bounds(plane.any(axis=1)), _bounds(plane.any(axis=0))]
        box = tuple(slice(low, high) for low, high in bounds)
        mask = np.ascontiguousarray(full[box])
        start = (bounds[0][0], bounds[1][0], bounds[2][0])
        return Region(
            mask=mask,
            start=start,
            grid=grid,
            label=label,
            tracking_uid=tracking_uid,
            code=code,
            method=method,
            source_uid=source_uid,
        )

    @property
    def geometry(self) -> VolumeGeometry:
        """The geometry of the box."""
        z, y, x = self.mask.shape
        return self.grid.box(self.start, (z, y, x))

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Boolean (z, y, x) of the box: voxels that belong at least half."""
        mask: NDArray[np.bool_] = self.mask if self.mask.dtype == bool else self.mask >= 0.5
        return mask

    @property
    def empty(self) -> bool:
        """Whether no voxel belongs."""
        return not self.inside.any()

    def box(self, margin: tuple[int, int, int] = (0, 0, 0)) -> tuple[slice, slice, slice]:
        """Slices of the volume that hold the region with a margin in voxels (z, y, x), clipped at the volume's edge."""
        low = [max(0, s - m) for s, m in zip(self.start, margin, strict=True)]
        high = [
            min(n, s + size + m)
            for s, size, m, n in zip(self.start, self.mask.shape, margin, self.grid.shape, strict=True)
        ]
        return slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2])

    def inside_box(self, box: tuple[slice, slice, slice]) -> NDArray[np.bool_]:
        """The boolean mask on another box of the same volume (as from `box`), which must contain the region."""
        full = np.zeros(tuple(s.stop - s.start for s in box), dtype=bool)
        target = tuple(
            slice(start - s.start, start - s.start + size)
            for start, s, size in zip(self.start, box, self.mask.shape, strict=True)
        )
        full[target] = self.inside
        return full

    def values(self, volume: Volume) -> NDArray[Any]:
        """The values (n,) of the volume's voxels that belong, in index order; the volume has the region's grid."""
        found: NDArray[Any] = volume.voxels[self.box()][self.inside]
        return found


def _bounds(line: NDArray[np.bool_]) -> tuple[int, int]:
    hits = np.flatnonzero(line)
    return (int(hits[0]), int(hits[-1]) + 1) if hits.size else (0, 0)
