"""Solid lung nodules on CT: grown from a click, taken off vessels and wall, and filled by partial volume.

A small nodule is mostly border: voxels above a threshold miss a fifth of one of 6 mm. So every voxel near the border
belongs by how far its CT number lies between lung and nodule, and the sum of the parts is the volume.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.wording import text
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.method import between, segmenter
from bingcheng.quantify.lesion.neighbourhood import (
    Floats,
    Mask,
    Neighbourhood,
    component_of,
    distance_inside_mm,
    distance_outside_mm,
    grown,
)
from bingcheng.quantify.lesion.prompt import Click, Index, PromptKind, RecistLine, body_of, nearest_voxel

NOT_A_NODULE = Problem(
    code="quantify.no-nodule-here",
    says="nothing denser than lung lies at this place",
    remedy="Click into the nodule; ground-glass nodules need an outline by hand.",
    owner=Owner.RADIOLOGIST,
)
NOT_DETACHED = Problem(
    code="quantify.nodule-not-detached",
    says="the nodule can't be told from the wall or vessel that it touches",
    remedy="Draw its longest diameter as a line, or cut it off by hand.",
    owner=Owner.RADIOLOGIST,
)
NO_LUNG = Problem(
    code="quantify.nodule-without-lung",
    says="no lung surrounds this place, so that it is no lung nodule",
    remedy="Use a method for solid lesions in soft tissue.",
    owner=Owner.RADIOLOGIST,
)

REACH_MM = 20.0
MOST_MM = 45.0
"""Half the largest window: a mass of more than 6 cm is no nodule."""
SNAP_MM = 2.5
LEAST_LUNG = 30
LUNG_AROUND = 0.6
"""A nodule has lung next to at least this part of its border; of a piece of wall or mediastinum less is free."""
INNER_VOXELS = 5
"""From so many voxels that no lung blurs into, the nodule's own density is read; else it is assumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LungNodule:
    """How a nodule is told from lung, vessels and wall.

    Parameters
    ----------
    lung_below_hu : voxels below it count as lung when its density is read.
    core_hu : density assumed of nodules too small to show their own.
    opening : what comes off, as a fraction of the nodule's inscribed ball: vessels thinner than that.
    border_mm : how far beyond the threshold's border voxels may belong in part; about two standard deviations of blur.
    """

    lung_below_hu: float = between(-1000.0, 0.0, -600.0)
    core_hu: float = between(-300.0, 3000.0, 30.0)
    opening: float = between(0.0, 1.0, 0.6)
    border_mm: float = between(0.0, 10.0, 1.8)


@segmenter(
    key="ct_lung_nodule",
    label=text("Lung nodule with partial volume"),
    modalities=("CT",),
    prompts=(PromptKind.CLICK, PromptKind.RECIST_LINE),
    source="Detachment after Kuhnigk et al., IEEE Trans Med Imaging 2006;25:417-434; partial volumes as the integral "
    "of (HU - lung) / (nodule - lung)",
    good_for=text("Solid nodules in the lung from 5 mm on, alone or on a thin vessel: volumes without threshold bias."),
    fails=text("Ground glass, nodules with a broad base on the wall, and vessels as thick as the nodule."),
    settings=LungNodule,
    order=10,
    recommended=True,
)
def lung_nodule(volume: Volume, prompt: Click | RecistLine, settings: LungNodule) -> Region:
    """The part of each voxel that belongs to the nodule; the sum of all parts is the partial-volume integral.

    Grown from the densest voxel near the click above the middle of lung and nodule; opened until vessels and wall come
    off. Then each voxel up to `border_mm` beyond belongs by ``(HU - lung) / (nodule - lung)``, cut to [0, 1]; parts
    below one are scaled so that cutting the noise does not change the integral. What came off stays out, with its own
    border.

    Raises
    ------
    Undefined
        ``quantify.no-nodule-here``, ``quantify.nodule-without-lung``, ``quantify.nodule-not-detached``.
    """
    where, most_mm = _place(volume, prompt)
    reach_mm = min(REACH_MM, most_mm)
    while True:
        hood = Neighbourhood.around(volume, where, reach_mm + settings.border_mm + 5.0)
        found = _drawn(hood, hood.local(where), reach_mm, settings)
        if found is not None:
            return hood.region(found)
        if reach_mm >= most_mm:
            raise Undefined(NOT_DETACHED)
        reach_mm = min(1.5 * reach_mm, most_mm)


