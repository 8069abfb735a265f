"""Positions as people write them: in mm of the patient (LPS or RAS), or as indices of voxels."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from bingcheng.image.geometry import Triple, VolumeGeometry


class Frame(StrEnum):
    """In what a position is written, always in the order x, y, z.

    `LPS` is DICOM's, in mm; `RAS` that of NIfTI and of 3D Slicer's display; `VOXEL` counts column, row and slice from 0
    in the order of the image, and need not be whole.
    """

    LPS = "lps"
    RAS = "ras"
    VOXEL = "voxel"


def position_mm(written: Triple, frame: Frame, geometry: VolumeGeometry) -> Triple:
    """The LPS position in mm of what a person wrote."""
    x, y, z = written
    if frame is Frame.LPS:
        return x, y, z
    if frame is Frame.RAS:
        return -x, -y, z
    found = geometry.to_mm((z, y, x))
    return float(found[0]), float(found[1]), float(found[2])


def direction(written: Triple, frame: Frame, geometry: VolumeGeometry) -> Triple:
    """The LPS direction of what a person wrote; of voxels the way that so many steps along the axes lead."""
    if frame is not Frame.VOXEL:
        return position_mm(written, frame, geometry)
    x, y, z = written
    found = geometry.matrix @ np.asarray((z, y, x))
    return float(found[0]), float(found[1]), float(found[2])
