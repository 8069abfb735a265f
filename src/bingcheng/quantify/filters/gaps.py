"""Voxels that the scanner recorded no value for, and what neighbours see instead."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.image.volume import Volume

Box = tuple[slice, slice, slice]


def recorded(volume: Volume, box: Box) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """The voxels of a box, finite everywhere, and which of them were recorded (None: all).

    A voxel that is not valid or not finite takes the value of the nearest recorded one of the box (in mm), or 0 if
    there is none.
    """
    voxels = volume.voxels[box]
    known = None if volume.valid is None else volume.valid[box]
    if voxels.dtype.kind == "f":
        finite = np.isfinite(voxels)
        known = finite if known is None else known & finite
    if known is None or known.all():
        return voxels, None
    if not known.any():
        return np.zeros(voxels.shape, dtype=voxels.dtype), known
    from scipy.ndimage import distance_transform_edt  # noqa: PLC0415 - images with gaps are rare

    nearest = distance_transform_edt(
        ~known, sampling=volume.geometry.spacing_mm, return_distances=False, return_indices=True
    )
    return voxels[tuple(nearest)], known
