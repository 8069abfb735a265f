"""NIfTI in and out. Files are RAS, volumes here LPS; SimpleITK turns one into the other at this border.

Grids that are not at right angles, which SimpleITK can't hold, are read and written by `sheared_nifti`.
"""

from __future__ import annotations

import math
import zlib
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.image.geometry import Triple, VolumeGeometry, require_possible
from bingcheng.image.nifti_header import UNREADABLE_NIFTI, require_plain_header
from bingcheng.image.region import Region
from bingcheng.image.sheared_nifti import sheared_image, sheared_voxels, write_sheared
from bingcheng.image.volume import Volume

NOT_THREE_DIMENSIONAL = Problem(
    code="image.nifti-not-3d",
    says="the NIfTI image has {dimensions} dimensions, not 3, or more than one value a voxel",
    remedy="Split it into one file a volume.",
    owner=Owner.OPERATOR,
)
NO_MASK = Problem(
    code="image.nifti-no-mask",
    says="the file holds {count} different values: it is an image, and no mask",
    remedy="Give the file of the segmentation, in which each region has a whole number of its own.",
    owner=Owner.OPERATOR,
)
UNWRITABLE_NIFTI = Problem(
    code="image.nifti-unwritable",
    says="the NIfTI file can't be written",
    remedy="Give a folder that exists and may be written to, and a name that ends in .nii or .nii.gz.",
    owner=Owner.OPERATOR,
)


MOST_LABELS = 500
"""Programs that outline the whole body, or parcel the brain, know some two hundred structures."""
BEST_COMPRESSION = 1032
"""How many times smaller DEFLATE makes anything at best (zlib.net/zlib_tech.html); more than that is not there."""


def read_volume(path: Path, *, unit: str) -> Volume:
    """The volume of a NIfTI file as float32, scaled as its header says.

    Parameters
    ----------
    unit : UCUM code of its values, which NIfTI does not record.

    Raises
    ------
    InputError
        ``image.nifti-unreadable``, ``image.nifti-not-3d``, ``image.impossible-size``, ``image.nifti-no-scale``,
        ``image.nifti-no-place``, ``image.nifti-two-sizes``.
    """
    voxels, geometry = _read(path)
    return Volume(voxels=voxels.astype(np.float32, copy=False), geometry=geometry, unit=unit)


def read_regions(path: Path, *, label: str, method: str = "") -> tuple[Region, ...]:
    """The regions of a NIfTI mask: one a label value above 0, or one of membership if its values lie in [0, 1].

    Parameters
    ----------
    label : what it shows; of several label values each region is named ``label 1``, ``label 2``, ...
    method : how it was drawn, if known.

    Raises
    ------
    InputError
        ``image.nifti-unreadable``, ``image.nifti-not-3d``, ``image.impossible-size``, ``image.nifti-no-scale``,
        ``image.nifti-no-place``, ``image.nifti-two-sizes``, ``image.nifti-no-mask``.
    """
    values, grid = _read(path)
    found = np.unique(values[values > 0])
    if np.all(found <= 1) and np.any(found < 1):
        return (Region.of(values.astype(np.float32), grid, label=label, method=method),)
    if found.size > MOST_LABELS:
        raise InputError(NO_MASK, count=int(found.size))
    return tuple(
        Region.of(values == value, grid, label=label if found.size == 1 else f"{label} {value:g}", method=method)
        for value in found
    )


def read_grid(path: Path) -> VolumeGeometry:
    """The grid of a NIfTI file, from its header alone.

    Raises
    ------
    InputError
        ``image.nifti-unreadable``, ``image.nifti-not-3d``, ``image.impossible-size``, ``image.nifti-no-scale``,
        ``image.nifti-no-place``, ``image.nifti-two-sizes``.
    """
    require_plain_header(path)
    askew = sheared_image(path)
    return _information(path)[1] if askew is None else _possible(askew.geometry)


def write_volume(volume: Volume, path: Path) -> None:
    """Write a volume as NIfTI (``.nii`` or ``.nii.gz``); its unit and padding are not kept.

    A grid that is not at right angles is written as it is, which programs that build on ITK refuse to read.

    Raises
    ------
    InputError
        ``image.nifti-unwritable``.
    """
    voxels = volume.voxels
    _write(voxels.astype(np.float32) if voxels.dtype == np.float16 else voxels, volume.geometry, path)


