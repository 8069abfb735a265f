"""Region growing: what is joined to the prompt and has grey values like the middle of the lesion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from bingcheng.core.wording import text
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.method import between, segmenter
from bingcheng.quantify.lesion.neighbourhood import (
    Floats,
    Mask,
    Neighbourhood,
    distance_inside_mm,
    distance_outside_mm,
    grown,
    in_growing_window,
    opened,
)
from bingcheng.quantify.lesion.prompt import Box, Click, Index, PromptKind, RecistLine, body_of, nearest_voxel

REACH_MM, FARTHEST_MM = 30.0, 75.0
"""Half the first and the last window around a click: in fine CT slices a larger one would be most of the image."""
BESIDE_MM = (2.0, 6.0)
"""The shell that holds what lies beside the lesion."""
BEYOND = 1.4
"""A box or line bounds the lesion this many times its radius out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionGrowing:
    """Grey values within `width_sd` standard deviations of the mean of what was found.

    Parameters
    ----------
    width_sd : half the width of the range of grey values.
    rounds : how often mean and spread are told anew.
    smoothing_mm : standard deviation of the filter before.
    core_mm : radius around the prompt from which the first values come.
    opening : what comes off at the end, as a fraction of the largest inscribed ball: vessels and bridges.
    """

    width_sd: float = between(0.0, 100.0, 2.5)
    rounds: int = between(1, 50, 4)
    smoothing_mm: float = between(0.0, 20.0, 1.0)
    core_mm: float = between(0.0, 50.0, 4.0)
    opening: float = between(0.0, 1.0, 0.4)


@segmenter(
    key="region_growing",
    label=text("Region growing"),
    modalities=("CT", "MR"),
    prompts=(PromptKind.CLICK, PromptKind.RECIST_LINE, PromptKind.BOX),
    source="Confidence-connected growing after Adams and Bischof, IEEE Trans Pattern Anal Mach Intell 1994;16:641-647, "
    "with a morphological opening",
    good_for=text("Lesions of even grey value in other tissue all around, by a single click."),
    fails=text("Runs out into tissue of the same grey value, and stops at the rim of uneven lesions."),
    settings=RegionGrowing,
    order=33,
)
def region_growing(volume: Volume, prompt: Click | Box | RecistLine, settings: RegionGrowing) -> Region:
    """What is joined to the middle of the prompt within ``mean +- width SD``, told anew from each finding, opened.

    At the end the range reaches at least half-way to what lies beside, so that the border of a quiet image is found.

    Raises
    ------
    Undefined
        ``quantify.segmentation-leaks``.
    """
    if isinstance(prompt, Click):
        centre = nearest_voxel(prompt.position_mm, volume.geometry)

        def attempt(hood: Neighbourhood) -> Mask:
            return _grown(hood, hood.local(centre), hood.seen, settings)

        hood, mask = in_growing_window(volume, centre, REACH_MM, attempt, FARTHEST_MM)
        return hood.region(mask)
    body = body_of(prompt, volume.geometry)
    hood = Neighbourhood.about(volume, body, times=BEYOND, margin_mm=max(volume.geometry.spacing_mm))
    seed = hood.local(body.voxel(volume.geometry))
    return hood.region(_grown(hood, seed, hood.seen & (hood.radius(body) <= BEYOND), settings))


def _grown(hood: Neighbourhood, seed: Index, allowed: Mask, settings: RegionGrowing) -> Mask:
    widths = [settings.smoothing_mm / s for s in hood.spacing_mm]
    values: Floats = ndimage.gaussian_filter(hood.values, widths, mode="nearest")
    core = hood.within(seed, settings.core_mm) & allowed
    if not core.any():
        return core
    mask = core
    for _ in range(settings.rounds):
        found = values[mask]
        mean, spread = float(found.mean(dtype=np.float64)), float(found.std(dtype=np.float64))
        reach = settings.width_sd * spread
        # What holds the seed stays: noise in one voxel must not end it.
        low, high = min(mean - reach, float(values[seed])), max(mean + reach, float(values[seed]))
        grown_now = grown(values, allowed, seed, low, high)
        if np.array_equal(grown_now, mask) or hood.cut(grown_now):
            mask = grown_now
            break
        mask = grown_now
    if not hood.cut(mask):
        mask = _to_half_way(values, mask, allowed, seed, hood)
    whole: Mask = ndimage.binary_fill_holes(mask)
    # Filled for the opening; but what was not recorded does not belong.
    return _without_bridges(whole, seed, settings.opening, hood) & hood.seen


def _to_half_way(values: Floats, mask: Mask, allowed: Mask, seed: Index, hood: Neighbourhood) -> Mask:
    """Grown on to half-way between the lesion and what lies beside it, if noise alone stopped it before."""
    away = distance_outside_mm(mask, hood.spacing_mm)
    shell = (away > BESIDE_MM[0]) & (away <= BESIDE_MM[1]) & hood.seen
    if not shell.any():
        return mask
    mean, outside = float(values[mask].mean(dtype=np.float64)), float(np.median(values[shell]))
    half = 0.5 * abs(mean - outside)
    found = values[mask]
    low, high = min(mean - half, float(np.min(found))), max(mean + half, float(np.max(found)))
    return grown(values, allowed, seed, low, high)


def _without_bridges(mask: Mask, seed: Index, fraction: float, hood: Neighbourhood) -> Mask:
    if fraction <= 0.0:
        return mask
    depth = distance_inside_mm(mask, hood.spacing_mm)
    deepest = np.unravel_index(int(np.argmax(depth)), depth.shape)
    middle = (int(deepest[0]), int(deepest[1]), int(deepest[2]))
    kept = opened(mask, seed, fraction * float(depth[seed]), hood.spacing_mm)
    return kept if kept[seed] else opened(mask, middle, fraction * float(depth[middle]), hood.spacing_mm)
