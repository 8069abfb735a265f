"""PET lesions by one threshold: fixed, or relative to the lesion, its background or the liver."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from bingcheng.core.wording import text
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.hot_spot import CLIMB, HotSpot, background_beside, beside, hot_region
from bingcheng.quantify.lesion.method import SUV_UNITS, between, segmenter
from bingcheng.quantify.lesion.neighbourhood import Mask
from bingcheng.quantify.lesion.prompt import Box, Click, PromptKind
from bingcheng.quantify.uptake.lesion_uptake import PERCIST_RADIUS_MM
from bingcheng.quantify.uptake.peak import highest_sphere_mean

PET = ("PT",)
CLICK_OR_BOX = (PromptKind.CLICK, PromptKind.BOX)

_EANM = "Boellaard et al., EANM FDG guideline 2.0, Eur J Nucl Med Mol Imaging 2015;42:328-354"
_BURGGRAAFF = "Burggraaff et al., Mol Imaging Biol 2020;22:1102-1110"

ROUNDS = 8
"""How often the background is read anew around what was found, at most; it settles after two or three."""
MOST_STEPS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentOfMax:
    """`fraction` of the highest voxel; `fill_holes` takes in what is colder but enclosed (necrosis)."""

    fraction: float = between(0.01, 1.0, 0.41)
    fill_holes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentOfPeak:
    """`fraction` of the highest mean in a sphere of `radius_mm` (1 ml) centred in the lesion."""

    fraction: float = between(0.01, 1.0, 0.41)
    radius_mm: float = between(0.5, 50.0, PERCIST_RADIUS_MM)
    fill_holes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptedPeak:
    """Background plus `fraction` of what the peak (1 ml sphere) lies above it."""

    fraction: float = between(0.01, 1.0, 0.5)
    radius_mm: float = between(0.5, 50.0, PERCIST_RADIUS_MM)
    fill_holes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedUptake:
    """`threshold_g_per_ml` in SUV."""

    threshold_g_per_ml: float = between(0.0, 10000.0, 4.0)
    fill_holes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Percist:
    """``mean_factor * reference_mean + sd_factor * reference_sd`` of the liver; with blood pool, `mean_factor` is 2."""

    reference_mean_g_per_ml: float = between(0.0, 10000.0)
    reference_sd_g_per_ml: float = between(0.0, 10000.0)
    mean_factor: float = between(0.0, 100.0, 1.5)
    sd_factor: float = between(0.0, 100.0, 2.0)
    fill_holes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundCorrected:
    """Background plus `fraction` of what the lesion's mean lies above it, found by iteration."""

    fraction: float = between(0.01, 1.0, 0.42)
    fill_holes: bool = False


@segmenter(
    key="pet_percent_of_max",
    label=text("Percentage of SUVmax"),
    modalities=PET,
    prompts=CLICK_OR_BOX,
    source=f"{_EANM} (41 %)",
    good_for=text("Even uptake well above the background, where studies ask for 41 % or 50 % of SUVmax."),
    fails=text("Finds only the hottest part of tumours with uneven uptake, and leaks where the background is near."),
    settings=PercentOfMax,
    order=20,
)
def percent_of_max(volume: Volume, prompt: Click | Box, settings: PercentOfMax) -> Region:
    """What holds at least a fraction of the highest voxel and is joined to it."""
    return hot_region(
        volume, prompt, lambda spot: filled(spot.above(settings.fraction * spot.highest), fill=settings.fill_holes)
    )


@segmenter(
    key="pet_percent_of_peak",
    label=text("Percentage of SUVpeak"),
    modalities=PET,
    prompts=CLICK_OR_BOX,
    source=f"{_EANM}; peak as the highest mean in a sphere of 1 ml",
    good_for=text("As a percentage of SUVmax, but steadier against noise."),
    fails=text("Finds only the hottest part of tumours with uneven uptake; too large in lesions of less than 1 ml."),
    settings=PercentOfPeak,
    order=21,
)
def percent_of_peak(volume: Volume, prompt: Click | Box, settings: PercentOfPeak) -> Region:
    """What holds at least a fraction of the peak and is joined to the hottest voxel.

    The peak is sought over what holds 70 % of the hottest voxel.
    """

    def find(spot: HotSpot) -> Mask:
        return filled(spot.reached(settings.fraction * peak(spot, settings.radius_mm)), fill=settings.fill_holes)

    return hot_region(volume, prompt, find)


@segmenter(
    key="pet_adapted_peak",
    label=text("Half of SUVpeak, adapted to the background"),
    modalities=PET,
    prompts=CLICK_OR_BOX,
    source=f"A50peak: {_BURGGRAAFF}; Frings et al., Radiology 2014;273:539-548",
    good_for=text("Lesions of even uptake at low contrast."),
    fails=text("Finds only the hottest part of tumours with uneven uptake; too large in lesions of less than 1 ml."),
    settings=AdaptedPeak,
    order=22,
)
def adapted_peak(volume: Volume, prompt: Click | Box, settings: AdaptedPeak) -> Region:
    """What holds at least the background plus a fraction of the peak above it: ``T = bg + f (peak - bg)``."""

    def find(spot: HotSpot) -> Mask:
        highest = peak(spot, settings.radius_mm)
        background = background_beside(spot)
        threshold = background + settings.fraction * (highest - background)
        return filled(spot.reached(threshold), fill=settings.fill_holes)

    return hot_region(volume, prompt, find)


