"""PET lesions by the steepest border: the threshold at which uptake falls most."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from bingcheng.core.wording import text
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.hot_spot import HotSpot, background_beside, hot_region
from bingcheng.quantify.lesion.method import between, segmenter
from bingcheng.quantify.lesion.neighbourhood import Floats, Mask
from bingcheng.quantify.lesion.pet_threshold import CLICK_OR_BOX, PET, filled
from bingcheng.quantify.lesion.prompt import Box, Click

SEEN_MM = 80.0
"""What reaches farther from the hottest voxel at a low threshold is taken as a leak, and higher ones are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SteepestBorder:
    """Thresholds between `lowest` and `highest`, as fractions of the contrast to the background, in `steps`."""

    lowest: float = between(0.01, 1.0, 0.1)
    highest: float = between(0.01, 1.0, 0.7)
    steps: int = between(2, 500, 31)
    fill_holes: bool = False


@segmenter(
    key="pet_steepest_border",
    label=text("Steepest border (gradient)"),
    modalities=PET,
    prompts=CLICK_OR_BOX,
    source="The border at the highest gradient: Werner-Wasik et al., Int J Radiat Oncol Biol Phys 2012;82:1164-1171; "
    "here as the threshold whose border is steepest",
    good_for=text("Lesions of even uptake with a sharp border, at any contrast, without a chosen percentage."),
    fails=text("May stop at the border of the hottest part of an uneven tumour; unsure in noise and below 15 mm."),
    settings=SteepestBorder,
    order=25,
)
def steepest_border(volume: Volume, prompt: Click | Box, settings: SteepestBorder) -> Region:
    """What a threshold finds across whose border the uptake falls most per mm, among equally spaced thresholds."""

    def find(spot: HotSpot) -> Mask:
        background = background_beside(spot)
        contrast = spot.highest - background
        best, steepest = spot.above(spot.highest), -np.inf
        for fraction in np.linspace(settings.highest, settings.lowest, settings.steps):
            mask = spot.above(background + float(fraction) * contrast)
            if spot.hood.cut(mask):
                if spot.hood.reach_mm < SEEN_MM:
                    return mask  # asks for a larger window
                break  # it leaks, and lower ones as well
            if spot.hood.spans(mask):
                break
            inside = float(spot.hood.values[mask].mean(dtype=np.float64)) - background
            slope = _border_slope(spot.hood.values, mask, *spot.hood.spacing_mm) / inside
            if slope > steepest:
                best, steepest = mask, slope
        return filled(best, fill=settings.fill_holes)

    return hot_region(volume, prompt, find)


@numba.njit(cache=True, nogil=True)
def _border_slope(values: Floats, mask: Mask, step_z: float, step_y: float, step_x: float) -> float:
    """Mean fall per mm over all pairs of neighbours of which one belongs and the other does not."""
    depth, height, width = values.shape
    total = 0.0
    count = 0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                here = mask[z, y, x]
                if z + 1 < depth and mask[z + 1, y, x] != here:
                    total += abs(values[z + 1, y, x] - values[z, y, x]) / step_z
                    count += 1
                if y + 1 < height and mask[z, y + 1, x] != here:
                    total += abs(values[z, y + 1, x] - values[z, y, x]) / step_y
                    count += 1
                if x + 1 < width and mask[z, y, x + 1] != here:
                    total += abs(values[z, y, x + 1] - values[z, y, x]) / step_x
                    count += 1
    return total / count if count > 0 else 0.0
