"""The deformation that remains after a rigid motion, by fast symmetric-forces demons in several resolutions.

Source: Vercauteren, Pennec, Perchant and Ayache, NeuroImage 2009;45:S61, as SimpleITK implements it. The number of
steps is fixed, so nothing depends on the order of a sum, and every machine gives the same field.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.registration.displacement import Displacement
from bingcheng.image.registration.itk import image_of, itk
from bingcheng.image.resample import averaged
from bingcheng.image.volume import Volume

SCALE = np.float32(1000.0)
"""Demons are written for values of this size."""
NOTHING = 2.0
"""Differences below 0.2 % of the window (3 HU) ask for no movement; else noise would move what has no structure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One resolution: its spacing as a multiple of the finest, and how many steps are made."""

    coarser: int
    steps: int


def deformation(
    fixed: NDArray[np.float32],
    moving: NDArray[np.float32],
    grid: VolumeGeometry,
    levels: tuple[Level, ...],
    *,
    smoothing_voxels: float,
    start: Displacement | None = None,
) -> Displacement:
    """The field that carries points of `fixed` to the same tissue in `moving`.

    Parameters
    ----------
    fixed, moving : (z, y, x) on the same upright grid, 0 to 1.
    levels : from coarse to fine.
    smoothing_voxels : standard deviation with which the field is smoothed after each step, in voxels of the level.
    start : a field to begin with, on any grid.
    """
    field = start
    for level in levels:
        one, two, coarse = _coarser(fixed, moving, grid, level.coarser)
        field = _demons(one, two, coarse, field, level.steps, smoothing_voxels)
    if field is None:
        return Displacement(vectors_mm=np.zeros((*grid.shape, 3), dtype=np.float32), grid=grid)
    return field


def _coarser(
    fixed: NDArray[np.float32], moving: NDArray[np.float32], grid: VolumeGeometry, factor: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], VolumeGeometry]:
    if factor == 1:
        return fixed, moving, grid
    size = factor * grid.spacing_mm[0]
    one, two = (
        averaged(Volume(voxels=values, geometry=grid, unit="1"), size, window=(-np.inf, np.inf))
        for values in (fixed, moving)
    )
    return one.voxels, two.voxels, one.geometry


def _demons(
    fixed: NDArray[np.float32],
    moving: NDArray[np.float32],
    grid: VolumeGeometry,
    start: Displacement | None,
    steps: int,
    smoothing_voxels: float,
) -> Displacement:
    sitk = itk()
    demons = sitk.FastSymmetricForcesDemonsRegistrationFilter()
    demons.SetNumberOfIterations(steps)
    demons.SetMaximumRMSError(0.0)
    demons.SetSmoothDisplacementField(True)
    demons.SetIntensityDifferenceThreshold(NOTHING)
    demons.SetStandardDeviations(smoothing_voxels)
    images = [image_of(values * SCALE, grid) for values in (fixed, moving)]
    if start is not None:
        vectors = sitk.Resample(
            image_of(start.vectors_mm.astype(np.float64), start.grid, vectors=True),
            images[0],
            sitk.Transform(),
            sitk.sitkLinear,
            0.0,
            sitk.sitkVectorFloat64,
            True,
        )
        images.append(vectors)
    found = demons.Execute(*images)
    return Displacement(vectors_mm=sitk.GetArrayFromImage(found).astype(np.float32), grid=grid)
