"""Random walker: each voxel goes to the seed that a walker, who avoids edges, reaches first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from bingcheng.core.wording import text
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.coarse import Coarse
from bingcheng.quantify.lesion.method import between, segmenter
from bingcheng.quantify.lesion.prompt import Box, PromptKind, RecistLine

MOST_BLOCKS = 40_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomWalk:
    """Seeds inside `inner` and outside `outer` times the expected radius; `beta` makes edges harder to cross."""

    inner: float = between(0.05, 1.0, 0.6)
    outer: float = between(1.0, 3.0, 1.4)
    beta: float = between(0.0, 1000000.0, 100.0)
    smoothing_voxels: float = between(0.0, 20.0, 0.8)
    tolerance: float = between(1e-09, 0.1, 1e-6)


@segmenter(
    key="random_walker",
    label=text("Random walker"),
    modalities=("MR", "CT"),
    prompts=(PromptKind.RECIST_LINE, PromptKind.BOX),
    source="Grady, IEEE Trans Pattern Anal Mach Intell 2006;28:1768-1783",
    good_for=text("Lesions with a visible border nearly all around; small gaps in it are bridged."),
    fails=text("Without a border it stops half-way between its seeds; uneven lesions are cut along their own edges."),
    settings=RandomWalk,
    order=31,
)
def random_walker(volume: Volume, prompt: Box | RecistLine, settings: RandomWalk) -> Region:
    """Where a random walker reaches the lesion's seed before one of the background with a probability of one half."""
    from skimage.segmentation import random_walker as walk  # noqa: PLC0415 - takes 0.2 s to import, few need it

    coarse = Coarse.of(volume, prompt, times=settings.outer + 0.25, most=MOST_BLOCKS)
    labels = np.zeros(coarse.values.shape, dtype=np.int32)
    labels[coarse.radius >= settings.outer] = 2
    labels[coarse.radius <= settings.inner] = 1
    if not (labels == 1).any():
        labels.ravel()[int(np.argmin(coarse.radius))] = 1
    if labels.all():  # a lesion of a few voxels: the seeds are all there is
        return coarse.region((labels == 1).astype(np.float32))
    values = ndimage.gaussian_filter(coarse.values.astype(np.float64), settings.smoothing_voxels, mode="nearest")
    # scikit-image divides squared changes by the standard deviation, not its square: in units of it, no unit matters.
    values /= float(np.std(values)) or 1.0
    probability = walk(
        values,
        labels,
        beta=settings.beta,
        mode="cg_j",
        tol=settings.tolerance,
        prob_tol=np.inf,  # in corners that edges cut off the solver overshoots; the border lies at one half
        spacing=[s / min(coarse.spacing_mm) for s in coarse.spacing_mm],
        return_full_prob=True,
    )
    return coarse.region(np.ascontiguousarray(probability[0], dtype=np.float32))
