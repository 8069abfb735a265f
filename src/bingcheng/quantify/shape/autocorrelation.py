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
"""Voxels that are transformed along x at once."""
_TILE = 1 << 17
"""Elements of the padded grid that are transformed at once: with three arrays a few MB, as a core's cache."""
_WHOLE = 1 << 18
"""Voxels of a box above which its spectra are made in turns, a part of the frequencies each: they would take six
times the memory of the image, the mirrored kernel once that."""
_TURNS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Autocorrelation:
    """Moran's I (1 where neighbours are alike, about 0 without order) and Geary's C (below 1 where alike)."""

    moran_i: float
    geary_c: float


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
    values = intensity[inside].astype(np.float64)
    if values.size < 2:
        return Undefined(TOO_FEW)
    low, high = float(np.min(values)), float(np.max(values))
    if low == high:
        return Undefined(CONSTANT)
    # Scaled to about one: single precision has no room for Bq/ml squared.
    values = (values - low) / (high - low)
    values -= values.mean()
    # Not by a dot product: the linear algebra library would start threads for it.
    spread, n = float(np.square(values).sum()), values.size
    if _pairs_are_faster(n, inside.shape):
        weight, moran, geary = _over_pairs(np.argwhere(inside) * np.asarray(spacing_mm), values)
    else:
        singles = values.astype(np.float32)
        del values  # they take as much memory as the image
        weight, moran, squares = _over_spectra(singles, inside, spacing_mm)
        geary = 2.0 * (squares - moran)
    return Autocorrelation(
        moran_i=n / weight * moran / spread,
        geary_c=(n - 1) / (2.0 * weight) * geary / spread,
    )


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


def _over_spectra(values: Singles, inside: NDArray[np.bool_], spacing_mm: Triple) -> tuple[float, float, float]:
    """Sums over ordered pairs of ``w``, ``w a b`` and ``w a^2``, a and b being the values of two voxels."""
    from scipy import fft  # noqa: PLC0415 - as above

    periods = _periods(inside.shape)
    kernel = _kernel_spectrum(periods, spacing_mm)
    found = np.zeros(3)
    for start, lines in _line_spectra(values, inside, periods[2]):
        tile = max(1, _TILE // (periods[0] * periods[1]))
        for begin in range(0, lines.shape[3], tile):
            part = fft.fft(lines[..., begin : begin + tile], n=periods[1], axis=2, workers=1)
            part = fft.fft(part, n=periods[0], axis=1, overwrite_x=True, workers=1)
            found += _weighted_powers(part, kernel, start + begin, periods[2])
    weight, moran, squares = (found / (periods[0] * periods[1] * periods[2])).tolist()
    return weight, moran, squares


def _line_spectra(
    values: Singles, inside: NDArray[np.bool_], period: int
) -> Iterator[tuple[int, NDArray[np.complex64]]]:
    """Spectra along x of the mask, the values and their squares: first frequency, and complex (3, z, y, frequency)."""
    from scipy import fft  # noqa: PLC0415 - as above

    depth, height, width = inside.shape
    frequencies = period // 2 + 1
    turns = 1 if inside.size <= _WHOLE else min(_TURNS, frequencies)
    bounds = [frequencies * turn // turns for turn in range(turns + 1)]
    per_slice = np.count_nonzero(inside, axis=(1, 2))
    ends = np.concatenate([[0], np.cumsum(per_slice)])
    step = max(1, _SLAB // (height * width))
    room = np.empty((3, depth, height, -(-frequencies // turns)), dtype=np.complex64)
    for low, high in pairwise(bounds):
        lines = room[..., : high - low]
        for first in range(0, depth, step):
            last = min(depth, first + step)
            slab = np.zeros((3, last - first, height, width), dtype=np.float32)
            here = inside[first:last]
            own = values[ends[first] : ends[last]]
            slab[0] = here
            slab[1][here] = own
            np.square(slab[1], out=slab[2])
            lines[:, first:last] = fft.rfft(slab, n=period, axis=3, workers=1)[..., low:high]
        yield low, lines


def _kernel_spectrum(periods: tuple[int, ...], spacing_mm: Triple) -> Singles:
    """The transform of the inverse distance, which is real and even: its non-negative frequencies (z, y, x)."""
    from scipy import fft  # noqa: PLC0415 - as above

    steps = (np.arange(p // 2 + 1) * s for p, s in zip(periods, spacing_mm, strict=True))
    z, y, x = (np.square(step).astype(np.float32) for step in steps)
    # In single precision and in place: the largest array of all, next to the lines' spectra.
    kernel: Singles = z[:, None, None] + y[:, None] + x
    kernel[0, 0, 0] = np.inf
    np.sqrt(kernel, out=kernel)
    np.reciprocal(kernel, out=kernel)
    axes = [axis for axis in range(3) if periods[axis] > 1]
    spectrum: Singles = fft.dctn(kernel, type=1, axes=axes, overwrite_x=True, workers=1) if axes else kernel
    return spectrum


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "nsz", "contract"})
def _weighted_powers(spectra: NDArray[np.complex64], kernel: Singles, start: int, period: int) -> Floats:
    """Sums of the kernel times ``|m|^2``, ``|a|^2`` and ``Re(s m*)`` over spectra (m, a, s) of (3, z, y, x) elements.

    The x frequencies begin at `start`; all but the first and the last of an even period stand for two.
    """
    _, depth, height, width = spectra.shape
    weight = moran = squares = 0.0
    for z in range(depth):
        kernel_z = min(z, depth - z)
        for y in range(height):
            kernel_y = min(y, height - y)
            for x in range(width):
                k = start + x
                w = np.float64(kernel[kernel_z, kernel_y, k])
                if k != 0 and 2 * k != period:
                    w *= 2.0
                m, a, s = spectra[0, z, y, x], spectra[1, z, y, x], spectra[2, z, y, x]
                weight += w * (np.float64(m.real) * m.real + np.float64(m.imag) * m.imag)
                moran += w * (np.float64(a.real) * a.real + np.float64(a.imag) * a.imag)
                squares += w * (np.float64(s.real) * m.real + np.float64(s.imag) * m.imag)
    found = np.empty(3)
    found[0], found[1], found[2] = weight, moran, squares
    return found
