"""Where two exams may lie over each other: all shifts tried at once on a coarse grid.

The masked normalised cross-correlation (Padfield, IEEE Trans Image Process 2012;21:2706) gives, by Fourier transforms,
for every shift how alike the two are where both see the patient. So a chest and a whole trunk find each other wherever
their fields of view begin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy import ndimage

from bingcheng.image.registration.seen import Seen

OVERLAP_POWER = 0.25
"""How strongly small overlaps are held back."""
APART = 2
"""Voxels of the coarse grid by which two candidates differ at least."""
HOPELESS = 0.4
"""A shift that scores worse than the best one by more is not worth a try."""
VARIANCE_FLOOR = 1e-4
"""Smallest variance, in squared window widths a voxel, of a part that can be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A shift to start from.

    Parameters
    ----------
    shift_mm : from the fixed exam to the moving one, as (L, P, S).
    likeness : correlation in the overlap, -1 to 1.
    """

    shift_mm: tuple[float, float, float]
    likeness: float


def candidates(fixed: Seen, moving: Seen, *, most: int, least_overlap: float) -> tuple[Candidate, ...]:
    """The shifts at which the two are most alike, best first; empty if none leaves enough overlap.

    Parameters
    ----------
    fixed, moving : on grids of the same spacing.
    most : how many at most.
    least_overlap : share of the smaller body that must lie in the other's, for a shift to count.
    """
    likeness, overlap = _correlation(fixed, moving)
    smaller = min(int(fixed.body.sum()), int(moving.body.sum()))
    allowed = (overlap >= max(least_overlap * smaller, 8.0)) & np.isfinite(likeness)
    if smaller == 0 or not allowed.any():
        return ()
    # Overlaps that are small are alike by chance more easily.
    weight = np.minimum(1.0, overlap / smaller) ** OVERLAP_POWER
    scored = np.where(allowed, np.where(allowed, likeness, 0.0) * weight, -np.inf)
    peaks = (ndimage.maximum_filter(scored, size=2 * APART + 1) == scored) & allowed
    places = np.argwhere(peaks)
    places = places[np.argsort(-scored[peaks], kind="stable")][:most]
    places = places[[scored[tuple(place)] > scored.max() - HOPELESS for place in places]]
    return tuple(
        Candidate(shift_mm=_shift(place, fixed, moving), likeness=float(likeness[tuple(place)])) for place in places
    )


def _shift(place: NDArray[np.int64], fixed: Seen, moving: Seen) -> tuple[float, float, float]:
    """The shift in mm of an index of the correlation: the fixed grid's first voxel lies at that index less the size."""
    index = place - (np.asarray(fixed.grid.shape) - 1)
    shift = moving.grid.to_mm(index) - np.asarray(fixed.grid.origin_mm)
    return float(shift[0]), float(shift[1]), float(shift[2])


def _correlation(fixed: Seen, moving: Seen) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Correlation and overlap in voxels, for every shift: index ``k`` is a shift by ``k - (fixed shape - 1)``."""
    sizes = [a + b - 1 for a, b in zip(fixed.grid.shape, moving.grid.shape, strict=True)]
    padded = [scipy.fft.next_fast_len(size, real=True) for size in sizes]
    cut = tuple(slice(size) for size in sizes)

    def forward(array: NDArray[np.generic]) -> NDArray[np.complexfloating]:
        spectrum: NDArray[np.complexfloating] = scipy.fft.rfftn(array.astype(float), padded)
        return spectrum

    def together(one: NDArray[np.complexfloating], two: NDArray[np.complexfloating]) -> NDArray[np.float64]:
        product: NDArray[np.float64] = scipy.fft.irfftn(one * two, padded)[cut]
        return product

    # Inside the body only: skin against air would outweigh all else and fits at any level of a trunk.
    mask_f, mask_m = fixed.body, moving.body
    value_f, value_m = fixed.values * mask_f, moving.values * mask_m
    flipped = np.s_[::-1, ::-1, ::-1]
    f, f1, f2 = (forward(a[flipped]) for a in (mask_f, value_f, value_f**2))
    m, m1, m2 = (forward(a) for a in (mask_m, value_m, value_m**2))
    count = np.maximum(np.rint(together(f, m)), 0.0)
    safe = np.maximum(count, 1.0)
    sum_f, sum_m = together(f1, m), together(f, m1)
    cross = together(f1, m1) - sum_f * sum_m / safe
    spread_f = np.maximum(together(f2, m) - sum_f**2 / safe, 0.0)
    spread_m = np.maximum(together(f, m2) - sum_m**2 / safe, 0.0)
    usable = np.minimum(spread_f, spread_m) > VARIANCE_FLOOR * safe
    likeness = np.where(usable, cross / np.sqrt(np.where(usable, spread_f * spread_m, 1.0)), -np.inf)
    return likeness, count
