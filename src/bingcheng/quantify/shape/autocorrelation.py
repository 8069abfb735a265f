"""How alike voxels near each other are: Moran's I and Geary's C, exact over all pairs of a lesion's voxels.

Both need sums over pairs of ``w a b``, w being the inverse distance. On a grid these are convolutions: by Parseval's
theorem such a sum is one over the transforms of a, b and w, without a way back. The transforms are of single
precision, all sums of double; the result differs from the sum over pairs in double precision by less than 1e-6.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.image.geometry import Triple
from bingcheng.image.volume import read_only

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

TOO_FEW = Problem(
    code="quantify.autocorrelation-of-one-voxel",
    says="the lesion has fewer than two voxels, so that there is no pair to compare",
    remedy="Use images with smaller voxels, or leave this lesion out of texture analysis.",
    owner=Owner.PHYSICIST,
)
CONSTANT = Problem(
    code="quantify.autocorrelation-of-constant",
    says="all voxels of the lesion have the same intensity, so that their likeness to neighbours has no scale",
    remedy="Check that the image holds what was measured, or leave this lesion out of texture analysis.",
    owner=Owner.PHYSICIST,
)

_PAIR_NS = 3.8
_ELEMENT_NS = 10.0
_CALLS_NS = 120_000.0
"""Times of one pair, of one element of the padded grid, and of the calls whatever the size; measured on one core."""
_SLAB = 1 << 16
"""Elements that are transformed along x at once."""
_TILE = 1 << 17
"""Elements of the padded grid that are transformed at once: a megabyte, as a core's cache."""
_WHOLE = 1 << 13
"""Voxels of a box up to which its spectra are made at once. Those of a larger one are made in turns, a part of the
frequencies each: at once they would take four times the memory of the image, next to the kernel that takes it once."""
_TURNS = 2
"""For each array: a half of the frequencies of one, a quarter of those of two."""
_SMALL = 0.25
"""Part of a box's voxels that a tile or slab may have as elements, which are of eight bytes each."""
_VALUES, _MASK_AND_SQUARES = (1,), (0, 2)
"""The powers of the values whose spectra are made together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Autocorrelation:
    """Moran's I (1 where neighbours are alike, about 0 without order) and Geary's C (below 1 where alike)."""

    moran_i: float
    geary_c: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Scaled:
    """Intensities and how they are scaled to about one: single precision has no room for Bq/ml squared.

    The value of a voxel is ``(intensity - low) / extent - mean``; `spread` is the sum of its squares.
    """

    intensity: NDArray[Any]
    inside: NDArray[np.bool_]
    count: int
    low: float
    extent: float
    mean: float
    spread: float


def autocorrelation(
    intensity: NDArray[Any], inside: NDArray[np.bool_], spacing_mm: Triple
) -> Autocorrelation | Undefined:
    """Moran's I and Geary's C with inverse Euclidean distance between voxel centres as weight, over all pairs.

    Neither changes with the unit or the offset of the intensities.

    Parameters
    ----------
    intensity : (z, y, x), finite inside.
    inside : boolean (z, y, x), the voxels that count.
    spacing_mm : (z, y, x).

    Returns
    -------
    both measures, or why there are none: ``quantify.autocorrelation-of-one-voxel``,
    ``quantify.autocorrelation-of-constant``.
    """
    # Read-only always: the kernels are then compiled for one kind of array.
    voxels, mask = read_only(np.ascontiguousarray(intensity)), read_only(np.ascontiguousarray(inside))
    n, low, extent, mean, spread = _scale(voxels, mask)
    if n < 2:
        return Undefined(TOO_FEW)
    if extent == 0.0:
        return Undefined(CONSTANT)
    scaled = _Scaled(intensity=voxels, inside=mask, count=n, low=low, extent=extent, mean=mean, spread=spread)
    if _pairs_are_faster(n, inside.shape):
        values = (voxels[mask].astype(np.float64) - low) / extent - mean
        weight, moran, geary = _over_pairs(np.argwhere(mask) * np.asarray(spacing_mm), values)
    else:
        weight, moran, squares = _over_spectra(scaled, spacing_mm)
        geary = 2.0 * (squares - moran)
    return Autocorrelation(
        moran_i=n / weight * moran / spread,
        geary_c=(n - 1) / (2.0 * weight) * geary / spread,
    )


@numba.njit(cache=True, nogil=True)
def _scale(intensity: NDArray[Any], inside: NDArray[np.bool_]) -> tuple[int, float, float, float, float]:
    """The count, and lowest intensity, range, mean and spread of `_Scaled`; zeros where there is no voxel or range."""
    voxels, belongs = intensity.ravel(), inside.ravel()
    n, low, high = 0, np.inf, -np.inf
    for i in range(voxels.size):
        if belongs[i]:
            value = np.float64(voxels[i])
            n += 1
            low, high = min(low, value), max(high, value)
    if n == 0 or low == high:
        return n, 0.0, 0.0, 0.0, 0.0
    extent, total, spread = high - low, 0.0, 0.0
    for i in range(voxels.size):
        if belongs[i]:
            total += (np.float64(voxels[i]) - low) / extent
    mean = total / n
    for i in range(voxels.size):
        if belongs[i]:
            spread += ((np.float64(voxels[i]) - low) / extent - mean) ** 2
    return n, low, extent, mean, spread


def _pairs_are_faster(count: int, shape: tuple[int, ...]) -> bool:
    elements = 1
    for period in _periods(shape):
        elements *= period
    return count * (count - 1) / 2 * _PAIR_NS < _CALLS_NS + elements * _ELEMENT_NS


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "nsz", "contract"})
def _over_pairs(points: Floats, values: Floats) -> tuple[float, float, float]:
    """Sums over ordered pairs of ``w``, ``w a b`` and ``w (a - b)^2``."""
    weight = moran = geary = 0.0
    z, y, x = points[:, 0].copy(), points[:, 1].copy(), points[:, 2].copy()
    for i in range(values.size):
        for j in range(i):
            w = 1.0 / np.sqrt((z[i] - z[j]) ** 2 + (y[i] - y[j]) ** 2 + (x[i] - x[j]) ** 2)
            weight += w
            moran += w * values[i] * values[j]
            geary += w * (values[i] - values[j]) ** 2
    return 2.0 * weight, 2.0 * moran, 2.0 * geary


def _periods(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Lengths of the transforms: even, quick, and enough that no voxel meets another's repetition.

    Distances up to n - 1 both ways need 2 n - 1, but the farthest both ways are alike, so that 2 n - 2 do.
    """
    from scipy.fft import next_fast_len  # noqa: PLC0415 - its import takes longer than most lesions

    return tuple(2 * next_fast_len(n - 1) if n > 1 else 1 for n in shape)


