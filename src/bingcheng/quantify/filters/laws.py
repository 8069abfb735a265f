"""Laws' texture kernels: level, edge, spot, wave and ripple along each axis, and their energy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.wording import text
from bingcheng.image.geometry import Triple
from bingcheng.quantify.filters.boundary import MIRROR, Beyond, Boundary
from bingcheng.quantify.filters.convolution import separable
from bingcheng.quantify.filters.filter import Triple3, bad_parameter, box_reach, checked, settings_of, whole
from bingcheng.quantify.filters.rotation import Kernel, Lines, Pooling, plain, pooled


def _unit(*taps: int) -> Kernel:
    norm = sqrt(sum(tap * tap for tap in taps))
    return tuple(tap / norm for tap in taps)


LAWS: Mapping[str, Kernel] = MappingProxyType(
    {
        "L5": _unit(1, 4, 6, 4, 1),
        "L3": _unit(1, 2, 1),
        "E5": _unit(-1, -2, 0, 2, 1),
        "E3": _unit(-1, 0, 1),
        "S5": _unit(-1, 0, 2, 0, -1),
        "S3": _unit(-1, 2, -1),
        "W5": _unit(-1, 2, 0, -2, 1),
        "R5": _unit(1, -4, 6, -4, 1),
    }
)
"""The kernels of the reference manual, of unit norm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Laws:
    """Product of one Laws kernel an axis, as `IBSI_2` defines it (JTXT); with a distance its energy (PQSD).

    Parameters
    ----------
    kernels : names along x, y and z (``E5L5S5``), or along x and y (``L5S5``): then by slice.
    rotation_invariant : pool the responses over all rotations by right angles (24 in space, 4 in a slice).
    pooling : how; used only if `rotation_invariant`.
    energy_distance_voxels : mean of the absolute (pooled) response within this Chebyshev distance; None: the response.
    boundary : beyond the edge, of the image and of the response that energy is taken from.

    Raises
    ------
    InputError
        ``quantify.filter-parameter``.
    """

    name: ClassVar[str] = "laws"
    ibsi: ClassVar[str] = "JTXT"
    unitless: ClassVar[bool] = False

    kernels: str
    rotation_invariant: bool = False
    pooling: Pooling = Pooling.MAX
    energy_distance_voxels: int | None = None
    boundary: Boundary = MIRROR

    def __post_init__(self) -> None:
        if not re.fullmatch(f"({'|'.join(LAWS)}){{2,3}}", self.kernels):
            raise bad_parameter(
                self.name, "kernels", self.kernels, text("two or three of {known}", known=", ".join(LAWS))
            )
        if self.energy_distance_voxels is not None:
            whole(self.name, "energy_distance_voxels", self.energy_distance_voxels, least=1, most=500)

    @property
    def by_slice(self) -> bool:
        """Whether only two kernels were named."""
        return len(self.kernels) == 4

    def reach_voxels(self, spacing_mm: Triple) -> Triple3 | None:  # noqa: ARG002 - the protocol's
        """Half the longest kernel, and the energy's distance; the whole image if it repeats."""
        if self.boundary.beyond is Beyond.PERIODIC:
            return None
        lines = self._lines()
        halves = [len(line[0]) // 2 if line else 0 for line in lines]
        if self.rotation_invariant:
            halves = [max(halves)] * 3
        z, y, x = (half + (self.energy_distance_voxels or 0) for half in halves)
        return box_reach(self, (z, y, x))

    def response(self, voxels: NDArray[Any], spacing_mm: Triple) -> NDArray[np.float32]:  # noqa: ARG002 - the protocol's
        """The response or its energy (z, y, x), in the image's unit.

        Raises
        ------
        InputError
            ``quantify.filter-needs-three-axes``, ``quantify.filter-not-finite``.
        """
        single, lines = checked(voxels), self._lines()
        if self.rotation_invariant:
            found = pooled(single, lines, self.boundary, self.pooling)
        else:
            found = plain(single, lines, self.boundary)
        if self.energy_distance_voxels is None:
            return found
        side = 2 * self.energy_distance_voxels + 1
        box = np.full(side, 1 / side)
        return separable(np.abs(found), (None if self.by_slice else box, box, box), self.boundary)

    def as_mapping(self) -> dict[str, object]:
        """Plain settings."""
        return settings_of(
            self,
            kernels=self.kernels,
            rotation_invariant=self.rotation_invariant,
            pooling=str(self.pooling) if self.rotation_invariant else None,
            energy_distance_voxels=self.energy_distance_voxels,
            boundary=self.boundary.plain(),
        )

    def _lines(self) -> Lines:
        x, y, *z = ((LAWS[self.kernels[at : at + 2]],) for at in range(0, len(self.kernels), 2))
        return (*z, y, x) if z else ((), y, x)
