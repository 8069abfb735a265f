"""Boxes around a lesion's surface: along the axes of the grid, and turned so as to be small."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.quantify.shape.hull import Hull

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

_EDGE_ON = 1e-9
"""Cosine below which a triangle of the hull counts as seen from its edge; far above rounding."""
_PER_UNIT = 1_000_000
"""Directions that agree to this part of one count once; a box turned by so little has the same size to 1e-6."""
_TOUCH_MM = 1e-7
"""Distance within which a corner lies on a line; far above rounding, far below any spacing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A cuboid by its three edge lengths."""

    sides_mm: tuple[float, float, float]

    @property
    def volume_mm3(self) -> float:
        """Product of the sides."""
        a, b, c = self.sides_mm
        return a * b * c

    @property
    def area_mm2(self) -> float:
        """Area of the six faces."""
        a, b, c = self.sides_mm
        return 2.0 * (a * b + b * c + c * a)


def aligned_box(surface: Hull) -> Box:
    """The smallest box around the surface whose edges run along the axes of the grid."""
    z, y, x = np.ptp(surface.vertices_mm, axis=0).tolist()
    return Box(sides_mm=(z, y, x))


def oriented_box(surface: Hull) -> Box:
    """The smallest box around the surface with one side flat against a triangle of its hull or across a grid axis.

    For every such direction the smallest rectangle around the hull's outline is found exactly: it has a side along
    an edge of the outline (Freeman and Shapira, CACM 1975;18:409-413; by calipers, Toussaint, MELECON 1983). The
    smallest box of all may touch the hull with edges alone (O'Rourke, Int J Comput Inf Sci 1985;14:183-199) and be a
    little smaller than this one; this one is never larger than the aligned box.
    """
    # Triangles of one face differ in their normals by rounding alone; a box has no front and back.
    whole = np.round(surface.normals * _PER_UNIT).astype(np.int64)
    first = whole[np.arange(len(whole)), (whole != 0).argmax(axis=1)]
    whole *= np.sign(first)[:, None]
    _, chosen = np.unique((whole[:, 0] * 4 * _PER_UNIT + whole[:, 1]) * 4 * _PER_UNIT + whole[:, 2], return_index=True)
    directions = np.concatenate([np.eye(3), surface.normals[chosen]])
    points, normals = np.ascontiguousarray(surface.vertices_mm.T), np.ascontiguousarray(surface.normals.T)
    a, b, c = _smallest(points, normals, surface.edges, directions)
    return Box(sides_mm=(float(a), float(b), float(c)))


@numba.njit(cache=True, nogil=True)
def _across(direction: Floats) -> tuple[Floats, Floats]:
    """Two unit vectors at right angles to a unit vector and to each other."""
    k = np.argmin(np.abs(direction))
    first = -direction[k] * direction
    first[k] += 1.0
    first /= np.sqrt(np.sum(first * first))
    return first, np.cross(direction, first)


@numba.njit(cache=True, nogil=True)
def _see(normals: Floats, direction: Floats, seen: NDArray[np.bool_]) -> None:
    """Notes which triangles, by their normals (3, f), are seen from `direction`."""
    z, y, x = direction[0], direction[1], direction[2]
    for f in range(seen.size):
        seen[f] = normals[0, f] * z + normals[1, f] * y + normals[2, f] * x > _EDGE_ON


@numba.njit(cache=True, nogil=True, fastmath={"nnan", "ninf", "nsz", "contract"})
def _height(points: Floats, direction: Floats) -> float:
    """How far points (3, v) reach along `direction`."""
    z, y, x = direction[0], direction[1], direction[2]
    low, high = np.inf, -np.inf
    for k in range(points.shape[1]):
        reach = points[0, k] * z + points[1, k] * y + points[2, k] * x
        low, high = min(low, reach), max(high, reach)
    return high - low


@numba.njit(cache=True, nogil=True)
def _link(seen: NDArray[np.bool_], edges: Whole, beside: Whole) -> int:
    """Notes in `beside` (v, 2) the two neighbours of each vertex on the outline; returns one of these vertices."""
    beside[:] = -1
    start = 0
    for e in range(edges.shape[0]):
        if seen[edges[e, 2]] != seen[edges[e, 3]]:
            a, b = edges[e, 0], edges[e, 1]
            beside[a, int(beside[a, 0] >= 0)] = b
            beside[b, int(beside[b, 0] >= 0)] = a
            start = a
    return start


@numba.njit(cache=True, nogil=True)
def _walk(start: int, beside: Whole, order: Whole) -> int:
    """Fills `order` with the vertices of the outline one after the other; returns how many."""
    order[0], order[1] = start, beside[start, 0]
    n = 2
    while n < order.size:
        here, before = order[n - 1], order[n - 2]
        following = beside[here, 1] if beside[here, 0] == before else beside[here, 0]
        if following == start:
            break
        order[n] = following
        n += 1
    return n


@numba.njit(cache=True, nogil=True)
def _onward(flat: Floats, n: int, at: int, u: float, v: float) -> int:
    """From corner `at` of the polygon on to where it reaches farthest along (u, v)."""
    reach = flat[at, 0] * u + flat[at, 1] * v
    for _ in range(n):
        after = at + 1 if at + 1 < n else 0
        further = flat[after, 0] * u + flat[after, 1] * v
        # Corners that rounding has put just inside of an edge do not end the way.
        if further < reach - _TOUCH_MM:
            break
        at, reach = after, further
    return at


@numba.njit(cache=True, nogil=True)
def _rectangle(flat: Floats, n: int) -> tuple[float, float]:
    """Sides of the smallest rectangle around a convex polygon (n, 2): rotating calipers."""
    best = (np.inf, 1.0)
    turn = 0.0
    for k in range(n):
        after = k + 1 if k + 1 < n else 0
        turn += flat[k, 0] * flat[after, 1] - flat[after, 0] * flat[k, 1]
    side = 1.0 if turn > 0.0 else -1.0
    right = top = left = -1
    for k in range(n):
        after = k + 1 if k + 1 < n else 0
        u, v = flat[after, 0] - flat[k, 0], flat[after, 1] - flat[k, 1]
        length = np.sqrt(u * u + v * v)
        if length <= _TOUCH_MM:
            continue
        u, v = u / length, v / length
        right = _onward(flat, n, after if right < 0 else right, u, v)
        top = _onward(flat, n, right if top < 0 else top, -side * v, side * u)
        left = _onward(flat, n, top if left < 0 else left, -u, -v)
        along = (flat[right, 0] - flat[left, 0]) * u + (flat[right, 1] - flat[left, 1]) * v
        across = side * ((flat[top, 1] - flat[k, 1]) * u - (flat[top, 0] - flat[k, 0]) * v)
        if along * across < best[0] * best[1]:
            best = (along, across)
    return best


@numba.njit(cache=True, nogil=True)
def _smallest(points: Floats, normals: Floats, edges: Whole, directions: Floats) -> tuple[float, float, float]:
    """Sides of the smallest box around points (3, v), over the directions (d, 3) that one of its sides may have."""
    best = (np.inf, 1.0, 1.0)
    seen = np.empty(normals.shape[1], dtype=np.bool_)
    beside = np.empty((points.shape[1], 2), dtype=np.int64)
    order = np.empty(points.shape[1], dtype=np.int64)
    flat = np.empty((points.shape[1], 2))
    for d in range(directions.shape[0]):
        first, second = _across(directions[d])
        _see(normals, directions[d], seen)
        height = _height(points, directions[d])
        n = _walk(_link(seen, edges, beside), beside, order)
        for k in range(n):
            z, y, x = points[0, order[k]], points[1, order[k]], points[2, order[k]]
            flat[k, 0] = z * first[0] + y * first[1] + x * first[2]
            flat[k, 1] = z * second[0] + y * second[1] + x * second[2]
        along, across = _rectangle(flat, n)
        if height * along * across < best[0] * best[1] * best[2]:
            best = (height, along, across)
    return best
