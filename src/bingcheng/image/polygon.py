"""Filling polygons on a pixel grid: which part of each pixel lies inside, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import InputError, Owner, Problem

TOO_INTRICATE = Problem(
    code="image.contours-too-intricate",
    says="{count} contours with {points} points lie within each other in one slice, too many to tell holes from "
    "islands",
    remedy="Draw the region again with fewer contours, or store it as a DICOM segmentation.",
    owner=Owner.RADIOLOGIST,
)

MOST_CROSSINGS = 2e9
"""How many times a vertex may be compared with an edge, some seconds: a thousand times what a person draws."""


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

    Raises
    ------
    InputError
        ``image.contours-too-intricate``.
    """
    kept = _distinct([polygon for polygon in polygons if len(polygon) >= 3])
    if not kept:
        return np.zeros((0, 0), dtype=np.float32), (0, 0)
    corners = np.concatenate(kept)
    low = np.floor(corners.min(axis=0) + 0.5).astype(int)
    rows, columns = np.ceil(corners.max(axis=0) + 0.5).astype(int) - low + 1
    total = np.zeros((rows, columns + 1))
    for polygon, depth in zip(kept, _depths(kept), strict=True):
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


def _depths(polygons: Sequence[NDArray[np.float64]]) -> list[int]:
    """In how many of the others each polygon lies."""
    low, high = (np.array([edge(one, axis=0) for one in polygons]) for edge in (np.min, np.max))
    areas = np.array([abs(signed_area(one)) for one in polygons])
    counts = np.array([len(one) for one in polygons])
    around = [
        np.flatnonzero((low <= high[at]).all(axis=1) & (high >= low[at]).all(axis=1) & (areas > areas[at]))
        for at in range(len(polygons))
    ]
    if sum(float(counts[others].sum()) * count for others, count in zip(around, counts, strict=True)) > MOST_CROSSINGS:
        raise InputError(TOO_INTRICATE, count=len(polygons), points=int(counts.sum()))
    plain = [np.ascontiguousarray(one) for one in polygons]
    return [sum(_surrounds(plain[i], inner) for i in others) for inner, others in zip(plain, around, strict=True)]


@numba.njit(cache=True, nogil=True)
def _surrounds(outer: NDArray[Any], inner: NDArray[Any]) -> bool:
    """Whether most vertices of `inner` lie inside `outer` (even-odd crossings of a ray along the row)."""
    inside, count = 0, outer.shape[0]
    for k in range(inner.shape[0]):
        row, column = inner[k, 0], inner[k, 1]
        odd = False
        for i in range(count):
            start, end = outer[i, 0], outer[(i + 1) % count, 0]
            if (start > row) != (end > row):
                begin = outer[i, 1]
                at = begin + (row - start) / (end - start) * (outer[(i + 1) % count, 1] - begin)
                odd ^= at > column
        inside += odd
    return bool(2 * inside > inner.shape[0])


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
