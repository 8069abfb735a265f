"""Peaks of a lesion as the IBSI defines them: means over the voxels around one, in a sphere of one millilitre.

The measure `highest_sphere_mean` weighs voxels by the part that the sphere covers; the IBSI counts those whole whose
centre lies in the sphere.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import Undefined
from bingcheng.image.geometry import Triple
from bingcheng.quantify.intensity.statistics import EMPTY_INTENSITY_MASK
from bingcheng.quantify.radiomics.feature import Family, Feature, Values
from bingcheng.quantify.radiomics.roi import Roi

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

RADIUS_MM = 10.0 * (3.0 / (4.0 * np.pi)) ** (1.0 / 3.0)
"""Radius of a sphere of 1 cm3: 6.204 mm."""

FEATURES: tuple[Feature, ...] = (
    Feature(
        tag="loc_peak_loc",
        label="Local intensity peak",
        ibsi="VJGA",
        family=Family.LOCAL_INTENSITY,
        intensity_power=1,
    ),
    Feature(
        tag="loc_peak_glob",
        label="Global intensity peak",
        ibsi="0F91",
        family=Family.LOCAL_INTENSITY,
        intensity_power=1,
    ),
)


def local_intensity(roi: Roi) -> Values:
    """The local intensity family: the means in a sphere of 1 cm3 about the hottest voxel, and the highest such mean.

    A voxel counts if its centre is within the sphere, whether in the lesion or not. Of several hottest voxels the
    one with the highest mean is taken. Voxels beyond the image, or without a finite value, do not count, so that near
    the edge of the image the mean is over fewer voxels.

    Parameters
    ----------
    roi : `surroundings` reaches `RADIUS_MM` beyond the box, or to the edge of the image.

    Returns
    -------
    both features in the image's unit; `Undefined` ``quantify.no-voxel-in-intensity-range`` if no voxel counts.
    """
    if not roi.intensity_mask.any():
        return dict.fromkeys((feature.tag for feature in FEATURES), Undefined(EMPTY_INTENSITY_MASK))
    local, highest = peaks(
        roi.surroundings,
        roi.surroundings_start,
        np.ascontiguousarray(roi.intensity_mask),
        roi.intensity,
        roi.spacing_mm,
    )
    return {"loc_peak_loc": local, "loc_peak_glob": highest}


def peaks(
    image: NDArray[Any],
    start: tuple[int, int, int],
    inside: NDArray[np.bool_],
    intensity: NDArray[Any],
    spacing_mm: Triple,
    radius_mm: float = RADIUS_MM,
) -> tuple[float, float]:
    """The mean in a sphere about the hottest voxel, and the highest of the means about all voxels of a mask.

    Parameters
    ----------
    image : (z, y, x), the surroundings.
    start : index in `image` of the mask's first voxel.
    inside : boolean (z, y, x), C-contiguous, with at least one voxel.
    intensity : of the mask's box, finite inside.
    spacing_mm : (z, y, x).
    radius_mm : a voxel whose centre is this far away counts.
    """
    reach = _reach(spacing_mm, radius_mm, image.shape)
    widths, kinds = np.unique(reach, return_inverse=True)
    columns = inside.any(axis=0)
    lines = np.flatnonzero(columns.any(axis=1))
    ends = np.zeros((inside.shape[1], 2), dtype=np.int64)
    ends[lines, 0] = columns[lines].argmax(axis=1)
    ends[lines, 1] = inside.shape[2] - columns[lines, ::-1].argmax(axis=1)
    hottest = float(intensity.max(where=inside, initial=-np.inf))
    local, highest = _peaks(
        image,
        np.asarray(start, dtype=np.int64),
        inside,
        intensity,
        hottest,
        ends,
        widths,
        kinds.reshape(reach.shape).astype(np.int64),
    )
    return float(local), float(highest)


def _reach(spacing_mm: Triple, radius_mm: float, shape: tuple[int, ...]) -> Whole:
    """How many voxels along x a sphere holds on each side, in the line (z, y) away; -1 if it misses the line.

    No more than an image of `shape` has: beyond it nothing counts, and tiny voxels would make the sphere huge.
    """
    # A voxel at the radius to within rounding counts, as the manual's "within" says.
    squared = radius_mm**2 * (1.0 + 1e-12)
    z, y = (np.arange(min(int(radius_mm / step) + 1, n)) * step for step, n in zip(spacing_mm, shape[:2], strict=False))
    left = squared - (z**2)[:, None] - (y**2)[None, :]
    found = np.where(left >= 0.0, np.floor(np.sqrt(np.maximum(left, 0.0)) / spacing_mm[2] + 1e-12), -1.0)
    return np.minimum(found, shape[2]).astype(np.int64)


@numba.njit(cache=True, nogil=True)
def _complete(image: NDArray[Any], low: Whole, high: Whole) -> bool:
    """Whether all voxels from index `low` (z, y, x) to before `high` lie in the image and have a finite value."""
    for axis in range(3):
        if low[axis] < 0 or high[axis] > image.shape[axis]:
            return False
    for z in range(low[0], high[0]):
        for y in range(low[1], high[1]):
            for x in range(low[2], high[2]):
                if not np.isfinite(image[z, y, x]):
                    return False
    return True


@numba.njit(cache=True, nogil=True)
def _sum_windows(image: NDArray[Any], at: Whole, count: bool, widths: Whole, running: Floats, sums: Floats) -> None:
    """Sums over windows along a line for each half width: (k, x), of the values, or of how many there are.

    The line of window centres begins at index `at` (z, y, x) of the image, and may lie beyond it.
    """
    z, y = at[0], at[1]
    margin = widths[-1]
    width = sums.shape[1]
    on_image = 0 <= z < image.shape[0] and 0 <= y < image.shape[1]
    total = 0.0
    running[0] = 0.0
    for i in range(width + 2 * margin):
        x = at[2] - margin + i
        if on_image and 0 <= x < image.shape[2] and np.isfinite(image[z, y, x]):
            total += 1.0 if count else np.float64(image[z, y, x])
        running[i + 1] = total
    for k in range(widths.size):
        if widths[k] >= 0:
            before, after = running[margin - widths[k] :], running[margin + widths[k] + 1 :]
            for x in range(width):
                sums[k, x] = after[x] - before[x]


@numba.njit(cache=True, nogil=True)
def _sum_disc(windows: Floats, widths: Whole, kinds: Whole, y: int, low: int, high: int, disc: Floats) -> None:
    """Sums over the part of the sphere in one slice, for the centres `low` to `high` of line y.

    `windows` (line, k, x) begins as many lines before the first centre as the disc reaches; `kinds` says which of
    them each line of the disc takes.
    """
    reach = kinds.size - 1
    # Cut out, so that the inner loop begins at 0: the compiler makes it wide only if no index may be negative.
    target = disc[low:high]
    target[:] = 0.0
    for dy in range(-reach, reach + 1):
        k = kinds[abs(dy)]
        if widths[k] >= 0:
            line = windows[y + reach + dy, k, low:high]
            for x in range(target.size):
                target[x] += line[x]


@numba.njit(cache=True, nogil=True)
def _spread(
    windows: Floats, widths: Whole, kinds: Whole, ends: Whole, z: int, depth: int, disc: Floats, sums: Floats
) -> None:
    """Adds what slice z of the image (counted from the box) holds of the spheres about the centres of all slices.

    `sums` (ring, y, x) keeps as many slices of centres as a sphere reaches over.
    """
    for dz in range(kinds.shape[0]):
        for y in range(ends.shape[0]):
            low, high = ends[y, 0], ends[y, 1]
            if low == high:
                continue
            _sum_disc(windows, widths, kinds[dz], y, low, high, disc)
            for side in range(2 if dz else 1):
                centre = z + dz if side else z - dz
                if 0 <= centre < depth:
                    target, line = sums[centre % sums.shape[0], y, low:high], disc[low:high]
                    for x in range(target.size):
                        target[x] += line[x]


@numba.njit(cache=True, nogil=True)
def _voxels_of_sphere(widths: Whole, kinds: Whole) -> float:
    """How many voxels lie in a sphere."""
    total = 0.0
    for dz in range(kinds.shape[0]):
        for dy in range(kinds.shape[1]):
            line = 2.0 * widths[kinds[dz, dy]] + 1.0 if widths[kinds[dz, dy]] >= 0 else 0.0
            total += line * (2.0 if dz else 1.0) * (2.0 if dy else 1.0)
    return total


@numba.njit(cache=True, nogil=True)
def _peaks(
    image: NDArray[Any],
    start: Whole,
    inside: NDArray[np.bool_],
    intensity: NDArray[Any],
    hottest: float,
    ends: Whole,
    widths: Whole,
    kinds: Whole,
) -> tuple[float, float]:
    """As `peaks`: slice after slice of the image is added to the spheres that it lies in."""
    depth, height, width = inside.shape
    reach = np.array([kinds.shape[0] - 1, kinds.shape[1] - 1, widths[-1]])
    complete = _complete(image, start - reach, start + reach + np.array([depth, height, width]))
    parts = 1 if complete else 2
    windows = np.empty((parts, height + 2 * reach[1], widths.size, width))
    running = np.empty(width + 2 * reach[2] + 1)
    disc = np.empty(width)
    sums = np.zeros((parts, 2 * reach[0] + 1, height, width))
    whole = _voxels_of_sphere(widths, kinds)
    local = highest = -np.inf
    for z in range(-reach[0], depth + reach[0]):
        for part in range(parts):
            for line in range(windows.shape[1]):
                at = start + np.array([z, line - reach[1], 0])
                _sum_windows(image, at, part == 1, widths, running, windows[part, line])
            _spread(windows[part], widths, kinds, ends, z, depth, disc, sums[part])
        centre = z - reach[0]
        if centre < 0:
            continue
        done = sums[:, centre % sums.shape[1]]
        for y in range(height):
            for x in range(ends[y, 0], ends[y, 1]):
                if inside[centre, y, x]:
                    mean = done[0, y, x] / (whole if complete else done[1, y, x])
                    highest = max(highest, mean)
                    if intensity[centre, y, x] >= hottest:
                        local = max(local, mean)
        done[:] = 0.0
    return local, highest
