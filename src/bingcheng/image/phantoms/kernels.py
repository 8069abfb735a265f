"""Numba kernels of the phantoms. Coordinates are whitened: divided by the blur along each grid axis (z, y, x)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

FAR = 5.0
"""Standard deviations beyond which a blurred edge is taken as flat: the normal tail there is 3e-7."""

LANES = 64
"""How many voxels of a border are worked out together."""

OTHER_SIDE = 20.0
"""Radius times distance from which on a sphere's far side has no part in a double's 53 bits: 2 R r = 40 > 53 ln 2."""

ROOT_HALF = math.sqrt(0.5)
ROOT_TWO_PI = math.sqrt(2.0 * math.pi)


@njit(cache=True, nogil=True)
def blurred_sphere(distance: float, radius: float) -> float:
    """Unit Gaussian blur of a sphere of `radius`, at `distance` from its centre, in closed form.

    f(r) = (erf((R + r)/sqrt 2) + erf((R - r)/sqrt 2)) / 2 - (exp(-(R - r)^2/2) - exp(-(R + r)^2/2)) / (r sqrt(2 pi))
    """
    if distance < 1e-3:
        return math.erf(radius * ROOT_HALF) - 2.0 * radius / ROOT_TWO_PI * math.exp(-0.5 * radius * radius)
    edge = math.erf((radius - distance) * ROOT_HALF)
    near = math.exp(-0.5 * (radius - distance) ** 2)
    if radius * distance > OTHER_SIDE:
        return 0.5 * (1.0 + edge) - near / (distance * ROOT_TWO_PI)
    other = math.erf((radius + distance) * ROOT_HALF)
    far = math.exp(-0.5 * (radius + distance) ** 2)
    return 0.5 * (other + edge) - (near - far) / (distance * ROOT_TWO_PI)


@njit(cache=True, nogil=True, error_model="numpy")
def closest_points(
    w: NDArray[Any], q: NDArray[Any], t: NDArray[Any], distance: NDArray[Any], parallel: NDArray[Any]
) -> None:
    """How far the quadric sum q y^2 = 1 is from each point in `w` (3, LANES), and how curved it is towards it.

    `distance` is signed, negative inside. `parallel` is the mean curvature of the parallel surface through the point;
    infinite at the centre of a sphere, where rounding would decide it. The closest point is y = w / (1 + t q), and t is
    found by Newton's method from the left of the root of a convex, falling function: it converges monotonically.

    All points take each step together, so that a processor divides for several at once; those that have arrived stay.
    """
    q0, q1, q2 = q[0], q[1], q[2]
    w0, w1, w2 = w[0], w[1], w[2]
    largest = 0
    for i in range(3):
        if q[i] > q[largest]:
            largest = i
    for v in range(LANES):
        t[v] = 0.0
        distance[v] = 1.0
        parallel[v] = 1.0
        if q0 * (w0[v] * w0[v]) + q1 * (w1[v] * w1[v]) + q2 * (w2[v] * w2[v]) <= 1.0:
            # from the medial plane there are two closest points; a hair's breadth beside it there is one
            if abs(w[largest, v]) < 1e-9:
                w[largest, v] = 1e-9
            t[v] = (math.sqrt(q[largest]) * abs(w[largest, v]) - 1.0) / q[largest]
            distance[v] = -1.0
    for _ in range(60):
        moving = 0
        for v in range(LANES):
            # until they are found, `distance` holds the sign, and `parallel` 1 for a point that moves and 0 for others
            a, b, c = 1.0 + t[v] * q0, 1.0 + t[v] * q1, 1.0 + t[v] * q2
            x, y, z = w0[v] / a, w1[v] / b, w2[v] / c
            x, y, z = q0 * (x * x), q1 * (y * y), q2 * (z * z)
            step = (x - 1.0 + y + z) / (-2.0 * x * q0 / a - 2.0 * y * q1 / b - 2.0 * z * q2 / c)
            after = t[v] - step * parallel[v]
            still = parallel[v] if abs(step) > 1e-10 * (1.0 + abs(after)) else 0.0
            moving += 1 if still > 0.0 else 0
            t[v] = after
            parallel[v] = still
        if moving == 0:
            break
    for v in range(LANES):
        x, y, z = w0[v] / (1.0 + t[v] * q0), w1[v] / (1.0 + t[v] * q1), w2[v] / (1.0 + t[v] * q2)
        a, b, c = w0[v] - x, w1[v] - y, w2[v] - z
        away = math.sqrt(a * a + b * b + c * c) * distance[v]
        x, y, z = q0 * x, q1 * y, q2 * z
        x, y, z = x * x, y * y, z * z
        squares = x + y + z
        mean = (squares * (q0 + q1 + q2) - (q0 * x + q1 * y + q2 * z)) / (2.0 * squares * math.sqrt(squares))
        gauss = q0 * q1 * q2 / (squares * squares)
        # curvature of the parallel surface at this distance; at the centre of a sphere both parts vanish
        spread = 1.0 + 2.0 * mean * away + gauss * away * away
        distance[v] = away
        parallel[v] = (mean + gauss * away) / spread if spread > 1e-5 else math.inf


@njit(cache=True, nogil=True)
def blurred_quadric(level: float, least_axis: float, distance: float, parallel: float) -> float:
    """Membership of the quadric sum q w^2 <= 1 after a unit Gaussian blur, where that sum is `level`.

    The profile is that of the sphere which has the mean curvature of the parallel surface through the point. It is
    exact for spheres and planes, and right to the first order in (blur / radius of curvature) elsewhere.
    """
    root = math.sqrt(level)
    # sqrt(level) is a norm with Lipschitz constant 1/least_axis, so this never overstates the distance
    if least_axis * abs(root - 1.0) > FAR:
        return 1.0 if root < 1.0 else 0.0
    if parallel == math.inf:
        return float(blurred_sphere(0.0, -distance))
    if parallel < 1e-9:
        return 0.5 * math.erfc(distance * ROOT_HALF)
    return float(blurred_sphere(1.0 / parallel, 1.0 / parallel - distance))


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


@njit(cache=True, nogil=True, error_model="numpy")
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
    square = 0.0
    for i in range(3):
        square += q[i] * (turn[2, i] * step[2]) ** 2
    first = np.empty((stop[1] - start[1], 3))
    border = np.empty((2, (stop[1] - start[1]) * (stop[2] - start[2])), dtype=np.int64)
    room = np.empty((7, LANES))
    for z in range(start[0], stop[0]):
        uz = z * step[0] - centre[0]
        count = 0
        for row in range(stop[1] - start[1]):
            uy = (start[1] + row) * step[1] - centre[1]
            # along a row the level is square x^2 + 2 mixed x + fixed
            mixed = 0.0
            fixed = 0.0
            for i in range(3):
                first[row, i] = turn[0, i] * uz + turn[1, i] * uy - turn[2, i] * centre[2]
                mixed += q[i] * first[row, i] * turn[2, i] * step[2]
                fixed += q[i] * first[row, i] ** 2
            low, high = row_span(square, mixed, fixed - outer, start[2], stop[2])
            for x in range(low, high):
                if (square * x + 2.0 * mixed) * x + fixed > inner:
                    border[0, count] = row
                    border[1, count] = x
                    count += 1
                else:
                    blend(voxels, within, z, start[1] + row, x, 1.0, values)
        for begin in range(0, count, LANES):
            some = border[:, begin : min(begin + LANES, count)]
            share = border_share(some, first, turn, step[2], q, depths, weights, room)
            for v in range(some.shape[1]):
                blend(voxels, within, z, start[1] + some[0, v], some[1, v], share[v], values)


@njit(cache=True, nogil=True, error_model="numpy")
def border_share(
    border: NDArray[Any],
    first: NDArray[Any],
    turn: NDArray[Any],
    step: float,
    q: NDArray[Any],
    depths: NDArray[Any],
    weights: NDArray[Any],
    room: NDArray[Any],
) -> NDArray[Any]:
    """The membership (LANES) at the rows and columns `border` (2, voxels) of a slice; see `paint_quadric`.

    `first` (row, 3) is where the rows begin, `step` the voxel size along them, and `room` (7, LANES) memory to work in.
    """
    w, t, distance, parallel = room[:3], room[3], room[4], room[5]
    share: NDArray[Any] = room[6]
    least_axis = 1.0 / math.sqrt(max(q[0], q[1], q[2]))
    for v in range(LANES):
        share[v] = 0.0
    for k in range(depths.size):
        for v in range(border.shape[1]):
            for i in range(3):
                w[i, v] = first[border[0, v], i] + turn[0, i] * depths[k] + turn[2, i] * step * border[1, v]
        closest_points(w, q, t, distance, parallel)
        for v in range(border.shape[1]):
            level = q[0] * w[0, v] ** 2 + q[1] * w[1, v] ** 2 + q[2] * w[2, v] ** 2
            share[v] += weights[k] * blurred_quadric(level, least_axis, distance[v], parallel[v])
    return share


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
def trunk_share(
    share: NDArray[Any],
    a: float,
    b: float,
    x_mm: NDArray[Any],
    y_mm: NDArray[Any],
    exponent: float,
    sigma_mm: float,
) -> None:
    """Write the membership of the blurred superellipse |x/a|^n + |y/b|^n <= 1 into `share` (y, x).

    The signed distance is taken to first order, (s - 1)/|grad s|.
    """
    n = exponent
    x_n = np.empty(x_mm.size)
    x_steep = np.empty(x_mm.size)
    for x in range(x_mm.size):
        x_n[x] = (abs(x_mm[x]) / a) ** n
        x_steep[x] = abs(x_mm[x]) ** (2.0 * n - 2.0) / a ** (2.0 * n)
    margin = FAR * sigma_mm / min(a, b)
    low, high = max(0.0, 1.0 - margin) ** n, (1.0 + margin) ** n
    for y in range(y_mm.size):
        row = (abs(y_mm[y]) / b) ** n
        y_steep = abs(y_mm[y]) ** (2.0 * n - 2.0) / b ** (2.0 * n)
        for x in range(x_mm.size):
            level = row + x_n[x]
            if level >= high:
                share[y, x] = 0.0
            elif level <= low:
                share[y, x] = 1.0
            else:
                s = level ** (1.0 / n)
                slope = s ** (1.0 - n) * math.sqrt(x_steep[x] + y_steep)
                share[y, x] = 0.5 * math.erfc((s - 1.0) / slope / sigma_mm * ROOT_HALF)


@njit(cache=True, nogil=True)
def paint_trunk(
    voxels: NDArray[Any],
    membership: NDArray[Any],
    axes: NDArray[Any],
    x_mm: NDArray[Any],
    y_mm: NDArray[Any],
    exponent: float,
    sigma_mm: float,
    values: NDArray[Any],
) -> None:
    """Blend `values` into `voxels` (channel, z, y, x) where the blurred superellipse of each slice lies.

    `axes` (slices, 2) are a and b of each slice; see `trunk_share`. Memberships are written into `membership`
    (z, y, x) as well, unless that is empty.
    """
    share = np.zeros((y_mm.size, x_mm.size))
    for z in range(voxels.shape[1]):
        a, b = axes[z, 0], axes[z, 1]
        if a <= 0.0 or b <= 0.0:
            continue
        if z == 0 or a != axes[z - 1, 0] or b != axes[z - 1, 1]:
            trunk_share(share, a, b, x_mm, y_mm, exponent, sigma_mm)
        for y in range(y_mm.size):
            if membership.size > 0:
                for x in range(x_mm.size):
                    membership[z, y, x] = share[y, x]
            for c in range(values.size):
                for x in range(x_mm.size):
                    voxels[c, z, y, x] += share[y, x] * (values[c] - voxels[c, z, y, x])
