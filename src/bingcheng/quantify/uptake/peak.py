"""The highest mean within a small sphere: a maximum that noise moves less than the hottest voxel."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import InputError, Owner, Problem, Undefined
from bingcheng.image.geometry import Triple, VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume

SPHERE_CUT = Problem(
    code="quantify.peak-sphere-leaves-image",
    says="where the lesion is hottest, a sphere of {radius_mm} mm reaches beyond the image",
    remedy="Reconstruct the lesion with at least a sphere's radius of image around it, in every direction.",
    owner=Owner.TECHNOLOGIST,
)
NO_SUCH_VOXELS = Problem(
    code="quantify.peak-of-unlikely-voxels",
    says="with voxels of {z_mm} x {y_mm} x {x_mm} mm no mean in a sphere of {radius_mm} mm can be computed",
    remedy="Check the voxel size that the image states; it is in mm.",
    owner=Owner.TECHNOLOGIST,
)
SUBVOXEL_MM = 0.4
"""Voxels are split until the pieces are this small: a voxel's weight then errs by less than 0.2 % of itself."""
FAINTEST = 1e-4
"""Part of a voxel below which it does not count: the sphere must not leave the image by a touch."""

MOST_PIECES = 4_000_000
"""Of voxels about a sphere: those of a sphere of 1 ml in voxels of 0.08 mm, finer than any scanner's."""
FINEST_RADII, COARSEST_RADII = 1e-3, 1e3
"""Voxel spacings, in radii of the sphere, beyond which pieces need not be counted, and could not be."""


def highest_sphere_mean(volume: Volume, lesion: Region, radius_mm: float) -> float:
    """The maximum, over spheres centred on each voxel of the lesion, of the mean within the sphere.

    A voxel counts by the part of it that lies in the sphere, whether it belongs to the lesion or not. Only the box
    around the lesion is looked at.

    Parameters
    ----------
    volume : the image; voxels that are not `valid` count as beyond it.
    lesion : on the grid of the volume, with at least one voxel.
    radius_mm : of the sphere.

    Raises
    ------
    Undefined
        ``quantify.peak-sphere-leaves-image``: no sphere lies in the image, or the part in the image of one that does
        not has the highest mean.
    InputError
        ``quantify.peak-of-unlikely-voxels``.
    """
    offsets, weights = sphere_weights(volume.geometry, radius_mm)
    return _mean_about(volume, lesion, lesion.inside, offsets, weights, radius_mm)


def sphere_mean_about_hottest(volume: Volume, lesion: Region, radius_mm: float) -> float:
    """The mean within the sphere centred on the lesion's hottest voxel; of several, the highest mean.

    Parameters and errors as of `highest_sphere_mean`, which looks for the best centre instead.
    """
    offsets, weights = sphere_weights(volume.geometry, radius_mm)
    inside = lesion.inside
    image = np.where(inside, volume.voxels[lesion.box()], -np.inf)
    return _mean_about(volume, lesion, image == image.max(), offsets, weights, radius_mm)


def highest_mean_of_whole_voxels(volume: Volume, lesion: Region, radius_mm: float) -> float:
    """As `highest_sphere_mean`, of a sphere that takes whole voxels: those whose centres it holds, all alike.

    Parameters and errors as of `highest_sphere_mean`.
    """
    offsets, _ = sphere_weights(volume.geometry, radius_mm)
    held = np.linalg.norm(offsets @ volume.geometry.matrix.T, axis=1) <= radius_mm
    offsets = np.ascontiguousarray(offsets[held])
    weights = np.full(len(offsets), 1.0 / len(offsets))
    return _mean_about(volume, lesion, lesion.inside, offsets, weights, radius_mm)


def _mean_about(
    volume: Volume,
    lesion: Region,
    centres: NDArray[np.bool_],
    offsets: NDArray[np.int64],
    weights: NDArray[np.float64],
    radius_mm: float,
) -> float:
    """The highest weighted mean about the `centres`, marked on the lesion's box."""
    reach = np.abs(offsets).max(axis=0)
    box = lesion.box((int(reach[0]), int(reach[1]), int(reach[2])))
    image = volume.voxels[box].astype(np.float64)
    if volume.valid is not None:
        image[~volume.valid[box]] = np.nan
    corner = [start - cut.start for start, cut in zip(lesion.start, box, strict=True)]
    whole, cut = _highest(image, np.argwhere(centres) + corner, offsets, weights)
    if not np.isfinite(whole) or cut > whole:
        raise Undefined(SPHERE_CUT, radius_mm=radius_mm)
    return float(whole)


