"""Carrying the voxels of a volume to another grid: averaged where they get larger, interpolated between.

Trilinear interpolation alone would pick single fine voxels, noise and all; so voxels are first averaged in whole
blocks up to the size of the new grid's.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.image.geometry import Triple, VolumeGeometry
from bingcheng.image.volume import Volume, read_only

UPRIGHT: tuple[Triple, Triple, Triple] = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
"""The patient's own axes S, P, L as (z, y, x)."""


def upright(geometry: VolumeGeometry, spacing_mm: float) -> VolumeGeometry:
    """The cubic grid along the patient's axes that just covers a volume, whatever its orientation or tilt.

    Parameters
    ----------
    spacing_mm : edge of its voxels.
    """
    sides = np.array(list(np.ndindex(2, 2, 2)), dtype=float)
    corners = geometry.to_mm(sides * np.asarray(geometry.shape) - 0.5)
    low, high = corners.min(axis=0), corners.max(axis=0)
    counts = np.maximum(1, np.ceil((high - low) / spacing_mm - 1e-3)).astype(int)
    origin = (low + high) / 2.0 - (counts - 1) * spacing_mm / 2.0
    return VolumeGeometry(
        shape=(int(counts[2]), int(counts[1]), int(counts[0])),
        spacing_mm=(spacing_mm, spacing_mm, spacing_mm),
        origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
        axes=UPRIGHT,
        frame_of_reference_uid=geometry.frame_of_reference_uid,
    )


def averaged(volume: Volume, size_mm: float, *, window: tuple[float, float]) -> Volume:
    """The volume in blocks of whole voxels, as large as fit into `size_mm` along each axis, and their means.

    Voxels that don't fill a block at the far end are left out. Padding counts as the lower end of the window.

    Parameters
    ----------
    window : values are clipped to it before they are averaged, so that metal does not bleed.
    """
    geometry, voxels = volume.geometry, volume.voxels
    if volume.valid is not None:
        voxels = np.where(volume.valid, voxels, window[0])
    factors = [
        min(n, max(1, int(size_mm / s + 1e-3))) for n, s in zip(geometry.shape, geometry.spacing_mm, strict=True)
    ]
    origin = geometry.to_mm([(f - 1) / 2.0 for f in factors])
    means = _block_means(voxels, factors[0], factors[1], factors[2], window[0], window[1])
    z, y, x = (s * f for s, f in zip(geometry.spacing_mm, factors, strict=True))
    grid = VolumeGeometry(
        shape=means.shape,
        spacing_mm=(z, y, x),
        origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
        axes=geometry.axes,
        frame_of_reference_uid=geometry.frame_of_reference_uid,
    )
    return Volume(voxels=means, geometry=grid, unit=volume.unit)


