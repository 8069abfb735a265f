"""Filters that are defined by what they do to each spatial frequency of the whole image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import factorial, pi, prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.quantify.filters.boundary import MIRROR, PERIODIC, Beyond, Boundary

Angles = Sequence[NDArray[np.float32]]


class FrequencyGrid(StrEnum):
    """Which frequency each coefficient of a discrete transform is taken to have.

    DFT : its own, so that a constant has none, and the filter is symmetric.
    IBSI : N frequencies evenly spaced from -pi to pi with both ends, as the reference response maps of the IBSI were
        made. For an even N each lies off its own by up to half the distance of two, and the response depends on N:
        for comparison with those maps, not for measuring.
    """

    DFT = "dft"
    IBSI = "ibsi"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Waves:
    """Angular frequencies (radians per voxel) at which a filter is asked for, one array an axis; they broadcast.

    Parameters
    ----------
    true : of the discrete transform, for filters that are transforms of a kernel.
    nominal : of the `FrequencyGrid`, for filters that are given by a formula in frequency.
    """

    true: Angles
    nominal: Angles

    def part(self, axis: int, at: slice) -> Waves:
        """The same for some of the frequencies of an axis."""
        cut = tuple(at if place == axis else slice(None) for place in range(len(self.true)))
        true, nominal = list(self.true), list(self.nominal)
        true[axis], nominal[axis] = true[axis][cut], nominal[axis][cut]
        return Waves(true=true, nominal=nominal)

    @property
    def length(self) -> NDArray[np.float32]:
        """Euclidean norm of the nominal frequencies."""
        total: NDArray[np.float32] = np.sqrt(sum(one**2 for one in self.nominal))
        return total


Transfer = Callable[[Waves], NDArray[np.float32]]
"""The real amplitude of a filter at frequencies; times (-i)^L for a Riesz transform of order L."""


def riesz_amplitude(waves: Waves, order: Sequence[int]) -> NDArray[np.float32] | float:
    """``sqrt(L! / (l1! l2! l3!)) prod nu_i^l_i / |nu|^L``, 0 at frequency 0; 1 for order 0.

    Source: M. Unser, N. Chenouard, D. Van De Ville, IEEE Trans. Image Process. 2011;20:2705-2721, eq. (16).
    """
    total = sum(order)
    if total == 0:
        return 1.0
    powers = (nu**one for one, nu in zip(order, waves.nominal, strict=True) if one)
    length = waves.length
    factor = np.float32(sqrt(factorial(total) / prod(factorial(one) for one in order)))
    scale = np.divide(factor, length**total, out=np.zeros_like(length), where=length > 0)
    result: NDArray[np.float32] = prod(powers, start=scale)
    return result


def filtered(
    voxels: NDArray[np.float32],
    axes: tuple[int, ...],
    transfer: Transfer,
    *,
    order: tuple[int, ...],
    boundary: Boundary,
    grid: FrequencyGrid = FrequencyGrid.DFT,
) -> NDArray[np.float32]:
    """The voxels (z, y, x) times `transfer`, frequency by frequency along `axes`.

    Parameters
    ----------
    voxels : (z, y, x).
    axes : the last two or all three.
    transfer : amplitude without the Riesz factor; even in each true frequency.
    order : Riesz order for each of `axes`.
    boundary : the image repeats as it is, or with its mirror image; otherwise it is continued by half its size, and
        repeats then.
    grid : which frequencies the transform's are taken for.
    """
    if boundary == MIRROR and grid is FrequencyGrid.DFT:
        return _mirrored(voxels, axes, transfer, order)
    return _repeated(voxels, axes, transfer, order, boundary, grid)


def _mirrored(
    voxels: NDArray[np.float32], axes: tuple[int, ...], transfer: Transfer, order: tuple[int, ...]
) -> NDArray[np.float32]:
    """By cosine transform: the mirrored image has only cosines, of which odd filters make sines."""
    import scipy.fft  # noqa: PLC0415 - a quarter of a second that few have to wait

    found = scipy.fft.dctn(voxels, type=2, axes=axes)
    angles = _open([np.arange(voxels.shape[axis]) * (pi / voxels.shape[axis]) for axis in axes])
    waves = Waves(true=angles, nominal=angles)
    sign = (-1) ** sum(one // 2 for one in order)  # (-i)^l turns cos into (-1)^(l/2) cos or (-1)^((l-1)/2) sin
    _multiply(found, waves, axes, lambda part: sign * transfer(part) * riesz_amplitude(part, order))
    for axis, one in zip(axes, order, strict=True):
        found = _sines(found, axis) if one % 2 else scipy.fft.idct(found, type=2, axis=axis, overwrite_x=True)
    return np.ascontiguousarray(found, dtype=np.float32)


def _sines(found: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Sum of sines of the coefficients of cosines; that of the constant, which has no sine, goes."""
    import scipy.fft  # noqa: PLC0415 - a quarter of a second that few have to wait

    shifted = np.roll(found, -1, axis=axis)
    shifted[(slice(None),) * axis + (-1,)] = 0
    result: NDArray[np.float32] = scipy.fft.idst(shifted, type=2, axis=axis, overwrite_x=True)
    return result


