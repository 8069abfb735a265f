"""Percentiles of hospitals' medians, and how sure they are: a bootstrap in two stages, hospitals and their exams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

REPLICATES = 2000
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentile:
    """A percentile of the hospitals' medians, with its 95 % bootstrap interval; None for a single hospital."""

    value: float
    interval: tuple[float, float] | None = None


def percentiles_of_medians(
    groups: Sequence[Sequence[float]], percents: Sequence[float], *, seed: int
) -> tuple[Percentile, ...]:
    """Percentiles over the hospitals of each hospital's median.

    Percentiles interpolate linearly between order statistics (Hyndman and Fan's type 7). The interval resamples
    hospitals, and within each drawn hospital its exams (Davison and Hinkley, Bootstrap Methods and their
    Application, 1997, section 3.8), and takes the 2.5 % and 97.5 % points.

    Parameters
    ----------
    groups : each hospital's values; none is empty.
    percents : between 0 and 100.
    seed : the same seed gives the same intervals.
    """
    medians = np.array([np.median(group) for group in groups])
    values = np.percentile(medians, percents)
    if len(groups) < 2:
        return tuple(Percentile(value=float(value)) for value in values)
    rng = np.random.default_rng(seed)
    resampled = np.stack([_resampled_medians(np.sort(np.asarray(group, dtype=float)), rng) for group in groups])
    drawn = rng.integers(len(groups), size=(len(groups), REPLICATES))
    # each replicate draws hospitals; a hospital that is drawn twice has its exams drawn anew in the second stage, which
    # a shift along the replicates gives without a second set of draws
    turns = (np.arange(REPLICATES) + np.arange(len(groups))[:, None]) % REPLICATES
    replicates = np.percentile(resampled[drawn, turns], percents, axis=0)
    tail = 100.0 * (1.0 - CONFIDENCE) / 2.0
    low, high = np.percentile(replicates, (tail, 100.0 - tail), axis=1)
    return tuple(
        Percentile(value=float(value), interval=(float(lowest), float(highest)))
        for value, lowest, highest in zip(values, low, high, strict=True)
    )


def _resampled_medians(ordered: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Medians of samples drawn with replacement from `ordered`, without drawing the samples.

    The k-th smallest of n uniform draws is distributed as Beta(k, n + 1 - k), and a draw with replacement is a uniform
    draw's place in the ordered values, so one or two Beta draws give the middle of a whole sample.
    """
    count = ordered.size
    lower = (count + 1) // 2
    first = rng.beta(lower, count + 1 - lower, REPLICATES)
    low = ordered[_place(first, count)]
    if count % 2:
        return low
    # the next order statistic, given the one before: the least of the remaining draws above it
    second = first + (1.0 - first) * rng.beta(1.0, count - lower, REPLICATES)
    middle: NDArray[np.float64] = (low + ordered[_place(second, count)]) / 2.0
    return middle


def _place(uniform: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    return np.minimum((uniform * count).astype(np.intp), count - 1)
