"""A rigid motion: a rotation and a shift."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bingcheng.image.volume import read_only


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rigid:
    """``p -> rotation p + shift_mm``, in LPS.

    Parameters
    ----------
    rotation : (3, 3), a proper rotation.
    shift_mm : (3,) as (L, P, S).
    """

    rotation: NDArray[np.float64] = field(default_factory=lambda: np.eye(3))
    shift_mm: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))

    def __post_init__(self) -> None:
        object.__setattr__(self, "rotation", read_only(np.asarray(self.rotation, dtype=float)))
        object.__setattr__(self, "shift_mm", read_only(np.asarray(self.shift_mm, dtype=float)))

    def __call__(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Where points (..., 3) go."""
        moved: NDArray[np.float64] = np.asarray(points_mm, dtype=float) @ self.rotation.T + self.shift_mm
        return moved

    @property
    def inverse(self) -> Rigid:
        """The motion back."""
        return Rigid(rotation=self.rotation.T, shift_mm=-self.rotation.T @ self.shift_mm)

    @property
    def angle_deg(self) -> float:
        """By how much it turns, about whatever axis."""
        # From the antisymmetric part too: the arc cosine alone is blind to small angles.
        turn = self.rotation - self.rotation.T
        sine = 0.5 * float(np.linalg.norm((turn[2, 1], turn[0, 2], turn[1, 0])))
        return float(np.degrees(np.arctan2(sine, 0.5 * (float(np.trace(self.rotation)) - 1.0))))