def _place(volume: Volume, prompt: Click | RecistLine) -> tuple[Index, float]:
    """The voxel to start from, and how far from it the nodule can reach."""
    if isinstance(prompt, Click):
        return nearest_voxel(prompt.position_mm, volume.geometry), MOST_MM
    body = body_of(prompt, volume.geometry)
    return body.voxel(volume.geometry), min(MOST_MM, 0.75 * prompt.length_mm + 2.0)


def _drawn(hood: Neighbourhood, clicked: Index, reach_mm: float, settings: LungNodule) -> Floats | None:
    """The membership, or None where the nodule can't be detached within the window."""
    seed = _densest_near(hood, clicked, settings)
    lung = hood.seen & (hood.values < settings.lung_below_hu)
    if np.count_nonzero(lung) < LEAST_LUNG:
        raise Undefined(NO_LUNG)
    lung_hu = float(np.median(hood.values[lung]))
    # A nodule of a few voxels never reaches its own density.
    dense_hu = min(settings.core_hu, float(hood.values[seed]))
    dense = grown(hood.values, hood.seen, seed, (lung_hu + dense_hu) / 2.0)
    nodule = _detached(hood, dense, seed, clicked, reach_mm, settings.opening)
    if nodule is None:
        return None
    return _membership(hood, nodule, dense & ~nodule, settings)


def _densest_near(hood: Neighbourhood, clicked: Index, settings: LungNodule) -> Index:
    """The densest voxel near the click, smoothed a little; it must be denser than lung."""
    smooth = ndimage.gaussian_filter(hood.values, [0.5 / s for s in hood.spacing_mm], mode="nearest")
    near = hood.within(clicked, SNAP_MM) & hood.seen
    if not near.any():
        raise Undefined(NOT_A_NODULE)
    at = np.unravel_index(int(np.argmax(np.where(near, smooth, -np.inf))), smooth.shape)
    seed = (int(at[0]), int(at[1]), int(at[2]))
    if hood.values[seed] < settings.lung_below_hu:
        raise Undefined(NOT_A_NODULE)
    return seed


def _detached(
    hood: Neighbourhood, dense: Mask, seed: Index, clicked: Index, reach_mm: float, opening: float
) -> Mask | None:
    """What is left around the seed once thinner parts are off; None if it still leaves the ball of `reach_mm`."""
    within = hood.within(clicked, reach_mm)
    if _whole(dense, dense, within, hood) and _compact(dense, hood):
        return dense
    depth = distance_inside_mm(dense, hood.spacing_mm)
    centre = _uphill(depth, seed)
    for fraction in (opening, 0.5 * (1.0 + opening), 0.95):
        radius_mm = fraction * float(depth[centre])
        core = component_of(depth > radius_mm, centre)
        if not core.any() or hood.cut(core):
            continue
        # Half a voxel more than was taken off, so that what is rounded off comes back.
        back = distance_outside_mm(core, hood.spacing_mm) <= radius_mm + 0.5 * min(hood.spacing_mm)
        nodule = component_of(dense & back, centre)
        if _whole(nodule, dense, within, hood):
            return nodule
    return None


def _whole(nodule: Mask, dense: Mask, within: Mask, hood: Neighbourhood) -> bool:
    """Whether a nodule lies in the window and in the slices as a whole, and mostly lung is next to it."""
    if (nodule & ~within).any() or hood.cut(nodule) or _touches_slice_border(nodule, hood):
        return False
    rim = ndimage.binary_dilation(nodule) & ~nodule
    return bool(np.count_nonzero(rim & ~dense) >= LUNG_AROUND * np.count_nonzero(rim))


