"""Whether the images bear it out that a lesion is new or gone: what is not drawn is not therefore absent.

A lesion without partner is called new or vanished because no other one was drawn at its place. Readers often draw only
what they follow, so the images are asked too: whether the place has changed from one exam to the other by more than
its surroundings have. Where it has not, a reader has to look.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bingcheng.core.wording import text
from bingcheng.image.membership import clipped, resampled
from bingcheng.image.region import Region
from bingcheng.image.registration.appearance import APPEARANCES
from bingcheng.image.registration.registration import Registration
from bingcheng.image.resample import at_points
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.matching import Link, LinkKind, Matching

CHANGED = 1.0
"""A place has changed if its mean differs by so many standard deviations of the difference in its surroundings: noise
and errors of registration make as much of every voxel, and less of a mean."""
RING_MM = (3.0, 9.0)
"""How far from the lesion its surroundings begin and end: beyond the blur, within the organ."""
ERROR_MM = 4.0
"""How far off registration may be: what looks least changed so far to each side counts."""
GONE: Mapping[LinkKind, bool] = MappingProxyType({LinkKind.NEW: False, LinkKind.VANISHED: True})
"""Whether the lesion of a link is one of the earlier exam."""
DOUBT = 0.5
"""What is left of the confidence of a link that the images do not bear out."""
ALIKE = (
    text("The earlier exam looks much the same at this place: it may have been there and not drawn."),
    text("The later exam looks much the same at this place: it may still be there and not drawn."),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Followed:
    """One exam as it is looked at: its voxels, and its lesions by the keys of the matching."""

    volume: Volume
    lesions: Mapping[str, Region]


def looked_again(matching: Matching, earlier: Followed, later: Followed, registration: Registration) -> Matching:
    """The matching whose new and vanished lesions were looked for in the other exam.

    Parameters
    ----------
    matching : as proposed, without edits.
    earlier, later : the exams; volumes may be coarser than the grids that lesions are drawn on.
    registration : from the earlier exam to the later one.
    """

    def checked(link: Link) -> Link:
        if link.kind not in GONE:
            return link
        gone = GONE[link.kind]
        own, other, way = (earlier, later, registration) if gone else (later, earlier, registration.inverse)
        (key,) = link.before if gone else link.after
        if _changed(own.lesions[key], own.volume, other.volume, way):
            return link
        return replace(
            link, confidence=DOUBT * link.confidence, needs_reader=True, reasons=(*link.reasons, ALIKE[gone])
        )

    links = tuple(checked(link) for link in matching.links)
    return replace(matching, proposed=links, links=links)


def _changed(region: Region, own: Volume, other: Volume, way: Registration) -> bool:
    """Whether the other exam looks different at the place of a lesion."""
    grid = own.geometry
    mask, start = clipped(*resampled(region.mask, region.geometry, grid), grid.shape)
    if not (mask > 0).any():
        return False
    margin = [math.ceil(RING_MM[1] / mm) + 1 for mm in grid.spacing_mm]
    box = Region(mask=mask, start=start, grid=grid, label="").box((margin[0], margin[1], margin[2]))
    weights = np.zeros([part.stop - part.start for part in box], dtype=np.float32)
    at = tuple(slice(s - p.start, s - p.start + n) for s, p, n in zip(start, box, mask.shape, strict=True))
    weights[at] = mask
    away = ndimage.distance_transform_edt(weights <= 0.0, sampling=grid.spacing_mm)
    ring = (away > RING_MM[0]) & (away <= RING_MM[1])
    if not ring.any():
        return False
    values = np.asarray(own.voxels[box], dtype=float)
    corner = (box[0].start, box[1].start, box[2].start)
    points = way.to_moving(grid.to_mm(np.argwhere(np.ones(weights.shape, dtype=bool)) + corner))
    around = float(np.median(values[ring]))

    def change(shift_mm: NDArray[np.float64]) -> float:
        index = other.geometry.to_index(points + shift_mm)
        found = at_points(other.voxels, index).reshape(weights.shape).astype(float)
        difference = values - _gain(around, float(np.median(found[ring])), own.unit) * found
        low, middle, high = np.percentile(difference[ring], (25, 50, 75))
        inside = float((difference * weights).sum() / weights.sum()) - float(middle)
        # The quartiles of a normal distribution lie 1.349 standard deviations apart.
        return abs(inside) - CHANGED * float(high - low) / 1.349

    shifts = np.concatenate([np.zeros((1, 3)), ERROR_MM * np.eye(3), -ERROR_MM * np.eye(3)])
    return min(change(shift) for shift in shifts) > 0.0


def _gain(own: float, other: float, unit: str) -> float:
    """What brings the other exam's values to this one's: 1 in units that mean the same everywhere."""
    return 1.0 if unit in APPEARANCES or own <= 0.0 or other <= 0.0 else own / other
