"""Filling polygons on a pixel grid: which part of each pixel lies inside, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray


def coverage(polygons: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """The part of each pixel, in [0, 1], that lies inside closed polygons of one plane.

    A polygon within another is a hole in it, one within that an island, and so on (the even-odd rule). A keyhole (a
    single outline that runs in to a hole and back on the same way) is a hole too. Areas are exact for outlines that
    do not cross themselves.

    Parameters
    ----------
    polygons : each (n, 2) vertices as (row, column) indices, pixel centres at whole numbers; the last vertex joins
        the first. Exact repeats count once.

    Returns
    -------
    covered, start : (rows, columns) of the box around all polygons, and the indices (row, column) of its first pixel.
    """
    kept = _distinct([polygon for polygon in polygons if len(polygon) >= 3])
    if not kept:
        return np.zeros((0, 0), dtype=np.float32), (0, 0)
    corners = np.concatenate(kept)
    low = np.floor(corners.min(axis=0) + 0.5).astype(int)
    rows, columns = np.ceil(corners.max(axis=0) + 0.5).astype(int) - low + 1
    total = np.zeros((rows, columns + 1))
    for index, polygon in enumerate(kept):
        depth = sum(_surrounds(other, polygon) for other in (*kept[:index], *kept[index + 1 :]))
        moved = polygon + 0.5 - low
        sign = np.sign(signed_area(polygon)) * (-1 if depth % 2 else 1)
        _add_outline(total, np.ascontiguousarray(moved[:, 0]), np.ascontiguousarray(moved[:, 1]), sign)
    covered = np.clip(np.cumsum(total, axis=1)[:, :columns], 0.0, 1.0).astype(np.float32)
    return covered, (int(low[0]), int(low[1]))


def signed_area(polygon: NDArray[np.float64]) -> float:
    """The area inside a polygon (n, 2), positive where its outline turns so that `coverage` counts it as filled."""
    row, column = polygon[:, 0], polygon[:, 1]
    return float(0.5 * np.sum(row * np.roll(column, -1) - np.roll(row, -1) * column))


def _distinct(polygons: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Without exact repeats and without outlines that enclose nothing."""
    found: dict[bytes, NDArray[np.float64]] = {}
    for polygon in polygons:
        if signed_area(polygon) != 0.0:
            found.setdefault(np.ascontiguousarray(polygon).tobytes(), polygon)
    return list(found.values())


def _surrounds(outer: NDArray[np.float64], inner: NDArray[np.float64]) -> bool:
    """Whether most vertices of `inner` lie inside `outer` (even-odd crossings of a ray along the row)."""
    if np.any(inner.max(axis=0) < outer.min(axis=0)) or np.any(inner.min(axis=0) > outer.max(axis=0)):
        return False
    if abs(signed_area(outer)) <= abs(signed_area(inner)):
        return False
    row, column = outer[:, 0], outer[:, 1]
    next_row, next_column = np.roll(row, -1), np.roll(column, -1)
    inside = 0
    for point_row, point_column in inner:
        crosses = (row > point_row) != (next_row > point_row)
        at = column[crosses] + (point_row - row[crosses]) / (next_row[crosses] - row[crosses]) * (
            next_column[crosses] - column[crosses]
        )
        inside += int(np.count_nonzero(at > point_column) % 2)
    return 2 * inside > len(inner)


@numba.njit(cache=True, nogil=True)
def _add_outline(total: NDArray[Any], rows: NDArray[Any], columns: NDArray[Any], sign: float) -> None:
    """Add an outline's change of coverage along each row; the running sum over columns is then the coverage.

    Each edge adds, to the pixel column it crosses, the part of the pixel right of it, and to the next column the
    rest, so that every column further right is covered by the edge's height.
    """
    count = rows.shape[0]
    for k in range(count):
        row, column = rows[k], columns[k]
        end_row, end_column = rows[(k + 1) % count], columns[(k + 1) % count]
        if row == end_row:
            continue
        direction = sign
        if row > end_row:
            row, column, end_row, end_column = end_row, end_column, row, column
            direction = -sign
        slope = (end_column - column) / (end_row - row)
        for i in range(int(np.floor(row)), int(np.ceil(end_row))):
            top, bottom = max(float(i), row), min(i + 1.0, end_row)
            if bottom <= top:
                continue
            left = column + (top - row) * slope
            right = column + (bottom - row) * slope
            if left > right:
                left, right = right, left
            _add_strip(total[i], left, right, direction * (bottom - top))


@numba.njit(cache=True, nogil=True)
def _add_strip(line: NDArray[Any], left: float, right: float, height: float) -> None:
    """One edge within one row of pixels: it falls by `height` between columns `left` and `right`."""
    first, last = int(np.floor(left)), int(np.floor(right))
    if first == last:
        covered = height * (first + 1 - 0.5 * (left + right))
        line[first] += covered
        line[first + 1] += height - covered
        return
    # The area right of the edge grows with the square of the way into it; its second difference goes to each column.
    per_column = height / (right - left)
    before = 0.0
    for j in range(first, last + 1):
        begin, end = max(left, float(j)), min(right, j + 1.0)
        # Part of pixel j that is right of the edge: strips that passed already, and those within this column.
        passed = per_column * (begin - left)
        covered = passed + per_column * (end - begin) * (j + 1 - 0.5 * (begin + end))
        line[j] += covered - before
        before = covered
    line[last + 1] += height - before
