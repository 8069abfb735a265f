"""The profile of a CT image across the patient's skin, oversampled: what the resolution is read from."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.core.derived import derived
from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume

TOO_FEW_EDGES = Problem(
    code="quality.too-few-edges",
    says="only {found} stretches of bare, smooth skin in front of air were found; the resolution needs {needed}",
    remedy="Judge the resolution on a series whose field of view shows uncovered skin, or measure it in a phantom.",
    owner=Owner.PHYSICIST,
)

FEWEST_EDGES = 24
GROUPS = 12
MOST_SLICES = 48
STRETCH_MM = 12.0
OUTSIDE_MM, INSIDE_MM = 14.0, 6.0
BIN_MM = 0.1
BINS = round((OUTSIDE_MM + INSIDE_MM) / BIN_MM)
CLEAR_TO_MM = 12.0
LOWEST_AIR_HU = -1100.0
CLEAR_AIR_HU = (-970.0,) * 8 + (-930.0, -880.0)
"""Highest mean of each millimetre from 12 to 2 mm in front of the skin; a Gaussian blur of up to 1.3 mm stays below."""
FLESH_HU = (-250.0, 250.0)
CROSSING_HU = -500.0
STEEPEST = 1.0
"""Skin at more than 45 degrees to this search is found by the one across: none is counted twice."""
SHARPEST_PER_MM = 1.0 / 30.0
ROUGHEST_MM = 0.3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SkinProfile:
    """Sums of CT numbers and counts of pixels by distance from the skin, for each of several groups of stretches.

    Parameters
    ----------
    sums, counts : (group, bin); bins of `BIN_MM` from `OUTSIDE_MM` outside of the skin to `INSIDE_MM` inside.
    stretches : how many stretches of skin each group holds (group,). misplaced_mm2 : mean variance of the fitted
    place of the skin; it blurs the profile like a Gaussian of that variance.
    """

    sums: NDArray[np.float64]
    counts: NDArray[np.int64]
    stretches: NDArray[np.int64]
    misplaced_mm2: float

    @property
    def distance_mm(self) -> NDArray[np.float64]:
        """Centres of the bins; negative outside of the patient."""
        place: NDArray[np.float64] = (np.arange(BINS, dtype=np.float64) + 0.5) * BIN_MM - OUTSIDE_MM
        return place


@derived
def skin_profile(volume: Volume, body: Region) -> SkinProfile:
    """The CT number by distance from the skin, over all stretches of bare and smooth skin in front of clear air.

    On up to 48 slices, spread evenly, the outermost skin is sought along the rows and columns from all four sides. A
    stretch of about 12 mm is used if its skin is there in each column, a parabola fits it within 0.3 mm, it is not
    steeper than 45 degrees to the search nor rounder than a radius of 30 mm, what lies in front of it as far as 12 mm
    is nothing but air (no clothing, table, arm or edge of the image), and flesh lies behind. Every pixel near it then
    goes into the bin of its distance from the parabola. Stretches are dealt out to twelve groups in turn, to show how
    far they agree.

    Raises
    ------
    Undefined
        ``quality.too-few-edges``.
    """
    _, y_mm, x_mm = volume.geometry.spacing_mm
    sums = np.zeros((GROUPS, BINS))
    counts = np.zeros((GROUPS, BINS), dtype=np.int64)
    stretches = np.zeros(GROUPS, dtype=np.int64)
    misplaced = np.zeros(1)
    depth = body.mask.shape[0]
    for k in np.unique(np.linspace(0, depth - 1, min(depth, MOST_SLICES)).round().astype(int)):
        image, inside = _surroundings(volume, body, int(k))
        for turned, down_mm, across_mm in ((False, y_mm, x_mm), (True, x_mm, y_mm)):
            for step in (1, -1):
                _gather(
                    np.ascontiguousarray((image.T if turned else image)[::step]),
                    np.ascontiguousarray((inside.T if turned else inside)[::step]),
                    down_mm,
                    across_mm,
                    sums,
                    counts,
                    stretches,
                    misplaced,
                )
    found = int(stretches.sum())
    if found < FEWEST_EDGES:
        raise Undefined(TOO_FEW_EDGES, found=found, needed=FEWEST_EDGES)
    return SkinProfile(sums=sums, counts=counts, stretches=stretches, misplaced_mm2=float(misplaced[0]) / found)


def _surroundings(volume: Volume, body: Region, k: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Slice `k` of the body's box with a margin of air: CT numbers, and which pixels belong to the body."""
    _, y_mm, x_mm = volume.geometry.spacing_mm
    margin = (0, int(OUTSIDE_MM / y_mm) + 2, int(OUTSIDE_MM / x_mm) + 2)
    _, rows, columns = body.box(margin)
    image = volume.voxels[body.start[0] + k, rows, columns].astype(np.float32)
    inside = np.zeros(image.shape, dtype=bool)
    top, left = body.start[1] - rows.start, body.start[2] - columns.start
    inside[top : top + body.mask.shape[1], left : left + body.mask.shape[2]] = body.inside[k]
    if volume.valid is not None:
        # Padding is not air: above the limit for clear air, so that no stretch in front of it is used.
        image[~volume.valid[body.start[0] + k, rows, columns]] = 0.0
    return image, inside


