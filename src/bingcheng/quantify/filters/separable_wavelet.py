"""Separable wavelets: low-pass or high-pass along each axis, level by level, without decimation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.wording import text
from bingcheng.image.geometry import Triple
from bingcheng.quantify.filters.boundary import MIRROR, Beyond, Boundary
from bingcheng.quantify.filters.filter import Triple3, bad_parameter, box_reach, checked, settings_of, whole
from bingcheng.quantify.filters.rotation import Kernel, Lines, Pooling, centred, plain, pooled
from bingcheng.quantify.filters.wavelet import high_pass, low_pass


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparableWavelet:
    """Undecimated (a trous) decomposition by an orthogonal wavelet, as `IBSI_2` defines it (25BO).

    Level j filters what the low-pass filters of the levels before left, with kernels whose taps lie ``2^(j-1)`` voxels
    apart.

    Parameters
    ----------
    wavelet : ``haar``, ``db1`` to ``db10``, ``sym2`` to ``sym10`` or ``coif1`` to ``coif3``.
    bands : L or H along x, y and z (``LLH``), or along x and y (``LH``): then by slice.
    level : decomposition level, from 1.
    rotation_invariant : pool the responses over all rotations by right angles (24 in space, 4 in a slice).
    pooling : how; used only if `rotation_invariant`.
    boundary : beyond the edge, at every level.

    Raises
    ------
    InputError
        ``quantify.filter-parameter``.
    """

    name: ClassVar[str] = "separable_wavelet"
    ibsi: ClassVar[str] = "25BO"
    unitless: ClassVar[bool] = False

    wavelet: str
    bands: str
    level: int = 1
    rotation_invariant: bool = False
    pooling: Pooling = Pooling.AVERAGE
    boundary: Boundary = MIRROR

    def __post_init__(self) -> None:
        low_pass(self.wavelet)
        if not re.fullmatch("[LH]{2,3}", self.bands):
            raise bad_parameter(self.name, "bands", self.bands, text("two or three of {known}", known="L, H"))
        whole(self.name, "level", self.level, least=1, most=8)

    @property
    def by_slice(self) -> bool:
        """Whether only two bands were named."""
        return len(self.bands) == 2

    def reach_voxels(self, spacing_mm: Triple) -> Triple3 | None:  # noqa: ARG002 - the protocol's
        """Half the kernels of all levels together; the whole image if it repeats."""
        if self.boundary.beyond is Beyond.PERIODIC:
            return None
        half = sum(len(kernel) // 2 for kernel in self._line("L"))
        return box_reach(self, (half, half, half))

    def response(self, voxels: NDArray[Any], spacing_mm: Triple) -> NDArray[np.float32]:  # noqa: ARG002 - the protocol's
        """The coefficients (z, y, x), in the image's unit.

        Raises
        ------
        InputError
            ``quantify.filter-needs-three-axes``, ``quantify.filter-not-finite``.
        """
        single = checked(voxels)
        x, y, *z = (self._line(band) for band in self.bands)
        lines: Lines = (*z, y, x) if z else ((), y, x)
        if self.rotation_invariant:
            return pooled(single, lines, self.boundary, self.pooling)
        return plain(single, lines, self.boundary)

    def as_mapping(self) -> dict[str, object]:
        """Plain settings."""
        return settings_of(
            self,
            wavelet=self.wavelet,
            bands=self.bands,
            level=self.level,
            rotation_invariant=self.rotation_invariant,
            pooling=str(self.pooling) if self.rotation_invariant else None,
            boundary=self.boundary.plain(),
        )

    def _line(self, band: str) -> tuple[Kernel, ...]:
        low = [centred(_spread(low_pass(self.wavelet), 2**level)) for level in range(self.level - 1)]
        last = low_pass(self.wavelet) if band == "L" else high_pass(self.wavelet)
        return (*low, centred(_spread(last, 2 ** (self.level - 1))))


def _spread(kernel: Kernel, step: int) -> Kernel:
    """The taps `step` voxels apart, zeros between and after them."""
    return tuple(tap for value in kernel for tap in (value, *([0.0] * (step - 1))))
