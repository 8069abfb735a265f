"""Peaks of a lesion as the IBSI defines them: means over the voxels around one, in a sphere of one millilitre.

The measure `highest_sphere_mean` weighs voxels by the part that the sphere covers; the IBSI counts those whole whose
centre lies in the sphere.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import Undefined
from bingcheng.image.geometry import Triple
from bingcheng.image.volume import read_only
from bingcheng.quantify.intensity.statistics import EMPTY_INTENSITY_MASK
from bingcheng.quantify.radiomics.feature import Family, Feature, Values
from bingcheng.quantify.radiomics.roi import Roi

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

RADIUS_MM = 10.0 * (3.0 / (4.0 * np.pi)) ** (1.0 / 3.0)
"""Radius of a sphere of 1 cm3: 6.204 mm."""

SLAB_VOXELS = 1 << 15
"""Voxels of the image that are looked at at once."""

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
    image : (z, y, x), the surroundings, of any number type.
    start : index in `image` of the mask's first voxel.
    inside : boolean (z, y, x), C-contiguous, with at least one voxel.
    intensity : of the mask's box, finite inside.
    spacing_mm : (z, y, x).
    radius_mm : a voxel whose centre is this far away counts.
    """
    z, y, x = spacing_mm
    widths, kinds = _sphere((float(z), float(y), float(x)), radius_mm, _limits(spacing_mm, radius_mm, image.shape))
    columns = inside.any(axis=0)
    lines = np.flatnonzero(columns.any(axis=1))
    ends = np.zeros((inside.shape[1], 2), dtype=np.int64)
    ends[lines, 0] = columns[lines].argmax(axis=1)
    ends[lines, 1] = inside.shape[2] - columns[lines, ::-1].argmax(axis=1)
    hottest = float(intensity.max(where=inside, initial=-np.inf))
    far = np.array([kinds.shape[0] - 1, kinds.shape[1] - 1, widths[-1]])
    at = np.asarray(start, dtype=np.int64)
    complete = _complete(image, at - far, at + far + inside.shape)
    depth, height, width = inside.shape
    parts = 1 if complete else 2
    room = (
        np.empty((parts, height + 2 * far[1], widths.size, width)),
        np.empty(width + 2 * far[2] + 1),
        np.empty(width),
        np.zeros((parts, 2 * far[0] + 1, height, width)),
    )
    best = np.full(2, -np.inf)
    step = max(1, SLAB_VOXELS // image[0].size)
    for first in range(-int(far[0]), depth + int(far[0]), step):
        last = min(first + step, depth + int(far[0]))
        low = max(0, start[0] + first)
        # Of one kind always, so that the kernel is compiled once; not all of it, which may be larger than the lesion.
        slab = read_only(np.ascontiguousarray(image[low : max(low, start[0] + last)], dtype=intensity.dtype))
        _add_slices(
            slab, at - (low, 0, 0), (first, last), inside, intensity, hottest, ends, widths, kinds, complete, room, best
        )
    return float(best[0]), float(best[1])


def _complete(image: NDArray[Any], low: Whole, high: Whole) -> bool:
    """Whether all voxels from index `low` (z, y, x) to before `high` lie in the image and have a finite value."""
    if (low < 0).any() or (high > image.shape).any():
        return False
    if image.dtype.kind != "f":
        return True
    z, y, x = (slice(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True))
    return bool(np.isfinite(image[z, y, x]).all())


def _limits(spacing_mm: Triple, radius_mm: float, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """How many voxels along (z, y, x) a sphere need be looked for on each side.

    No more than an image of `shape` has: beyond it nothing counts, and tiny voxels would make the sphere huge.
    """
    z, y, x = (min(int(radius_mm / step) + 1, n) for step, n in zip(spacing_mm, shape, strict=True))
    return z, y, x


@lru_cache(maxsize=16)
def _sphere(spacing_mm: Triple, radius_mm: float, limits: tuple[int, int, int]) -> tuple[Whole, Whole]:
    """The half widths that the lines of a sphere along x have, and which of them each line (z, y) away has; read-only.

    A half width is the number of voxels that the sphere holds on each side; -1 if it misses the line.
    """
    # A voxel at the radius to within rounding counts, as the manual's "within" says.
    squared = radius_mm**2 * (1.0 + 1e-12)
    z, y = (np.arange(n) * step for step, n in zip(spacing_mm[:2], limits[:2], strict=True))
    left = squared - (z**2)[:, None] - (y**2)[None, :]
    found = np.where(left >= 0.0, np.floor(np.sqrt(np.maximum(left, 0.0)) / spacing_mm[2] + 1e-12), -1.0)
    reach = np.minimum(found, limits[2]).astype(np.int64)
    widths, kinds = np.unique(reach, return_inverse=True)
    return read_only(widths), read_only(kinds.reshape(reach.shape).astype(np.int64))


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
def _add_slices(
    image: NDArray[Any],
    start: Whole,
    slices: tuple[int, int],
    inside: NDArray[np.bool_],
    intensity: NDArray[Any],
    hottest: float,
    ends: Whole,
    widths: Whole,
    kinds: Whole,
    complete: bool,
    room: tuple[Floats, Floats, Floats, Floats],
    best: Floats,
) -> None:
    """Adds slice after slice of the image to the spheres that it lies in, and raises what is best so far.

    Parameters
    ----------
    image : some slices of it.
    start : index in `image` of the mask's first voxel; may lie beyond it.
    slices : the first of those slices and the one past the last, counted from the mask's first.
    complete : whether all spheres hold the same number of voxels.
    room : for sums over windows (part, line, k, x) and along a line (x,), over a disc (x,) and over spheres
        (part, ring, y, x), which are kept from call to call.
    best : of the hottest voxels and of all (2,).
    """
    depth, height, _ = inside.shape
    windows, running, disc, sums = room
    reach_z, reach_y = kinds.shape[0] - 1, kinds.shape[1] - 1
    whole = _voxels_of_sphere(widths, kinds)
    for z in range(slices[0], slices[1]):
        for part in range(windows.shape[0]):
            for line in range(windows.shape[1]):
                at = start + np.array([z, line - reach_y, 0])
                _sum_windows(image, at, part == 1, widths, running, windows[part, line])
            _spread(windows[part], widths, kinds, ends, z, depth, disc, sums[part])
        centre = z - reach_z
        if centre < 0:
            continue
        done = sums[:, centre % sums.shape[1]]
        for y in range(height):
            for x in range(ends[y, 0], ends[y, 1]):
                if inside[centre, y, x]:
                    mean = done[0, y, x] / (whole if complete else done[1, y, x])
                    best[1] = max(best[1], mean)
                    if intensity[centre, y, x] >= hottest:
                        best[0] = max(best[0], mean)
        done[:] = 0.0