def _touches_slice_border(nodule: Mask, hood: Neighbourhood) -> bool:
    """Whether it reaches the first or last row or column of the image, where more of it may follow."""
    return any(
        (hood.start[axis] == 0 and np.take(nodule, 0, axis=axis).any())
        or (hood.start[axis] + n == hood.volume.geometry.shape[axis] and np.take(nodule, -1, axis=axis).any())
        for axis, n in ((1, hood.shape[1]), (2, hood.shape[2]))
    )


def _compact(mask: Mask, hood: Neighbourhood) -> bool:
    """Whether a mask fills at least a third of the ball about it: then nothing hangs on to it that could come off."""
    found = ndimage.find_objects(mask.view(np.uint8))[0]
    # From middle to middle: of two thick slices each may hold little of it.
    finest = min(hood.spacing_mm)
    extents = [(s.stop - s.start - 1) * step + finest for s, step in zip(found, hood.spacing_mm, strict=True)]
    volume = float(np.count_nonzero(mask)) * math.prod(hood.spacing_mm)
    return volume >= math.pi / 6.0 * float(max(extents)) ** 3 / 3.0


def _uphill(depth: Floats, seed: Index) -> Index:
    """The nearest local maximum of depth: from voxel to deepest neighbour."""
    at = seed
    while True:
        low = [max(0, a - 1) for a in at]
        box = tuple(slice(start, a + 2) for start, a in zip(low, at, strict=True))
        best = np.unravel_index(int(np.argmax(depth[box])), depth[box].shape)
        to = (low[0] + int(best[0]), low[1] + int(best[1]), low[2] + int(best[2]))
        if depth[to] <= depth[at]:
            return at
        at = to


def _membership(hood: Neighbourhood, nodule: Mask, off: Mask, settings: LungNodule) -> Floats:
    # The nodule blurs into the next voxel at least, however thick the slices; and in a slice that holds it in part, the
    # threshold lies well within its border.
    border_mm = max(settings.border_mm, 0.6 * max(hood.spacing_mm))
    z, y, x = (min(step, border_mm) for step in hood.spacing_mm)
    spacing = (z, y, x)
    beyond = distance_outside_mm(nodule, spacing)
    reach = beyond <= border_mm
    if off.any():
        # What came off, and the border that is nearer to it than to the nodule.
        reach &= ~off & (distance_outside_mm(off, spacing) > np.minimum(beyond, border_mm))
    lung_hu = _lung(hood, nodule, beyond - np.float32(border_mm), settings)
    core_hu = _core(hood, nodule, settings)
    part = (hood.values - np.float32(lung_hu)) / np.float32(core_hu - lung_hu)
    part[~reach] = 0.0
    whole = float(part.sum(dtype=np.float64))
    member: Floats = np.clip(part, 0.0, 1.0)
    # Noise cut off at 0 and 1 does not cancel; the voxels that belong in part take the difference.
    full = member >= 1.0
    partial = float(member[~full].sum(dtype=np.float64))
    if partial > 0.0:
        scale = (whole - float(np.count_nonzero(full))) / partial
        member[~full] *= np.float32(min(max(scale, 0.0), 1.5))
    return np.clip(member, 0.0, 1.0)


def _lung(hood: Neighbourhood, nodule: Mask, past_border: Floats, settings: LungNodule) -> float:
    """The density of the lung beside the nodule, in HU."""
    shell = (past_border > 1.0) & (past_border <= 6.0) & hood.seen
    lung = shell & (hood.values < settings.lung_below_hu)
    if np.count_nonzero(lung) < LEAST_LUNG:
        lung = hood.seen & ~nodule & (hood.values < settings.lung_below_hu)
    if np.count_nonzero(lung) < LEAST_LUNG:
        raise Undefined(NO_LUNG)
    return float(np.median(hood.values[lung]))


def _core(hood: Neighbourhood, nodule: Mask, settings: LungNodule) -> float:
    """The density of the nodule where no lung blurs in, in HU; assumed where there is no such place."""
    inner = distance_inside_mm(nodule, hood.spacing_mm) > settings.border_mm + 0.5 * max(hood.spacing_mm)
    if np.count_nonzero(inner) < INNER_VOXELS:
        return settings.core_hu
    return float(np.median(hood.values[inner]))