def sphere_weights(geometry: VolumeGeometry, radius_mm: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which voxels a sphere about the centre of one voxel covers, and by which part of the sphere.

    Returns
    -------
    offsets, weights : (n, 3) index offsets (z, y, x), and (n,) parts of the sphere's volume, which sum to 1; both
        read-only. Sheared grids are right too.

    Raises
    ------
    InputError
        ``quantify.peak-of-unlikely-voxels``: their size isn't one of voxels, or the sphere holds millions of them.
    """
    return _sphere_weights(geometry.spacing_mm, geometry.axes, radius_mm)


@lru_cache(maxsize=16)
def _sphere_weights(
    spacing_mm: Triple, axes: tuple[Triple, Triple, Triple], radius_mm: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """As `sphere_weights`; they depend on the grid's steps alone, and are asked for dozens of times a lesion."""
    geometry = VolumeGeometry(shape=(1, 1, 1), spacing_mm=spacing_mm, axes=axes)
    bounds, splits = _pieces(geometry, radius_mm)
    lines = []
    for bound, split in zip(bounds, splits, strict=True):
        pieces = (np.arange(split) + 0.5) / split - 0.5
        lines.append((np.arange(-bound, bound + 1)[:, None] + pieces).ravel())
    z, y, x = (line[:, None] * geometry.matrix[:, axis] for axis, line in enumerate(lines))
    distance = np.linalg.norm(z[:, None, None] + y[None, :, None] + x[None, None, :], axis=-1)
    # A piece that the surface cuts counts by how deep its centre lies: counting centres alone errs by over 1 %.
    piece_mm = float(np.mean(np.asarray(geometry.spacing_mm) / splits))
    inside = np.clip((radius_mm - distance) / piece_mm + 0.5, 0.0, 1.0)
    counts = [len(line) // split for line, split in zip(lines, splits, strict=True)]
    split_up = inside.reshape(counts[0], splits[0], counts[1], splits[1], counts[2], splits[2])
    covered = split_up.mean(axis=(1, 3, 5))
    found = np.argwhere(covered > FAINTEST)
    weights = covered[tuple(found.T)]
    offsets, shares = found - np.asarray(counts) // 2, weights / weights.sum()
    offsets.flags.writeable = shares.flags.writeable = False
    return offsets, shares


def _pieces(geometry: VolumeGeometry, radius_mm: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many voxels a sphere reaches over along each index (3,), and into how many pieces each is split (3,)."""
    spacing = np.asarray(geometry.spacing_mm, dtype=np.float64)
    if (spacing > FINEST_RADII * radius_mm).all() and (spacing < COARSEST_RADII * radius_mm).all():
        # Along each index the sphere reaches as far as the length of that row of the inverse times its radius.
        bounds = np.floor(np.linalg.norm(np.linalg.inv(geometry.matrix), axis=1) * radius_mm + 0.5)
        splits = np.maximum(1.0, np.ceil(spacing / SUBVOXEL_MM))
        if np.prod((2.0 * bounds + 1.0) * splits) <= MOST_PIECES:
            return bounds.astype(np.int64), splits.astype(np.int64)
    z_mm, y_mm, x_mm = spacing.tolist()
    raise InputError(NO_SUCH_VOXELS, z_mm=z_mm, y_mm=y_mm, x_mm=x_mm, radius_mm=radius_mm)


@numba.njit(cache=True, nogil=True)
def _highest(
    image: NDArray[Any], centres: NDArray[np.int64], offsets: NDArray[np.int64], weights: NDArray[np.float64]
) -> tuple[float, float]:
    """The highest mean over spheres wholly in the image, and over the parts in the image of the others."""
    whole = cut = -np.inf
    depth, height, width = image.shape
    for centre in range(centres.shape[0]):
        total = 0.0
        weight = 0.0
        complete = True
        for k in range(offsets.shape[0]):
            z = centres[centre, 0] + offsets[k, 0]
            y = centres[centre, 1] + offsets[k, 1]
            x = centres[centre, 2] + offsets[k, 2]
            if z < 0 or z >= depth or y < 0 or y >= height or x < 0 or x >= width or np.isnan(image[z, y, x]):
                complete = False
                continue
            total += weights[k] * image[z, y, x]
            weight += weights[k]
        if complete:
            whole = max(whole, total)
        elif weight > 0.0:
            cut = max(cut, total / weight)
    return whole, cut