@segmenter(
    key="pet_fixed_uptake",
    label=text("Fixed SUV threshold"),
    modalities=PET,
    prompts=CLICK_OR_BOX,
    source=f"{_BURGGRAAFF} (SUV 4.0 and 2.5)",
    good_for=text("Lymphoma and other hot lesions, many at a time; the same threshold for every reader."),
    fails=text("Blind to lesions below the threshold, and takes in hot organs that touch the lesion."),
    settings=FixedUptake,
    units=SUV_UNITS,
    order=23,
)
def fixed_uptake(volume: Volume, prompt: Click | Box, settings: FixedUptake) -> Region:
    """What holds at least a fixed SUV and is joined to the hottest voxel."""
    return hot_region(
        volume, prompt, lambda spot: filled(spot.reached(settings.threshold_g_per_ml), fill=settings.fill_holes)
    )


@segmenter(
    key="pet_percist",
    label=text("Threshold by the liver (PERCIST)"),
    modalities=PET,
    prompts=CLICK_OR_BOX,
    source="Wahl et al., PERCIST 1.0, J Nucl Med 2009;50 Suppl 1:122S-150S (1.5 x liver mean + 2 SD)",
    good_for=text("Lesions that must stand out of the patient's own liver; whether a lesion is measurable at all."),
    fails=text("Needs a healthy liver (or the blood pool) on the same image; blind to lesions below it."),
    settings=Percist,
    units=SUV_UNITS,
    order=24,
)
def percist(volume: Volume, prompt: Click | Box, settings: Percist) -> Region:
    """What holds at least ``1.5 mean + 2 SD`` of the liver and is joined to the hottest voxel."""
    threshold = settings.mean_factor * settings.reference_mean_g_per_ml
    threshold += settings.sd_factor * settings.reference_sd_g_per_ml
    return hot_region(volume, prompt, lambda spot: filled(spot.reached(threshold), fill=settings.fill_holes))


@segmenter(
    key="pet_background_corrected",
    label=text("Iterative threshold, corrected for the background"),
    modalities=PET,
    prompts=CLICK_OR_BOX,
    source="T = bg + 0.42 (mean - bg), iterated; compared among others by Tylski et al., J Nucl Med 2010;51:268-276",
    good_for=text("Most lesions, also with uneven uptake: of all thresholds the one nearest to the tumour's volume."),
    fails=text(
        "Takes in hot neighbours that touch the lesion, and leaves out parts that are as cold as the background."
    ),
    settings=BackgroundCorrected,
    order=10,
)
def background_corrected(volume: Volume, prompt: Click | Box, settings: BackgroundCorrected) -> Region:
    """What holds at least ``T = bg + 0.42 (mean - bg)``, where the mean is that of what is found.

    From the threshold that the hottest voxel gives, T falls with the mean until both agree; that is the highest
    threshold at which they do. The background is the median of a shell around what was found, without what is as hot
    as the lesion, and is read anew around each finding.
    """

    def find(spot: HotSpot) -> Mask:
        return filled(_agreed(spot, settings.fraction), fill=settings.fill_holes)

    return hot_region(volume, prompt, find)


def _agreed(spot: HotSpot, fraction: float) -> Mask:
    threshold = CLIMB * spot.highest
    mask = spot.above(threshold)
    for _ in range(ROUNDS):
        background = float(np.median(beside(spot.hood, mask, threshold)))
        threshold, found = _settled(spot, background, fraction)
        if np.array_equal(found, mask):
            break
        mask = found
        if spot.hood.cut(mask):
            break
    return mask


def _settled(spot: HotSpot, background: float, fraction: float) -> tuple[float, Mask]:
    """The highest threshold that agrees with the mean of what it finds, and that; the mean falls with the threshold."""
    threshold = background + fraction * (spot.highest - background)
    mask = spot.above(threshold)
    for _ in range(MOST_STEPS):
        mean = float(spot.hood.values[mask].mean(dtype=np.float64))
        threshold = background + fraction * (mean - background)
        found = spot.above(threshold)
        if np.count_nonzero(found) == np.count_nonzero(mask) or spot.hood.cut(found):
            return threshold, found
        mask = found
    return threshold, mask


def peak(spot: HotSpot, radius_mm: float) -> float:
    """The highest mean in a sphere centred on a voxel that holds 70 % of the hottest one.

    Raises
    ------
    Undefined, InputError
        as `uptake.peak.highest_sphere_mean`.
    """
    hot = spot.hood.region(spot.above(0.7 * spot.highest))
    return highest_sphere_mean(spot.hood.volume, hot, radius_mm)


def filled(mask: Mask, *, fill: bool) -> Mask:
    """The mask, with what it encloses in space if asked for."""
    if not fill:
        return mask
    whole: Mask = ndimage.binary_fill_holes(mask)
    return whole
