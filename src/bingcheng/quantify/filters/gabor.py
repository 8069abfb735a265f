"""Gabor filters: waves of one length and direction under a Gaussian window, in planes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, cos, isfinite, pi, radians, sin
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.wording import text
from bingcheng.image.geometry import Triple
from bingcheng.quantify.filters.boundary import MIRROR, Beyond, Boundary
from bingcheng.quantify.filters.filter import (
    Triple3,
    bad_parameter,
    checked,
    fine_enough,
    positive,
    settings_of,
)
from bingcheng.quantify.filters.rotation import Pooling

PLANES = ((1, 2), (0, 2), (0, 1))
"""Axes of the axial, coronal and sagittal planes, the second one being k1 of the manual."""

# Slices are transformed together up to this many values, so that they stay in a processor's cache.
_VALUES_AT_ONCE = 2**19
# Frequencies at which a kernel passes less than this part of its most are left out; single precision has no more.
_NEGLIGIBLE = 1e-7


class Part(StrEnum):
    """What is kept of the complex response."""

    MODULUS = "modulus"
    REAL = "real"
    IMAGINARY = "imaginary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gabor:
    """Convolution with ``exp(-(p^2 + g^2 q^2) / (2 s^2) + i 2 pi p / l)`` in planes, as `IBSI_2` defines it (Q88H).

    p runs along the wave at the angle theta from the image's x towards its y, q across it; lengths are in mm.

    Parameters
    ----------
    sigma_mm : s, standard deviation of the window along the wave.
    wavelength_mm : l.
    aspect_ratio : g; the window's standard deviation across the wave is ``s / g``.
    theta_deg : direction of the wave.
    theta_step_deg : pool over the directions ``theta, theta + step, ...`` of a full circle, which it must divide;
        None: only theta.
    orthogonal_planes : pool over the axial, coronal and sagittal planes through each voxel; otherwise only axial.
    pooling : how, over directions and planes together.
    part : what is kept of each response before pooling.
    cutoff_sigmas : beyond how many standard deviations of the window the kernel ends.
    boundary : beyond the edge.

    Raises
    ------
    InputError
        ``quantify.filter-parameter``.
    """

    name: ClassVar[str] = "gabor"
    ibsi: ClassVar[str] = "Q88H"
    unitless: ClassVar[bool] = False

    sigma_mm: float
    wavelength_mm: float
    aspect_ratio: float = 1.0
    theta_deg: float = 0.0
    theta_step_deg: float | None = None
    orthogonal_planes: bool = False
    pooling: Pooling = Pooling.AVERAGE
    part: Part = Part.MODULUS
    cutoff_sigmas: float = 4.0
    boundary: Boundary = MIRROR

    def __post_init__(self) -> None:
        positive(self.name, "sigma_mm", self.sigma_mm, most=1000)
        positive(self.name, "wavelength_mm", self.wavelength_mm, most=1000)
        positive(self.name, "aspect_ratio", self.aspect_ratio, most=100)
        positive(self.name, "cutoff_sigmas", self.cutoff_sigmas, most=20)
        if not isfinite(self.theta_deg):
            raise bad_parameter(self.name, "theta_deg", self.theta_deg, text("a number"))
        if self.theta_step_deg is not None:
            positive(self.name, "theta_step_deg", self.theta_step_deg, least=0.9, most=360)
            steps = 360 / self.theta_step_deg
            if abs(steps - round(steps)) > 1e-6:
                raise bad_parameter(self.name, "theta_step_deg", self.theta_step_deg, text("a whole part of 360"))

    @property
    def by_slice(self) -> bool:
        """Whether only axial planes are filtered."""
        return not self.orthogonal_planes

    def reach_voxels(self, spacing_mm: Triple) -> Triple3 | None:
        """The cut-off along each axis, over all directions; the whole image if it repeats."""
        if self.boundary.beyond is Beyond.PERIODIC:
            return None
        reach = [0, 0, 0]
        for plane in self._planes():
            for theta in self._thetas():
                for axis, half in zip(plane, self._halves(theta, plane, spacing_mm), strict=True):
                    reach[axis] = max(reach[axis], half)
        return (reach[0], reach[1], reach[2])

    def response(self, voxels: NDArray[Any], spacing_mm: Triple) -> NDArray[np.float32]:
        """The (pooled) response (z, y, x), in the image's unit; kernels aren't normalised, so it is large.

        Raises
        ------
        InputError
            ``quantify.filter-needs-three-axes``, ``quantify.filter-not-finite``.
        Undefined
            ``quantify.filter-finer-than-voxels``: the wave or the window is too fine for a plane's voxels.
        """
        single = checked(voxels)
        thetas, planes = self._thetas(), self._planes()
        for plane in planes:
            self._check_sampling(plane, spacing_mm)
        result = np.zeros(single.shape, dtype=np.float32)
        if self.pooling is Pooling.MAX:
            result -= np.inf
        for plane in planes:
            kernels = [self.kernel(theta, plane, spacing_mm) for theta in thetas]
            other = ({0, 1, 2} - set(plane)).pop()
            order = (other, *plane)
            self._pool(np.transpose(single, order), kernels, np.transpose(result, order))
        if self.pooling is Pooling.AVERAGE:
            result /= len(thetas) * len(planes)
        return result

    def kernel(self, theta: float, plane: tuple[int, int], spacing_mm: Triple) -> NDArray[np.complex128]:
        """The kernel (axes of the plane), an odd number of voxels a side, for an angle in radians."""
        low, fast = self._halves(theta, plane, spacing_mm)
        k2 = spacing_mm[plane[0]] * np.arange(-low, low + 1)[:, None]
        k1 = spacing_mm[plane[1]] * np.arange(-fast, fast + 1)[None, :]
        p, q = k1 * cos(theta) + k2 * sin(theta), k2 * cos(theta) - k1 * sin(theta)
        window = np.exp(-(p**2 + (self.aspect_ratio * q) ** 2) / (2 * self.sigma_mm**2))
        wave: NDArray[np.complex128] = window * np.exp(2j * pi * p / self.wavelength_mm)
        return wave

    def as_mapping(self) -> dict[str, object]:
        """Plain settings."""
        return settings_of(
            self,
            sigma_mm=self.sigma_mm,
            wavelength_mm=self.wavelength_mm,
            aspect_ratio=self.aspect_ratio,
            theta_deg=self.theta_deg,
            theta_step_deg=self.theta_step_deg,
            orthogonal_planes=self.orthogonal_planes,
            pooling=str(self.pooling),
            part=str(self.part),
            cutoff_sigmas=self.cutoff_sigmas,
            boundary=self.boundary.plain(),
        )

    def _planes(self) -> tuple[tuple[int, int], ...]:
        return PLANES if self.orthogonal_planes else PLANES[:1]

    def _thetas(self) -> list[float]:
        """Angles in radians; opposite ones give the same modulus and real part, so that half of them do."""
        if self.theta_step_deg is None:
            return [radians(self.theta_deg)]
        count = round(360 / self.theta_step_deg)
        if count % 2 == 0 and self.part is not Part.IMAGINARY:
            count //= 2
        return [radians(self.theta_deg + place * self.theta_step_deg) for place in range(count)]

    def _halves(self, theta: float, plane: tuple[int, int], spacing_mm: Triple) -> tuple[int, int]:
        """Voxels from the centre of the kernel to its end: the box around the window's ellipse."""
        along, across = self.sigma_mm, self.sigma_mm / self.aspect_ratio
        first = np.hypot(along * sin(theta), across * cos(theta)) * self.cutoff_sigmas / spacing_mm[plane[0]]
        second = np.hypot(along * cos(theta), across * sin(theta)) * self.cutoff_sigmas / spacing_mm[plane[1]]
        return ceil(first), ceil(second)

    def _check_sampling(self, plane: tuple[int, int], spacing_mm: Triple) -> None:
        coarse = max(spacing_mm[axis] for axis in plane)
        fine_enough(self.name, self.wavelength_mm, coarse, voxels=2)
        fine_enough(self.name, min(self.sigma_mm, self.sigma_mm / self.aspect_ratio), coarse, voxels=0.5)

    def _pool(
        self, stack: NDArray[np.float32], kernels: list[NDArray[np.complex128]], result: NDArray[np.float32]
    ) -> None:
        """Adds to `result`, or enlarges it to, the responses of a stack of planes (n, a, b)."""
        extents = [
            _Extent.of(size, max(kernel.shape[axis] // 2 for kernel in kernels), self.boundary)
            for axis, size in enumerate(stack.shape[1:])
        ]
        bands = [_Band.of(kernel, extents) for kernel in kernels]
        step = max(1, _VALUES_AT_ONCE // (extents[0].period * extents[1].period))
        for begin in range(0, stack.shape[0], step):
            part = slice(begin, begin + step)
            target = result[part]
            for response in _responses(stack[part], bands, extents, self.boundary, phase=self.part is not Part.MODULUS):
                value = _kept(response, self.part)
                if self.pooling is Pooling.AVERAGE:
                    target += value
                else:
                    np.maximum(target, value, out=target)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Extent:
    """How a line is continued to a period whose circular convolution is the one wanted, within the line."""

    size: int
    before: int
    period: int

    @staticmethod
    def of(size: int, reach: int, boundary: Boundary) -> _Extent:
        import scipy.fft  # noqa: PLC0415 - a quarter of a second that few have to wait

        if boundary.beyond is Beyond.PERIODIC:
            return _Extent(size=size, before=0, period=size)
        if boundary.beyond is Beyond.MIRROR and size <= 2 * reach:
            return _Extent(size=size, before=0, period=2 * size)
        # One margin of a constant serves both ends; other margins differ.
        before = 0 if boundary.beyond is Beyond.CONSTANT else reach
        return _Extent(size=size, before=before, period=scipy.fft.next_fast_len(size + before + reach))

    def source(self, boundary: Boundary) -> NDArray[np.int64]:
        return boundary.indices(self.size, self.before, self.period - self.size - self.before)

    @property
    def line(self) -> slice:
        return slice(self.before, self.before + self.size)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Band:
    """The transform of a kernel, which is real, over those frequencies of the second axis where it passes anything.

    Parameters
    ----------
    first : the first of these frequencies; they follow each other, and go on at 0 after the last of the period.
    amplitude : (period of the first axis, number of frequencies).
    """

    first: int
    amplitude: NDArray[np.float32]

    @staticmethod
    def of(kernel: NDArray[np.complex128], extents: list[_Extent]) -> _Band:
        import scipy.fft  # noqa: PLC0415 - a quarter of a second that few have to wait

        wrapped = np.zeros((extents[0].period, extents[1].period), dtype=complex)
        rows, columns = (
            (np.arange(size) - size // 2) % extent.period for size, extent in zip(kernel.shape, extents, strict=True)
        )
        # A kernel longer than the period comes round again: with a mirrored or repeating image that is what it meets.
        np.add.at(wrapped, np.ix_(rows, columns), kernel)
        # The kernel at -k is the conjugate of that at k, so that its transform is real.
        amplitude: NDArray[np.float64] = scipy.fft.fft2(wrapped).real
        first, count = _run(np.abs(amplitude).max(axis=0))
        return _Band(first=first, amplitude=np.roll(amplitude, -first, axis=1)[:, :count].astype(np.float32))

    def of_spectrum(self, spectrum: NDArray[np.complex64]) -> NDArray[np.complex64]:
        """What passes of a spectrum (n, a, b): (n, a, number of frequencies)."""
        last = self.first + self.amplitude.shape[1]
        beyond = last - spectrum.shape[2]
        if beyond <= 0:
            return spectrum[:, :, self.first : last] * self.amplitude
        return np.concatenate((spectrum[:, :, self.first :], spectrum[:, :, :beyond]), axis=2) * self.amplitude


def _run(passed: NDArray[np.float64]) -> tuple[int, int]:
    """First and number of the frequencies, counted cyclically, outside of which next to nothing passes."""
    negligible = np.flatnonzero(passed <= _NEGLIGIBLE * np.max(passed))
    if negligible.size == 0:
        return 0, passed.size
    gaps = np.diff(negligible, append=negligible[0] + passed.size)
    widest = int(np.argmax(gaps))
    return int(negligible[widest] + 1) % passed.size, int(gaps[widest] - 1)


def _responses(
    stack: NDArray[np.float32], bands: list[_Band], extents: list[_Extent], boundary: Boundary, *, phase: bool
) -> Iterator[NDArray[np.complex64]]:
    """The complex response of each band; without its phase where that doesn't matter."""
    import scipy.fft  # noqa: PLC0415 - a quarter of a second that few have to wait

    rows, columns = extents
    continued = np.ascontiguousarray(stack)
    for axis, extent in enumerate(extents, start=1):
        source = extent.source(boundary)
        continued = np.take(continued, np.maximum(source, 0), axis=axis)
        continued[(slice(None),) * axis + (source < 0,)] = boundary.constant
    spectrum = scipy.fft.fft2(continued)
    for band in bands:
        passed = scipy.fft.ifft(band.of_spectrum(spectrum), axis=1, overwrite_x=True)[:, rows.line]
        # The band's frequencies are taken to begin at 0, which turns the phase and leaves the modulus.
        response = scipy.fft.ifft(passed, n=columns.period, axis=2)[:, :, columns.line]
        if phase:
            place = np.arange(columns.period)[columns.line]
            response = response * np.exp(2j * pi * band.first * place / columns.period).astype(np.complex64)
        yield response


def _kept(response: NDArray[np.complex64], part: Part) -> NDArray[np.float32]:
    if part is Part.MODULUS:
        modulus: NDArray[np.float32] = np.abs(response)
        return modulus
    return response.real if part is Part.REAL else response.imag
