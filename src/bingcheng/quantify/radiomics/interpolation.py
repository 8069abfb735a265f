"""Interpolation of image and mask to other voxels, as the IBSI defines grid and methods.

The new grid is that of the whole image; of it only a box is computed. Along each axis of a rectangular grid
interpolation is a sum over a few voxels, so that a volume takes three passes and not one over 64 neighbours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numba
import numpy as np
from numpy.typing import DTypeLike, NDArray

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.image.geometry import Triple
from bingcheng.quantify.radiomics import validation

TOO_MANY_VOXELS = Problem(
    code="quantify.radiomics-too-many-voxels",
    says="interpolation would make {voxels} voxels; at most {most} can be computed",
    remedy="Interpolate to larger voxels, or check that their size is in mm.",
    owner=Owner.PHYSICIST,
)

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

SPLINE_SUPPORT = 18
"""Voxels after which a cubic B-spline's coefficient no longer feels an intensity: its pole, -0.268, to this power is
5e-11, a thousandth of the rounding of single precision."""
MOST_VOXELS = 100_000_000
"""A box of half a metre in voxels of about one millimetre, or of 20 cm in voxels of 0.4 mm; takes about a gigabyte."""
SLAB_VOXELS = 1 << 16
"""So many voxels are held in double precision at a time."""
GRID_SLACK = 1e-4
"""Part of a voxel that a grid may miss without growing by one: headers hold spacings as 32-bit floats or short text."""
HALF_SLACK = 1e-9
"""Rounding of a mask's interpolated membership: exactly at the threshold belongs."""


class ImageMethod(StrEnum):
    """How intensities are interpolated; the manual names no identifiers for them."""

    NEAREST = "nearest"
    LINEAR = "linear"
    CUBIC_CONVOLUTION = "cubic convolution"
    CUBIC_SPLINE = "cubic spline"


class MaskMethod(StrEnum):
    """How a mask is interpolated: methods that can't leave [0, 1]."""

    NEAREST = "nearest"
    LINEAR = "linear"


