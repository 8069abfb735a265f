"""The smallest ellipsoid around a lesion's surface, and the surface area of ellipsoids."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.quantify.shape.hull import Hull

Floats = NDArray[np.float64]

TOLERANCE = 1e-3
"""The manual's tolerance of Khachiyan's method, here the excess of the ellipsoid's squared radii that is allowed."""
_MOST_STEPS = 100_000
_NO_WEIGHT = 1e-15
_LAST_DEGREE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Ellipsoid:
    """An ellipsoid by its semi-axes, longest first."""

    semi_axes_mm: tuple[float, float, float]

    @property
    def volume_mm3(self) -> float:
        """``4/3 pi a b c``."""
        a, b, c = self.semi_axes_mm
        return 4.0 / 3.0 * np.pi * a * b * c

    @property
    def series_area_mm2(self) -> float:
        """The area that the IBSI reference manual gives an ellipsoid: a series in Legendre polynomials to degree 20.

        Zero if only the longest axis is not.

        Notes
        -----
        It is not the surface of the ellipsoid, but what the reference values of the area densities were made with.
        The series is that of the true surface with ``sqrt(1 - c^2 / b^2)`` in place of the manual's
        ``sqrt(1 - b^2 / a^2)``; they agree for a sphere, and differ by -19 % for semi-axes of 2, 1 and 1.
        """
        a, b, c = self.semi_axes_mm
        if b == 0.0:
            return 0.0
        alpha2, beta2 = 1.0 - (b / a) ** 2, 1.0 - (c / a) ** 2
        # (alpha beta)^v P_v((alpha^2 + beta^2) / (2 alpha beta)) by the polynomials' recursion, which needs no
        # division by the eccentricities: they vanish for a sphere.
        mean, product = (alpha2 + beta2) / 2.0, alpha2 * beta2
        before, now, total = 0.0, 1.0, 1.0
        for degree in range(1, _LAST_DEGREE + 1):
            before, now = now, ((2 * degree - 1) * mean * now - (degree - 1) * product * before) / degree
            total += now / (1.0 - 4.0 * degree**2)
        return 4.0 * np.pi * a * b * total


def enclosing_ellipsoid(surface: Hull) -> Ellipsoid:
    """The smallest ellipsoid around the surface: Khachiyan's method with away steps, to `TOLERANCE`.

    It holds every vertex of the hull, and its volume exceeds the least possible by at most ``2 TOLERANCE`` of it.
    Its axes, and so its area, may differ by the root of that between ways to turn the lesion.

    Notes
    -----
    Todd and Yildirim, Discrete Appl Math 2007;155:1731-1744; start: Kumar and Yildirim, J Optim Theory Appl
    2005;126:1-21.
    """
    points = surface.vertices_mm - surface.vertices_mm.mean(axis=0)
    scatter = points.T @ points / len(points)
    root = np.linalg.cholesky(scatter)
    # The method sees no scale; spread evenly, the sums keep their digits.
    even = np.ascontiguousarray(np.linalg.solve(root, points.T).T)
    weights: Floats = _weights(even, TOLERANCE)
    centred = points - weights @ points
    covariance = (centred * weights[:, None]).T @ centred
    farthest = np.einsum("ni,ij,nj->n", centred, np.linalg.inv(covariance), centred).max()
    c, b, a = np.sqrt(np.linalg.eigvalsh(covariance) * farthest).tolist()
    return Ellipsoid(semi_axes_mm=(a, b, c))


@numba.njit(cache=True, nogil=True)
def _start(points: Floats) -> Floats:
    """Weights (n,) on the extreme points along three directions that are independent of each other."""
    weights = np.zeros(points.shape[0])
    spanned = np.zeros((3, 3))
    for k in range(3):
        # The axis that what is spanned so far explains least, made orthogonal to it.
        direction = np.zeros(3)
        largest = -1.0
        for axis in range(3):
            trial = np.zeros(3)
            trial[axis] = 1.0
            for j in range(k):
                trial -= np.sum(trial * spanned[j]) * spanned[j]
            length = np.sum(trial * trial)
            if length > largest:
                largest = length
                direction = trial
        reach = points @ direction
        low, high = np.argmin(reach), np.argmax(reach)
        weights[low] = 1.0
        weights[high] = 1.0
        side = points[high] - points[low]
        for j in range(k):
            side = side - np.sum(side * spanned[j]) * spanned[j]
        length = np.sqrt(np.sum(side * side))
        for axis in range(3):
            spanned[k, axis] = side[axis] / length
    weights /= np.sum(weights)
    return weights


@numba.njit(cache=True, nogil=True)
def _step(kappa: Floats, weights: Floats) -> tuple[int, float, float]:
    """The point to move weight to (or away from, a negative step), how much, and the largest of `kappa`."""
    outer = inner = 0
    high, low = -np.inf, np.inf
    for i in range(kappa.size):
        if kappa[i] > high:
            high, outer = kappa[i], i
        if kappa[i] < low and weights[i] > 0.0:
            low, inner = kappa[i], i
    if 4.0 - low <= high - 4.0:
        return outer, (high - 4.0) / (4.0 * (high - 1.0)), high
    # Away from a point that lies inside: at most until it has no weight left.
    step = -weights[inner] / (1.0 - weights[inner])
    if low > 1.0:
        step = max(step, (low - 4.0) / (4.0 * (low - 1.0)))
    return inner, step, high


@numba.njit(cache=True, nogil=True)
def _weights(points: Floats, tolerance: float) -> Floats:
    """Weights (n,) of the points (n, 3), summing to 1, whose covariance gives the ellipsoid's shape."""
    n = points.shape[0]
    lifted = np.ones((n, 4))
    # A loop, not a slice that is assigned: with this the compiler prepares an error of shapes, for seconds.
    for k in range(n):
        for axis in range(3):
            lifted[k, axis] = points[k, axis]
    weights: Floats = _start(points)
    inverse = np.linalg.inv(lifted.T @ (lifted * weights.reshape(n, 1)))
    kappa = np.sum((lifted @ inverse) * lifted, axis=1)
    z, y, x = lifted[:, 0].copy(), lifted[:, 1].copy(), lifted[:, 2].copy()
    toward = np.empty(4)
    for _ in range(_MOST_STEPS):
        i, step, high = _step(kappa, weights)
        if high <= 4.0 * (1.0 + tolerance):
            break
        left = weights[i] * (1.0 - step) + step
        scale = 1.0 / (1.0 - step)
        shrink = step / (1.0 - step + step * kappa[i]) * scale
        for a in range(4):
            toward[a] = inverse[a, 0] * z[i] + inverse[a, 1] * y[i] + inverse[a, 2] * x[i] + inverse[a, 3]
        for a in range(4):
            for b in range(4):
                inverse[a, b] = inverse[a, b] * scale - shrink * toward[a] * toward[b]
        for k in range(n):
            along = z[k] * toward[0] + y[k] * toward[1] + x[k] * toward[2] + toward[3]
            kappa[k] = kappa[k] * scale - shrink * along * along
            weights[k] *= 1.0 - step
        weights[i] = left if left > _NO_WEIGHT else 0.0
    return weights
