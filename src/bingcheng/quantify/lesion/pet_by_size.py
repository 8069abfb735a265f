"""PET lesions by the method that is right at their size: a threshold for large ones, the steepest border for small."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bingcheng.core.errors import Undefined
from bingcheng.core.wording import text
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.hot_spot import NO_BACKGROUND
from bingcheng.quantify.lesion.method import between, segmenter
from bingcheng.quantify.lesion.neighbourhood import LEAKED
from bingcheng.quantify.lesion.pet_gradient import SteepestBorder, steepest_border
from bingcheng.quantify.lesion.pet_threshold import CLICK_OR_BOX, PET, BackgroundCorrected, background_corrected
from bingcheng.quantify.lesion.prompt import Box, Click


@dataclass(frozen=True, slots=True, kw_only=True)
class BySize:
    """A lesion whose threshold gives a sphere of less than `small_mm` is drawn by its steepest border instead.

    `fraction` is the threshold's; `fill_holes` takes in what is colder but enclosed (necrosis).
    """

    small_mm: float = between(0.0, 1000.0, 30.0)
    fraction: float = between(0.01, 1.0, 0.42)
    fill_holes: bool = False


@segmenter(
    key="pet_by_size",
    label=text("Iterative threshold, or the steepest border of a small lesion"),
    modalities=PET,
    prompts=CLICK_OR_BOX,
    source="The iterative threshold (Tylski et al., J Nucl Med 2010;51:268-276) from about 25 mm on; below, where blur"
    " makes any threshold too large, the border at the highest gradient (Werner-Wasik et al., Int J Radiat Oncol Biol"
    " Phys 2012;82:1164-1171); measured against both on generated lesions",
    good_for=text("Lesions of any size, also with uneven uptake."),
    fails=text(
        "Too large below 15 mm, as every method is. About 25 mm the method changes, and the volume by a tenth with it:"
        " compare the volumes of such a lesion by one method alone."
    ),
    settings=BySize,
    order=5,
    recommended=True,
)
def by_size(volume: Volume, prompt: Click | Box, settings: BySize) -> Region:
    """What the iterative threshold draws, or the steepest border where that is small or the threshold lost in noise."""
    try:
        first = background_corrected(
            volume, prompt, BackgroundCorrected(fraction=settings.fraction, fill_holes=settings.fill_holes)
        )
    except Undefined as lost:
        if lost.problem not in (LEAKED, NO_BACKGROUND):
            raise
        second = steepest_border(volume, prompt, SteepestBorder(fill_holes=settings.fill_holes))
        if _diameter_mm(second) >= settings.small_mm:
            raise
        return second
    if _diameter_mm(first) >= settings.small_mm:
        return first
    return steepest_border(volume, prompt, SteepestBorder(fill_holes=settings.fill_holes))


def _diameter_mm(region: Region) -> float:
    """Of the sphere of the region's volume."""
    return math.cbrt(6.0 / math.pi * float(np.count_nonzero(region.inside)) * region.grid.voxel_mm3)
