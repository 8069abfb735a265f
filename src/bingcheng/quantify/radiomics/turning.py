"""A lesion and the image around it turned within the slice, as a patient lies on another day."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bingcheng.image.region import Region
from bingcheng.image.volume import Volume


class Turned(TypedDict):
    """The image and the lesion, both turned."""

    volume: Volume
    region: Region


def turned(volume: Volume, region: Region, angle_deg: float) -> Turned:
    """Image and lesion turned by `angle_deg` about the lesion's middle, on the same voxels.

    The image is interpolated by cubic splines within each slice; where the turned image would need what lies beyond
    its edge, the edge goes on. The outline is turned by linear interpolation; a voxel belongs where half of it does.

    Parameters
    ----------
    volume : the image around the lesion.
    region : on its grid, not empty.
    """
    _, height_mm, width_mm = volume.geometry.spacing_mm
    matrix = _matrix(math.radians(angle_deg), height_mm, width_mm)
    _, rows, columns = region.box()
    middle = np.array([0.5 * (rows.start + rows.stop - 1), 0.5 * (columns.start + columns.stop - 1)])
    offset = middle - matrix @ middle
    voxels = _slices(np.asarray(volume.voxels, dtype=np.float32), matrix, offset, order=3)
    valid = volume.valid
    if valid is not None:
        valid = _slices(valid.astype(np.float32), matrix, offset, order=1) >= 1.0
    full = np.zeros(volume.voxels.shape, dtype=region.mask.dtype)
    full[region.box()] = region.mask
    mask: NDArray[Any] = _slices(full.astype(np.float32), matrix, offset, order=1)
    if full.dtype == bool:
        mask = mask >= 0.5
    place = Region.of(mask, volume.geometry, label=region.label)
    return Turned(
        volume=replace(volume, voxels=voxels, valid=valid), region=replace(region, mask=place.mask, start=place.start)
    )


def _matrix(angle: float, height_mm: float, width_mm: float) -> NDArray[np.float64]:
    """From indices (y, x) of the turned slice to those of the slice as it is: a rotation in mm."""
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.array([[cosine, -sine * width_mm / height_mm], [sine * height_mm / width_mm, cosine]])


def _slices(
    values: NDArray[np.float32], matrix: NDArray[np.float64], offset: NDArray[np.float64], *, order: int
) -> NDArray[np.float32]:
    found = np.empty_like(values)
    for before, after in zip(values, found, strict=True):
        ndimage.affine_transform(before, matrix, offset, output=after, order=order, mode="nearest")
    return found
