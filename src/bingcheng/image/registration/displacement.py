"""A displacement field: by how much each point of a grid moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.resample import trilinear
from bingcheng.image.volume import read_only

STEPS_BACK = 40
"""Most steps of the search for the point that a given point came from; a smooth field needs about ten."""
CLOSE_MM = 1e-3
"""How near that search comes before it stops."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Displacement:
    """``p -> p + u(p)`` with u trilinear between the grid's voxels and constant beyond its border.

    Parameters
    ----------
    vectors_mm : (z, y, x, 3) float32, as (L, P, S).
    grid : where they hold.
    """

    vectors_mm: NDArray[np.float32]
    grid: VolumeGeometry

    def __post_init__(self) -> None:
        object.__setattr__(self, "vectors_mm", read_only(self.vectors_mm))

    def at(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """The displacement (n, 3) at points (n, 3)."""
        index = np.ascontiguousarray(self.grid.to_index(points_mm))
        vectors: NDArray[np.float64] = trilinear(self.vectors_mm, index).astype(float)
        return vectors

    def __call__(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Where points (n, 3) go."""
        points = np.asarray(points_mm, dtype=float)
        return points + self.at(points)

    def back(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Where points (n, 3) came from, to `CLOSE_MM` wherever the field does not fold.

        Each step moves a point by its present error; it converges where the field's slope is below one, which half
        of the error in every step (after some steps without success) brings to steeper fields too.
        """
        goal = np.asarray(points_mm, dtype=float)
        found, open_ = goal - self.at(goal), np.arange(len(goal))
        for step in range(STEPS_BACK):
            error = found[open_] + self.at(found[open_]) - goal[open_]
            far = np.abs(error).max(axis=1) > CLOSE_MM if len(error) else np.zeros(0, dtype=bool)
            if not far.any():
                break
            open_, error = open_[far], error[far]
            found[open_] -= error if step < STEPS_BACK // 2 else 0.5 * error
        return found

    def determinants(self) -> NDArray[np.float64]:
        """The local change of volume (z, y, x): the determinant of the map's slope; negative where it folds."""
        if min(self.grid.shape) < 2:
            return np.ones(self.grid.shape)
        inverse = np.linalg.inv(self.grid.matrix)
        jacobian = np.empty((*self.grid.shape, 3, 3), dtype=np.float32)
        for row in range(3):
            by_index = np.moveaxis(np.asarray(np.gradient(self.vectors_mm[..., row])), 0, -1)
            jacobian[..., row, :] = by_index @ inverse.astype(np.float32)
            jacobian[..., row, row] += 1.0
        return np.asarray(_determinant(jacobian))


def _determinant(m: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of 3x3 matrices (..., 3, 3), by Sarrus: numpy's own takes ten times as long for so many small ones."""
    first = m[..., 0, 0] * (m[..., 1, 1] * m[..., 2, 2] - m[..., 1, 2] * m[..., 2, 1])
    second = m[..., 0, 1] * (m[..., 1, 0] * m[..., 2, 2] - m[..., 1, 2] * m[..., 2, 0])
    third = m[..., 0, 2] * (m[..., 1, 0] * m[..., 2, 1] - m[..., 1, 1] * m[..., 2, 0])
    found: NDArray[np.float32] = first - second + third
    return found
