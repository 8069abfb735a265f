"""Riesz transforms of a band-pass filter: its directional derivatives without their change of scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.wording import text
from bingcheng.image.geometry import Triple
from bingcheng.quantify.filters.alignment import aligned
from bingcheng.quantify.filters.boundary import Boundary
from bingcheng.quantify.filters.filter import (
    Triple3,
    bad_parameter,
    checked,
    filtered_axes,
    positive,
    settings_of,
)
from bingcheng.quantify.filters.gaussian import LaplacianOfGaussian
from bingcheng.quantify.filters.nonseparable_wavelet import NonseparableWavelet
from bingcheng.quantify.filters.spectrum import FrequencyGrid, filtered

HIGHEST_ORDER = 6
"""A third derivative is already mostly noise; each order more costs memory for its components when aligned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RieszTransform:
    """Riesz transform of the response to an isotropic filter, as `IBSI_2` defines it (AYRS).

    In frequency the isotropic filter is multiplied by ``(-i)^L sqrt(L! / prod l_i!) prod nu_i^l_i / |nu|^L``, L being
    the sum of the orders l_i; a constant gives 0. Frequencies are counted in voxels: with unequal sides, directions are
    those of the grid, not of the patient.

    Parameters
    ----------
    of : the isotropic filter: a Laplacian of Gaussian or a non-separable wavelet; its boundary and dimension hold.
    order : (l1, l2, l3) along x, y and z, or (l1, l2) along x and y if `of` works by slice.
    alignment_sigma_mm : turn the axes at each voxel to those of the structure tensor, of the strongest change first,
        whose window has this standard deviation; None: the axes of the grid. The way each axis points, which odd
        orders depend on, is chosen so that the first-order transform along it isn't negative. The IBSI reached no
        consensus on aligned response maps.

    Raises
    ------
    InputError
        ``quantify.filter-parameter``.
    """

    name: ClassVar[str] = "riesz"
    ibsi: ClassVar[str] = "AYRS"
    unitless: ClassVar[bool] = False

    of: LaplacianOfGaussian | NonseparableWavelet
    order: tuple[int, ...]
    alignment_sigma_mm: float | None = None

    def __post_init__(self) -> None:
        axes = len(filtered_axes(self))
        object.__setattr__(self, "order", tuple(self.order))
        whole_numbers = all(not isinstance(one, bool) and one >= 0 for one in self.order)
        if not (whole_numbers and len(self.order) == axes and 1 <= sum(self.order) <= HIGHEST_ORDER):
            allowed = text("{axes} whole numbers that sum to 1 up to {most}", axes=axes, most=HIGHEST_ORDER)
            raise bad_parameter(self.name, "order", self.order, allowed)
        if self.alignment_sigma_mm is not None:
            positive(self.name, "alignment_sigma_mm", self.alignment_sigma_mm, most=1000)

    @property
    def by_slice(self) -> bool:
        """Whether the isotropic filter works by slice."""
        return self.of.by_slice

    @property
    def boundary(self) -> Boundary:
        """The isotropic filter's."""
        return self.of.boundary

    def reach_voxels(self, spacing_mm: Triple) -> Triple3 | None:  # noqa: ARG002 - the protocol's
        """The whole image."""
        return None

    def response(self, voxels: NDArray[Any], spacing_mm: Triple) -> NDArray[np.float32]:
        """The response (z, y, x), in the image's unit.

        Raises
        ------
        InputError
            ``quantify.filter-needs-three-axes``, ``quantify.filter-not-finite``.
        Undefined
            ``quantify.filter-finer-than-voxels``.
        """
        single = checked(voxels)
        axes = filtered_axes(self)
        transfer = self.of.transfer(spacing_mm)
        grid = self.of.frequency_grid if isinstance(self.of, NonseparableWavelet) else FrequencyGrid.DFT

        def component(order: tuple[int, ...]) -> NDArray[np.float32]:
            return filtered(single, axes, transfer, order=order, boundary=self.boundary, grid=grid)

        order = self.order[::-1]  # along (z, y, x)
        if self.alignment_sigma_mm is None:
            return component(order)
        # The first axis of the tensor's frame takes the place of x, so orders are handed over as they were given.
        return aligned(component, self.order, axes, self.alignment_sigma_mm, spacing_mm, self.boundary)

    def as_mapping(self) -> dict[str, object]:
        """Plain settings."""
        return settings_of(
            self,
            of=self.of.as_mapping(),
            order=list(self.order),
            alignment_sigma_mm=self.alignment_sigma_mm,
        )