@numba.njit(cache=True, nogil=True)
def _gather(
    image: NDArray[np.float32],
    inside: NDArray[np.bool_],
    down_mm: float,
    across_mm: float,
    sums: NDArray[np.float64],
    counts: NDArray[np.int64],
    stretches: NDArray[np.int64],
    misplaced: NDArray[np.float64],
) -> None:
    """Add the stretches of skin that are met first on the way down the columns."""
    skin_mm = _first_skin(image, inside, down_mm)
    half = max(3, int(0.5 * STRETCH_MM / across_mm))
    for middle in range(half, image.shape[1] - half, 2 * half + 1):
        level, slope, bend, rough2 = _parabola(skin_mm, middle, half, across_mm)
        if not (rough2 < ROUGHEST_MM**2 and abs(slope) < STEEPEST and abs(bend) < 0.5 * SHARPEST_PER_MM):
            continue
        if not _clear(image, middle, half, level, slope, bend, down_mm, across_mm):
            continue
        group = int(stretches.sum()) % GROUPS
        stretches[group] += 1
        # Three parameters were fitted to the columns: that much of the scatter stays in the place of the skin.
        misplaced[0] += 3.0 * rough2 / (2 * half + 1) / (1.0 + slope * slope)
        for column in range(middle - half, middle + half + 1):
            across = (column - middle) * across_mm
            edge = level + slope * across + bend * across * across
            cosine = 1.0 / np.sqrt(1.0 + (slope + 2.0 * bend * across) ** 2)
            first = max(0, int((edge - OUTSIDE_MM / cosine) / down_mm))
            last = min(image.shape[0] - 1, int((edge + INSIDE_MM / cosine) / down_mm) + 1)
            for row in range(first, last + 1):
                place = int(np.floor(((row * down_mm - edge) * cosine + OUTSIDE_MM) / BIN_MM))
                if 0 <= place < BINS:
                    sums[group, place] += image[row, column]
                    counts[group, place] += 1


@numba.njit(cache=True, nogil=True)
def _first_skin(image: NDArray[np.float32], inside: NDArray[np.bool_], down_mm: float) -> NDArray[np.float64]:
    """How far down (mm) each column first crosses -500 HU into the body; NaN where it does not begin in air."""
    height, width = image.shape
    found = np.full(width, np.nan)
    for column in range(width):
        for row in range(height):
            if inside[row, column]:
                if row > 0:
                    above, here = image[row - 1, column], image[row, column]
                    if above <= CROSSING_HU < here:
                        found[column] = (row - 1 + (CROSSING_HU - above) / (here - above)) * down_mm
                break
    return found


@numba.njit(cache=True, nogil=True)
def _parabola(
    skin_mm: NDArray[np.float64], middle: int, half: int, across_mm: float
) -> tuple[float, float, float, float]:
    """Level, slope, bend (per mm) of the least-squares parabola about `middle`, and its residual variance (mm2)."""
    n = 2 * half + 1
    s2 = s4 = y0 = y1 = y2 = 0.0
    for j in range(-half, half + 1):
        t = j * across_mm
        y = skin_mm[middle + j]
        s2 += t * t
        s4 += t**4
        y0 += y
        y1 += t * y
        y2 += t * t * y
    bend = (n * y2 - s2 * y0) / (n * s4 - s2 * s2)
    level = (y0 - bend * s2) / n
    slope = y1 / s2
    rough2 = 0.0
    for j in range(-half, half + 1):
        t = j * across_mm
        rough2 += (skin_mm[middle + j] - level - slope * t - bend * t * t) ** 2
    return level, slope, bend, rough2 / (n - 3)


@numba.njit(cache=True, nogil=True)
def _clear(
    image: NDArray[np.float32],
    middle: int,
    half: int,
    level: float,
    slope: float,
    bend: float,
    down_mm: float,
    across_mm: float,
) -> bool:
    """Whether each millimetre in front of the skin is air, as far as 12 mm, and what lies behind it is flesh."""
    layers = len(CLEAR_AIR_HU)
    total = np.zeros(layers + 1)
    number = np.zeros(layers + 1)
    for column in range(middle - half, middle + half + 1):
        across = (column - middle) * across_mm
        edge = level + slope * across + bend * across * across
        cosine = 1.0 / np.sqrt(1.0 + (slope + 2.0 * bend * across) ** 2)
        if edge - CLEAR_TO_MM / cosine < 0.0:
            return False
        last = min(image.shape[0] - 1, int((edge + 4.0 / cosine) / down_mm) + 1)
        for row in range(int((edge - CLEAR_TO_MM / cosine) / down_mm), last + 1):
            depth = (row * down_mm - edge) * cosine
            if -CLEAR_TO_MM <= depth < layers - CLEAR_TO_MM:
                total[int(depth + CLEAR_TO_MM)] += image[row, column]
                number[int(depth + CLEAR_TO_MM)] += 1.0
            elif 1.5 < depth < 4.0:
                total[layers] += image[row, column]
                number[layers] += 1.0
    for layer in range(layers):
        mean = total[layer] / max(number[layer], 1.0)
        if number[layer] == 0.0 or not LOWEST_AIR_HU < mean < CLEAR_AIR_HU[layer]:
            return False
    flesh = total[layers] / max(number[layers], 1.0)
    return bool(number[layers] > 0.0 and FLESH_HU[0] < flesh < FLESH_HU[1])
