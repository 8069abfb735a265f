"""The distribution of a lesion's intensities: the statistics family of the IBSI reference manual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.quantify.radiomics.feature import Family, Feature, Values
from bingcheng.quantify.radiomics.roi import Roi

EMPTY_INTENSITY_MASK = Problem(
    code="quantify.no-voxel-in-intensity-range",
    says="no voxel of the lesion has an intensity within the range that counts",
    remedy="Widen the range of re-segmentation, or check that the image is in the unit that the range was given in.",
    owner=Owner.PHYSICIST,
)
MEAN_IS_ZERO = Problem(
    code="quantify.mean-intensity-zero",
    says="the mean intensity is zero, so that a spread can't be given as a part of it",
    remedy="Use the variance or the interquartile range instead.",
    owner=Owner.PHYSICIST,
)
QUARTILES_CANCEL = Problem(
    code="quantify.quartile-sum-zero",
    says="the upper and the lower quartile add up to zero, so that a spread can't be given as a part of their sum",
    remedy="Use the variance or the interquartile range instead.",
    owner=Owner.PHYSICIST,
)


def _feature(tag: str, label: str, ibsi: str, power: int) -> Feature:
    return Feature(tag=tag, label=label, ibsi=ibsi, family=Family.STATISTICS, intensity_power=power)


FEATURES: tuple[Feature, ...] = (
    _feature("stat_mean", "Mean intensity", "Q4LE", 1),
    _feature("stat_var", "Intensity variance", "ECT3", 2),
    _feature("stat_skew", "Intensity skewness", "KE2A", 0),
    _feature("stat_kurt", "Excess intensity kurtosis", "IPH6", 0),
    _feature("stat_median", "Median intensity", "Y12H", 1),
    _feature("stat_min", "Minimum intensity", "1GSF", 1),
    _feature("stat_p10", "10th intensity percentile", "QG58", 1),
    _feature("stat_p90", "90th intensity percentile", "8DWT", 1),
    _feature("stat_max", "Maximum intensity", "84IY", 1),
    _feature("stat_iqr", "Intensity interquartile range", "SALO", 1),
    _feature("stat_range", "Intensity range", "2OJQ", 1),
    _feature("stat_mad", "Mean absolute deviation of intensity", "4FUA", 1),
    _feature("stat_rmad", "Robust mean absolute deviation of intensity", "1128", 1),
    _feature("stat_medad", "Median absolute deviation of intensity", "N72L", 1),
    _feature("stat_cov", "Coefficient of variation of intensity", "7TET", 0),
    _feature("stat_qcod", "Quartile coefficient of dispersion of intensity", "9S40", 0),
    _feature("stat_energy", "Intensity energy", "N8CA", 2),
    _feature("stat_rms", "Root mean square intensity", "5ZWQ", 1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStatistics:
    """What sorting tells. Percentiles are values that occur: the least one that at least so many are not above.

    Linear interpolation between neighbours would make the 90th percentile of the IBSI's digital phantom 4.2, where
    the consensus is 4. The median of an even number of values is the mean of the middle two.
    """

    minimum: float
    p10: float
    p25: float
    median: float
    p75: float
    p90: float
    maximum: float


def statistics(roi: Roi) -> Values:
    """The statistics family (18 features) of the intensities in the intensity mask.

    The variance is that of a population (no correction). Skewness and kurtosis of a constant intensity are 0, as the
    manual says.

    Returns
    -------
    features by tag; `Undefined` with ``quantify.no-voxel-in-intensity-range`` (all),
    ``quantify.mean-intensity-zero`` (coefficient of variation), ``quantify.quartile-sum-zero`` (quartile coefficient).
    """
    values = roi.values
    if not values.size:
        return dict.fromkeys((feature.tag for feature in FEATURES), Undefined(EMPTY_INTENSITY_MASK))
    order = order_statistics(values)
    extent = order.maximum - order.minimum
    mean, second, third, fourth, square = _moments(values, extent)
    variance = second * extent**2
    mad, rmad, medad = _deviations(values, mean, order.median, order.p10, order.p90)
    iqr = order.p75 - order.p25
    return {
        "stat_mean": mean,
        "stat_var": variance,
        "stat_skew": third / second**1.5 if second else 0.0,
        "stat_kurt": fourth / second**2 - 3.0 if second else 0.0,
        "stat_median": order.median,
        "stat_min": order.minimum,
        "stat_p10": order.p10,
        "stat_p90": order.p90,
        "stat_max": order.maximum,
        "stat_iqr": iqr,
        "stat_range": extent,
        "stat_mad": mad,
        "stat_rmad": rmad,
        "stat_medad": medad,
        "stat_cov": second**0.5 * extent / mean if mean else Undefined(MEAN_IS_ZERO),
        "stat_qcod": iqr / (order.p75 + order.p25) if order.p75 + order.p25 else Undefined(QUARTILES_CANCEL),
        "stat_energy": square * values.size,
        "stat_rms": square**0.5,
    }


def order_statistics(values: NDArray[Any]) -> OrderStatistics:
    """Order statistics of values (n,), at least one, by selection: they aren't sorted as a whole."""
    n = values.size
    # The least rank k (from 0) with (k + 1) / n >= q, in whole numbers.
    p10, p25, p75, p90 = (-(-q * n // 100) - 1 for q in (10, 25, 75, 90))
    middle = ((n - 1) // 2, n // 2)
    ranked = np.partition(values, sorted({0, p10, p25, *middle, p75, p90, n - 1}))
    return OrderStatistics(
        minimum=float(ranked[0]),
        p10=float(ranked[p10]),
        p25=float(ranked[p25]),
        median=(float(ranked[middle[0]]) + float(ranked[middle[1]])) / 2.0,
        p75=float(ranked[p75]),
        p90=float(ranked[p90]),
        maximum=float(ranked[n - 1]),
    )


@numba.njit(cache=True, nogil=True)
def _moments(values: NDArray[Any], extent: float) -> tuple[float, float, float, float, float]:
    """Mean, second to fourth central moment in parts of the range `extent`, and mean square.

    In parts of it, because fourth powers of tiny intensities vanish.
    """
    n = values.size
    if extent == 0.0:
        # The mean of equal numbers may differ from them in the last digit, which would pass for a spread.
        value = np.float64(values[0])
        return value, 0.0, 0.0, 0.0, value * value
    total = 0.0
    for i in range(n):
        total += values[i]
    mean = total / n
    second = third = fourth = square = 0.0
    for i in range(n):
        value = np.float64(values[i])
        deviation = (value - mean) / extent
        squared = deviation * deviation
        second += squared
        third += squared * deviation
        fourth += squared * squared
        square += value * value
    return mean, second / n, third / n, fourth / n, square / n


@numba.njit(cache=True, nogil=True)
def _deviations(values: NDArray[Any], mean: float, median: float, p10: float, p90: float) -> tuple[float, float, float]:
    """Mean absolute deviations: from the mean, of what lies between two percentiles from its own, from the median."""
    from_mean = from_median = total = 0.0
    count = 0
    for i in range(values.size):
        value = np.float64(values[i])
        from_mean += abs(value - mean)
        from_median += abs(value - median)
        if p10 <= value <= p90:
            total += value
            count += 1
    centre = total / count
    robust = 0.0
    for i in range(values.size):
        value = np.float64(values[i])
        if p10 <= value <= p90:
            robust += abs(value - centre)
    return from_mean / values.size, robust / count, from_median / values.size
