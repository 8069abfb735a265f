"""PET lesions by vote: what at least two (or three) of four usual thresholds agree on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.wording import text
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.hot_spot import HotSpot, background_beside, hot_region
from bingcheng.quantify.lesion.method import SUV_UNITS, between, segmenter
from bingcheng.quantify.lesion.neighbourhood import Mask, component_of
from bingcheng.quantify.lesion.pet_threshold import CLICK_OR_BOX, PET, filled, peak
from bingcheng.quantify.lesion.prompt import Box, Click
from bingcheng.quantify.uptake.lesion_uptake import PERCIST_RADIUS_MM

NO_MAJORITY = Problem(
    code="quantify.segmentation-without-majority",
    says="fewer than {votes} of the thresholds agree on any voxel of the lesion",
    remedy="Choose a single method, such as the iterative threshold.",
    owner=Owner.RADIOLOGIST,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MajorityVote:
    """At least `votes` of: a fraction of SUVmax, half of the adapted SUVpeak, and two fixed SUV."""

    votes: int = between(1, 4, 2)
    fraction_of_max: float = between(0.01, 1.0, 0.41)
    fraction_of_peak: float = between(0.01, 1.0, 0.5)
    low_g_per_ml: float = between(0.0, 10000.0, 2.5)
    high_g_per_ml: float = between(0.0, 10000.0, 4.0)
    radius_mm: float = between(0.5, 50.0, PERCIST_RADIUS_MM)
    fill_holes: bool = False


@segmenter(
    key="pet_majority_vote",
    label=text("Majority vote of four thresholds"),
    modalities=PET,
    prompts=CLICK_OR_BOX,
    source="MV2 and MV3 of 41 % of SUVmax, A50peak, SUV 2.5 and SUV 4.0: Burggraaff et al., Mol Imaging Biol "
    "2020;22:1102-1110",
    good_for=text("Lymphoma: fewer corrections by hand than any single threshold."),
    fails=text("Too small in tumours with uneven uptake; needs image values in SUV."),
    settings=MajorityVote,
    units=SUV_UNITS,
    order=26,
)
def majority_vote(volume: Volume, prompt: Click | Box, settings: MajorityVote) -> Region:
    """What at least two (MV2) or three (MV3) of four thresholds hold, joined to the hottest voxel.

    A threshold above the hottest voxel votes for nothing.

    Raises
    ------
    Undefined
        ``quantify.segmentation-without-majority``; ``quantify.segmentation-leaks``: the majority does.
    """

    def find(spot: HotSpot) -> Mask:
        votes = np.zeros(spot.hood.shape, dtype=np.uint8)
        for threshold in _thresholds(spot, settings):
            votes += spot.above(threshold)
        agreed = component_of(votes >= settings.votes, spot.seed)
        if not agreed.any():
            raise Undefined(NO_MAJORITY, votes=settings.votes)
        return filled(agreed, fill=settings.fill_holes)

    return hot_region(volume, prompt, find)


def _thresholds(spot: HotSpot, settings: MajorityVote) -> tuple[float, float, float, float]:
    highest = peak(spot, settings.radius_mm)
    background = background_beside(spot)
    adapted = background + settings.fraction_of_peak * (highest - background)
    return settings.fraction_of_max * spot.highest, adapted, settings.low_g_per_ml, settings.high_g_per_ml
