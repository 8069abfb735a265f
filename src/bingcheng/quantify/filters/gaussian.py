"""The Gaussian filter and its Laplacian: blobs and edges of one size."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, floor, pi, prod, sqrt
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bingcheng.image.geometry import Triple
from bingcheng.quantify.filters.boundary import MIRROR, Beyond, Boundary
from bingcheng.quantify.filters.convolution import convolved, separable
from bingcheng.quantify.filters.filter import (
    Triple3,
    box_reach,
    checked,
    filtered_axes,
    fine_enough,
    positive,
    settings_of,
)
from bingcheng.quantify.filters.spectrum import Transfer, Waves

# Below half a voxel of standard deviation, samples of a Gaussian no longer sum to 1 within 1 % (1.014 at 0.5).
LEAST_SIGMA_VOXELS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Bell:
    """What filters made of a Gaussian share: its width, where it ends, and what lies beyond the edge.

    Parameters
    ----------
    sigma_mm : standard deviation.
    cutoff_sigmas : beyond how many standard deviations along an axis the kernel ends.
    boundary : beyond the edge.
    by_slice : in each slice by itself.

    Raises
    ------
    InputError
        ``quantify.filter-parameter``.
    """

    name: ClassVar[str]
    unitless: ClassVar[bool] = False

    sigma_mm: float
    cutoff_sigmas: float = 4.0
    boundary: Boundary = MIRROR
    by_slice: bool = False

    def __post_init__(self) -> None:
        positive(self.name, "sigma_mm", self.sigma_mm, most=1000)
        positive(self.name, "cutoff_sigmas", self.cutoff_sigmas, most=20)

    def reach_voxels(self, spacing_mm: Triple) -> Triple3 | None:
        """The cut-off, rounded; the whole image if it repeats."""
        if self.boundary.beyond is Beyond.PERIODIC:
            return None
        z, y, x = (self._half(step) for step in spacing_mm)
        return box_reach(self, (z, y, x))

    def steps_mm(self, spacing_mm: Triple) -> list[float]:
        """The spacings along the axes that the filter works along.

        Raises
        ------
        Undefined
            ``quantify.filter-finer-than-voxels``.
        """
        steps = [spacing_mm[axis] for axis in filtered_axes(self)]
        for step in steps:
            fine_enough(self.name, self.sigma_mm, step, voxels=LEAST_SIGMA_VOXELS)
        return steps

    def bell(self, step_mm: float) -> NDArray[np.float64]:
        """Samples of the Gaussian density times the voxel's side, out to the cut-off; they sum to nearly 1."""
        half = self._half(step_mm)
        peak = step_mm / (sqrt(2 * pi) * self.sigma_mm)
        return np.array([peak * exp(-((k * step_mm / self.sigma_mm) ** 2) / 2) for k in range(-half, half + 1)])

    def as_mapping(self) -> dict[str, object]:
        """Plain settings."""
        return settings_of(
            self,
            sigma_mm=self.sigma_mm,
            cutoff_sigmas=self.cutoff_sigmas,
            boundary=self.boundary.plain(),
            by_slice=self.by_slice,
        )

    def _half(self, step_mm: float) -> int:
        return floor(self.cutoff_sigmas * self.sigma_mm / step_mm + 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaussian(Bell):
    """Weighted mean with Gaussian weights, as `IBSI_2` defines it (8BC3), normalised so that a constant stays.

    Parameters
    ----------
    sigma_mm : standard deviation.
    cutoff_sigmas : beyond how many standard deviations along an axis the kernel ends.
    boundary : beyond the edge.
    by_slice : in each slice by itself.

    Raises
    ------
    InputError
        ``quantify.filter-parameter``.
    """

    name: ClassVar[str] = "gaussian"
    ibsi: ClassVar[str] = "8BC3"

    def response(self, voxels: NDArray[Any], spacing_mm: Triple) -> NDArray[np.float32]:
        """The smoothed image (z, y, x), in the image's unit.

        Raises
        ------
        InputError
            ``quantify.filter-needs-three-axes``, ``quantify.filter-not-finite``.
        Undefined
            ``quantify.filter-finer-than-voxels``: the standard deviation is below half a voxel.
        """
        single = checked(voxels)
        bells = [self.bell(step) for step in self.steps_mm(spacing_mm)]
        return separable(single, [None] * (3 - len(bells)) + [one / one.sum() for one in bells], self.boundary)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaplacianOfGaussian(Bell):
    """Laplacian of the image after Gaussian smoothing, as `IBSI_2` defines it (L6PA).

    The kernel in D dimensions is ``-1/s^2 (2 pi s^2)^(-D/2) (D - |k|^2/s^2) exp(-|k|^2/(2 s^2))``, s being the standard
    deviation and k the position, both in voxels: second differences are per voxel, not per mm. Where voxels have
    unequal sides the reference manual defines nothing; here s and k are then in mm, and the unit of length is the
    geometric mean of the sides along which the filter works, which is the same thing for equal sides.

    Parameters
    ----------
    sigma_mm : standard deviation; a bright ball of radius ``sigma sqrt(3)`` gives the strongest (negative) response.
    cutoff_sigmas : beyond how many standard deviations along an axis the kernel ends.
    boundary : beyond the edge.
    by_slice : the two-dimensional filter in each slice by itself.

    Raises
    ------
    InputError
        ``quantify.filter-parameter``.
    """

    name: ClassVar[str] = "laplacian_of_gaussian"
    ibsi: ClassVar[str] = "L6PA"

    def response(self, voxels: NDArray[Any], spacing_mm: Triple) -> NDArray[np.float32]:
        """The Laplacian (z, y, x), in the image's unit (per squared voxel, of which the manual makes no unit).

        Raises
        ------
        InputError
            ``quantify.filter-needs-three-axes``, ``quantify.filter-not-finite``.
        Undefined
            ``quantify.filter-finer-than-voxels``: the standard deviation is below half a voxel.
        """
        single = checked(voxels)
        bells, curves = self.kernels(spacing_mm)
        # Sum over axes of (second derivative along that axis) x (Gaussians along the others), sharing convolutions.
        axes = filtered_axes(self)
        smooth, laplacian = single, None
        for axis, one, second in zip(axes, bells, curves, strict=True):
            curved = convolved(smooth, second, axis, self.boundary)
            if laplacian is not None:
                curved += convolved(laplacian, one, axis, self.boundary)
            laplacian = curved
            if axis != axes[-1]:
                smooth = convolved(smooth, one, axis, self.boundary)
        assert laplacian is not None, "a filter works along at least two axes"
        return laplacian

    def kernels(self, spacing_mm: Triple) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
        """The Gaussian and its second derivative for each filtered axis.

        Raises
        ------
        Undefined
            ``quantify.filter-finer-than-voxels``.
        """
        steps = self.steps_mm(spacing_mm)
        unit_mm2 = float(np.prod(steps)) ** (2 / len(steps))
        bells = [self.bell(step) for step in steps]
        curves = []
        for one, step in zip(bells, steps, strict=True):
            place_mm = step * (np.arange(one.size) - one.size // 2)
            curves.append(one * (place_mm**2 / self.sigma_mm**4 - 1 / self.sigma_mm**2) * unit_mm2)
        return bells, curves

    def transfer(self, spacing_mm: Triple) -> Transfer:
        """Amplitude by frequency: the transform of the kernel, which is even.

        Raises
        ------
        Undefined
            ``quantify.filter-finer-than-voxels``.
        """
        bells, curves = self.kernels(spacing_mm)

        def amplitude(waves: Waves) -> NDArray[np.float32]:
            smooth = [_cosines(one, true) for one, true in zip(bells, waves.true, strict=True)]
            curved = [_cosines(one, true) for one, true in zip(curves, waves.true, strict=True)]
            total: NDArray[np.float32] = np.asarray(
                sum(prod(curved[a] if a == b else smooth[b] for b in range(len(smooth))) for a in range(len(smooth)))
            )
            return total

        return amplitude


def _cosines(kernel: NDArray[np.float64], angles: NDArray[np.float32]) -> NDArray[np.float32]:
    """The transform of an even kernel at angular frequencies of any shape."""
    half = kernel.size // 2
    waves = np.cos(angles[..., None].astype(float) * np.arange(-half, half + 1))
    result: NDArray[np.float32] = (waves @ kernel).astype(np.float32)
    return result
