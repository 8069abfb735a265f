"""Non-separable wavelets: rings of spatial frequency, the same in all directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import pi
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.wording import text
from bingcheng.image.geometry import Triple
from bingcheng.quantify.filters.boundary import MIRROR, Boundary
from bingcheng.quantify.filters.filter import Triple3, bad_parameter, checked, filtered_axes, settings_of, whole
from bingcheng.quantify.filters.spectrum import FrequencyGrid, Transfer, Waves, filtered

Profile = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def _shannon(nu: NDArray[np.float32]) -> NDArray[np.float32]:
    return ((nu > pi / 2) & (nu <= pi)).astype(np.float32)


def _simoncelli(nu: NDArray[np.float32]) -> NDArray[np.float32]:
    inside = (nu > pi / 4) & (nu <= pi)
    octave = np.log2(nu * np.float32(2 / pi), where=inside, out=np.zeros_like(nu))
    return np.where(inside, np.cos(np.float32(pi / 2) * octave), np.float32(0))


def _papadakis(nu: NDArray[np.float32]) -> NDArray[np.float32]:
    rise = np.sqrt(np.maximum(0, (1 + np.sin(5 * nu)) / 2))
    fall = np.sqrt(np.maximum(0, (1 - np.sin(np.float32(2.5) * nu)) / 2))
    edges = (3 * pi / 10, pi / 2, 3 * pi / 5, pi)
    return _piecewise(nu, edges, (rise, np.ones_like(nu), fall))


def _meyer(nu: NDArray[np.float32]) -> NDArray[np.float32]:
    rise = np.sin(np.float32(pi / 2) * _smooth_step(4 * nu / np.float32(pi) - 1))
    fall = np.cos(np.float32(pi / 2) * _smooth_step(2 * nu / np.float32(pi) - 1))
    return _piecewise(nu, (pi / 4, pi / 2, pi), (rise, fall))


def _smooth_step(x: NDArray[np.float32]) -> NDArray[np.float32]:
    x = np.clip(x, 0, 1)
    return x**4 * (35 - 84 * x + 70 * x**2 - 20 * x**3)


def _piecewise(
    nu: NDArray[np.float32], edges: tuple[float, ...], pieces: tuple[NDArray[np.float32], ...]
) -> NDArray[np.float32]:
    inside = [(nu > low) & (nu <= high) for low, high in pairwise(edges)]
    return np.select(inside, pieces, np.float32(0)).astype(np.float32)


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {"shannon": _shannon, "simoncelli": _simoncelli, "papadakis": _papadakis, "meyer": _meyer}
)
"""Amplitude of level 1 at angular frequencies; their squares over all levels sum to 1.

M. Unser, N. Chenouard, D. Van De Ville, IEEE Trans. Image Process. 2011;20:2705-2721, table I.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NonseparableWavelet:
    """Isotropic band-pass map of one level, as `IBSI_2` defines it (LODD; Simoncelli's PRT7).

    Level j passes frequencies around ``pi / 2^j`` radians a voxel. Frequencies are counted in voxels: with unequal
    sides, rings are those of the grid, not of the patient.

    Parameters
    ----------
    wavelet : ``shannon``, ``simoncelli``, ``papadakis`` or ``meyer``.
    level : decomposition level, from 1.
    boundary : beyond the edge; such a filter looks at the whole image.
    by_slice : in each slice by itself.
    frequency_grid : see `FrequencyGrid`.

    Raises
    ------
    InputError
        ``quantify.filter-parameter``.
    """

    name: ClassVar[str] = "nonseparable_wavelet"
    ibsi: ClassVar[str] = "LODD"
    unitless: ClassVar[bool] = False

    wavelet: str = "simoncelli"
    level: int = 1
    boundary: Boundary = MIRROR
    by_slice: bool = False
    frequency_grid: FrequencyGrid = FrequencyGrid.DFT

    def __post_init__(self) -> None:
        if self.wavelet not in PROFILES:
            raise bad_parameter(self.name, "wavelet", self.wavelet, text("one of {known}", known=", ".join(PROFILES)))
        whole(self.name, "level", self.level, least=1, most=12)

    def reach_voxels(self, spacing_mm: Triple) -> Triple3 | None:  # noqa: ARG002 - the protocol's
        """The whole image."""
        return None

    def response(self, voxels: NDArray[Any], spacing_mm: Triple) -> NDArray[np.float32]:
        """The band-pass map (z, y, x), in the image's unit.

        Raises
        ------
        InputError
            ``quantify.filter-needs-three-axes``, ``quantify.filter-not-finite``.
        """
        axes = filtered_axes(self)
        return filtered(
            checked(voxels),
            axes,
            self.transfer(spacing_mm),
            order=(0,) * len(axes),
            boundary=self.boundary,
            grid=self.frequency_grid,
        )

    def transfer(self, spacing_mm: Triple) -> Transfer:  # noqa: ARG002 - other filters' need it
        """Amplitude by frequency."""
        profile, scale = PROFILES[self.wavelet], np.float32(2 ** (self.level - 1))

        def amplitude(waves: Waves) -> NDArray[np.float32]:
            return profile(scale * waves.length)

        return amplitude

    def as_mapping(self) -> dict[str, object]:
        """Plain settings."""
        return settings_of(
            self,
            wavelet=self.wavelet,
            level=self.level,
            boundary=self.boundary.plain(),
            by_slice=self.by_slice,
            frequency_grid=str(self.frequency_grid),
        )
