"""Growing from seeds (GrowCut class): each voxel goes to the seed to which the path of least change is shortest."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from scipy import ndimage

from bingcheng.core.wording import text
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.coarse import Coarse
from bingcheng.quantify.lesion.method import between, segmenter
from bingcheng.quantify.lesion.neighbourhood import Floats, Mask
from bingcheng.quantify.lesion.prompt import Box, PromptKind, RecistLine

MOST_BLOCKS = 120_000
SWEEPS = 4
"""Passes forth and back; paths of tumours bend little, and more passes change nothing that is seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowCut:
    """Seeds inside `inner` and outside `outer` times the expected radius.

    `contrast` weighs a change of grey value by one standard deviation of the neighbourhood against a way as long as the
    expected radius; `smoothing_voxels` is the filter before.
    """

    inner: float = between(0.05, 1.0, 0.5)
    outer: float = between(1.0, 3.0, 1.4)
    contrast: float = between(0.0, 1000.0, 3.0)
    smoothing_voxels: float = between(0.0, 20.0, 0.8)


@segmenter(
    key="grow_cut",
    label=text("Growing from seeds (GrowCut class)"),
    modalities=("MR", "CT"),
    prompts=(PromptKind.RECIST_LINE, PromptKind.BOX),
    source="Vezhnevets and Konouchine, GraphiCon 2005; as geodesic distances: Criminisi, Sharp and Blake, ECCV 2008",
    good_for=text("Lesions with a clear border and smooth inside; quick even in large neighbourhoods."),
    fails=text("Leaks through a single gap in the border, and follows noise where the contrast is low."),
    settings=GrowCut,
    order=32,
)
def grow_cut(volume: Volume, prompt: Box | RecistLine, settings: GrowCut) -> Region:
    """Where the geodesic distance to the lesion's seed is less than that to the background's.

    A step's length is ``sqrt(way^2 + (contrast radius / SD x change)^2)`` in mm.
    """
    coarse = Coarse.of(volume, prompt, times=settings.outer + 0.2, most=MOST_BLOCKS)
    values = ndimage.gaussian_filter(coarse.values, settings.smoothing_voxels, mode="nearest")
    spread = float(values.std(dtype=np.float64))
    if spread > 0.0:
        values *= np.float32(settings.contrast * float(np.mean(coarse.body.semi_axes_mm)) / spread)
    inner = coarse.radius <= max(settings.inner, float(np.min(coarse.radius)))
    to_lesion = _distance(values, inner, *coarse.spacing_mm, SWEEPS)
    to_rest = _distance(values, coarse.radius >= settings.outer, *coarse.spacing_mm, SWEEPS)
    both = to_lesion + to_rest
    score: Floats = np.where(both > 0.0, to_rest / np.maximum(both, 1e-6), 0.0).astype(np.float32)
    return coarse.region(score)


@numba.njit(cache=True, nogil=True)
def _distance(values: Floats, seeds: Mask, step_z: float, step_y: float, step_x: float, sweeps: int) -> Floats:
    """Geodesic distance from the seeds, (z, y, x), by raster sweeps over 26 neighbours, forth and back."""
    depth, height, width = values.shape
    far = np.float32(1e9)
    distance = np.where(seeds, np.float32(0.0), far)
    for sweep in range(2 * sweeps):
        forth = sweep % 2 == 0
        for n in range(values.size):
            at = n if forth else values.size - 1 - n
            z, y, x = at // (height * width), at // width % height, at % width
            best = distance[z, y, x]
            here = values[z, y, x]
            for k in range(13):
                # The 13 neighbours that come before in raster order; going back, their mirror images.
                dz, dy, dx = (k - 9) // 9 if k < 9 else 0, (k // 3) % 3 - 1 if k < 9 else -1, k % 3 - 1
                if k == 12:
                    dy, dx = 0, -1
                if not forth:
                    dz, dy, dx = -dz, -dy, -dx
                zn, yn, xn = z + dz, y + dy, x + dx
                if 0 <= zn < depth and 0 <= yn < height and 0 <= xn < width:
                    way = (dz * step_z) ** 2 + (dy * step_y) ** 2 + (dx * step_x) ** 2
                    change = values[zn, yn, xn] - here
                    reached = distance[zn, yn, xn] + np.sqrt(way + change * change)
                    if reached < best:
                        best = np.float32(reached)
            distance[z, y, x] = best
    return distance
