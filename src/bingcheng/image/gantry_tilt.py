"""Slices of a tilted gantry moved over each other: a sheared grid becomes an upright one, slice by slice.

Each slice stays in its plane and is only shifted along its own rows and columns, by less than the tilt moves it; values
are interpolated within the slice alone, so that nothing is blurred from one slice into the next.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.image.geometry import SQUARE, VolumeGeometry
from bingcheng.image.membership import clipped, resampled, trimmed
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume

SHEARED_SLICE = Problem(
    code="image.sheared-slice",
    says="the rows and columns of the slices are not at right angles",
    remedy="Export the series again; scanners make no such slices.",
    owner=Owner.DEVELOPER,
)

Box = tuple[slice, slice, slice]

SPLINE_SUPPORT = 18
"""Rows and columns after which a cubic spline no longer feels a value: its pole, -0.268, to this power is 5e-11."""


def tilt_deg(geometry: VolumeGeometry) -> float:
    """The angle between the way from slice to slice and the normal of the slices, in degrees; 0 at right angles.

    Raises
    ------
    InputError
        ``image.sheared-slice``.
    """
    _, along = _normal(geometry)
    return math.degrees(math.acos(min(1.0, along / geometry.spacing_mm[0])))


def upright_grid(geometry: VolumeGeometry) -> VolumeGeometry:
    """The grid at right angles that just covers a sheared one; the grid itself if it is at right angles already.

    Rows, columns, slices and their spacing stay as they are, and the distance of slices is that of their planes.

    Raises
    ------
    InputError
        ``image.sheared-slice``.
    """
    if not geometry.sheared:
        return geometry
    normal, distance_mm = _normal(geometry)
    slices, rows, columns = geometry.shape
    step = geometry.matrix[:, 0]
    # By how many rows and columns the last slice lies off the first one.
    reach = [
        float(step @ np.asarray(axis)) / mm * (slices - 1)
        for axis, mm in zip(geometry.axes[1:], geometry.spacing_mm[1:], strict=True)
    ]
    first = [min(0, math.floor(by + 1e-6)) for by in reach]
    last = [max(0, math.ceil(by - 1e-6)) for by in reach]
    origin = geometry.to_mm((0.0, first[0], first[1]))
    return VolumeGeometry(
        shape=(slices, rows + last[0] - first[0], columns + last[1] - first[1]),
        spacing_mm=(distance_mm, *geometry.spacing_mm[1:]),
        origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
        axes=((float(normal[0]), float(normal[1]), float(normal[2])), geometry.axes[1], geometry.axes[2]),
        frame_of_reference_uid=geometry.frame_of_reference_uid,
    )


def upright_slices(volume: Volume, *, grid: VolumeGeometry | None = None, order: int = 3) -> Volume:
    """The volume on a grid at right angles, which covers it; the volume itself if its own grid is at right angles.

    Parameters
    ----------
    grid : a box of the `upright_grid` of the volume, or of one that the volume is a box of, to be made alone; its
        slices are slices of the volume.
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
    if grid is None:
        if not volume.geometry.sheared:
            return volume
        grid = upright_grid(volume.geometry)
    at = _places(volume.geometry, grid)
    _, rows, columns = volume.geometry.shape
    values = np.empty(grid.shape, dtype=np.float32)
    valid = np.empty(grid.shape, dtype=bool)
    j, i = (np.arange(n, dtype=float) for n in grid.shape[1:])
    for z, (source, down, right) in enumerate(at.tolist()):
        layer = round(source)
        _moved(volume.voxels[layer], (down, right), values[z], order)
        reached = [(at >= -0.5) & (at <= n - 0.5) for at, n in ((j + down, rows), (i + right, columns))]
        valid[z] = reached[0][:, None] & reached[1][None, :]
        if volume.valid is not None:
            share = np.empty(valid.shape[1:], dtype=np.float32)
            _moved(volume.valid[layer].view(np.uint8), (down, right), share, 1)
            valid[z] &= share > 1.0 - 1e-3
    return Volume(voxels=values, geometry=grid, unit=volume.unit, valid=valid)


def box_needed(geometry: VolumeGeometry, grid: VolumeGeometry) -> Box:
    """The box (z, y, x) of a volume that `upright_slices` needs for a part of its upright grid.

    With this much around, splines come out as if the whole slices were there, to `SPLINE_SUPPORT`.

    Parameters
    ----------
    geometry : of the volume.
    grid : the part.
    """
    slices, *lines = _places(geometry, grid).T.tolist()
    first = round(min(slices))
    found = [slice(first, first + grid.shape[0])]
    for number in (1, 2):
        whole = geometry.shape[number]
        low = math.floor(min(lines[number - 1])) - SPLINE_SUPPORT
        high = math.ceil(max(lines[number - 1])) + grid.shape[number] + SPLINE_SUPPORT
        # A part that lies beyond all rows is the border's, which goes on.
        low = min(max(0, low), whole - 1)
        found.append(slice(low, max(low + 1, min(whole, high))))
    return found[0], found[1], found[2]


def upright_region(region: Region, *, fractions: bool = False) -> Region:
    """The region on the grid that `upright_slices` makes of its own.

    Parameters
    ----------
    fractions : whether a boolean mask becomes one of membership, as it is moved by parts of a voxel; else it stays
        boolean.

    Raises
    ------
    InputError
        ``image.sheared-slice``.
    """
    if not region.grid.sheared:
        return region
    grid = upright_grid(region.grid)
    mask, start = clipped(*resampled(region.mask, region.geometry, grid), grid.shape)
    if region.mask.dtype == bool and not fractions:
        mask, start = trimmed(mask >= 0.5, start)
    return replace(region, mask=mask, start=start, grid=grid)


def _normal(geometry: VolumeGeometry) -> tuple[NDArray[np.float64], float]:
    """The unit normal of the slices along which they follow each other, and the distance of their planes in mm."""
    step = geometry.matrix[:, 0]
    _, down, right = (np.asarray(axis) for axis in geometry.axes)
    if abs(float(down @ right)) > SQUARE:
        raise InputError(SHEARED_SLICE)
    normal = np.cross(right, down)
    normal *= math.copysign(1.0, float(normal @ step)) / float(np.linalg.norm(normal))
    return normal, abs(float(normal @ step))


def _places(geometry: VolumeGeometry, grid: VolumeGeometry) -> NDArray[np.float64]:
    """Where the first voxel of each slice of `grid` lies: its index (slice, 3) as (z, y, x) of `geometry`."""
    number = np.arange(grid.shape[0], dtype=np.float64)
    return geometry.to_index(grid.to_mm(np.stack([number, np.zeros_like(number), np.zeros_like(number)], axis=1)))


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
