"""Shapes whose size is known in closed form: ellipsoids, elliptic cylinders, half-spaces.

Positions are LPS in mm, as (L, P, S).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bingcheng.image.geometry import Triple

Rotation = tuple[Triple, Triple, Triple]
UPRIGHT: Rotation = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def turned(about_z_deg: float = 0.0, about_y_deg: float = 0.0, about_x_deg: float = 0.0) -> Rotation:
    """The rotation matrix (rows) Rz Ry Rx: first about the patient's x axis, then y, then z."""
    matrix = np.eye(3)
    for axis, angle_deg in ((0, about_x_deg), (1, about_y_deg), (2, about_z_deg)):
        c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
        step = np.eye(3)
        i, j = (axis + 1) % 3, (axis + 2) % 3
        step[i, i] = step[j, j] = c
        step[i, j], step[j, i] = -s, s
        matrix = step @ matrix
    rows = [(float(row[0]), float(row[1]), float(row[2])) for row in matrix]
    return rows[0], rows[1], rows[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ellipsoid:
    """An ellipsoid; with an infinite semi-axis, an elliptic cylinder along that axis.

    Parameters
    ----------
    centre_mm : its centre.
    semi_axes_mm : along its own three axes, each positive or infinite.
    rotation : rows of the matrix that turns its own axes into the patient's L, P, S (see `turned`).
    """

    centre_mm: Triple
    semi_axes_mm: Triple
    rotation: Rotation = UPRIGHT

    @property
    def form(self) -> NDArray[np.float64]:
        """Symmetric 3x3 matrix P in (L, P, S): a point x belongs if (x - c)' P (x - c) <= 1."""
        turn = np.asarray(self.rotation)
        inverse_squares: NDArray[np.float64] = np.asarray([1.0 / a**2 for a in self.semi_axes_mm])
        form: NDArray[np.float64] = (turn * inverse_squares) @ turn.T
        return form

    @property
    def volume_mm3(self) -> float:
        """Its volume; infinite for a cylinder."""
        return 4.0 / 3.0 * math.pi * math.prod(self.semi_axes_mm)

    @property
    def diameter_mm(self) -> float:
        """Its largest extent in any direction."""
        return 2.0 * max(self.semi_axes_mm)

    @property
    def axial_diameters_mm(self) -> tuple[float, float]:
        """Longest diameter in an axial plane, and the longest chord perpendicular to it in that plane.

        Both lie in the plane through the centre: parallel sections of an ellipsoid are similar and largest there.
        """
        least, most = np.linalg.eigvalsh(self.form[:2, :2])
        return 2.0 / math.sqrt(float(least)), 2.0 / math.sqrt(float(most))

    @property
    def reach_mm(self) -> Triple:
        """How far it extends from its centre along L, P and S; infinite for a cylinder."""
        turn = np.abs(np.asarray(self.rotation))
        reach = [
            math.sqrt(sum((t * a) ** 2 for t, a in zip(row, self.semi_axes_mm, strict=True) if t > 0)) for row in turn
        ]
        return reach[0], reach[1], reach[2]


def sphere_of(diameter_mm: float, centre_mm: Triple = (0.0, 0.0, 0.0)) -> Ellipsoid:
    """A sphere."""
    radius = diameter_mm / 2
    return Ellipsoid(centre_mm=centre_mm, semi_axes_mm=(radius, radius, radius))


def cylinder_of(diameter_mm: float, centre_mm: Triple = (0.0, 0.0, 0.0)) -> Ellipsoid:
    """An endless circular cylinder along the patient's axis (S)."""
    radius = diameter_mm / 2
    return Ellipsoid(centre_mm=centre_mm, semi_axes_mm=(radius, radius, math.inf))


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfSpace:
    """Everything behind a plane: points x with (x - point) . normal <= 0."""

    point_mm: Triple
    normal: Triple


Shape = Ellipsoid | HalfSpace
