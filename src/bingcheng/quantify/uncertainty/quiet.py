"""Noise in a lesion that has a structure of its own: read where the lesion is most uniform.

As the global noise level of a CT does for a whole body (Christianson et al., AJR 2015;205:W337-W342), small windows
are looked at one by one. Structure only ever adds to the spread within a window, so that the quietest quarter of them
is nearest to noise alone. That quarter is quieter than the average by chance too, and noise that is alike between
neighbours varies less within a window than it does at large. Both effects are taken out by the same look at drawn
noise of the same correlation over the same voxels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

WINDOW_VOXELS = 5
FILLED = 0.6
"""Part of a window that must belong to the lesion."""
QUIET_SHARE = 0.25
FEWEST_WINDOWS = 60
DRAWS = 2
SEED = 20261124
ROUNDS = 6
WIDEST = 3.0
FIRST_WIDTH = 0.5
NARROWEST = 0.3
"""A Gaussian narrower than this does not reach the neighbouring voxel."""
LEAST_CORRELATION = 0.05

Widths = tuple[float, float, float]


def smoothed(draw: NDArray[np.float32], widths: Widths) -> NDArray[np.float32]:
    """White noise of unit standard deviation, smoothed along (z, y, x) and brought back to unit standard deviation."""
    for axis, width in enumerate(widths):
        if width > 0.0:
            reach = int(3.0 * width + 1.0)
            weights = np.exp(-0.5 * np.square(np.arange(-reach, reach + 1) / width))
            weights /= np.sqrt(np.sum(np.square(weights)))
            draw = ndimage.correlate1d(draw, weights, axis=axis, mode="wrap")
    return draw


def smoothing_of(correlation: float) -> float:
    """Width, in voxels, of the Gaussian whose smoothed white noise has this correlation between neighbours.

    White noise smoothed by a Gaussian of width w has correlation exp(-1 / 4 w^2) at a distance of one voxel.
    """
    if correlation < LEAST_CORRELATION:
        return 0.0
    return min(WIDEST, 0.5 / math.sqrt(-math.log(min(correlation, 0.97))))


def quiet_noise(residual: NDArray[np.float64], core: NDArray[np.bool_]) -> tuple[float, Widths] | None:
    """Standard deviation of the noise and its smoothing along (z, y, x); None where there are too few windows.

    Parameters
    ----------
    residual : the lesion's values without their trend, (z, y, x); read where `core` is True.
    core : the lesion without its border.
    """
    windows = _Windows(core)
    if np.count_nonzero(windows.usable) < FEWEST_WINDOWS:
        return None
    spread, steps = windows.quiet(residual)
    if spread <= 0.0:
        return None
    widths: Widths = (0.0, 0.0, 0.0)
    for _ in range(ROUNDS):
        drawn, drawn_steps = windows.of_noise(widths)
        found = [
            _wider(width, step / spread, drawn_step / drawn)
            for width, step, drawn_step in zip(widths, steps, drawn_steps, strict=True)
        ]
        widths = (found[0], found[1], found[2])
    drawn, _ = windows.of_noise(widths)
    return math.sqrt(spread / drawn), widths


def _wider(width: float, seen: float, drawn: float) -> float:
    """A better width, from the steps between neighbours relative to the variance: as seen, and as drawn with `width`.

    Of smooth noise these steps go with the inverse square of the width.
    """
    if width == 0.0:
        return 0.0 if seen > (1.0 - LEAST_CORRELATION) * drawn else FIRST_WIDTH
    return min(WIDEST, max(NARROWEST, width * math.sqrt(drawn / max(seen, 1e-6 * drawn))))


class _Windows:
    """All windows of a lesion that are filled well enough."""

    def __init__(self, core: NDArray[np.bool_]) -> None:
        self.core = core
        self.size = tuple(min(WINDOW_VOXELS, n - 1 + n % 2) for n in core.shape)
        self.share = self._mean(core)
        self.usable = core & (self.share > FILLED)
        self.pairs = []
        self.pair_shares = []
        for axis in range(3):
            pair = np.zeros_like(core)
            ahead, here = _ahead(axis)
            pair[here] = core[here] & core[ahead]
            self.pairs.append(pair)
            self.pair_shares.append(self._mean(pair)[self.usable])
        generator = np.random.default_rng(SEED)
        self.draws = [generator.standard_normal(core.shape, dtype=np.float32) for _ in range(DRAWS)]

    def quiet(self, values: NDArray[Any]) -> tuple[float, Widths]:
        """Mean over the quietest windows of the variance within, and of half the squared step along (z, y, x)."""
        inside = np.where(self.core, values, 0.0).astype(np.float64)
        share = self.share[self.usable]
        mean = self._mean(inside)[self.usable] / share
        variance = np.maximum(self._mean(np.square(inside))[self.usable] / share - np.square(mean), 0.0)
        chosen = variance <= np.quantile(variance, QUIET_SHARE)
        steps = [self._step(inside, axis, chosen) for axis in range(3)]
        return float(variance[chosen].mean()), (steps[0], steps[1], steps[2])

    def of_noise(self, widths: Widths) -> tuple[float, Widths]:
        """The same of noise of unit standard deviation and this smoothing, over `DRAWS` draws."""
        drawn = [self.quiet(smoothed(draw, widths)) for draw in self.draws]
        z, y, x = np.mean([steps for _, steps in drawn], axis=0)
        return float(np.mean([spread for spread, _ in drawn])), (float(z), float(y), float(x))

    def _step(self, inside: NDArray[np.float64], axis: int, chosen: NDArray[np.bool_]) -> float:
        squared = np.zeros(self.core.shape)
        ahead, here = _ahead(axis)
        squared[here] = 0.5 * np.square(inside[ahead] - inside[here])
        count = self.pair_shares[axis][chosen].sum()
        squared[~self.pairs[axis]] = 0.0
        return float(self._mean(squared)[self.usable][chosen].sum() / count) if count > 0 else 0.0

    def _mean(self, values: NDArray[Any]) -> NDArray[np.float64]:
        averaged: NDArray[np.float64] = ndimage.uniform_filter(
            values.astype(np.float64, copy=False), self.size, mode="constant"
        )
        return averaged


def _ahead(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    ahead, here = [slice(None)] * 3, [slice(None)] * 3
    ahead[axis], here[axis] = slice(1, None), slice(None, -1)
    return tuple(ahead), tuple(here)