def _over_spectra(scaled: _Scaled, spacing_mm: Triple) -> tuple[float, float, float]:
    """Sums over ordered pairs of ``w``, ``w a b`` and ``w a^2``, a and b being the values of two voxels."""
    periods = _periods(scaled.inside.shape)
    kernel = _kernel_spectrum(periods, spacing_mm)
    # One after the other: the spectra of the values are of no use to those of the mask and the squares.
    moran, _ = _weighted_powers(scaled, _VALUES, kernel, periods)
    weight, squares = _weighted_powers(scaled, _MASK_AND_SQUARES, kernel, periods)
    elements = periods[0] * periods[1] * periods[2]
    return weight / elements, moran / elements, squares / elements


def _weighted_powers(
    scaled: _Scaled, powers: tuple[int, ...], kernel: Singles, periods: tuple[int, ...]
) -> tuple[float, float]:
    """Sums over all frequencies of the kernel times ``|f|^2`` and ``Re(g f*)``, of the spectra f, g of two powers."""
    depth, height, _ = scaled.inside.shape
    count = _part(_TILE, scaled.inside.size, len(powers) * periods[0] * periods[1])
    room = np.empty((len(powers), count, periods[0], periods[1]), dtype=np.complex64)
    own = crossed = 0.0
    for start, lines in _line_spectra(scaled, powers, periods[2]):
        for begin in range(0, lines.shape[1], count):
            part = lines[:, begin : begin + count]
            tile = room[:, : part.shape[1]]
            tile[:, :, :depth, :height] = part
            tile[:, :, :depth, height:] = 0.0
            tile[:, :, depth:] = 0.0
            _transform(tile[:, :, :depth], 3)
            _transform(tile, 2)
            found = _sums(tile, kernel, start + begin, periods[2])
            own, crossed = own + found[0], crossed + found[1]
    return own, crossed


