"""Rotations of a grid onto itself, and responses pooled over them.

A filter that is a product of one kernel an axis needs no rotated images: rotations permute its kernels over the axes
and reverse them. Products that share a kernel share its convolution, and a reversed kernel that is the kernel itself
or its negative costs nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import permutations, product
from math import prod

import numpy as np
from numpy.typing import NDArray

from bingcheng.quantify.filters.boundary import Boundary
from bingcheng.quantify.filters.convolution import convolved

Kernel = tuple[float, ...]
Lines = tuple[tuple[Kernel, ...], ...]
"""For each axis (z, y, x) the kernels to convolve with in turn (one a level of a decomposition)."""


class Pooling(StrEnum):
    """How the responses of several orientations become one."""

    MAX = "max"
    AVERAGE = "average"


def centred(kernel: Sequence[float]) -> Kernel:
    """The kernel with an odd number of taps, so that it reverses about the voxel that it is centred on."""
    return (*kernel, 0.0) if len(kernel) % 2 == 0 else tuple(kernel)


def turns(axes: int) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The rotations by right angles of 2 axes (4) or 3 axes (24), as axis order and sign of each axis."""
    found = []
    for order in permutations(range(axes)):
        parity = prod(1 if order[a] < order[b] else -1 for a in range(axes) for b in range(a + 1, axes))
        found += [(order, signs) for signs in product((1, -1), repeat=axes) if parity * prod(signs) == 1]
    return found


def pooled(voxels: NDArray[np.float32], lines: Lines, boundary: Boundary, pooling: Pooling) -> NDArray[np.float32]:
    """The responses to all rotations of a separable filter, pooled voxel by voxel.

    Parameters
    ----------
    voxels : (z, y, x).
    lines : kernels of odd length for z, y and x; none along z filters by slice, with the 4 rotations of a slice.
    boundary : beyond the edge, at every convolution.
    pooling : the largest, or the mean.
    """
    signs = _distinct(lines)
    if pooling is Pooling.MAX:
        return _largest(_responses(voxels, list(signs), 0, boundary), signs)
    total = sum(sum(of_one.values()) for of_one in signs.values())
    weights = {one: (of_one[1] - of_one[-1]) / total for one, of_one in signs.items()}
    kept = [one for one, weight in weights.items() if weight]
    result = np.zeros_like(voxels)
    for one, response in _responses(voxels, kept, 0, boundary):
        # A response has its own memory: it comes from a convolution of its own.
        result += np.multiply(response, np.float32(weights[one]), out=response)
    return result


def plain(voxels: NDArray[np.float32], lines: Lines, boundary: Boundary) -> NDArray[np.float32]:
    """The response to a separable filter as it stands."""
    for axis, line in enumerate(lines):
        for kernel in line:
            voxels = convolved(voxels, np.asarray(kernel), axis, boundary)
    return voxels


Signs = Mapping[Lines, Counter[int]]
"""Of each distinct filter: how many rotations give its response (1) and how many its negative (-1)."""


def _distinct(lines: Lines) -> Signs:
    used = [axis for axis, line in enumerate(lines) if line]
    found: dict[Lines, Counter[int]] = {}
    for order, signs in turns(len(used)):
        turned = list(lines)
        sign = 1
        for place, axis in enumerate(used):
            line = lines[used[order[place]]]
            turned[axis], factor = _flipped(line) if signs[place] < 0 else (line, 1)
            sign *= factor
        found.setdefault(tuple(turned), Counter())[sign] += 1
    return found


def _flipped(line: tuple[Kernel, ...]) -> tuple[tuple[Kernel, ...], int]:
    sign = 1
    kernels = []
    for kernel in line:
        mirrored = kernel[::-1]
        odd = all(a == -b for a, b in zip(mirrored, kernel, strict=True))
        kernels.append(kernel if odd else mirrored)
        sign = -sign if odd else sign
    return tuple(kernels), sign


def _largest(responses: Iterable[tuple[Lines, NDArray[np.float32]]], signs: Signs) -> NDArray[np.float32]:
    result = None
    for one, response in responses:
        plus, minus = signs[one][1], signs[one][-1]
        # Responses share no memory with each other or with the image here: each ends with a convolution of its own.
        if minus:
            np.abs(response, out=response) if plus else np.negative(response, out=response)
        result = response if result is None else np.maximum(result, response, out=result)
    assert result is not None, "a filter has at least one orientation"
    return result


def _responses(
    voxels: NDArray[np.float32], filters: Sequence[Lines], axis: int, boundary: Boundary
) -> Iterator[tuple[Lines, NDArray[np.float32]]]:
    """Each filter's response; filters whose kernels of the first axes are equal share those convolutions."""
    if filters and axis == len(filters[0]):
        yield filters[0], voxels
        return
    for line in dict.fromkeys(one[axis] for one in filters):
        partial = voxels
        for kernel in line:
            partial = convolved(partial, np.asarray(kernel), axis, boundary)
        yield from _responses(partial, [one for one in filters if one[axis] == line], axis + 1, boundary)