def write_region(region: Region, path: Path) -> None:
    """Write a region as NIfTI on its whole grid: 0 and 1 as bytes, or membership as float32; see `write_volume`.

    Raises
    ------
    InputError
        ``image.nifti-unwritable``.
    """
    full = np.zeros(region.grid.shape, dtype=np.uint8 if region.mask.dtype == bool else np.float32)
    full[region.box()] = region.mask
    _write(full, region.grid, path)


def _itk() -> Any:
    """SimpleITK, loaded when the first NIfTI file is met: it holds 90 MiB in every process that imports it."""
    loaded = import_module("SimpleITK")
    loaded.ProcessObject.SetGlobalWarningDisplay(False)  # what it has against a file it would print into ours
    return loaded


def _read(path: Path) -> tuple[NDArray[Any], VolumeGeometry]:
    require_plain_header(path)
    askew = sheared_image(path)
    if askew is not None:
        try:
            return sheared_voxels(path, askew), _possible(askew.geometry)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(UNREADABLE_NIFTI) from error
    reader, grid = _information(path)
    _require_content(path, grid.shape)
    try:
        return _itk().GetArrayFromImage(reader.Execute()), grid
    except RuntimeError as error:  # SimpleITK's only error
        raise InputError(UNREADABLE_NIFTI) from error


def _information(path: Path) -> tuple[Any, VolumeGeometry]:
    """The reader of a file, and the grid that its header describes."""
    reader: Any = _itk().ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputError(UNREADABLE_NIFTI) from error
    if reader.GetDimension() != 3 or reader.GetNumberOfComponents() != 1:
        raise InputError(NOT_THREE_DIMENSIONAL, dimensions=reader.GetDimension())
    return reader, _geometry(reader)


def _require_content(path: Path, shape: tuple[int, int, int]) -> None:
    """Raise where a NIfTI file can't hold what its header claims, at a byte a voxel, before memory is taken for it.

    Other formats may hold their voxels compressed, or in another file.
    """
    shrinks = {".nii": 1, ".gz": BEST_COMPRESSION}.get(path.suffix.lower())
    try:
        if shrinks is not None and math.prod(shape) > path.stat().st_size * shrinks:
            raise InputError(UNREADABLE_NIFTI)
    except OSError as error:
        raise InputError(UNREADABLE_NIFTI) from error


def _geometry(image: Any) -> VolumeGeometry:
    columns = np.asarray(image.GetDirection()).reshape(3, 3)
    x, y, z = (_triple(columns[:, axis]) for axis in range(3))
    width, height, depth = image.GetSize()
    spacing_x, spacing_y, spacing_z = image.GetSpacing()
    return _possible(
        VolumeGeometry(
            shape=(depth, height, width),
            spacing_mm=(spacing_z, spacing_y, spacing_x),
            origin_mm=_triple(np.asarray(image.GetOrigin())),
            axes=(z, y, x),
        )
    )


def _possible(grid: VolumeGeometry) -> VolumeGeometry:
    require_possible(grid.shape, grid.spacing_mm)
    return grid


def _write(voxels: NDArray[np.generic], geometry: VolumeGeometry, path: Path) -> None:
    if geometry.sheared:
        try:
            write_sheared(voxels, geometry, path)
        except OSError as error:
            raise InputError(UNWRITABLE_NIFTI) from error
        return
    axes = np.asarray(geometry.axes)
    image: Any = _itk().GetImageFromArray(voxels)
    image.SetSpacing(tuple(reversed(geometry.spacing_mm)))
    image.SetOrigin(geometry.origin_mm)
    image.SetDirection(tuple(axes[::-1].T.ravel().tolist()))
    try:
        _itk().WriteImage(image, str(path))
    except RuntimeError as error:
        raise InputError(UNWRITABLE_NIFTI) from error


def _triple(vector: NDArray[np.float64]) -> Triple:
    return float(vector[0]), float(vector[1]), float(vector[2])