class Alignment(StrEnum):
    """Where the new grid lies on the old one."""

    CENTRE = "centre"
    ORIGIN = "origin"
    FIT = "fit"
    """First and last voxel centres coincide; the spacing becomes the nearest smaller one that fits."""

    @property
    def ibsi(self) -> str:
        """The identifier in the IBSI reference manual."""
        return {Alignment.CENTRE: "3WE3", Alignment.ORIGIN: "SBKJ", Alignment.FIT: "58MB"}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpolation:
    """Interpolation to other voxels (IBSI VTM2).

    Parameters
    ----------
    spacing_mm : of the new voxels along (z, y, x), above 0; None leaves that axis as it is: (None, 2, 2) interpolates
        by slice.
    image : method for intensities.
    mask : method for the mask, which then belongs where it reaches the partial-volume threshold (IBSI E8H9).
    alignment : of the new grid with that of the image.
    rounding : whether intensities are rounded to whole numbers afterwards (IBSI 68QD), as CT numbers are.
    """

    spacing_mm: tuple[float | None, float | None, float | None]
    image: ImageMethod = ImageMethod.LINEAR
    mask: MaskMethod = MaskMethod.LINEAR
    alignment: Alignment = Alignment.CENTRE
    rounding: bool = False

    def __post_init__(self) -> None:
        spacing: object = self.spacing_mm
        if not isinstance(spacing, tuple | list) or len(spacing) != 3 or all(one is None for one in spacing):
            raise validation.not_allowed("interpolation.spacing_mm", spacing, "three spacings (z, y, x), not all empty")
        checked = [None if s is None else validation.number("interpolation.spacing_mm", s, above=0.0) for s in spacing]
        object.__setattr__(self, "spacing_mm", tuple(checked))
        object.__setattr__(self, "image", validation.choice("interpolation.image", self.image, ImageMethod))
        object.__setattr__(self, "mask", validation.choice("interpolation.mask", self.mask, MaskMethod))
        object.__setattr__(self, "alignment", validation.choice("interpolation.alignment", self.alignment, Alignment))
        if not isinstance(self.rounding, bool):
            raise validation.not_allowed("interpolation.rounding", self.rounding, "true or false")


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis of the new grid, in voxels of the old one.

    Parameters
    ----------
    before, after : number of voxels of the old and the new grid.
    start : position of the first new voxel centre, in old indices.
    step : distance of new voxel centres, in old voxels.
    spacing_mm : the same in mm.
    """

    before: int
    after: int
    start: float
    step: float
    spacing_mm: float

    @property
    def unchanged(self) -> bool:
        """Whether the new voxels are the old ones."""
        return self.start == 0.0 and self.step == 1.0 and self.before == self.after

    def positions(self, low: int, high: int) -> Floats:
        """Positions, in old indices, of the new voxels `low` .. `high` - 1; beyond the image its edge goes on."""
        found: Floats = np.clip(self.start + self.step * np.arange(low, high), 0.0, self.before - 1.0)
        return found

    def covering(self, low: int, high: int) -> tuple[int, int]:
        """The new voxels, as a range, that the old voxels `low` .. `high` - 1 may reach by linear interpolation."""
        first = 0 if low == 0 else math.ceil((low - 1 - self.start) / self.step)
        last = self.after if high == self.before else math.floor((high - self.start) / self.step) + 1
        return max(0, first), min(self.after, max(last, 0))

    def within(self, low: int, high: int) -> tuple[int, int]:
        """The new voxels, as a range, whose centres lie among the old voxels `low` .. `high` - 1; all if these are."""
        first = 0 if low == 0 else math.ceil((low - self.start) / self.step)
        last = self.after if high == self.before else math.floor((high - 1 - self.start) / self.step) + 1
        return min(max(0, first), self.after), max(0, min(self.after, last))


def axis_of(count: int, spacing_mm: float, wanted_mm: float | None, alignment: Alignment) -> Axis:
    """The new grid along one axis (IBSI UMPJ, 026Q, QCY4).

    Parameters
    ----------
    count, spacing_mm : of the image along this axis.
    wanted_mm : new spacing; None leaves the axis as it is.

    Raises
    ------
    InputError
        ``quantify.radiomics-too-many-voxels`` along this axis alone.
    """
    if wanted_mm is None or (wanted_mm == spacing_mm):
        return Axis(before=count, after=count, start=0.0, step=1.0, spacing_mm=spacing_mm)
    bounded(count * spacing_mm / wanted_mm)
    if alignment is Alignment.FIT:
        intervals = math.ceil((count - 1) * spacing_mm / wanted_mm - GRID_SLACK)
        step = (count - 1) / intervals if intervals else 1.0
        return Axis(before=count, after=intervals + 1, start=0.0, step=step, spacing_mm=step * spacing_mm)
    after = max(1, math.ceil(count * spacing_mm / wanted_mm - GRID_SLACK))
    step = wanted_mm / spacing_mm
    start = 0.0 if alignment is Alignment.ORIGIN else 0.5 * (count - 1 - step * (after - 1))
    return Axis(before=count, after=after, start=start, step=step, spacing_mm=wanted_mm)


def bounded(voxels: float) -> None:
    """Refuses a grid of more voxels than can be computed.

    Raises
    ------
    InputError
        ``quantify.radiomics-too-many-voxels``.
    """
    if voxels > MOST_VOXELS:
        raise InputError(TOO_MANY_VOXELS, voxels=float(voxels), most=MOST_VOXELS)


def axes_of(
    shape: tuple[int, int, int], spacing_mm: Triple, interpolation: Interpolation | None
) -> tuple[Axis, Axis, Axis]:
    """The new grid along (z, y, x); without interpolation the old one."""
    wanted = (None, None, None) if interpolation is None else interpolation.spacing_mm
    alignment = Alignment.CENTRE if interpolation is None else interpolation.alignment
    z, y, x = (axis_of(n, s, w, alignment) for n, s, w in zip(shape, spacing_mm, wanted, strict=True))
    return z, y, x


def support(method: ImageMethod | MaskMethod) -> int:
    """How many voxels beyond a position its interpolated value looks."""
    return {"nearest": 1, "linear": 1, "cubic convolution": 2, "cubic spline": SPLINE_SUPPORT}[method.value]


def source_range(axis: Axis, low: int, high: int, method: ImageMethod | MaskMethod) -> tuple[int, int]:
    """The old voxels, as a range, that the new voxels `low` .. `high` - 1 are computed from."""
    if axis.unchanged:
        return low, high
    positions, margin = axis.positions(low, high), support(method)
    return max(0, int(positions[0]) - margin), min(axis.before, math.ceil(positions[-1]) + margin + 1)


def resampled(
    values: NDArray[Any],
    places: tuple[tuple[Axis, int, int, int], ...],
    method: ImageMethod | MaskMethod,
    dtype: DTypeLike = np.float64,
) -> NDArray[Any]:
    """Values on a box of the new grid.

    Parameters
    ----------
    values : (z, y, x), a box of the old grid that holds the `source_range` of every axis; finite.
    places : along (z, y, x) the axis, the first old voxel of `values`, and the range of new voxels asked for.
    dtype : of the result, and of what is kept between the passes; sums are made in double precision.

    Returns
    -------
    (z, y, x), C-contiguous, never a view of `values`.
    """
    found = values
    # First the axis along which most voxels vanish: the later passes then have less to do.
    for number in sorted(range(3), key=lambda n: (places[n][3] - places[n][2]) / values.shape[n]):
        axis, first, low, high = places[number]
        if axis.unchanged:
            found = found[(slice(None),) * number + (slice(low - first, high - first),)]
        else:
            taps = _taps(axis.positions(low, high) - first, found.shape[number], method)
            out = np.empty([high - low if n == number else size for n, size in enumerate(found.shape)], dtype=dtype)
            _pass(found, out, number, taps, spline=method is ImageMethod.CUBIC_SPLINE)
            found = out
    fresh: NDArray[Any] = np.array(found, dtype=dtype, order="C", copy=None if found.base is None else True)
    return fresh


def _pass(values: NDArray[Any], out: NDArray[Any], number: int, taps: tuple[Indices, Floats], *, spline: bool) -> None:
    """Interpolation along one axis, slab by slab, so that the image is never held in double precision as a whole."""
    across = 1 if number == 0 else 0
    step = max(1, SLAB_VOXELS * values.shape[across] // max(1, values.size))
    for start in range(0, values.shape[across], step):
        part = (slice(None),) * across + (slice(start, start + step),)
        slab = np.array(values[part], dtype=np.float64, order="C")
        if spline and slab.shape[number] > 1:
            _to_coefficients(slab, number)
        outer, inner = math.prod(slab.shape[:number]), math.prod(slab.shape[number + 1 :])
        made = np.zeros((outer, out.shape[number], inner))
        _weighted(slab.reshape(outer, slab.shape[number], inner), *taps, made)
        out[part] = made.reshape(out[part].shape)


def _to_coefficients(values: Floats, number: int) -> None:
    from scipy.ndimage import spline_filter1d  # noqa: PLC0415 - a tenth of a second that linear methods do not need

    spline_filter1d(values, 3, axis=number, output=values, mode="mirror")


def _taps(positions: Floats, count: int, method: ImageMethod | MaskMethod) -> tuple[Indices, Floats]:
    """Which voxels (n, taps) make up the value at each position, and with which weights (n, taps)."""
    if method.value == "nearest":
        # Halfway between two voxels the upper one counts, on any machine.
        nearest = np.floor(positions + 0.5).astype(np.int64)[:, None]
        return np.clip(nearest, 0, count - 1), np.ones(nearest.shape)
    lower = np.floor(positions).astype(np.int64)
    part = positions - lower
    if method.value == "linear":
        index = np.stack([lower, lower + 1], axis=1)
        return np.clip(index, 0, count - 1), np.stack([1.0 - part, part], axis=1)
    index = lower[:, None] + np.arange(-1, 3)
    if method is ImageMethod.CUBIC_SPLINE:
        return _mirrored(index, count), _spline_weights(part)
    return np.clip(index, 0, count - 1), _convolution_weights(part)


def _mirrored(index: Indices, count: int) -> Indices:
    if count == 1:
        return np.zeros_like(index)
    period = 2 * (count - 1)
    folded = np.abs(index) % period
    found: Indices = np.minimum(folded, period - folded)
    return found


def _spline_weights(t: Floats) -> Floats:
    """The cubic B-spline (Unser, IEEE Signal Process Mag 1999;16(6):22-38) at the four voxels about each position."""
    s = 1.0 - t
    return np.stack(
        [s**3 / 6.0, 2.0 / 3.0 - t**2 * (2.0 - t) / 2.0, 2.0 / 3.0 - s**2 * (2.0 - s) / 2.0, t**3 / 6.0], axis=1
    )


def _convolution_weights(t: Floats) -> Floats:
    """Cubic convolution with a = -1/2 (Keys, IEEE Trans ASSP 1981;29:1153-1160)."""
    s = 1.0 - t
    outer = [-0.5 * u * (1.0 - u) ** 2 for u in (t, s)]
    inner = [1.0 + u**2 * (1.5 * u - 2.5) for u in (t, s)]
    return np.stack([outer[0], inner[0], inner[1], outer[1]], axis=1)


@numba.njit(cache=True, nogil=True)
def _weighted(values: Floats, index: Indices, weights: Floats, out: Floats) -> None:
    taps = index.shape[1]
    for o in range(values.shape[0]):
        for k in range(index.shape[0]):
            for t in range(taps):
                source, weight = index[k, t], weights[k, t]
                if weight != 0.0:
                    for i in range(values.shape[2]):
                        out[o, k, i] += weight * values[o, source, i]
