"""Discretisation of intensities into grey levels, for texture, histogram and intensity-volume histogram."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.image.volume import read_only
from bingcheng.quantify.radiomics import validation
from bingcheng.quantify.radiomics.resegmentation import Resegmentation
from bingcheng.quantify.radiomics.roi import Levels

TOO_MANY_LEVELS = Problem(
    code="quantify.radiomics-too-many-levels",
    says="the discretisation would give {levels} grey levels; at most {most} are allowed",
    remedy="Choose wider bins, or a fixed number of bins.",
    owner=Owner.PHYSICIST,
)
BELOW_FIRST_BIN = Problem(
    code="quantify.radiomics-below-first-bin",
    says="an intensity of {intensity} lies below the first bin, which begins at {lowest}",
    remedy="Re-segment the lesion from the lower edge of the first bin on, or let the bins begin lower.",
    owner=Owner.PHYSICIST,
)
NOT_LEVELS = Problem(
    code="quantify.radiomics-not-levels",
    says="without discretisation, texture and histogram need whole intensities from 1 on; this lesion has {intensity}",
    remedy="Choose a fixed bin size or a fixed bin number.",
    owner=Owner.PHYSICIST,
)

MOST_LEVELS = 100_000
"""More grey levels than a 16-bit image has are a mistake in the settings."""
WIDTH_SLACK = 1e-9
"""Rounding of a range divided by a bin's width: 560 bins of 2.5 HU are not 561."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedBinSize:
    """Bins of one width (IBSI Q3RU): level = floor((intensity - lowest) / width) + 1.

    Parameters
    ----------
    width : of a bin, in the image's unit, above 0.
    lowest : where the first bin begins; None takes the lower end of the range of re-segmentation, and without one the
        lesion's lowest intensity, which makes lesions incomparable.
    """

    width: float
    lowest: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", validation.number("discretisation.width", self.width, above=0.0))
        if self.lowest is not None:
            object.__setattr__(self, "lowest", validation.number("discretisation.lowest", self.lowest))


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedBinNumber:
    """The lesion's own range in `count` bins (IBSI K15C); of a constant lesion every voxel has the highest level."""

    count: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", validation.whole("discretisation.count", self.count, 1, MOST_LEVELS))


@dataclass(frozen=True, slots=True, kw_only=True)
class NoDiscretisation:
    """Intensities as they are: for texture they must be grey levels already."""


Discretisation = FixedBinSize | FixedBinNumber | NoDiscretisation


def texture_levels(
    intensity: NDArray[Any],
    mask: NDArray[np.bool_],
    method: Discretisation,
    rules: Resegmentation,
    *,
    shift: float = 0.0,
) -> Levels:
    """Grey levels for texture matrices and the histogram.

    Parameters
    ----------
    intensity, mask : (z, y, x); intensities are finite in the mask, which may be empty.
    method : how they are discretised.
    rules : the re-segmentation, whose lower end fixes the first bin.
    shift : part of a bin, of absolute value below 1, by which every edge but the outermost lies lower: to see what
        hangs on it.

    Raises
    ------
    InputError
        ``quantify.radiomics-too-many-levels``, ``quantify.radiomics-below-first-bin``,
        ``quantify.radiomics-not-levels``.
    """
    found = _Lesion.of(intensity, mask)
    if isinstance(method, FixedBinNumber):
        return _numbered(found, method, shift)
    if isinstance(method, FixedBinSize):
        return _sized(found, method, rules.low, shift=shift)
    return _levels_already(found)


def volume_histogram_levels(
    intensity: NDArray[Any],
    mask: NDArray[np.bool_],
    method: Discretisation,
    rules: Resegmentation,
) -> Levels | None:
    """Grey levels of the intensity-volume histogram; None if it is to be read from the intensities themselves.

    A range of re-segmentation is the range of the histogram, whether or not intensities reach its ends. Whole
    intensities that are not discretised are levels of width 1; others have none.

    Raises
    ------
    InputError
        ``quantify.radiomics-too-many-levels``, ``quantify.radiomics-below-first-bin``.
    """
    found = _Lesion.of(intensity, mask)
    if isinstance(method, FixedBinNumber):
        return _numbered(found, method)
    if isinstance(method, FixedBinSize):
        return _sized(found, method, rules.low, range_high=rules.high)
    return _whole_intensities(found, rules)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Lesion:
    """The voxels of a lesion, and what its intensities are like: all of them 0 if there is none."""

    intensity: NDArray[Any]
    mask: NDArray[np.bool_]
    count: int
    least: float
    most: float
    whole: bool

    @staticmethod
    def of(intensity: NDArray[Any], mask: NDArray[np.bool_]) -> _Lesion:
        # Read-only always: the kernels are then compiled for one kind of array.
        voxels, inside = read_only(intensity), read_only(mask)
        count, least, most, whole = _extent(voxels, inside)
        return _Lesion(intensity=voxels, mask=inside, count=count, least=least, most=most, whole=whole)

    def levels(
        self, lowest: float, factor: float, divisor: float, highest: int, shift: float = 0.0
    ) -> NDArray[np.int32]:
        """Level ``floor((intensity - lowest) factor / divisor + shift) + 1``, from 1 to `highest`, of each voxel."""
        index = np.zeros(self.mask.shape, dtype=np.int32)
        _fill_levels(self.intensity, self.mask, lowest, factor, divisor, shift, highest, index)
        return index


