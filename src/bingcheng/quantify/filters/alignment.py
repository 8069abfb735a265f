"""Riesz transforms along the axes of the image's own structure at each voxel, instead of those of the grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import factorial, prod, sqrt

import numpy as np
from numpy.typing import NDArray

from bingcheng.image.geometry import Triple
from bingcheng.quantify.filters.boundary import Boundary
from bingcheng.quantify.filters.gaussian import Gaussian

Order = tuple[int, ...]
Component = Callable[[Order], NDArray[np.float32]]
"""The Riesz transform of an order along the filtered axes, in the order of the array's axes."""

# Frames of this many voxels are solved together: nine numbers a voxel of the whole image would be its largest array.
_VOXELS_AT_ONCE = 2**16


def aligned(
    component: Component,
    order: Order,
    axes: tuple[int, ...],
    window_sigma_mm: float,
    spacing_mm: Triple,
    boundary: Boundary,
) -> NDArray[np.float32]:
    """The Riesz transform of `order` along the axes of the structure tensor at each voxel (z, y, x).

    Riesz transforms are steerable: one along turned axes is a sum of those along the grid's axes, with the coefficients
    of the expanded product of powers (M. Unser, N. Chenouard, D. Van De Ville, IEEE Trans. Image Process.
    2011;20:2705-2721, section IV).

    Parameters
    ----------
    component : makes the transforms along the grid's axes.
    order : along the axis of strongest change, then the next.
    axes : the filtered axes of the array.
    window_sigma_mm : standard deviation of the tensor's Gaussian window.
    spacing_mm : (z, y, x).
    boundary : of the window.
    """
    count, total = len(axes), sum(order)
    units = [tuple(int(a == b) for b in range(count)) for a in range(count)]
    first = np.stack([component(unit) for unit in units], axis=-1)
    shape = first.shape[:-1]
    window = Gaussian(sigma_mm=window_sigma_mm, boundary=boundary, by_slice=count == 2)
    tensor = np.empty((*first.shape, count), dtype=np.float32)
    for a in range(count):
        for b in range(a, count):
            tensor[..., a, b] = tensor[..., b, a] = window.response(first[..., a] * first[..., b], spacing_mm)
    parts = {one: component(one).reshape(-1) for one in _orders(count, total)}
    flat = np.zeros(first[..., 0].size, dtype=np.float32)
    tensor, first = tensor.reshape(-1, count, count), first.reshape(-1, count)
    for begin in range(0, flat.size, _VOXELS_AT_ONCE):
        some = slice(begin, begin + _VOXELS_AT_ONCE)
        frame = _frame(tensor[some], first[some])
        for one, factor in _expanded(frame, order).items():
            flat[some] += factor / np.float32(_norm(one)) * parts[one][some]
    return (flat * np.float32(_norm(order))).reshape(shape)


def _norm(order: Order) -> float:
    return sqrt(factorial(sum(order)) / prod(factorial(one) for one in order))


def _orders(axes: int, total: int) -> list[Order]:
    if axes == 1:
        return [(total,)]
    return [(head, *tail) for head in range(total + 1) for tail in _orders(axes - 1, total - head)]


def _frame(tensor: NDArray[np.float32], first: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit vectors (n, which, component) of the strongest change first, each pointing where the image increases."""
    vectors = np.linalg.eigh(tensor)[1][..., ::-1]  # columns, by falling eigenvalue
    frame: NDArray[np.float32] = np.swapaxes(vectors, -1, -2)
    along = np.einsum("nij,nj->ni", frame, first)
    return frame * np.where(along < 0, np.float32(-1), np.float32(1))[..., None]


def _expanded(frame: NDArray[np.float32], order: Order) -> Mapping[Order, NDArray[np.float32]]:
    """Coefficients (n,) by monomial of ``prod_i (sum_j frame_ij nu_j)^order_i``."""
    count = len(order)
    found: dict[Order, NDArray[np.float32]] = {(0,) * count: np.ones(frame.shape[0], dtype=np.float32)}
    for axis, power in enumerate(order):
        for _ in range(power):
            longer: dict[Order, NDArray[np.float32]] = {}
            for one, factor in found.items():
                for j in range(count):
                    more = (*one[:j], one[j] + 1, *one[j + 1 :])
                    term = factor * frame[:, axis, j]
                    longer[more] = longer[more] + term if more in longer else term
            found = longer
    return found