def _repeated(
    voxels: NDArray[np.float32],
    axes: tuple[int, ...],
    transfer: Transfer,
    order: tuple[int, ...],
    boundary: Boundary,
    grid: FrequencyGrid,
) -> NDArray[np.float32]:
    """By Fourier transform of the continued image."""
    import scipy.fft  # noqa: PLC0415 - a quarter of a second that few have to wait

    continued, box = voxels, [slice(None)] * 3
    if boundary != PERIODIC:
        for axis in axes:
            continued, begin = extended(continued, axis, boundary)
            box[axis] = slice(begin, begin + voxels.shape[axis])
    shape = [continued.shape[axis] for axis in axes]
    found = scipy.fft.rfftn(continued, axes=axes)
    ahead = _half_grid(shape, grid, 1)
    behind = _half_grid(shape, grid, -1) if grid is FrequencyGrid.IBSI else None
    phase = np.complex64((-1j) ** sum(order))

    def both(part: slice) -> NDArray[np.complex64]:
        # A real response needs H(-k) = conj H(k); on the transform's own grid that holds but at the highest frequency.
        one = ahead.part(0, part)
        amplitude = transfer(one) * riesz_amplitude(one, order)
        if behind is None:
            amplitude = amplitude * _unpaired(one, order, shape)
        else:
            other = behind.part(0, part)
            amplitude = (amplitude + (-1) ** sum(order) * transfer(other) * riesz_amplitude(other, order)) / 2
        return phase * np.asarray(amplitude, dtype=np.float32)

    _slabs(found, axes, shape[0], both)
    full = scipy.fft.irfftn(found, s=shape, axes=axes, overwrite_x=True)
    return np.ascontiguousarray(full[tuple(box)], dtype=np.float32)


def _unpaired(waves: Waves, order: tuple[int, ...], shape: Sequence[int]) -> NDArray[np.float32] | float:
    """0 where the highest frequency of an even size, which is its own opposite, would need an odd amplitude; else 1."""
    signs = [
        np.where((true == np.float32(-pi)) | (true == np.float32(pi)), np.float32(-1), np.float32(1))
        for true, one, size in zip(waves.true, order, shape, strict=True)
        if one % 2 and size % 2 == 0
    ]
    if not signs:
        return 1.0
    paired: NDArray[np.float32] = np.asarray((1 + prod(signs)) / 2, dtype=np.float32)
    return paired


def extended(voxels: NDArray[np.float32], axis: int, boundary: Boundary) -> tuple[NDArray[np.float32], int]:
    """The voxels continued along an axis by half their number on either side, and where they begin.

    A constant is the same on both sides: one margin, which the repeated image shows before its first voxel too, serves.
    """
    size = voxels.shape[axis]
    before = 0 if boundary.beyond is Beyond.CONSTANT else size // 2
    source = boundary.indices(size, before, size - size // 2)
    result = np.take(voxels, np.maximum(source, 0), axis=axis)
    result[(slice(None),) * axis + (source < 0,)] = boundary.constant
    return result, before


def _half_grid(shape: Sequence[int], grid: FrequencyGrid, direction: int) -> Waves:
    """Frequencies of the half that a real transform keeps, or of their opposites (`direction` -1)."""
    true, nominal = [], []
    for place, size in enumerate(shape):
        last = place == len(shape) - 1
        index = direction * np.arange(size // 2 + 1 if last else size) % size
        signed = np.where(index < (size + 1) // 2, index, index - size)  # the lowest frequency of an even size is -pi
        true.append(signed * (2 * pi / size))
        if grid is FrequencyGrid.DFT or size == 1:
            nominal.append(true[-1])
        else:
            nominal.append((2 * (signed + size // 2) / (size - 1) - 1) * pi)
    return Waves(true=_open(true), nominal=_open(nominal))


def _open(angles: Sequence[NDArray[np.float64]]) -> Angles:
    return [one.astype(np.float32) for one in np.ix_(*angles)]


def _multiply(found: NDArray[Any], waves: Waves, axes: tuple[int, ...], amplitude: Transfer) -> None:
    _slabs(found, axes, found.shape[axes[0]], lambda part: amplitude(waves.part(0, part)))


def _slabs(found: NDArray[Any], axes: tuple[int, ...], size: int, amplitude: Callable[[slice], NDArray[Any]]) -> None:
    """Multiplies in place, some slices at a time where the filter is as large as the image."""
    step = size if len(axes) == 2 else 16
    for begin in range(0, size, step):
        part = slice(begin, begin + step)
        where = (slice(None),) * axes[0] + (part,)
        found[where] *= amplitude(part)
