"""Where a lesion on a PET image is hottest, and what lies beside it: from where every threshold method starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.image.geometry import Triple
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.neighbourhood import (
    LEAKED,
    NOTHING_RECORDED_HERE,
    Floats,
    Mask,
    Neighbourhood,
    distance_outside_mm,
    grown,
    in_growing_window,
)
from bingcheng.quantify.lesion.prompt import Box, Click, Index, nearest_voxel, voxels_of

CLICK_ON_BACKGROUND = Problem(
    code="quantify.click-on-background",
    says="nothing at this place takes up clearly more than what surrounds it",
    remedy="Click into the lesion itself; if it is faint, draw a box around it.",
    owner=Owner.RADIOLOGIST,
)
CLICK_FAR_OFF = Problem(
    code="quantify.click-far-off",
    says="what takes up most near this place lies {distance} mm from the click, and may be another lesion",
    remedy="Click into the lesion itself; if it is faint, draw a box around it.",
    owner=Owner.RADIOLOGIST,
)
NO_BACKGROUND = Problem(
    code="quantify.segmentation-without-background",
    says="around the lesion there is no image from which its background could be told",
    remedy="Choose a method that needs no background, or give an image that shows more than the lesion.",
    owner=Owner.RADIOLOGIST,
)
BELOW_THRESHOLD = Problem(
    code="quantify.uptake-below-threshold",
    says="the lesion's highest value here is {highest}, below the threshold of {threshold}",
    remedy="Choose a method whose threshold depends on the lesion.",
    owner=Owner.RADIOLOGIST,
)

CLIMB = 0.7
"""Part of the highest value so far that a voxel must hold to be climbed through (Burggraaff et al. 2020)."""
SNAP_MM = 4.0
"""A click is about one PET voxel precise: the climb starts from the hottest voxel this near."""
ASTRAY_MM = 10.0
"""How far from what is drawn a click may lie: on its blurred flank, or in the middle of a small necrosis. It is one and
a half times the resolution of PET (6.6 mm); farther off another lesion may be meant, or none."""
REACH_MM = 45.0
"""Half the first window; it grows where a lesion needs more."""
BESIDE_MM = (6.0, 18.0)
"""The shell that holds the background: beyond the blur of PET (two standard deviations), and still near."""
FARTHER_MM = (20.0, 28.0)
"""The shell around the hottest part alone: farther off, for an uneven tumour goes on beside it."""
LEAST_CONTRAST_SD, LEAST_RATIO = 4.0, 2.5
"""Of many voxels of noise the highest lies about three to four standard deviations up; a lesion lies higher. In an
uneven tumour what surrounds the hottest place is tumour too, and spreads: there the ratio tells."""
LEAST_VOXELS = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HotSpot:
    """The hottest voxel of a lesion, with the image around it.

    Parameters
    ----------
    hood : the image around it.
    seed : its index in `hood`.
    allowed : (z, y, x), where the lesion may be.
    """

    hood: Neighbourhood
    seed: Index
    allowed: Mask

    @property
    def highest(self) -> float:
        """Its value."""
        return float(self.hood.values[self.seed])

    def above(self, threshold: float) -> Mask:
        """What is at least as hot as the threshold and joined to the hottest voxel, (z, y, x)."""
        return grown(self.hood.values, self.allowed, self.seed, threshold)

    def reached(self, threshold: float) -> Mask:
        """As `above`, but raises where the hottest voxel itself is below.

        Raises
        ------
        Undefined
            ``quantify.uptake-below-threshold``.
        """
        if self.highest < threshold:
            raise Undefined(BELOW_THRESHOLD, highest=self.highest, threshold=threshold)
        return self.above(threshold)


def beside(
    hood: Neighbourhood, lesion: Mask, below: float = np.inf, shell_mm: tuple[float, float] = BESIDE_MM
) -> Floats:
    """The values (n,) in a shell around a lesion, from `shell_mm` to `shell_mm` off, without what is as hot as `below`.

    Raises
    ------
    Undefined
        ``quantify.segmentation-without-background``.
    """
    box = _around(lesion, hood.spacing_mm, shell_mm[1])
    away = distance_outside_mm(lesion[box], hood.spacing_mm)
    values = hood.values[box]
    shell = (away >= shell_mm[0]) & (away <= shell_mm[1]) & hood.seen[box] & (values < below)
    if np.count_nonzero(shell) < LEAST_VOXELS:
        raise Undefined(NO_BACKGROUND)
    found: Floats = values[shell]
    return found


def background_beside(spot: HotSpot) -> float:
    """The background of the lesion around its hottest voxel: the median in a shell 20 to 28 mm off.

    Off what holds 70 % of the hottest voxel, which has not leaked; without what holds half of it.

    Raises
    ------
    Undefined
        ``quantify.segmentation-without-background``.
    """
    hot = spot.above(CLIMB * spot.highest)
    return float(np.median(beside(spot.hood, hot, 0.5 * spot.highest, FARTHER_MM)))


def hot_region(volume: Volume, prompt: Click | Box, find: Callable[[HotSpot], Mask]) -> Region:
    """The region of what `find` draws around the hottest voxel that belongs to a click or lies in a box.

    Around a click the window grows until the drawing no longer touches it; in a box the drawing stays in the box.
    Quiet background is climbed through as well, to whatever hot place is joined to it; so what is drawn must come near
    to the click.

    Raises
    ------
    Undefined
        ``quantify.prompt-without-image``, ``quantify.click-on-background``, ``quantify.segmentation-leaks``,
        ``quantify.click-far-off``; what `find` raises.
    """
    if isinstance(prompt, Box):
        spot = in_box(volume, prompt)
        return spot.hood.region(find(spot) & spot.hood.seen)  # a filled hole may hold what was not recorded
    top = climbed(volume, prompt)

    def attempt(hood: Neighbourhood) -> Mask:
        return find(HotSpot(hood=hood, seed=hood.local(top), allowed=hood.seen))

    hood, mask = in_growing_window(volume, top, REACH_MM, attempt)
    region = hood.region(mask & hood.seen)
    if not region.empty:
        places = region.geometry.to_mm(np.argwhere(region.inside))
        away = float(np.linalg.norm(places - np.asarray(prompt.position_mm), axis=1).min())
        if away > ASTRAY_MM:
            raise Undefined(CLICK_FAR_OFF, distance=round(away))
    return region


def in_box(volume: Volume, box: Box) -> HotSpot:
    """The hottest voxel in a box, with some image around the box.

    Raises
    ------
    Undefined
        ``quantify.prompt-without-image``; ``quantify.click-on-background``: no value in the box is above zero.
    """
    chosen = voxels_of(box, volume.geometry)
    hood = Neighbourhood.beyond(volume, chosen, FARTHER_MM[1])
    allowed = np.zeros(hood.shape, dtype=bool)
    inner = tuple(slice(s.start - at, s.stop - at) for s, at in zip(chosen, hood.start, strict=True))
    allowed[inner] = True
    allowed &= hood.seen
    if not allowed.any():
        raise Undefined(NOTHING_RECORDED_HERE)
    spot = HotSpot(hood=hood, seed=_hottest(hood.values, allowed), allowed=allowed)
    if spot.highest <= 0.0:
        raise Undefined(CLICK_ON_BACKGROUND)
    return spot


def climbed(volume: Volume, click: Click) -> Index:
    """The index in the volume of the hottest voxel that a click leads to.

    From the hottest voxel next to the click, whatever holds at least 70 % of the highest value so far and is joined to
    it is gone through; if there is a higher value in it, from there again. A lesion must stand out of what surrounds
    it: by four standard deviations (told robustly, from quartiles), or as two and a half times its median.

    Raises
    ------
    Undefined
        ``quantify.prompt-without-image``, ``quantify.click-on-background``.
    """
    clicked = nearest_voxel(click.position_mm, volume.geometry)
    tops: list[Index] = []

    def attempt(hood: Neighbourhood) -> Mask:
        top, passed = _climb(hood, hood.local(clicked))
        tops.append((top[0] + hood.start[0], top[1] + hood.start[1], top[2] + hood.start[2]))
        return passed

    try:
        hood, passed = in_growing_window(volume, clicked, REACH_MM, attempt)
    except Undefined as error:
        if error.problem is LEAKED:
            raise Undefined(CLICK_ON_BACKGROUND) from error
        raise
    _must_stand_out(hood, passed)
    return tops[-1]


def _climb(hood: Neighbourhood, clicked: Index) -> tuple[Index, Mask]:
    """The hottest voxel reached, and all that was gone through."""
    near = hood.within(clicked, SNAP_MM) & hood.seen
    if not near.any():
        raise Undefined(NOTHING_RECORDED_HERE)
    top = _hottest(hood.values, near)
    passed = np.zeros(hood.shape, dtype=bool)
    while True:
        highest = float(hood.values[top])
        if highest <= 0.0:
            raise Undefined(CLICK_ON_BACKGROUND)
        region = grown(hood.values, hood.seen, top, CLIMB * highest)
        passed |= region
        higher = _hottest(hood.values, region)
        if hood.values[higher] <= highest:
            return top, passed
        top = higher


def _must_stand_out(hood: Neighbourhood, passed: Mask) -> None:
    highest = float(np.max(hood.values[passed]))
    try:
        around = beside(hood, passed)
    except Undefined:
        return  # An image cropped to the lesion: nothing to compare with, and nothing else to climb to.
    low, middle, high = np.percentile(around, [25.0, 50.0, 75.0])
    spread = float(high - low) / 1.349  # interquartile range of a normal distribution of unit variance
    if highest < min(middle + LEAST_CONTRAST_SD * spread, max(LEAST_RATIO * middle, 0.0)):
        raise Undefined(CLICK_ON_BACKGROUND)


def _hottest(values: Floats, among: Mask) -> Index:
    at = np.unravel_index(int(np.argmax(np.where(among, values, -np.inf))), values.shape)
    return int(at[0]), int(at[1]), int(at[2])


def _around(mask: Mask, spacing_mm: Triple, margin_mm: float) -> tuple[slice, slice, slice]:
    found = ndimage.find_objects(mask.view(np.uint8))[0]
    margins = [int(np.ceil(margin_mm / s)) for s in spacing_mm]
    slices = [
        slice(max(0, s.start - m), min(n, s.stop + m)) for s, m, n in zip(found, margins, mask.shape, strict=True)
    ]
    return slices[0], slices[1], slices[2]
