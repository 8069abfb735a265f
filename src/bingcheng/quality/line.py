"""A line through the planes of a volume: one point a plane, well scored and smoothly connected."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.image.geometry import Triple


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """One block in each of some consecutive planes of an upright grid.

    Parameters
    ----------
    planes : consecutive indices of planes (n,), feet to head.
    y, x : block indices in these planes (n,).
    """

    planes: NDArray[np.int64]
    y: NDArray[np.int64]
    x: NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.planes.size)


def best_line(score: NDArray[np.float32], step_mm: Triple, *, toll: float, steepest: float, tax_per_mm: float) -> Line:
    """The line with the highest sum of (score - toll), less a tax on its sideways movement (Viterbi's algorithm).

    It begins and ends where that is best, passes through poor planes as long as the sum is worth it, and is empty where
    no score exceeds the toll.

    Parameters
    ----------
    score : (z, y, x); 0 where the line can't be.
    step_mm : distance between blocks along (z, y, x).
    toll : what each plane costs.
    steepest : largest movement within the plane for each mm along z.
    tax_per_mm : cost of each mm of such movement.
    """
    rows, columns = (max(1, int(steepest * step_mm[0] / step)) for step in step_mm[1:])
    best, came = _chains(score, rows, columns, step_mm[1], step_mm[2], np.float32(toll), tax_per_mm)
    flat = int(np.argmax(best))
    if best.ravel()[flat] <= 0.0:
        nowhere = np.empty(0, dtype=np.int64)
        return Line(planes=nowhere, y=nowhere, x=nowhere)
    plane, place = divmod(flat, best.shape[1] * best.shape[2])
    places = [place]
    while came[plane].ravel()[place] >= 0:
        place = int(came[plane].ravel()[place])
        plane -= 1
        places.append(place)
    path = np.array(places[::-1], dtype=np.int64)
    planes = np.arange(plane, plane + path.size, dtype=np.int64)
    return Line(planes=planes, y=path // best.shape[2], x=path % best.shape[2])


@numba.njit(cache=True, nogil=True)
def _chains(
    score: NDArray[np.float32],
    rows: int,
    columns: int,
    row_mm: float,
    column_mm: float,
    toll: np.float32,
    tax_per_mm: float,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The best sum of (score - toll) of a chain that ends at each block, and from which block of the plane below.

    A chain may begin and end anywhere, and may pass through poor planes as long as it is worth it.
    """
    depth, height, width = score.shape
    best = np.zeros(score.shape, dtype=np.float32)
    came = np.full(score.shape, -1, dtype=np.int64)
    # Where chains are, in the plane below: elsewhere they can only begin.
    top_row, last_row, first_column, last_column = height, -1, width, -1
    for z in range(depth):
        now_top, now_last, now_first, now_end = height, -1, width, -1
        for y in range(height):
            for x in range(width):
                near = top_row - rows <= y <= last_row + rows and first_column - columns <= x <= last_column + columns
                if score[z, y, x] <= toll and not near:
                    continue
                top, origin = np.float32(0.0), -1
                if near:
                    top, origin = _below(best[z - 1], y, x, rows, columns, row_mm, column_mm, tax_per_mm)
                total = top + score[z, y, x] - toll
                if total > 0.0:
                    best[z, y, x] = total
                    came[z, y, x] = origin
                    now_top, now_last = min(now_top, y), max(now_last, y)
                    now_first, now_end = min(now_first, x), max(now_end, x)
        top_row, last_row, first_column, last_column = now_top, now_last, now_first, now_end
    return best, came


@numba.njit(cache=True, nogil=True)
def _below(
    best: NDArray[np.float32],
    y: int,
    x: int,
    rows: int,
    columns: int,
    row_mm: float,
    column_mm: float,
    tax_per_mm: float,
) -> tuple[np.float32, int]:
    """The best sum that can be reached from the plane below, and from which block; 0 and -1 if none is worth it."""
    height, width = best.shape
    top, origin = np.float32(0.0), -1
    for v in range(max(0, y - rows), min(height, y + rows + 1)):
        for u in range(max(0, x - columns), min(width, x + columns + 1)):
            if best[v, u] <= top:
                continue
            away = np.hypot((y - v) * row_mm, (x - u) * column_mm)
            value = best[v, u] - np.float32(tax_per_mm * away)
            if value > top:
                top, origin = value, v * width + u
    return top, origin
