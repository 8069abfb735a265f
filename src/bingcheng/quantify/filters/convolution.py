"""Convolution with kernels that are products of one kernel an axis, without padded copies of the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.quantify.filters.boundary import Boundary

Line = NDArray[np.float32]


def convolved(voxels: NDArray[np.float32], kernel: NDArray[Any], axis: int, boundary: Boundary) -> NDArray[np.float32]:
    """The voxels (z, y, x) convolved with a kernel along one axis: ``r[i] = sum over k of g[k] f[i + n // 2 - k]``.

    A kernel of even length n lies half a voxel towards higher indices, as in the reference response maps of the
    IBSI (wavelets). Sums are in single precision over at most a few dozen taps.
    """
    taps = np.ascontiguousarray(kernel[::-1], dtype=np.float32)
    after = taps.size // 2
    size = voxels.shape[axis]
    source = boundary.indices(size, taps.size - 1 - after, after)
    lines = np.ascontiguousarray(voxels).reshape(
        int(np.prod(voxels.shape[:axis])), size, int(np.prod(voxels.shape[axis + 1 :]))
    )
    result = np.empty_like(lines)
    along = _along_rows if lines.shape[2] == 1 else _across_rows
    along(lines, taps, source, np.float32(boundary.constant), result)
    return result.reshape(voxels.shape)


def separable(
    voxels: NDArray[np.float32], kernels: Sequence[NDArray[Any] | None], boundary: Boundary
) -> NDArray[np.float32]:
    """The voxels convolved along (z, y, x) with a kernel each; None leaves an axis alone."""
    for axis, kernel in enumerate(kernels):
        if kernel is not None:
            voxels = convolved(voxels, kernel, axis, boundary)
    return voxels


@numba.njit(cache=True, nogil=True)
def _across_rows(
    lines: NDArray[np.float32],
    taps: Line,
    source: NDArray[np.int64],
    constant: np.float32,
    result: NDArray[np.float32],
) -> None:  # pragma: no cover - compiled
    outer, size, inner = lines.shape
    for o in range(outer):
        for i in range(size):
            for k in range(inner):
                result[o, i, k] = 0.0
            for t in range(taps.size):
                weight = taps[t]
                at = source[i + t]
                if weight == 0.0:
                    continue
                if at < 0:
                    for k in range(inner):
                        result[o, i, k] += weight * constant
                else:
                    for k in range(inner):
                        result[o, i, k] += weight * lines[o, at, k]


@numba.njit(cache=True, nogil=True)
def _along_rows(
    lines: NDArray[np.float32],
    taps: Line,
    source: NDArray[np.int64],
    constant: np.float32,
    result: NDArray[np.float32],
) -> None:  # pragma: no cover - compiled
    outer, size, _ = lines.shape
    padded = np.empty(source.size, dtype=np.float32)
    for o in range(outer):
        for p in range(source.size):
            padded[p] = constant if source[p] < 0 else lines[o, source[p], 0]
        for i in range(size):
            result[o, i, 0] = 0.0
        for t in range(taps.size):
            weight = taps[t]
            if weight != 0.0:
                for i in range(size):
                    result[o, i, 0] += weight * padded[i + t]
