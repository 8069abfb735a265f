"""The same body at a later exam: turned, shifted and deformed in a way that is known at every point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from bingcheng.image.geometry import Triple, VolumeGeometry
from bingcheng.image.phantoms.shapes import turned
from bingcheng.image.volume import Volume

STEPS_BACK = 60
"""Of the search for the later point: with slopes below 0.6 it ends below 1e-9 mm."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Warp:
    """From each point of the later exam to the same tissue in the earlier one: a rigid motion, then a few waves.

    Parameters
    ----------
    rotation : rows, as from `turned`.
    centre_mm : about which it turns.
    shift_mm : by how much it shifts.
    waves : (wave, 3) wave vectors in radians a mm.
    swings_mm : (wave, 3) amplitudes.
    phases : (wave,) in radians.
    """

    rotation: NDArray[np.float64]
    centre_mm: NDArray[np.float64]
    shift_mm: NDArray[np.float64]
    waves: NDArray[np.float64]
    swings_mm: NDArray[np.float64]
    phases: NDArray[np.float64]

    @staticmethod
    def drawn(
        rng: np.random.Generator,
        centre_mm: ArrayLike,
        *,
        turn_deg: Triple = (4.0, 2.0, -3.0),
        shift_mm: Triple = (8.0, -6.0, 5.0),
        swing_mm: float = 3.0,
        wavelength_mm: float = 90.0,
    ) -> Warp:
        """Three waves in random directions that move a point by `swing_mm` in the root mean square.

        Its steepest slope is about ``2 pi swing_mm / wavelength_mm``, which must stay well below one.
        """
        directions, swings = rng.normal(size=(2, 3, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        swings /= np.linalg.norm(swings, axis=1, keepdims=True)
        return Warp(
            rotation=np.asarray(turned(*turn_deg)),
            centre_mm=np.asarray(centre_mm, dtype=float),
            shift_mm=np.asarray(shift_mm),
            waves=directions * (2.0 * np.pi / wavelength_mm),
            swings_mm=swings * swing_mm * np.sqrt(2.0 / 3.0),  # a wave's mean square is half its amplitude's
            phases=rng.uniform(0.0, 2.0 * np.pi, 3),
        )

    def to_earlier(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Where points (n, 3) of the later exam were before."""
        moved = (np.asarray(points_mm, dtype=float) - self.centre_mm) @ self.rotation.T
        swung = np.sin(moved @ self.waves.T + self.phases) @ self.swings_mm
        found: NDArray[np.float64] = moved + swung + self.centre_mm + self.shift_mm
        return found

    def to_later(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Where points (n, 3) of the earlier exam are later."""
        goal = np.asarray(points_mm, dtype=float)
        found = (goal - self.centre_mm - self.shift_mm) @ self.rotation + self.centre_mm
        for _ in range(STEPS_BACK):
            found = found - (self.to_earlier(found) - goal) @ self.rotation
        return found

    def later(self, earlier: Volume, grid: VolumeGeometry, *, outside: float) -> Volume:
        """The later exam on a grid, by cubic interpolation of the earlier one, without noise of its own.

        What the earlier exam does not show has the value `outside` and is not valid.
        """
        coefficients = ndimage.spline_filter(np.asarray(earlier.voxels, dtype=np.float64), order=3)
        voxels, valid = np.empty(grid.shape, dtype=np.float32), np.empty(grid.shape, dtype=bool)
        plane = np.indices(grid.shape[1:], dtype=float).reshape(2, -1).T
        for layer in range(grid.shape[0]):
            points = self.to_earlier(grid.to_mm(np.column_stack([np.full(len(plane), float(layer)), plane])))
            index = earlier.geometry.to_index(points)
            shown = ((index >= 0.0) & (index <= np.asarray(earlier.geometry.shape) - 1.0)).all(axis=1)
            found = ndimage.map_coordinates(coefficients, index.T, order=3, prefilter=False, cval=outside)
            valid[layer] = shown.reshape(grid.shape[1:])
            voxels[layer] = found.reshape(grid.shape[1:])
        return Volume(voxels=voxels, geometry=grid, unit=earlier.unit, valid=None if valid.all() else valid)
