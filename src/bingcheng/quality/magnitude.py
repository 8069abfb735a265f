"""Signal and noise of an MR magnitude image, read from blocks of tissue and of the air around the patient.

In air, the magnitude of `n` combined channels with noise SD sigma follows a chi distribution of 2 n degrees of freedom
(n = 1: Rayleigh). Its ratio of mean to SD tells n, and n tells how far the SD in air lies below sigma:
mean = beta sigma and SD = sqrt(2 n - beta^2) sigma, with beta = sqrt(2) Gamma(n + 1/2) / Gamma(n)
(Constantinides, Atalar, McVeigh, Magn Reson Med 1997;38:852).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import chdtri, gammaln

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.measure import Estimate
from bingcheng.image.volume import Volume
from bingcheng.quality.validity import validity

BACKGROUND_MASKED = Problem(
    code="quality.background-masked",
    says="the air around the patient was set to zero by the scanner or by later processing",
    remedy="Switch the background mask off, or measure the signal-to-noise ratio in a phantom or from repeated images.",
    owner=Owner.TECHNOLOGIST,
)
TOO_LITTLE_AIR = Problem(
    code="quality.too-little-air",
    says="only {count} blocks of air lie in the image; the noise needs {needed}",
    remedy="Measure the signal-to-noise ratio from repeated images; the field of view leaves no air to read it from.",
    owner=Owner.PHYSICIST,
)
BACKGROUND_NOT_NOISE = Problem(
    code="quality.background-not-noise",
    says="the air shows ghosts, artefacts or an offset instead of noise (mean to SD {ratio}; noise has 1.9 to 16)",
    remedy="Look at the air with a narrow window; repeat the series if ghosts or artefacts reach the patient.",
    owner=Owner.TECHNOLOGIST,
)
NO_SIGNAL = Problem(
    code="quality.no-signal",
    says="no tissue rises above the noise in this image",
    remedy="Check coil, position and b-value; the image can't be measured.",
    owner=Owner.TECHNOLOGIST,
)

BLOCKS_ACROSS, SMALLEST_BLOCK, LARGEST_BLOCK = 24, 4, 12
MOST_ZEROS = 0.3
MOST_MASKED = 0.5
FEWEST_AIR_BLOCKS = 24
FEWEST_TISSUE_BLOCKS = 9
RAYLEIGH_RATIO = 1.9131
LOWEST_RATIO = 1.6
MOST_CHANNELS = 64.0
SEEN_ABOVE_AIR = 1.3
SECTORS = 8
MAD_EFFICIENCY = 0.37

_NEIGHBOURS = np.zeros((3, 3, 3), dtype=bool)
_NEIGHBOURS[1] = True
_NEIGHBOURS.flags.writeable = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blocks:
    """Statistics of square blocks (z, block row, block column) of each slice.

    Parameters
    ----------
    mean, variance : of the voxels' values.
    zeros : fraction of voxels that are exactly zero or not valid.
    """

    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    zeros: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class AirNoise:
    """The noise read from air.

    Parameters
    ----------
    sigma : SD of the noise in each of the real and imaginary parts, in the image's unit.
    channels : effective number n of independent channels, >= 1.
    relative_uncertainty : standard uncertainty of sigma as a fraction of it.
    level : mean in air.
    """

    sigma: float
    channels: float
    relative_uncertainty: float
    level: float


def blocks(volume: Volume) -> Blocks:
    """Statistics of the blocks of a volume, about 24 across the image; its outermost voxels are left out."""
    depth, height, width = volume.voxels.shape
    side = min(max(max(height, width) // BLOCKS_ACROSS, SMALLEST_BLOCK), LARGEST_BLOCK)
    shape = (depth, (height - 2) // side, (width - 2) // side)
    if min(shape) < 1:
        raise Undefined(TOO_LITTLE_AIR, count=0, needed=FEWEST_AIR_BLOCKS)
    found = Blocks(mean=np.empty(shape), variance=np.empty(shape), zeros=np.empty(shape))
    _describe(volume.voxels, validity(volume), side, found.mean, found.variance, found.zeros)
    return found


def tissue(of: Blocks) -> NDArray[np.bool_]:
    """Which blocks show tissue: above the threshold that best parts the blocks' means in two (Otsu 1979).

    Raises
    ------
    Undefined
        ``quality.no-signal``.
    """
    low, high = np.percentile(of.mean, (0.0, 99.0))
    if high <= low:
        raise Undefined(NO_SIGNAL)
    counts, edges = np.histogram(np.minimum(of.mean, high), bins=256, range=(low, high))
    centres = 0.5 * (edges[1:] + edges[:-1])
    below, moment = np.cumsum(counts).astype(float), np.cumsum(counts * centres)
    above = below[-1] - below
    # Where one side is empty there is nothing to part.
    between = np.where(
        above > 0, (moment[-1] * below / below[-1] - moment) ** 2 / (below * np.maximum(above, 1.0)), 0.0
    )
    bright: NDArray[np.bool_] = of.mean > edges[int(np.argmax(between)) + 1]
    return bright


def air_noise(of: Blocks, bright: NDArray[np.bool_]) -> AirNoise:
    """The noise in the blocks of air: away from tissue, and of the most frequent level there.

    Raises
    ------
    Undefined
        ``quality.background-masked``, ``quality.too-little-air``, ``quality.background-not-noise``.
    """
    outside = ~ndimage.binary_dilation(bright, _NEIGHBOURS)
    measured = outside & (of.zeros <= MOST_ZEROS) & (of.variance > 0)
    if outside.sum() >= FEWEST_AIR_BLOCKS and measured.sum() < MOST_MASKED * outside.sum():
        raise Undefined(BACKGROUND_MASKED)
    if measured.sum() < FEWEST_AIR_BLOCKS:
        raise Undefined(TOO_LITTLE_AIR, count=int(measured.sum()), needed=FEWEST_AIR_BLOCKS)
    level = _commonest(of.mean[measured])
    at_level = measured & (of.mean > 0.6 * level) & (of.mean < 1.5 * level)
    variance = of.variance[at_level]
    # A ghost or a spike in a block multiplies its variance; chance does not triple that of 16 voxels or more.
    clean = variance[variance < 3.0 * np.median(variance)]
    deviation = math.sqrt(float(clean.mean()))
    mean = float(of.mean[at_level].mean())
    channels = _channels(mean / deviation)
    share = _deviation_share(channels)
    scatter = 0.5 * float(clean.std(ddof=1)) / math.sqrt(clean.size) / float(clean.mean())
    scatter *= 1.0 + _share_by_ratio(channels)
    # Averaged magnitudes look like many channels but keep the share of the channels that were averaged: any share
    # between that of one channel and that of `channels` may hold.
    span = (share / _deviation_share(1.0) - 1.0) / (2.0 * math.sqrt(3.0))
    uneven = _unevenness(of.variance, at_level & (of.variance < 3.0 * np.median(variance)))
    return AirNoise(
        sigma=deviation / share,
        channels=channels,
        relative_uncertainty=math.hypot(scatter, span, uneven),
        level=mean,
    )


def _unevenness(variance: NDArray[np.float64], air: NDArray[np.bool_]) -> float:
    """How far the SD of the noise differs between the air's directions from the image's middle, beyond chance (5 %).

    Noise is the same in all of the air; a faint ghost along the phase direction, or parallel imaging, is not. The
    relative standard deviation (>= 0) over eight sectors; 0 where fewer than three hold two blocks or more.
    """
    _, row, column = np.nonzero(air)
    _, height, width = air.shape
    angle = np.arctan2(row - 0.5 * (height - 1), column - 0.5 * (width - 1))
    sector = np.floor((angle / (2.0 * math.pi) + 0.5) * SECTORS).astype(int) % SECTORS
    values = variance[air]
    held = [values[sector == one] for one in range(SECTORS)]
    known = [one for one in held if one.size >= 2]
    if len(known) < 3:
        return 0.0
    # The relative SD of an SD is half of that of its square.
    each = np.array([one.mean() for one in known]) / values.mean()
    chance = float(np.mean([one.var(ddof=1) / one.size for one in known])) / float(values.mean()) ** 2
    found = float(each.var(ddof=1))
    # What chance would bring once in twenty times (chi-squared) is told by the blocks' scatter already.
    if found < chance * float(chdtri(len(known) - 1, 0.05)) / (len(known) - 1):
        return 0.0
    return 0.5 * math.sqrt(found - chance)


def signal_to_noise(of: Blocks, bright: NDArray[np.bool_], noise: AirNoise) -> Estimate:
    """Median signal of the tissue blocks, freed of the noise's own contribution, over sigma.

    Raises
    ------
    Undefined
        ``quality.no-signal``.
    """
    # Blocks at the border hold air too; where the tissue is too small to have an inside, all its blocks count.
    inside = ndimage.binary_erosion(bright, _NEIGHBOURS, border_value=1)
    chosen = inside if inside.sum() >= FEWEST_TISSUE_BLOCKS else bright
    if chosen.sum() < FEWEST_TISSUE_BLOCKS or float(np.median(of.mean[chosen])) < SEEN_ABOVE_AIR * noise.level:
        raise Undefined(NO_SIGNAL)
    # E[M^2] = S^2 + 2 n sigma^2 holds at every signal-to-noise ratio.
    power = of.mean[chosen] ** 2 + of.variance[chosen] - 2.0 * noise.channels * noise.sigma**2
    middle = float(np.median(power))
    if middle <= 0:
        raise Undefined(NO_SIGNAL)
    ratio = math.sqrt(middle) / noise.sigma
    spread = 1.4826 * float(np.median(np.abs(power - middle)))
    # The SD of a median is 1.2533 times that of a mean; half of the power's relative uncertainty is the signal's.
    relative = 0.5 * 1.2533 * spread / math.sqrt(power.size) / middle
    # A median absolute deviation knows the SD as well as 37 % as many values would (Rousseeuw & Croux, JASA 1993;88:
    # 1273); told by few, Student's distribution is wider (JCGM 101:2008, 6.4.9.4).
    freedom = MAD_EFFICIENCY * (power.size - 1)
    relative *= math.sqrt(freedom / (freedom - 2.0))
    return Estimate(ratio, ratio * math.hypot(relative, noise.relative_uncertainty))


def _commonest(values: NDArray[np.float64]) -> float:
    """The densest place of positive values on a logarithmic scale: the half that lies closest, over and over."""
    left = np.sort(np.log(values[values > 0]))
    while left.size > 4:
        half = (left.size + 1) // 2
        start = int(np.argmin(left[half - 1 :] - left[: left.size - half + 1]))
        left = left[start : start + half]
    return float(np.exp(left.mean()))


def _channels(ratio: float) -> float:
    """The number of channels whose noise in air has this ratio of mean to SD."""
    if ratio < LOWEST_RATIO or ratio > _ratio(MOST_CHANNELS):
        raise Undefined(BACKGROUND_NOT_NOISE, ratio=round(ratio, 2))
    if ratio <= RAYLEIGH_RATIO:
        return 1.0
    low, high = 1.0, MOST_CHANNELS
    while high - low > 1e-6 * high:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _ratio(middle) < ratio else (low, middle)
    return 0.5 * (low + high)


def _beta(channels: float) -> float:
    """Mean in air in units of sigma."""
    return math.sqrt(2.0) * math.exp(float(gammaln(channels + 0.5) - gammaln(channels)))


def _deviation_share(channels: float) -> float:
    """SD in air in units of sigma: 0.655 for one channel, towards 0.707 for many."""
    return math.sqrt(2.0 * channels - _beta(channels) ** 2)


def _ratio(channels: float) -> float:
    return _beta(channels) / _deviation_share(channels)


def _share_by_ratio(channels: float) -> float:
    """Relative change of the share for one of the ratio: an SD found too large also looks like fewer channels."""
    more = 1.05 * channels
    share = math.log(_deviation_share(more) / _deviation_share(channels))
    return share / math.log(_ratio(more) / _ratio(channels))


@numba.njit(cache=True, nogil=True)
def _describe(
    voxels: NDArray[Any],
    valid: NDArray[np.bool_],
    side: int,
    mean: NDArray[np.float64],
    variance: NDArray[np.float64],
    zeros: NDArray[np.float64],
) -> None:
    depth, rows, columns = mean.shape
    top = (voxels.shape[1] - rows * side) // 2
    left = (voxels.shape[2] - columns * side) // 2
    for z in range(depth):
        for row in range(rows):
            for column in range(columns):
                total = 0.0
                squares = 0.0
                empty = 0
                origin = float(voxels[z, top + row * side, left + column * side])
                for y in range(top + row * side, top + (row + 1) * side):
                    for x in range(left + column * side, left + (column + 1) * side):
                        value = float(voxels[z, y, x])
                        if value == 0.0 or (valid.size > 0 and not valid[z, y, x]):
                            empty += 1
                        total += value - origin
                        squares += (value - origin) ** 2
                count = side * side
                mean[z, row, column] = origin + total / count
                variance[z, row, column] = (squares - total * total / count) / (count - 1)
                zeros[z, row, column] = empty / count
