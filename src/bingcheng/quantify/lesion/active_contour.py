"""Geodesic active contour: a surface that grows out of the middle, stays smooth and rests on edges."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from scipy import ndimage

from bingcheng.core.wording import text
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.coarse import Coarse
from bingcheng.quantify.lesion.method import between, segmenter
from bingcheng.quantify.lesion.neighbourhood import Floats
from bingcheng.quantify.lesion.prompt import Box, PromptKind, RecistLine

MOST_BLOCKS = 60_000
LEAST_VOXELS = 4
BEYOND = 1.4
"""The surface stays within this many times the expected radius."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveContour:
    """Weights of the surface's motion.

    Parameters
    ----------
    start : radius of the first surface, as a fraction of the expected one.
    smoothing_voxels : of the image before its edges are told.
    propagation, curvature, advection : outward pressure, smoothness, and pull to edges.
    iterations : at most.
    """

    start: float = between(0.05, 1.4, 0.7)
    smoothing_voxels: float = between(0.0, 20.0, 1.0)
    propagation: float = between(0.0, 100.0, 0.6)
    curvature: float = between(0.0, 100.0, 0.5)
    advection: float = between(0.0, 100.0, 2.0)
    iterations: int = between(1, 2000, 200)


@segmenter(
    key="active_contour",
    label=text("Geodesic active contour"),
    modalities=("MR", "CT"),
    prompts=(PromptKind.RECIST_LINE, PromptKind.BOX),
    source="Caselles, Kimmel and Sapiro, Int J Comput Vis 1997;22:61-79; SimpleITK's implementation",
    good_for=text("Lesions with a soft but complete border and a smooth shape."),
    fails=text("Rests on edges inside uneven lesions, and runs through gaps of the border."),
    settings=ActiveContour,
    order=34,
)
def active_contour(volume: Volume, prompt: Box | RecistLine, settings: ActiveContour) -> Region:
    """Where the level set that started as a smaller body, driven to edges, is inside.

    Edges stop the surface as ``1 / (1 + (gradient / middle)^4)``; the middle lies half-way between the median and the
    98th percentile of the gradient near the expected border. Nothing moves beyond 1.4 times the expected radius.
    """
    itk: Any = import_module("SimpleITK")
    coarse = Coarse.of(volume, prompt, times=BEYOND + 0.2, most=MOST_BLOCKS)
    spacing = tuple(reversed(coarse.spacing_mm))
    radius_mm = float(np.mean(coarse.body.semi_axes_mm))
    # SimpleITK's filter takes no axis of fewer than four voxels: a single slice is repeated.
    missing = [(0, max(0, LEAST_VOXELS - n)) for n in coarse.radius.shape]
    speed, first = (
        itk.GetImageFromArray(np.pad(one, missing, mode="edge"))
        for one in (_speed(coarse, settings.smoothing_voxels), (coarse.radius - settings.start) * np.float32(radius_mm))
    )
    for image in (speed, first):
        image.SetSpacing(spacing)
    motion = itk.GeodesicActiveContourLevelSetImageFilter()
    motion.SetPropagationScaling(settings.propagation)
    motion.SetCurvatureScaling(settings.curvature)
    motion.SetAdvectionScaling(settings.advection)
    motion.SetMaximumRMSError(0.01)
    motion.SetNumberOfIterations(settings.iterations)
    motion.SetNumberOfThreads(1)
    z, y, x = coarse.radius.shape
    level = itk.GetArrayFromImage(motion.Execute(first, speed))[:z, :y, :x]
    # The level set is a signed distance near its border: half a block's way makes one half of a score.
    score: Floats = np.clip(0.5 - level / (2.0 * min(coarse.spacing_mm)), 0.0, 1.0).astype(np.float32)
    score[coarse.radius >= BEYOND] = 0.0
    return coarse.region(score)


def _speed(coarse: Coarse, smoothing_voxels: float) -> Floats:
    gradient = ndimage.gaussian_gradient_magnitude(coarse.values.astype(np.float32), smoothing_voxels, mode="nearest")
    near = (coarse.radius > 0.6) & (coarse.radius < BEYOND)
    low, high = np.percentile(gradient[near], [50.0, 98.0]) if near.any() else (0.0, 0.0)
    middle = float(low + high) / 2.0
    if middle <= 0.0:
        return (coarse.radius < BEYOND).astype(np.float32)
    speed: Floats = (1.0 / (1.0 + np.square(np.square(gradient / middle)))).astype(np.float32)
    speed[coarse.radius >= BEYOND] = 0.0
    return speed