def placed(
    volume: Volume, grid: VolumeGeometry, rotation: NDArray[np.float64], shift_mm: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The volume's values at the voxels of `grid`, each of which lies at ``rotation p + shift_mm`` in the volume.

    Returns
    -------
    values, seen : (z, y, x) of the grid. Where the volume does not reach, `seen` is False and the value that of the
        volume's nearest voxel.
    """
    steps = np.linalg.solve(volume.geometry.matrix, rotation @ grid.matrix)
    start = volume.geometry.to_index(rotation @ np.asarray(grid.origin_mm) + shift_mm)
    source = read_only(np.ascontiguousarray(volume.voxels, dtype=np.float32))
    values: NDArray[np.float32] = np.empty(grid.shape, dtype=np.float32)
    seen: NDArray[np.bool_] = np.empty(grid.shape, dtype=np.bool_)
    _place(source, steps, start, values, seen)
    return values, seen


@numba.njit(cache=True, nogil=True)
def _place(
    source: NDArray[np.float32],
    steps: NDArray[np.float64],
    start: NDArray[np.float64],
    values: NDArray[np.float32],
    seen: NDArray[np.bool_],
) -> None:
    """Fill `values` and `seen`, whose voxel i lies at the index ``start + steps i`` of `source`."""
    ends, shares = np.empty((3, 2), np.int64), np.empty((3, 2), np.float64)
    for z in range(values.shape[0]):
        for y in range(values.shape[1]):
            for x in range(values.shape[2]):
                reached = True
                for axis in range(3):
                    last = source.shape[axis] - 1
                    along = start[axis] + steps[axis, 0] * z + steps[axis, 1] * y + steps[axis, 2] * x
                    reached &= -0.5 - 1e-6 <= along <= last + 0.5 + 1e-6
                    below = math.floor(along)  # beyond the border both ends are the border's voxel
                    ends[axis, 0] = min(max(below, 0), last)
                    ends[axis, 1] = min(max(below + 1, 0), last)
                    shares[axis, 0] = 1.0 - (along - below)
                    shares[axis, 1] = 1.0 - shares[axis, 0]
                total = 0.0
                for corner in range(8):
                    i, j, k = corner >> 2, corner >> 1 & 1, corner & 1
                    value = source[ends[0, i], ends[1, j], ends[2, k]] * shares[0, i]
                    total += value * shares[1, j] * shares[2, k]
                values[z, y, x] = total
                seen[z, y, x] = reached


def at_points(voxels: NDArray[Any], index: NDArray[np.float64]) -> NDArray[np.float32]:
    """Trilinear values (n,) of voxels (z, y, x) at fractional indices (n, 3); beyond the border the border's own."""
    values: NDArray[np.float32] = trilinear(voxels[..., None], np.ascontiguousarray(index))[:, 0]
    return values


@numba.njit(cache=True, nogil=True)
def trilinear(voxels: NDArray[Any], index: NDArray[np.float64]) -> NDArray[np.float32]:
    """Trilinear values (n, channel) of voxels (z, y, x, channel) at fractional indices (n, 3), clamped to the grid."""
    found = np.empty((index.shape[0], voxels.shape[3]), dtype=np.float32)
    base = np.empty(3, dtype=np.int64)
    part = np.empty(3, dtype=np.float64)
    step = np.empty(3, dtype=np.int64)
    for n in range(index.shape[0]):
        for axis in range(3):
            last = voxels.shape[axis] - 1
            at = min(max(index[n, axis], 0.0), float(last))
            base[axis] = min(int(at), max(last - 1, 0))
            part[axis] = at - base[axis]
            step[axis] = 1 if last > 0 else 0
        for channel in range(voxels.shape[3]):
            total = 0.0
            for corner in range(8):
                weight = 1.0
                z, y, x = corner >> 2 & 1, corner >> 1 & 1, corner & 1
                weight *= part[0] if z else 1.0 - part[0]
                weight *= part[1] if y else 1.0 - part[1]
                weight *= part[2] if x else 1.0 - part[2]
                if weight > 0.0:
                    value = voxels[base[0] + z * step[0], base[1] + y * step[1], base[2] + x * step[2], channel]
                    total += weight * value
            found[n, channel] = total
    return found


@numba.njit(cache=True, nogil=True)
def displaced_layer(
    voxels: NDArray[Any],
    layer: int,
    shape: tuple[int, int],
    vectors_mm: NDArray[np.float32],
    to_vectors: NDArray[np.float64],
    to_voxels: NDArray[np.float64],
    by_vector: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """One layer (y, x) of a grid whose voxels lie at displaced places of a volume: its values and those places.

    Parameters
    ----------
    voxels : (z, y, x) of the volume.
    layer, shape : which layer of the grid, and its rows and columns.
    vectors_mm : (z, y, x, 3) the displacement.
    to_vectors, to_voxels : (3, 4) affine maps of the grid's indices to those of the displacement and of the volume.
    by_vector : (3, 3) what a displacement in mm adds to the volume's index.

    Returns
    -------
    values, index : (n,) and (n, 3), rows one after the other.
    """
    index = np.empty((shape[0] * shape[1], 3), dtype=np.float64)
    there = np.empty((shape[0] * shape[1], 3), dtype=np.float64)
    for n in range(index.shape[0]):
        y, x = n // shape[1], n % shape[1]
        for axis in range(3):
            a, b = to_vectors[axis], to_voxels[axis]
            there[n, axis] = a[0] * layer + a[1] * y + a[2] * x + a[3]
            index[n, axis] = b[0] * layer + b[1] * y + b[2] * x + b[3]
    moved = trilinear(vectors_mm, there)
    for n in range(index.shape[0]):
        for axis in range(3):
            for part in range(3):
                index[n, axis] += by_vector[axis, part] * moved[n, part]
    values = np.empty(index.shape[0], dtype=np.float32)
    values[:] = trilinear(voxels.reshape(voxels.shape[0], voxels.shape[1], voxels.shape[2], 1), index)[:, 0]
    return values, index


@numba.njit(cache=True, nogil=True)
def _block_means(voxels: NDArray[Any], deep: int, high: int, wide: int, low: float, top: float) -> NDArray[np.float32]:
    shape = (voxels.shape[0] // deep, voxels.shape[1] // high, voxels.shape[2] // wide)
    means = np.empty(shape, dtype=np.float32)
    sums = np.empty(shape[2], dtype=np.float64)
    share = 1.0 / (deep * high * wide)
    for z in range(shape[0]):
        for y in range(shape[1]):
            sums[:] = 0.0
            for k in range(z * deep, (z + 1) * deep):
                for j in range(y * high, (y + 1) * high):
                    for x in range(shape[2]):
                        for i in range(x * wide, (x + 1) * wide):
                            sums[x] += min(max(float(voxels[k, j, i]), low), top)
            for x in range(shape[2]):
                means[z, y, x] = sums[x] * share
    return means
