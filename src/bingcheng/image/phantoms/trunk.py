"""A body's outline: in each slice a superellipse, whose size changes along the patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.phantoms import kernels

OBLIQUE_TRUNK = Problem(
    code="image.oblique-trunk",
    says="a trunk is made on axial grids only",
    remedy="Make it on a grid whose axes are the patient's.",
    owner=Owner.DEVELOPER,
)

_NOWHERE = np.empty((0, 0, 0), dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """|x/a|^n + |y/b|^n <= 1 in each axial slice, with a and b by linear interpolation along S.

    Parameters
    ----------
    centre_mm : (L, P) of its axis.
    exponent : n; 2 is an ellipse, 2.5 looks like a chest.
    profile_mm : (S, a, b) in the order of S; constant beyond both ends.
    """

    centre_mm: tuple[float, float]
    exponent: float
    profile_mm: tuple[tuple[float, float, float], ...]

    def semi_axes_mm(self, s_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """The semi-axes a and b (n, 2) at positions S (n,)."""
        profile = np.asarray(self.profile_mm)
        return np.stack([np.interp(s_mm, profile[:, 0], profile[:, column]) for column in (1, 2)], axis=1)


def paint_trunk(
    voxels: NDArray[Any],
    geometry: VolumeGeometry,
    trunk: Trunk,
    value: float | NDArray[np.float64],
    blur_mm: float,
    membership: NDArray[np.float32] = _NOWHERE,
) -> None:
    """Blend a blurred trunk into voxels (z, y, x) or (channel, z, y, x), in place; blur acts in the plane only.

    Parameters
    ----------
    voxels : writeable float array.
    geometry : its grid; axial.
    trunk, value : what to paint; one value a channel.
    blur_mm : standard deviation of the Gaussian point spread in the plane.
    membership : zeros (z, y, x) into which the share of each voxel in the trunk is written as well.

    Raises
    ------
    InputError
        ``image.oblique-trunk``.
    """
    if not np.allclose(geometry.axes, ((0, 0, 1), (0, 1, 0), (1, 0, 0)), atol=1e-6):
        raise InputError(OBLIQUE_TRUNK)
    (x0, y0, z0), (dz, dy, dx) = geometry.origin_mm, geometry.spacing_mm
    planes, rows, columns = (np.arange(n, dtype=float) for n in geometry.shape)
    kernels.paint_trunk(
        voxels if voxels.ndim == 4 else voxels[None],
        membership,
        trunk.semi_axes_mm(z0 + planes * dz),
        x0 + columns * dx - trunk.centre_mm[0],
        y0 + rows * dy - trunk.centre_mm[1],
        trunk.exponent,
        blur_mm,
        np.atleast_1d(np.asarray(value, dtype=float)),
    )