def _part(most: int, voxels: int, elements: int) -> int:
    """How many pieces of so many elements are worked on at once: no more than are small next to the image."""
    if voxels > _WHOLE:
        most = min(most, int(_SMALL * voxels))
    return max(1, most // elements)


def _transform(spectra: NDArray[np.complex64], axis: int) -> None:
    """The transform along an axis, in place."""
    from scipy import fft  # noqa: PLC0415 - as above

    done = fft.fft(spectra, axis=axis, overwrite_x=True, workers=1)
    if not np.may_share_memory(done, spectra):
        spectra[...] = done


def _line_spectra(scaled: _Scaled, powers: tuple[int, ...], period: int) -> Iterator[tuple[int, NDArray[np.complex64]]]:
    """Spectra along x of some powers of the values: first frequency, and complex (power, frequency, z, y)."""
    from scipy import fft  # noqa: PLC0415 - as above

    depth, height, _ = scaled.inside.shape
    frequencies = period // 2 + 1
    turns = 1 if scaled.inside.size <= _WHOLE else min(_TURNS * len(powers), frequencies)
    bounds = [frequencies * turn // turns for turn in range(turns + 1)]
    step = min(depth, _part(_SLAB, scaled.inside.size, len(powers) * height * period))
    room = np.empty((len(powers), -(-frequencies // turns), depth, height), dtype=np.complex64)
    slab = np.zeros((len(powers), period, step, height), dtype=np.float32)
    for low, high in pairwise(bounds):
        lines = room[:, : high - low]
        for first in range(0, depth, step):
            here = slab[:, :, : min(step, depth - first)]
            for number, power in enumerate(powers):
                _fill(
                    scaled.intensity, scaled.inside, first, power, scaled.low, scaled.extent, scaled.mean, here[number]
                )
            lines[:, :, first : first + step] = fft.rfft(here, axis=1, workers=1)[:, low:high]
        yield low, lines


@numba.njit(cache=True, nogil=True)
def _fill(
    intensity: NDArray[Any],
    inside: NDArray[np.bool_],
    first: int,
    power: int,
    low: float,
    extent: float,
    mean: float,
    out: Singles,
) -> None:
    """A power of the values, 0 outside, of the slices from `first` on: (x, z, y), which may be longer along x."""
    for z in range(out.shape[1]):
        for y in range(inside.shape[1]):
            for x in range(inside.shape[2]):
                value = np.float32(0.0)
                if inside[first + z, y, x]:
                    value = np.float32(1.0)
                    if power:
                        value = np.float32((np.float64(intensity[first + z, y, x]) - low) / extent - mean)
                        if power == 2:
                            value *= value
                out[x, z, y] = value


def _kernel_spectrum(periods: tuple[int, ...], spacing_mm: Triple) -> Singles:
    """The transform of the inverse distance, which is real and even: its non-negative frequencies (x, z, y)."""
    from scipy import fft  # noqa: PLC0415 - as above

    steps = (np.arange(p // 2 + 1) * s for p, s in zip(periods, spacing_mm, strict=True))
    z, y, x = (np.square(step).astype(np.float32) for step in steps)
    # In single precision and in place: the largest array of all, next to the lines' spectra.
    kernel: Singles = x[:, None, None] + (z[:, None] + y)
    kernel[0, 0, 0] = np.inf
    np.sqrt(kernel, out=kernel)
    np.reciprocal(kernel, out=kernel)
    axes = [axis for axis, along in enumerate((2, 0, 1)) if periods[along] > 1]
    spectrum: Singles = fft.dctn(kernel, type=1, axes=axes, overwrite_x=True, workers=1) if axes else kernel
    return spectrum


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "nsz", "contract"})
def _sums(spectra: NDArray[np.complex64], kernel: Singles, start: int, period: int) -> tuple[float, float]:
    """The kernel times ``|f|^2`` and ``Re(g f*)`` added up, f and g being the first and the last of the spectra.

    Of (power, x, z, y); the x frequencies begin at `start`, and all but the first and the last of an even period
    stand for two.
    """
    powers, width, depth, height = spectra.shape
    own = crossed = 0.0
    for x in range(width):
        k = start + x
        times = 2.0 if k != 0 and 2 * k != period else 1.0
        own_x = crossed_x = 0.0
        for z in range(depth):
            f, g = spectra[0, x, z], spectra[powers - 1, x, z]
            w = kernel[k, min(z, depth - z)]
            for y in range(height // 2 + 1):
                own_x += np.float64(w[y]) * (np.float64(f[y].real) * f[y].real + np.float64(f[y].imag) * f[y].imag)
                crossed_x += np.float64(w[y]) * (np.float64(g[y].real) * f[y].real + np.float64(g[y].imag) * f[y].imag)
            # The kernel is even, and has no more than these.
            for y in range(height // 2 + 1, height):
                own_x += np.float64(w[height - y]) * (
                    np.float64(f[y].real) * f[y].real + np.float64(f[y].imag) * f[y].imag
                )
                crossed_x += np.float64(w[height - y]) * (
                    np.float64(g[y].real) * f[y].real + np.float64(g[y].imag) * f[y].imag
                )
        own += times * own_x
        crossed += times * crossed_x
    return own, crossed
