"""How a volume is seen for registration: values brought to 0 to 1, and where the body is.

CT numbers and SUV mean the same in every exam, so a fixed window serves; every other unit (MR, counts) is windowed by
the body's own percentiles and matched from exam to exam by quantiles (after Nyul and Udupa, Magn Reson Med
1999;42:1072).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bingcheng.image.volume import Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """What of a volume's values counts.

    Parameters
    ----------
    window : lowest and highest value that are told apart, in the volume's unit; None for percentiles of its own.
    body_above : values of the body, in the volume's unit; None to divide the histogram in two (Otsu).
    matched : whether two exams' values must first be matched to each other.
    """

    window: tuple[float, float] | None = None
    body_above: float | None = None
    matched: bool = True


APPEARANCES: Mapping[str, Appearance] = MappingProxyType(
    {
        "[hnsf'U]": Appearance(window=(-1000.0, 400.0), body_above=-400.0, matched=False),
        "g/ml": Appearance(window=(0.0, 5.0), body_above=0.15, matched=False),
        "g/ml{SUVlbm}": Appearance(window=(0.0, 4.0), body_above=0.12, matched=False),
    }
)
"""By the unit of the values; other units take the defaults."""

WINDOW_PERCENTILES = (0.5, 99.5)
QUANTILES = np.linspace(0.0, 1.0, 65)
SAMPLED = 2_000_000
"""About how many voxels percentiles are taken from."""


def appearance_of(volume: Volume) -> Appearance:
    """How the volume is seen, by its unit."""
    return APPEARANCES.get(volume.unit, Appearance())


def window_of(volume: Volume, appearance: Appearance) -> tuple[float, float]:
    """The window of values that are told apart; both ends are equal in a constant volume."""
    if appearance.window is not None:
        return appearance.window
    step = max(1, round((volume.voxels.size / SAMPLED) ** (1 / 3)))
    some = volume.voxels[::step, ::step, ::step]
    low, high = np.percentile(some, WINDOW_PERCENTILES)
    return float(low), float(high)


def body(values: NDArray[np.float32], threshold: float) -> NDArray[np.bool_]:
    """The patient (z, y, x): the largest connected piece above the threshold, cavities filled slice by slice.

    Thin things (the table's sheet, cables) are opened away first. Without anything above it, all False.
    """
    above = values > threshold
    opened = ndimage.binary_opening(above, iterations=1) if min(values.shape) > 2 else above
    pieces, count = ndimage.label(opened if opened.any() else above)
    if count == 0:
        return above
    largest = pieces == int(np.argmax(np.bincount(pieces.ravel())[1:])) + 1
    for layer in largest:
        ndimage.binary_fill_holes(layer, output=layer)
    return np.asarray(largest)


def otsu(values: NDArray[np.float32]) -> float:
    """The threshold in [0, 1] that divides values of 0 to 1 best in two (Otsu, IEEE Trans SMC 1979;9:62)."""
    counts, edges = np.histogram(values, bins=128, range=(0.0, 1.0))
    centres = (edges[1:] + edges[:-1]) / 2.0
    below, first = np.cumsum(counts)[:-1], np.cumsum(counts * centres)[:-1]
    above, whole = counts.sum() - below, float((counts * centres).sum())
    usable = (below > 0) & (above > 0)
    if not usable.any():
        return 0.5
    spread = np.where(
        usable, below * above * (first / np.maximum(below, 1) - (whole - first) / np.maximum(above, 1)) ** 2, -1.0
    )
    return float(edges[1:-1][int(np.argmax(spread))])


def matched(values: NDArray[np.float32], like: NDArray[np.float32], within: NDArray[np.bool_]) -> NDArray[np.float32]:
    """`values` with the distribution that `like` has in the same voxels (`within`), by their quantiles."""
    if not within.any():
        return values
    mine, theirs = np.quantile(values[within], QUANTILES), np.quantile(like[within], QUANTILES)
    rising = np.concatenate([[True], np.diff(mine) > 0])
    found: NDArray[np.float32] = np.interp(values, mine[rising], theirs[rising]).astype(np.float32)
    return found
