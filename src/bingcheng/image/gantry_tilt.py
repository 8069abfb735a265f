"""Slices of a tilted gantry moved over each other: a sheared grid becomes an upright one, slice by slice.

Each slice stays in its plane and is only shifted along its own rows and columns, by less than the tilt moves it; values
are interpolated within the slice alone, so that nothing is blurred from one slice into the next.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.membership import clipped, resampled
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume

SHEARED_SLICE = Problem(
    code="image.sheared-slice",
    says="the rows and columns of the slices are not at right angles",
    remedy="Export the series again; scanners make no such slices.",
    owner=Owner.DEVELOPER,
)

SQUARE = 1e-4
"""Cosine up to which two axes count as at right angles: the rounding of a header's direction cosines."""


@dataclass(frozen=True, slots=True)
class _Shift:
    """The upright grid, and how many rows and columns each of its slices lies off the one that it is made of."""

    grid: VolumeGeometry
    rows: NDArray[np.float64]
    columns: NDArray[np.float64]


def sheared(geometry: VolumeGeometry) -> bool:
    """Whether the axes of a grid are not at right angles, as with a tilted gantry."""
    z, y, x = np.asarray(geometry.axes)
    return float(max(abs(z @ y), abs(z @ x), abs(y @ x))) > SQUARE


def upright_slices(volume: Volume, *, order: int = 3) -> Volume:
    """The volume on a grid at right angles, which covers it; the volume itself if its own grid is at right angles.

    Rows, columns, slices and their spacing stay as they are, and the distance of slices is that of their planes.

    Parameters
    ----------
    order : of the splines within a slice: 1 is bilinear, 3 cubic (Thevenaz, Blu and Unser, IEEE Trans Med Imaging
        2000;19:739), which keeps edges and noise nearly as they are.

    Returns
    -------
    Volume of float32 whose `valid` is False where the slices do not reach; the value there is that of their border.

    Raises
    ------
    InputError
        ``image.sheared-slice``.
    """
    if not sheared(volume.geometry):
        return volume
    shift = _shift(volume.geometry)
    _, rows, columns = volume.geometry.shape
    values = np.empty(shift.grid.shape, dtype=np.float32)
    valid = np.empty(shift.grid.shape, dtype=bool)
    j, i = (np.arange(n, dtype=float) for n in shift.grid.shape[1:])
    for z, (down, right) in enumerate(zip(shift.rows, shift.columns, strict=True)):
        _moved(volume.voxels[z], (down, right), values[z], order)
        reached = [(at >= -0.5) & (at <= n - 0.5) for at, n in ((j + down, rows), (i + right, columns))]
        valid[z] = reached[0][:, None] & reached[1][None, :]
        if volume.valid is not None:
            share = np.empty(valid.shape[1:], dtype=np.float32)
            _moved(volume.valid[z].view(np.uint8), (down, right), share, 1)
            valid[z] &= share > 1.0 - 1e-3
    return Volume(voxels=values, geometry=shift.grid, unit=volume.unit, valid=valid)


def upright_region(region: Region) -> Region:
    """The region on the grid that `upright_slices` makes of its own; a boolean mask stays boolean.

    Raises
    ------
    InputError
        ``image.sheared-slice``.
    """
    if not sheared(region.grid):
        return region
    grid = _shift(region.grid).grid
    mask, start = clipped(*resampled(region.mask, region.geometry, grid), grid.shape)
    drawn = replace(region, mask=mask, start=start, grid=grid)
    if region.mask.dtype != bool:
        return drawn
    whole = np.zeros(grid.shape, dtype=bool)
    whole[drawn.box()] = drawn.inside
    kept = Region.of(whole, grid, label=region.label)
    return replace(drawn, mask=kept.mask, start=kept.start)


def _shift(geometry: VolumeGeometry) -> _Shift:
    step = geometry.matrix[:, 0]
    _, down, right = (np.asarray(axis) for axis in geometry.axes)
    if abs(float(down @ right)) > SQUARE:
        raise InputError(SHEARED_SLICE)
    normal = np.cross(right, down)
    normal *= math.copysign(1.0, float(normal @ step)) / float(np.linalg.norm(normal))
    slices, rows, columns = geometry.shape
    along = [float(step @ axis) / mm for axis, mm in zip((down, right), geometry.spacing_mm[1:], strict=True)]
    reach = [by * (slices - 1) for by in along]
    first = [min(0, math.floor(by + 1e-6)) for by in reach]
    last = [max(0, math.ceil(by - 1e-6)) for by in reach]
    origin = geometry.to_mm((0.0, first[0], first[1]))
    grid = VolumeGeometry(
        shape=(slices, rows + last[0] - first[0], columns + last[1] - first[1]),
        spacing_mm=(abs(float(normal @ step)), *geometry.spacing_mm[1:]),
        origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
        axes=((float(normal[0]), float(normal[1]), float(normal[2])), geometry.axes[1], geometry.axes[2]),
        frame_of_reference_uid=geometry.frame_of_reference_uid,
    )
    number = np.arange(slices, dtype=np.float64)
    return _Shift(grid=grid, rows=first[0] - along[0] * number, columns=first[1] - along[1] * number)


def _moved(layer: NDArray[np.generic], offset: tuple[float, float], output: NDArray[np.float32], order: int) -> None:
    ndimage.affine_transform(
        np.asarray(layer, dtype=np.float64),
        np.ones(2),
        offset,
        output=output,
        output_shape=output.shape,
        order=order,
        mode="nearest",
    )
