"""Voxels that the scanner recorded no value for, and what neighbours see instead."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.image.volume import Volume

TOO_LARGE = Problem(
    code="quantify.intensity-too-large",
    says="an intensity of {intensity} is larger than any that can be computed with; the largest is {largest}",
    remedy="Scale the intensities, or mark such voxels as having no value.",
    owner=Owner.PHYSICIST,
)
NOT_REAL = Problem(
    code="quantify.intensities-not-real",
    says="the image holds numbers of the type {type}, but intensities are real numbers",
    remedy="Give the magnitude of a complex image, or another image made of it.",
    owner=Owner.DEVELOPER,
)

LARGEST = 1e37
"""No scanner records more. What splines add to it between voxels (a factor of 4 in three dimensions) stays within
single precision, and fourth powers and sums of a lesion's voxels stay within double precision."""

Box = tuple[slice, slice, slice]


def recorded(volume: Volume, box: Box) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """The voxels of a box, finite everywhere, and which of them were recorded (None: all).

    A voxel that is not valid or not finite takes the value of the nearest recorded one of the box (in mm), or 0 if
    there is none.

    Raises
    ------
    InputError
        ``quantify.intensities-not-real``; ``quantify.intensity-too-large``: a recorded voxel of the box is finite, but
        that large.
    """
    if volume.voxels.dtype.kind not in "biuf":
        raise InputError(NOT_REAL, type=volume.voxels.dtype.name)
    voxels = volume.voxels[box]
    known = None if volume.valid is None else volume.valid[box]
    if voxels.dtype.kind == "f":
        finite = np.isfinite(voxels)
        known = finite if known is None else known & finite
    if known is None or known.all():
        _refuse_too_large(voxels)
        return voxels, None
    if not known.any():
        return np.zeros(voxels.shape, dtype=voxels.dtype), known
    _refuse_too_large(voxels[known])
    from scipy.ndimage import distance_transform_edt  # noqa: PLC0415 - images with gaps are rare

    nearest = distance_transform_edt(
        ~known, sampling=volume.geometry.spacing_mm, return_distances=False, return_indices=True
    )
    return voxels[tuple(nearest)], known


def _refuse_too_large(values: NDArray[Any]) -> None:
    if values.dtype.kind != "f" or not values.size:
        return
    for extreme in (float(values.max()), float(values.min())):
        if abs(extreme) > LARGEST:
            raise InputError(TOO_LARGE, intensity=extreme, largest=LARGEST)