def _numbered(lesion: _Lesion, method: FixedBinNumber, shift: float = 0.0) -> Levels:
    count, extent = method.count, lesion.most - lesion.least
    if extent == 0.0:
        index = np.where(lesion.mask, np.int32(count), np.int32(0))
        return Levels(index=index, count=count, lowest=lesion.least, width=0.0)
    width = extent / count
    index = lesion.levels(lesion.least, float(count), extent, count, shift)
    return Levels(index=index, count=count, lowest=lesion.least - shift * width, width=width)


def _sized(
    lesion: _Lesion,
    method: FixedBinSize,
    range_low: float | None,
    *,
    range_high: float | None = None,
    shift: float = 0.0,
) -> Levels:
    width, given = method.width, method.lowest if method.lowest is not None else range_low
    lowest = lesion.least if given is None else given
    if lesion.count and lesion.least < lowest:
        raise InputError(BELOW_FIRST_BIN, intensity=lesion.least, lowest=lowest)
    _bounded((max(lesion.most, lowest) - lowest) / width + 1)
    index = lesion.levels(lowest, 1.0, width, MOST_LEVELS, shift)
    count = int(np.max(index)) if lesion.count else 0
    if range_high is not None and range_high > lowest:
        # The bins that end within the range: the manual's histogram ends at its upper end less half a bin.
        bins = (range_high - lowest) / width - WIDTH_SLACK
        _bounded(bins)  # before it is made a whole number, which infinity can't be
        count = max(count, math.ceil(bins))
    start = lowest - shift * width
    return Levels(index=index, count=count, lowest=start, width=width, first_value=start + 0.5 * width, step=width)


def _levels_already(lesion: _Lesion) -> Levels:
    if lesion.count and (lesion.least < 1.0 or not lesion.whole):
        values = lesion.intensity[lesion.mask]
        wrong = values[(values < 1) | (values != np.floor(values))]
        raise InputError(NOT_LEVELS, intensity=float(wrong[0]))
    _bounded(lesion.most)
    index = lesion.levels(1.0, 1.0, 1.0, MOST_LEVELS)
    return Levels(index=index, count=int(lesion.most), lowest=1.0, width=1.0)


def _whole_intensities(lesion: _Lesion, rules: Resegmentation) -> Levels | None:
    if not lesion.count or not lesion.whole:
        return None
    low = lesion.least if rules.low is None else float(math.ceil(rules.low))
    high = lesion.most if rules.high is None else float(math.floor(rules.high))
    if high - low + 1 > MOST_LEVELS:
        return None
    index = lesion.levels(low, 1.0, 1.0, MOST_LEVELS)
    return Levels(index=index, count=int(high - low) + 1, lowest=low, width=1.0, first_value=low)


def _bounded(levels: float) -> None:
    if levels > MOST_LEVELS:
        raise InputError(TOO_MANY_LEVELS, levels=int(min(levels, 1e15)), most=MOST_LEVELS)


@numba.njit(cache=True, nogil=True)
def _extent(intensity: NDArray[Any], mask: NDArray[np.bool_]) -> tuple[int, float, float, bool]:
    """Number of voxels, lowest and highest intensity, and whether all are whole numbers."""
    count, least, most, fractions = 0, np.inf, -np.inf, 0
    voxels, inside = intensity.ravel(), mask.ravel()
    for i in range(voxels.size):
        if inside[i]:
            value = np.float64(voxels[i])
            count += 1
            least = min(least, value)
            most = max(most, value)
            fractions += int(value != np.floor(value))
    if count == 0:
        return 0, 0.0, 0.0, True
    return count, least, most, fractions == 0


@numba.njit(cache=True, nogil=True)
def _fill_levels(
    intensity: NDArray[Any],
    mask: NDArray[np.bool_],
    lowest: float,
    factor: float,
    divisor: float,
    shift: float,
    highest: int,
    index: NDArray[np.int32],
) -> None:
    # In double precision, in the order of the manual's formulas: another order moves voxels that lie on a bin's edge.
    voxels, inside, out = intensity.ravel(), mask.ravel(), index.ravel()
    for i in range(voxels.size):
        if inside[i]:
            level = int(np.floor((np.float64(voxels[i]) - lowest) * factor / divisor + shift)) + 1
            out[i] = min(max(level, 1), highest)
