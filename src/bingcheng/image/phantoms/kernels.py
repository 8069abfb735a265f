"""Numba kernels of the phantoms. Coordinates are whitened: divided by the blur along each grid axis (z, y, x)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

FAR = 5.0
"""Standard deviations beyond which a blurred edge is taken as flat: the normal tail there is 3e-7."""

ROOT_HALF = math.sqrt(0.5)
ROOT_TWO_PI = math.sqrt(2.0 * math.pi)


@njit(cache=True, nogil=True)
def blurred_sphere(distance: float, radius: float) -> float:
    """Unit Gaussian blur of a sphere of `radius`, at `distance` from its centre, in closed form.

    f(r) = (erf((R + r)/sqrt 2) + erf((R - r)/sqrt 2)) / 2 - (exp(-(R - r)^2/2) - exp(-(R + r)^2/2)) / (r sqrt(2 pi))
    """
    if distance < 1e-3:
        return math.erf(radius * ROOT_HALF) - 2.0 * radius / ROOT_TWO_PI * math.exp(-0.5 * radius * radius)
    edges = 0.5 * (math.erf((radius + distance) * ROOT_HALF) + math.erf((radius - distance) * ROOT_HALF))
    near = math.exp(-0.5 * (radius - distance) ** 2)
    far = math.exp(-0.5 * (radius + distance) ** 2)
    return edges - (near - far) / (distance * ROOT_TWO_PI)


@njit(cache=True, nogil=True)
def closest_parameter(w: NDArray[Any], q: NDArray[Any], outside: bool) -> float:
    """The t for which y = w / (1 + t q) is the point of the quadric sum q y^2 = 1 that is closest to w.

    Newton's method from the left of the root of a convex, falling function: it converges monotonically.
    """
    t = 0.0
    if not outside:
        largest = 0
        for i in range(3):
            if q[i] > q[largest]:
                largest = i
        # from the medial plane there are two closest points; a hair's breadth beside it there is one
        if abs(w[largest]) < 1e-9:
            w[largest] = 1e-9
        t = (math.sqrt(q[largest]) * abs(w[largest]) - 1.0) / q[largest]
    for _ in range(60):
        value = -1.0
        slope = 0.0
        for i in range(3):
            stretch = 1.0 + t * q[i]
            term = q[i] * (w[i] / stretch) ** 2
            value += term
            slope -= 2.0 * term * q[i] / stretch
        step = value / slope
        t -= step
        if abs(step) <= 1e-10 * (1.0 + abs(t)):
            break
    return t


@njit(cache=True, nogil=True)
def blurred_quadric(w: NDArray[Any], q: NDArray[Any], least_axis: float) -> float:
    """Membership at `w` of the quadric sum q w^2 <= 1 after a unit Gaussian blur.

    The profile is that of the sphere which has the mean curvature of the parallel surface through `w`. It is exact
    for spheres and planes, and right to the first order in (blur / radius of curvature) elsewhere.
    """
    level = q[0] * w[0] ** 2 + q[1] * w[1] ** 2 + q[2] * w[2] ** 2
    root = math.sqrt(level)
    # sqrt(level) is a norm with Lipschitz constant 1/least_axis, so this never overstates the distance
    if least_axis * abs(root - 1.0) > FAR:
        return 1.0 if root < 1.0 else 0.0
    t = closest_parameter(w, q, level > 1.0)
    squares = 0.0
    cubes = 0.0
    distance = 0.0
    for i in range(3):
        y = w[i] / (1.0 + t * q[i])
        squares += (q[i] * y) ** 2
        cubes += q[i] * (q[i] * y) ** 2
        distance += (w[i] - y) ** 2
    distance = math.sqrt(distance) if level > 1.0 else -math.sqrt(distance)
    mean = (squares * (q[0] + q[1] + q[2]) - cubes) / (2.0 * squares * math.sqrt(squares))
    gauss = q[0] * q[1] * q[2] / (squares * squares)
    # curvature of the parallel surface at this distance
    spread = 1.0 + 2.0 * mean * distance + gauss * distance * distance
    # at the centre of a sphere both vanish, and rounding decides what is left of them
    if spread <= 1e-5:
        return float(blurred_sphere(0.0, -distance))
    parallel = (mean + gauss * distance) / spread
    if parallel < 1e-9:
        return 0.5 * math.erfc(distance * ROOT_HALF)
    radius = 1.0 / parallel - distance
    return float(blurred_sphere(1.0 / parallel, radius))


@njit(cache=True, nogil=True)
def blend(
    voxels: NDArray[Any], within: NDArray[Any], z: int, y: int, x: int, share: float, values: NDArray[Any]
) -> None:
    """Blend one value a channel into a voxel of all channels, times `within` there unless that is empty."""
    if within.size > 0:
        share *= within[z, y, x]
    for c in range(values.size):
        voxels[c, z, y, x] += share * (values[c] - voxels[c, z, y, x])


@njit(cache=True, nogil=True)
def row_span(square: float, mixed: float, fixed: float, start: int, stop: int) -> tuple[int, int]:
    """The indices x of a row, from the first to before the second, with square x^2 + 2 mixed x + fixed <= 0."""
    if square <= 1e-12:
        return (start, stop) if fixed <= 0.0 else (start, start)
    room = mixed * mixed - square * fixed
    if room < 0.0:
        return start, start
    reach = math.sqrt(room)
    low = max(start, math.ceil((-mixed - reach) / square))
    return low, max(low, min(stop, math.floor((-mixed + reach) / square) + 1))


@njit(cache=True, nogil=True)
def paint_quadric(
    voxels: NDArray[Any],
    within: NDArray[Any],
    start: NDArray[Any],
    stop: NDArray[Any],
    step: NDArray[Any],
    centre: NDArray[Any],
    turn: NDArray[Any],
    q: NDArray[Any],
    depths: NDArray[Any],
    weights: NDArray[Any],
    values: NDArray[Any],
    far: float,
) -> None:
    """Blend `values` into `voxels` (channel, z, y, x) where the blurred quadric lies; times `within` unless empty.

    `step` is the voxel size and `centre` the quadric's centre from voxel (0, 0, 0), both whitened; `turn` has the
    quadric's axes as columns. The blur along z that exceeds the unit blur is a sum over `depths` with `weights`.
    The edge is flat beyond `far`.
    """
    least_axis = 1.0 / math.sqrt(max(q[0], q[1], q[2]))
    # sqrt(level) is a norm with Lipschitz constant 1/least_axis: beyond these levels the edge is farther than `far`
    margin = (far + abs(depths[0])) / least_axis
    outer = (1.0 + margin) ** 2
    inner = (1.0 - margin) ** 2 if margin < 1.0 else -1.0
    w = np.empty(3)
    first = np.empty(3)
    square = 0.0
    for i in range(3):
        square += q[i] * (turn[2, i] * step[2]) ** 2
    for z in range(start[0], stop[0]):
        uz = z * step[0] - centre[0]
        for y in range(start[1], stop[1]):
            uy = y * step[1] - centre[1]
            # along a row the level is square x^2 + 2 mixed x + fixed
            mixed = 0.0
            fixed = 0.0
            for i in range(3):
                first[i] = turn[0, i] * uz + turn[1, i] * uy - turn[2, i] * centre[2]
                mixed += q[i] * first[i] * turn[2, i] * step[2]
                fixed += q[i] * first[i] ** 2
            low, high = row_span(square, mixed, fixed - outer, start[2], stop[2])
            for x in range(low, high):
                share = 1.0
                if (square * x + 2.0 * mixed) * x + fixed > inner:
                    share = 0.0
                    for k in range(depths.size):
                        for i in range(3):
                            w[i] = first[i] + turn[0, i] * depths[k] + turn[2, i] * step[2] * x
                        share += weights[k] * blurred_quadric(w, q, least_axis)
                blend(voxels, within, z, y, x, share, values)


@njit(cache=True, nogil=True)
def paint_plane(
    voxels: NDArray[Any], within: NDArray[Any], step: NDArray[Any], offset: float, values: NDArray[Any]
) -> None:
    """Blend `values` into `voxels` behind a plane at whitened distance ``step . index - offset``."""
    for z in range(voxels.shape[1]):
        for y in range(voxels.shape[2]):
            row = z * step[0] + y * step[1] - offset
            for x in range(voxels.shape[3]):
                blend(voxels, within, z, y, x, 0.5 * math.erfc((row + x * step[2]) * ROOT_HALF), values)


@njit(cache=True, nogil=True)
def inside_share(
    shape: NDArray[Any], first: NDArray[Any], step: NDArray[Any], form: NDArray[Any], parts: int
) -> NDArray[Any]:
    """Share (z, y, x) of each voxel's box that lies in the quadric d' form d <= 1, by `parts`^3 sub-points.

    `first` is the position of the box's first voxel relative to the centre and `step` the 3x3 matrix whose columns
    carry one voxel along z, y, x, both in mm.
    """
    share = np.zeros((shape[0], shape[1], shape[2]), dtype=np.float32)
    weight = 1.0 / parts**3
    for z in range(shape[0]):
        for y in range(shape[1]):
            for x in range(shape[2]):
                hits = 0
                for k in range(parts):
                    fz = z + (k + 0.5) / parts - 0.5
                    for j in range(parts):
                        fy = y + (j + 0.5) / parts - 0.5
                        for i in range(parts):
                            fx = x + (i + 0.5) / parts - 0.5
                            a = first[0] + step[0, 0] * fz + step[0, 1] * fy + step[0, 2] * fx
                            b = first[1] + step[1, 0] * fz + step[1, 1] * fy + step[1, 2] * fx
                            c = first[2] + step[2, 0] * fz + step[2, 1] * fy + step[2, 2] * fx
                            level = (
                                form[0, 0] * a * a
                                + form[1, 1] * b * b
                                + form[2, 2] * c * c
                                + 2.0 * (form[0, 1] * a * b + form[0, 2] * a * c + form[1, 2] * b * c)
                            )
                            if level <= 1.0:
                                hits += 1
                share[z, y, x] = hits * weight
    return share


@njit(cache=True, nogil=True)
def paint_trunk(
    voxels: NDArray[Any],
    axes: NDArray[Any],
    x_mm: NDArray[Any],
    y_mm: NDArray[Any],
    exponent: float,
    sigma_mm: float,
    values: NDArray[Any],
) -> None:
    """Blend `values` into `voxels` where the blurred superellipse |x/a|^n + |y/b|^n <= 1 of each slice lies.

    `voxels` is (channel, z, y, x) and `axes` (slices, 2): a and b of each slice. The signed distance is taken to first
    order, (s - 1)/|grad s|.
    """
    n = exponent
    columns = x_mm.size
    x_n = np.empty(columns)
    x_steep = np.empty(columns)
    for z in range(voxels.shape[1]):
        a, b = axes[z, 0], axes[z, 1]
        if a <= 0.0 or b <= 0.0:
            continue
        for x in range(columns):
            x_n[x] = (abs(x_mm[x]) / a) ** n
            x_steep[x] = abs(x_mm[x]) ** (2.0 * n - 2.0) / a ** (2.0 * n)
        margin = FAR * sigma_mm / min(a, b)
        low, high = max(0.0, 1.0 - margin) ** n, (1.0 + margin) ** n
        for y in range(y_mm.size):
            row = (abs(y_mm[y]) / b) ** n
            if row >= high:
                continue
            y_steep = abs(y_mm[y]) ** (2.0 * n - 2.0) / b ** (2.0 * n)
            for x in range(columns):
                level = row + x_n[x]
                if level >= high:
                    continue
                share = 1.0
                if level > low:
                    s = level ** (1.0 / n)
                    slope = s ** (1.0 - n) * math.sqrt(x_steep[x] + y_steep)
                    share = 0.5 * math.erfc((s - 1.0) / slope / sigma_mm * ROOT_HALF)
                for c in range(values.size):
                    voxels[c, z, y, x] += share * (values[c] - voxels[c, z, y, x])
