"""A network over an image larger than its patch: overlapping patches, blended by Gaussian weights."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Sizes = tuple[int, int, int]

SIGMA = 0.125
"""Standard deviation of the weights as a fraction of the patch, as nnU-Net and MONAI blend."""
LEAST_WEIGHT = 1e-3


def slid(network: Callable[[Floats], Floats], image: Floats, patch: Sizes, overlap: float) -> Floats:
    """The network's output (channel, a, b, c) over an image (channel, a, b, c), patch by patch.

    Parameters
    ----------
    network : from (1, channel, *patch) to (1, channel', *patch).
    image : padded with its lowest values where it is smaller than a patch; the padding is taken off again.
    overlap : of neighbouring patches, as a fraction.
    """
    size = image.shape[1:]
    missing = [max(0, p - n) for p, n in zip(patch, size, strict=True)]
    before = [m // 2 for m in missing]
    widths = [(0, 0), *((b, m - b) for b, m in zip(before, missing, strict=True))]
    padded = np.pad(image, widths, mode="minimum") if any(missing) else image
    weights = _weights(patch)
    total: Floats | None = None
    weight = np.zeros(padded.shape[1:], dtype=np.float32)
    places = [_starts(n, p, overlap) for n, p in zip(padded.shape[1:], patch, strict=True)]
    for start in itertools.product(*places):
        box = tuple(slice(s, s + p) for s, p in zip(start, patch, strict=True))
        found = network(np.ascontiguousarray(padded[(slice(None), *box)][None]))[0]
        if total is None:
            total = np.zeros((found.shape[0], *padded.shape[1:]), dtype=np.float32)
        total[(slice(None), *box)] += found * weights
        weight[box] += weights
    assert total is not None
    total /= weight
    inner = tuple(slice(b, b + n) for b, n in zip(before, size, strict=True))
    return total[(slice(None), *inner)]


def _starts(size: int, patch: int, overlap: float) -> list[int]:
    """Where patches begin: equally spaced from end to end, overlapping at least as asked for."""
    step = max(1, math.floor(patch * (1.0 - overlap)))
    count = math.ceil((size - patch) / step) + 1
    if count == 1:
        return [0]
    return [round(k * (size - patch) / (count - 1)) for k in range(count)]


def _weights(patch: Sizes) -> Floats:
    lines = [np.exp(-0.5 * ((np.arange(p) - (p - 1) / 2.0) / (SIGMA * p)) ** 2) for p in patch]
    product = lines[0][:, None, None] * lines[1][None, :, None] * lines[2][None, None, :]
    weights: Floats = np.maximum(product / np.max(product), LEAST_WEIGHT).astype(np.float32)
    return weights
