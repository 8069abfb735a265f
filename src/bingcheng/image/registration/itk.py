"""SimpleITK at this border: arrays in upright grids become its images, and back."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.image.geometry import VolumeGeometry


def itk() -> Any:
    """SimpleITK, loaded when the first pair is registered: it holds 90 MiB in every process that imports it."""
    return import_module("SimpleITK")


def image_of(voxels: NDArray[np.generic], grid: VolumeGeometry, *, vectors: bool = False) -> Any:
    """The image of an array (z, y, x), or of vectors (z, y, x, 3), on an upright grid."""
    image = itk().GetImageFromArray(voxels, isVector=vectors)
    image.SetSpacing(tuple(reversed(grid.spacing_mm)))
    image.SetOrigin(grid.origin_mm)
    return image
