"""The mean filter: each voxel becomes the mean of the cube or square around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.wording import text
from bingcheng.image.geometry import Triple
from bingcheng.quantify.filters.boundary import MIRROR, Beyond, Boundary
from bingcheng.quantify.filters.convolution import separable
from bingcheng.quantify.filters.filter import Triple3, bad_parameter, box_reach, checked, settings_of, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """Mean over M voxels along each filtered axis, as `IBSI_2` defines it (S60F).

    Parameters
    ----------
    support_voxels : M, odd.
    boundary : beyond the edge.
    by_slice : squares in each slice instead of cubes.

    Raises
    ------
    InputError
        ``quantify.filter-parameter``.
    """

    name: ClassVar[str] = "mean"
    ibsi: ClassVar[str] = "S60F"
    unitless: ClassVar[bool] = False

    support_voxels: int
    boundary: Boundary = MIRROR
    by_slice: bool = False

    def __post_init__(self) -> None:
        whole(self.name, "support_voxels", self.support_voxels, least=1, most=999)
        if self.support_voxels % 2 == 0:
            raise bad_parameter(self.name, "support_voxels", self.support_voxels, text("odd"))

    def reach_voxels(self, spacing_mm: Triple) -> Triple3 | None:  # noqa: ARG002 - the protocol's
        """Half the support; the whole image if it repeats."""
        if self.boundary.beyond is Beyond.PERIODIC:
            return None
        half = self.support_voxels // 2
        return box_reach(self, (half, half, half))

    def response(self, voxels: NDArray[Any], spacing_mm: Triple) -> NDArray[np.float32]:  # noqa: ARG002 - the protocol's
        """The means (z, y, x), in the image's unit.

        Raises
        ------
        InputError
            ``quantify.filter-needs-three-axes``, ``quantify.filter-not-finite``.
        """
        box = np.full(self.support_voxels, 1 / self.support_voxels)
        return separable(checked(voxels), (None if self.by_slice else box, box, box), self.boundary)

    def as_mapping(self) -> dict[str, object]:
        """Plain settings."""
        return settings_of(
            self, support_voxels=self.support_voxels, boundary=self.boundary.plain(), by_slice=self.by_slice
        )
