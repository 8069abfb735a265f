"""Carrying a membership mask from the grid on which it was drawn to another one in the same frame of reference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.image.geometry import VolumeGeometry

TOO_LARGE_HERE = Problem(
    code="image.region-too-large",
    says="to carry the region to this image would take {millions} million steps, more than any patient's region does",
    remedy="Check that the region was drawn on this image, and the spacing of both; else draw it again.",
    owner=Owner.RADIOLOGIST,
)

MOST_VOXELS, MOST_STEPS, MOST_PIECES = 1 << 27, 1 << 30, 1 << 16
"""To what a mask may grow on an image that is itself smaller, how many interpolations it may take (half a minute), and
into how many pieces a voxel may be split: more than any organ of a patient on any image of one."""
INDEX_TOLERANCE = 0.02
"""How far, in voxels over the whole mask, two grids may drift apart and still count as the same voxels."""
FAINTEST = 1e-3
"""A voxel that belongs less than this is left out of the box: it is the rounding of an interpolation."""

Index = tuple[int, int, int]


def aligned_start(drawn: VolumeGeometry, grid: VolumeGeometry, *, tolerance: float = INDEX_TOLERANCE) -> Index | None:
    """The index in `grid` of the first voxel of `drawn`, if its voxels are voxels of `grid`; else None.

    The start may lie outside of `grid`. The axes must run the same way.
    """
    z, y, x = (n - 1 for n in drawn.shape)
    corners = np.array([(0, 0, 0), (z, 0, 0), (0, y, 0), (0, 0, x), (z, y, x)], dtype=float)
    found = grid.to_index(drawn.to_mm(corners))
    start = np.rint(found[0])
    if np.abs(found - start - corners).max() > tolerance:
        return None
    # A single slice or row has no corner that shows its direction or its spacing.
    if not np.allclose(drawn.matrix, grid.matrix, rtol=0, atol=tolerance * max(grid.spacing_mm)):
        return None
    return int(start[0]), int(start[1]), int(start[2])


def clipped(mask: NDArray[Any], start: Index, shape: Index) -> tuple[NDArray[Any], Index]:
    """The part of a mask box at index `start` that lies within a volume of `shape`, and where that part begins."""
    low = [max(0, s) for s in start]
    high = [min(n, s + size) for s, size, n in zip(start, mask.shape, shape, strict=True)]
    part = tuple(slice(a - s, max(a, b) - s) for a, b, s in zip(low, high, start, strict=True))
    return mask[part], (low[0], low[1], low[2])


def trimmed(mask: NDArray[Any], start: Index) -> tuple[NDArray[Any], Index]:
    """The smallest box around the voxels that belong, and where it begins; an empty mask gives an empty box."""
    inside = mask if mask.dtype == bool else mask > FAINTEST
    if not inside.any():
        return mask[:0, :0, :0], start
    box = ndimage.find_objects(inside.view(np.uint8))[0]
    moved = [s + part.start for s, part in zip(start, box, strict=True)]
    return np.ascontiguousarray(mask[box]), (moved[0], moved[1], moved[2])


def resampled(mask: NDArray[Any], drawn: VolumeGeometry, grid: VolumeGeometry) -> tuple[NDArray[np.float32], Index]:
    """Membership on the voxels of `grid`, by trilinear interpolation of the mask on `drawn`, averaged over each voxel.

    A voxel of `grid` that is larger than those of `drawn` is split into pieces no larger than they are, and their
    mean taken, so that a fine mask keeps its volume on a coarse grid.

    Parameters
    ----------
    mask : (z, y, x) on `drawn`: boolean, or membership in [0, 1].
    drawn, grid : in the same frame of reference; may be turned, sheared or flipped against each other.

    Returns
    -------
    membership, start : the box of `grid` around all voxels that belong at all, and its first index. The box may
        reach beyond `grid`, so that nothing is lost unseen; `clipped` cuts it.

    Raises
    ------
    InputError
        ``image.region-too-large``.
    """
    padded = np.pad(np.asarray(mask, dtype=np.float32), 1)
    # From index in grid to index in the padded mask: m = A g + b.
    matrix = np.linalg.solve(drawn.matrix, grid.matrix)
    offset = np.linalg.solve(drawn.matrix, np.asarray(grid.origin_mm) - np.asarray(drawn.origin_mm)) + 1.0
    low, high = _reach(mask.shape, matrix, offset)
    splits = [max(1, math.ceil(float(np.abs(matrix[:, axis]).max()) - 1e-6)) for axis in range(3)]
    shape = [int(size) for size in high - low]
    _require_room(shape, grid, splits)
    total = np.zeros(shape, dtype=np.float32)
    for piece in np.ndindex(*splits):
        shift = [(p + 0.5) / s - 0.5 for p, s in zip(piece, splits, strict=True)]
        total += ndimage.affine_transform(
            padded, matrix, offset + matrix @ (low + shift), output_shape=shape, order=1, mode="constant", cval=0.0
        )
    return trimmed(total / math.prod(splits), (int(low[0]), int(low[1]), int(low[2])))


def require_room(shape: Sequence[int], grid: VolumeGeometry) -> None:
    """Raise where a box of `shape` is far larger than the image of `grid`, on which it is to be drawn.

    Raises
    ------
    InputError
        ``image.region-too-large``.
    """
    _require_room(shape, grid, ())


def _require_room(shape: Sequence[int], grid: VolumeGeometry, splits: Sequence[int]) -> None:
    voxels, pieces = math.prod(shape), math.prod(splits)
    if voxels > max(MOST_VOXELS, 2 * math.prod(grid.shape)) or voxels * pieces > MOST_STEPS or pieces > MOST_PIECES:
        raise InputError(TOO_LARGE_HERE, millions=math.ceil(voxels * pieces / 1e6))


def _reach(
    shape: tuple[int, ...], matrix: NDArray[np.float64], offset: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First index and one past the last of the box in the grid that the mask, with its padding, can reach."""
    corners = np.array(list(np.ndindex(2, 2, 2)), dtype=float) * (np.asarray(shape) + 1.0)
    reached = np.linalg.solve(matrix, (corners - offset).T).T
    low = np.floor(reached.min(axis=0) - 0.5).astype(np.int64)
    return low, np.ceil(reached.max(axis=0) + 0.5).astype(np.int64) + 1
