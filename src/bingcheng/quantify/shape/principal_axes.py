"""Where the mass of a lesion lies: centres of its voxels and of their intensities, and its principal axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.image.geometry import Triple

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PointSet:
    """The voxel centres of a region.

    Parameters
    ----------
    count : how many.
    centre_mm : (3,) as (z, y, x), from the centre of the box's first voxel.
    lengths_mm : lengths of the principal axes, longest first: four times the root of the covariance's eigenvalues,
        0.894 of the axes of a uniform ellipsoid with this covariance; 0 across a flat set.
    """

    count: int
    centre_mm: Floats
    lengths_mm: tuple[float, float, float]


def point_set(inside: NDArray[np.bool_], spacing_mm: Triple) -> PointSet:
    """The voxel centres of a mask (z, y, x) with at least one voxel, C-contiguous.

    The covariance is that of a sample, divided by one less than the count, as in the IBSI's reference values.
    """
    sums, products = _moments(inside)
    count = int(sums[3])
    # Whole numbers up to here, so that rotated and shifted masks have the same axes to the last digits.
    scatter = (products * count - np.outer(sums[:3], sums[:3])) / (count * max(1, count - 1))
    scale = np.asarray(spacing_mm)
    eigenvalues = np.linalg.eigvalsh(scatter * np.outer(scale, scale))
    # Rounding may leave the eigenvalue of a flat set a little beside zero.
    eigenvalues[eigenvalues < 1e-12 * eigenvalues[2]] = 0.0
    least, minor, major = (4.0 * np.sqrt(np.maximum(eigenvalues, 0.0))).tolist()
    return PointSet(count=count, centre_mm=sums[:3] / count * scale, lengths_mm=(major, minor, least))


def intensity_sums(intensity: NDArray[Any], inside: NDArray[np.bool_]) -> tuple[int, float, Floats]:
    """How many voxels a mask has, the sum of their intensities, and of intensity times index (3,) as (z, y, x)."""
    count, total, first = _intensity_moments(intensity, inside)
    return int(count), float(total), first


@numba.njit(cache=True, nogil=True)
def _moments(inside: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sums of the indices (z, y, x) and the count (4,), and sums of the products of indices (3, 3)."""
    depth, height, width = inside.shape
    sums = np.zeros(4, dtype=np.int64)
    products = np.zeros((3, 3), dtype=np.int64)
    for z in range(depth):
        for y in range(height):
            n = first = second = 0
            for x in range(width):
                belongs = int(inside[z, y, x])
                n += belongs
                first += belongs * x
                second += belongs * x * x
            sums[0] += n * z
            sums[1] += n * y
            sums[2] += first
            sums[3] += n
            products[0, 0] += n * z * z
            products[0, 1] += n * z * y
            products[0, 2] += z * first
            products[1, 1] += n * y * y
            products[1, 2] += y * first
            products[2, 2] += second
    for a in range(3):
        for b in range(a):
            products[a, b] = products[b, a]
    return sums, products


@numba.njit(cache=True, nogil=True)
def _intensity_moments(intensity: NDArray[Any], inside: NDArray[np.bool_]) -> tuple[int, float, Floats]:
    """The count, the sum of the intensities, and of intensity times index (3,)."""
    depth, height, width = inside.shape
    count = 0
    total = 0.0
    first = np.zeros(3)
    for z in range(depth):
        for y in range(height):
            n = 0
            mass = moment = 0.0
            for x in range(width):
                if inside[z, y, x]:
                    value = np.float64(intensity[z, y, x])
                    n += 1
                    mass += value
                    moment += value * x
            count += n
            total += mass
            first[0] += mass * z
            first[1] += mass * y
            first[2] += moment
    return count, total, first
