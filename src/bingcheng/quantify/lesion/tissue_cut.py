"""Solid lesions in soft tissue by the cheapest cut: grey values, distance from the line, and a short smooth border."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bingcheng.core.wording import text
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.coarse import Coarse
from bingcheng.quantify.lesion.method import between, segmenter
from bingcheng.quantify.lesion.neighbourhood import Floats, Mask
from bingcheng.quantify.lesion.prompt import Box, PromptKind, RecistLine

Levels = NDArray[np.int64]

MOST_BLOCKS = 60_000
BINS = 32
CAPPED = 4.0
"""Log likelihood ratios of grey values are cut here: one voxel must not outvote its neighbours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TissueCut:
    """Weights of the cut.

    Parameters
    ----------
    grey_weight : of the log likelihood ratio of grey values.
    softness : how far, as a fraction of the expected radius, the border may stray at even odds.
    border_weight : of the border's area, as log odds a voxel of mean spacing.
    steps : of the solver in each round.
    rounds : how often the grey values are learnt anew from what was found.
    """

    grey_weight: float = between(0.0, 100.0, 1.0)
    softness: float = between(0.01, 10.0, 0.15)
    border_weight: float = between(0.0, 100.0, 2.0)
    steps: int = between(1, 2000, 100)
    rounds: int = between(1, 20, 2)


@segmenter(
    key="tissue_cut",
    label=text("Graph-cut class: grey values and distance"),
    modalities=("CT", "MR"),
    prompts=(PromptKind.RECIST_LINE, PromptKind.BOX),
    source="Boykov and Funka-Lea, Int J Comput Vis 2006;70:109-131, as a continuous cut: Chan, Esedoglu and Nikolova, "
    "SIAM J Appl Math 2006;66:1632-1648; solved after Chambolle and Pock, J Math Imaging Vis 2011;40:120-145",
    good_for=text("Solid lesions whose grey values differ from all of what surrounds them, such as liver metastases."),
    fails=text("Large masses beside tissue of the same grey value: no better than a ball there. Edit the result."),
    settings=TissueCut,
    order=30,
)
def tissue_cut(volume: Volume, prompt: Box | RecistLine, settings: TissueCut) -> Region:
    """The set of least cost: log odds of grey values and of distance from the middle, plus the border's area.

    Grey values inside are learnt within 0.7 of the expected radius and outside from 1.3 to 1.8, and then from what was
    found. The cost is convex, so the cut is the best there is. The border is cheaper where grey values change.
    """
    coarse = Coarse.of(volume, prompt, times=1.8, most=MOST_BLOCKS)
    levels = _levels(coarse.values)
    prior = (coarse.radius - 1.0) / np.float32(settings.softness)
    np.clip(prior, -2.0 * CAPPED, 2.0 * CAPPED, out=prior)
    edge = _edge(coarse)
    inside, outside = coarse.radius < 0.7, (coarse.radius > 1.3) & (coarse.radius < 1.8)
    score = (prior < 0).astype(np.float32)
    for _ in range(settings.rounds):
        odds = _log_odds(levels, inside, outside)
        cost = np.float32(settings.grey_weight) * odds + prior
        z, y, x = (min(coarse.spacing_mm) / s for s in coarse.spacing_mm)
        score = _cheapest(cost, edge * np.float32(settings.border_weight), z, y, x, settings.steps)
        inside, outside = score >= 0.5, (score < 0.5) & (coarse.radius < 1.8)
        if not inside.any():
            break
    return coarse.region(score)


def _levels(values: Floats) -> Levels:
    low, high = np.percentile(values, [1.0, 99.0])
    scaled = (values - low) / max(float(high - low), 1e-12) * BINS
    levels: Levels = np.clip(scaled, 0, BINS - 1).astype(np.int64)
    return levels


def _log_odds(levels: Levels, inside: Mask, outside: Mask) -> Floats:
    """Log of the likelihood outside over that inside, (z, y, x): positive speaks against the lesion."""
    tables = []
    for where in (inside, outside):
        counts = np.bincount(levels[where], minlength=BINS).astype(np.float64)
        smooth = ndimage.gaussian_filter1d(counts, 1.0, mode="nearest")
        tables.append((smooth + 0.5) / (smooth.sum() + 0.5 * BINS))
    odds: Floats = np.clip(np.log(tables[1] / tables[0]), -CAPPED, CAPPED).astype(np.float32)[levels]
    return odds


def _edge(coarse: Coarse) -> Floats:
    """What a unit of border costs, in (0, 1], (z, y, x): less where grey values change more than noise does."""
    smooth = ndimage.gaussian_filter(coarse.values, 0.7, mode="nearest")
    steps = [np.diff(smooth, axis=axis, append=np.take(smooth, [-1], axis=axis)) for axis in range(3)]
    squared = sum(np.square(step) for step in steps)
    typical = float(np.mean(squared))
    edge: Floats = (1.0 / (1.0 + squared / max(typical, 1e-12))).astype(np.float32)
    return edge


def _cheapest(cost: Floats, border: Floats, z: float, y: float, x: float, steps: int) -> Floats:
    """The membership in [0, 1] of least ``sum(cost u) + sum(border |grad u|)``, by first-order primal-dual steps."""
    # Norm of the gradient: twice the square root of the sum of squared weights.
    step = 0.99 / (2.0 * math.sqrt(z * z + y * y + x * x))
    start = (cost < 0).astype(np.float32)
    membership: Floats = _primal_dual(
        cost, border, start, np.float32(z), np.float32(y), np.float32(x), np.float32(step), steps
    )
    return membership


@numba.njit(cache=True, nogil=True)
def _primal_dual(
    cost: Floats, border: Floats, start: Floats, wz: float, wy: float, wx: float, step: float, steps: int
) -> Floats:
    depth, height, width = cost.shape
    u = start.copy()
    ahead = start.copy()
    pz, py, px = np.zeros_like(u), np.zeros_like(u), np.zeros_like(u)
    for _ in range(steps):
        for k in range(depth):
            for j in range(height):
                for i in range(width):
                    here = ahead[k, j, i]
                    a = pz[k, j, i] + (step * wz * (ahead[k + 1, j, i] - here) if k + 1 < depth else np.float32(0))
                    b = py[k, j, i] + (step * wy * (ahead[k, j + 1, i] - here) if j + 1 < height else np.float32(0))
                    c = px[k, j, i] + (step * wx * (ahead[k, j, i + 1] - here) if i + 1 < width else np.float32(0))
                    length = np.sqrt(a * a + b * b + c * c)
                    most = border[k, j, i]
                    scale = most / length if length > most else np.float32(1)
                    pz[k, j, i] = a * scale
                    py[k, j, i] = b * scale
                    px[k, j, i] = c * scale
        for k in range(depth):
            for j in range(height):
                for i in range(width):
                    flow = wz * (pz[k, j, i] - (pz[k - 1, j, i] if k > 0 else np.float32(0)))
                    flow += wy * (py[k, j, i] - (py[k, j - 1, i] if j > 0 else np.float32(0)))
                    flow += wx * (px[k, j, i] - (px[k, j, i - 1] if i > 0 else np.float32(0)))
                    before = u[k, j, i]
                    after = min(max(before + step * (flow - cost[k, j, i]), np.float32(0)), np.float32(1))
                    u[k, j, i] = after
                    ahead[k, j, i] = 2 * after - before
    return u
