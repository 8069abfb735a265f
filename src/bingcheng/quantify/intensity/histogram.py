"""The histogram of a lesion's discretised intensities: the intensity histogram family of the IBSI reference manual."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.quantify.intensity.statistics import EMPTY_INTENSITY_MASK
from bingcheng.quantify.radiomics.feature import Family, Feature, Values
from bingcheng.quantify.radiomics.roi import Levels, Roi

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

NOT_DISCRETISED = Problem(
    code="quantify.histogram-not-discretised",
    says="the intensities have not been put into bins, which this feature needs",
    remedy="Ask for a discretisation (a bin number or a bin width) in the settings.",
    owner=Owner.PHYSICIST,
)
ONE_BIN = Problem(
    code="quantify.histogram-of-one-bin",
    says="the histogram has a single bin, so that it has no gradient",
    remedy="Use more or narrower bins, or leave this lesion out of texture analysis.",
    owner=Owner.PHYSICIST,
)


def _feature(tag: str, label: str, ibsi: str) -> Feature:
    return Feature(tag=tag, label=label, ibsi=ibsi, family=Family.HISTOGRAM)


FEATURES: tuple[Feature, ...] = (
    _feature("ih_mean", "Mean discretised intensity", "X6K6"),
    _feature("ih_var", "Discretised intensity variance", "CH89"),
    _feature("ih_skew", "Discretised intensity skewness", "88K1"),
    _feature("ih_kurt", "Excess discretised intensity kurtosis", "C3I7"),
    _feature("ih_median", "Median discretised intensity", "WIFQ"),
    _feature("ih_min", "Minimum discretised intensity", "1PR8"),
    # The manual gives the 10th percentile the identifier of the minimum, too.
    _feature("ih_p10", "10th discretised intensity percentile", "1PR8"),
    _feature("ih_p90", "90th discretised intensity percentile", "GPMT"),
    _feature("ih_max", "Maximum discretised intensity", "3NCY"),
    _feature("ih_mode", "Intensity histogram mode", "AMMC"),
    _feature("ih_iqr", "Discretised intensity interquartile range", "WR0O"),
    _feature("ih_range", "Discretised intensity range", "5Z3W"),
    _feature("ih_mad", "Intensity histogram mean absolute deviation", "D2ZX"),
    _feature("ih_rmad", "Intensity histogram robust mean absolute deviation", "WRZB"),
    _feature("ih_medad", "Intensity histogram median absolute deviation", "4RNL"),
    _feature("ih_cov", "Intensity histogram coefficient of variation", "CWYJ"),
    _feature("ih_qcod", "Intensity histogram quartile coefficient of dispersion", "SLWD"),
    _feature("ih_entropy", "Discretised intensity entropy", "TLU2"),
    _feature("ih_uniformity", "Discretised intensity uniformity", "BJ5W"),
    _feature("ih_max_grad", "Maximum histogram gradient", "12CE"),
    _feature("ih_max_grad_g", "Maximum histogram gradient intensity", "8E6O"),
    _feature("ih_min_grad", "Minimum histogram gradient", "VQB3"),
    _feature("ih_min_grad_g", "Minimum histogram gradient intensity", "RHQZ"),
)


def histogram(roi: Roi) -> Values:
    """The intensity histogram family (23 features): of the bin numbers, not of the intensities they stand for.

    All bins up to `Levels.count` belong to the histogram, those without a voxel too. Of several bins with the
    steepest gradient the lowest is told.

    Returns
    -------
    features by tag; `Undefined` with ``quantify.histogram-not-discretised`` or
    ``quantify.no-voxel-in-intensity-range`` (all), ``quantify.histogram-of-one-bin`` (gradients).
    """
    if roi.levels is None:
        return dict.fromkeys((feature.tag for feature in FEATURES), Undefined(NOT_DISCRETISED))
    counts = level_counts(roi.levels)
    total = int(counts.sum())
    if not total:
        return dict.fromkeys((feature.tag for feature in FEATURES), Undefined(EMPTY_INTENSITY_MASK))
    return _of_distribution(counts, total) | _of_gradient(counts)


def level_counts(levels: Levels) -> Whole:
    """How many voxels each level has, (count,) from level 1 on."""
    counts: Whole = _count(levels.index.reshape(-1), levels.count)
    return counts


def _of_distribution(counts: Whole, total: int) -> dict[str, float | Undefined]:
    level = np.arange(1.0, counts.size + 1.0)
    share = counts / total
    occurring = np.flatnonzero(counts)
    lowest, highest = int(occurring[0]) + 1, int(occurring[-1]) + 1
    mean = float(level @ counts) / total
    deviation = level - mean
    squared = deviation * deviation
    # A single level's variance is 0, not what rounding makes of it.
    variance = float(squared @ share) if lowest < highest else 0.0
    cumulative = np.cumsum(counts)
    p10, p25, p75, p90 = (_level_at(cumulative, -(-q * total // 100)) for q in (10, 25, 75, 90))
    median = (_level_at(cumulative, (total + 1) // 2) + _level_at(cumulative, total // 2 + 1)) / 2.0
    middle = slice(p10 - 1, p90)
    centre = float(level[middle] @ counts[middle]) / float(counts[middle].sum())
    present = share[occurring]
    most = np.flatnonzero(counts == np.max(counts))
    return {
        "ih_mean": mean,
        "ih_var": variance,
        "ih_skew": float((squared * deviation) @ share) / variance**1.5 if variance else 0.0,
        "ih_kurt": float((squared * squared) @ share) / variance**2 - 3.0 if variance else 0.0,
        "ih_median": median,
        "ih_min": float(lowest),
        "ih_p10": float(p10),
        "ih_p90": float(p90),
        "ih_max": float(highest),
        # Of several modes the one nearest to the mean, of two as near the lower: argmin takes the first.
        "ih_mode": float(most[np.argmin(np.abs(most + 1 - mean))] + 1),
        "ih_iqr": float(p75 - p25),
        "ih_range": float(highest - lowest),
        "ih_mad": float(np.abs(deviation) @ share),
        "ih_rmad": float(np.abs(level[middle] - centre) @ counts[middle]) / float(counts[middle].sum()),
        "ih_medad": float(np.abs(level - median) @ share),
        "ih_cov": variance**0.5 / mean,
        "ih_qcod": (p75 - p25) / (p75 + p25),
        "ih_entropy": abs(float(present @ np.log2(present))),
        "ih_uniformity": float(present @ present),
    }


def _level_at(cumulative: Whole, rank: int) -> int:
    """The level of the voxel with this rank, from 1, among all voxels in order."""
    return int(np.searchsorted(cumulative, rank)) + 1


def _of_gradient(counts: Whole) -> dict[str, float | Undefined]:
    if counts.size < 2:
        return dict.fromkeys(("ih_max_grad", "ih_max_grad_g", "ih_min_grad", "ih_min_grad_g"), Undefined(ONE_BIN))
    gradient = np.gradient(counts.astype(np.float64))
    return {
        "ih_max_grad": float(np.max(gradient)),
        "ih_max_grad_g": float(np.argmax(gradient) + 1),
        "ih_min_grad": float(np.min(gradient)),
        "ih_min_grad_g": float(np.argmin(gradient) + 1),
    }


@numba.njit(cache=True, nogil=True)
def _count(index: NDArray[np.int32], levels: int) -> Whole:
    """Voxels of each level; two tables by turns, for a counter in memory waits for itself."""
    counts = np.zeros((2, levels + 1), dtype=np.int64)
    for i in range(index.size):
        counts[i & 1, index[i]] += 1
    return counts[0, 1:] + counts[1, 1:]
