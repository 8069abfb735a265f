"""On which image a drawn region lies, and its membership on that image's voxels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.codes import Code
from bingcheng.core.errors import BingchengError, InputError, Owner, Problem
from bingcheng.dicom.exam import Series, VolumeFrames
from bingcheng.dicom.grouping.volumes import PART
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.membership import Index, clipped, trimmed
from bingcheng.image.region import Region

OTHER_FRAME_OF_REFERENCE = Problem(
    code="dicom.other-frame-of-reference",
    says="'{label}' was drawn in another frame of reference than every image here, so that it can't be placed",
    remedy="Send the image on which it was drawn, or register the two and store the registered segmentation.",
    owner=Owner.RADIOLOGIST,
)
IMAGE_ABSENT = Problem(
    code="dicom.segmented-image-absent",
    says="the image on which '{label}' was drawn is not among the images here",
    remedy="Send the image series that the segmentation refers to.",
    owner=Owner.ARCHIVE,
)
EMPTY_SEGMENT = Problem(
    code="dicom.empty-segment",
    says="'{label}' (number {number}) is declared, but nothing was drawn for it",
    remedy="Draw the region, or delete it from the segmentation.",
    owner=Owner.RADIOLOGIST,
)
OUTSIDE_IMAGE = Problem(
    code="dicom.region-outside-image",
    says="'{label}' (number {number}) lies wholly outside of the image",
    remedy="Check that the segmentation belongs to this image, and that the image is complete.",
    owner=Owner.RADIOLOGIST,
)
LEAVES_IMAGE = Problem(
    code="dicom.region-leaves-image",
    says="{percent} % of '{label}' (number {number}) lie outside of the image; only the rest is measured",
    remedy="Send the whole image series, with every slice on which the region was drawn.",
    owner=Owner.ARCHIVE,
)
ON_GAP = Problem(
    code="dicom.region-on-gap",
    says="'{label}' (number {number}) reaches over slices that are missing or can't be used, so that it is not whole",
    remedy="Send the image series again with all its slices.",
    owner=Owner.ARCHIVE,
)
SMALLEST_LOSS = 1e-3
"""Of a region's volume: what interpolation at the border may shift outside without being called a loss."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacedRegion:
    """A region on the grid of one volume.

    Parameters
    ----------
    series_uid, volume : the image series, and which of its volumes (index into `Series.volumes`).
    region : the membership; its `code` is the segmented property type.
    number : segment number or ROI number in the object.
    tracking_id : as people name the lesion over time; None if not tracked.
    category : segmented property category, e.g. (49755003, SCT, Morphologically Abnormal Structure).
    role : RT ROI interpreted type (3006,00A4) of an RTSTRUCT, e.g. GTV or ORGAN.
    """

    series_uid: str
    volume: int
    region: Region
    number: int
    tracking_id: str | None = None
    category: Code | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """What an object says it was drawn on; either may be empty."""

    series_uids: frozenset[str] = frozenset()
    sop_instance_uids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """One segment or ROI before it is placed.

    Parameters
    ----------
    membership : makes (mask, start index) on a given grid; the box may reach beyond the grid.
    points_mm : (n, 3) LPS positions that span the region, to find the image that holds it.
    frame_of_reference_uid : of the positions; None if the object doesn't say.
    """

    number: int
    label: str
    membership: Callable[[VolumeGeometry], tuple[NDArray[Any], Index]]
    points_mm: NDArray[np.float64]
    frame_of_reference_uid: str | None
    source_uid: str
    references: References = field(default_factory=References)
    tracking_uid: str | None = None
    tracking_id: str | None = None
    code: Code | None = None
    category: Code | None = None
    role: str | None = None
    method: str = ""


Target = tuple[Series, int, VolumeFrames]


def placed(drawn: Drawn, images: Sequence[Series]) -> Iterator[PlacedRegion | BingchengError]:
    """The region on each image that it was drawn on, and what could not be done as an error, not raised.

    The images that the object refers to come first; of several volumes on one grid (b-values, echoes) the first
    stands for all. Without a reference that is here, the image of the same frame of reference that holds most of the
    region, and of those the finest, is taken. Of a series with gaps that part is taken which holds the whole region.
    """
    try:
        for target in _targets(drawn, images):
            yield from _on_part(drawn, target[0]) if _is_part(target[2]) else _on(drawn, target)
    except BingchengError as error:
        yield error


def _on(drawn: Drawn, target: Target) -> Iterator[PlacedRegion | BingchengError]:
    mask, start, lost = _inside(drawn, target[2].geometry)
    if mask.size == 0:
        raise InputError(OUTSIDE_IMAGE, label=drawn.label, number=drawn.number)
    if lost > SMALLEST_LOSS:
        yield InputError(LEAVES_IMAGE, label=drawn.label, number=drawn.number, percent=round(100 * lost, 1))
    yield _region(drawn, target, mask, start)


def _on_part(drawn: Drawn, series: Series) -> Iterator[PlacedRegion]:
    """The region on the part of a series with gaps that holds all of it."""
    for index, frames in enumerate(series.volumes):
        if _is_part(frames):
            mask, start, lost = _inside(drawn, frames.geometry)
            if lost <= SMALLEST_LOSS:
                yield _region(drawn, (series, index, frames), mask, start)
                return
    raise InputError(ON_GAP, label=drawn.label, number=drawn.number)


def _inside(drawn: Drawn, grid: VolumeGeometry) -> tuple[NDArray[Any], Index, float]:
    """The membership within a grid, where it begins, and which share of the region lies outside."""
    mask, start = trimmed(*drawn.membership(grid))
    if mask.size == 0:
        raise InputError(EMPTY_SEGMENT, label=drawn.label, number=drawn.number)
    inside, begin = trimmed(*clipped(mask, start, grid.shape))
    return inside, begin, 1.0 - float(inside.sum(dtype=np.float64)) / float(mask.sum(dtype=np.float64))


def _region(drawn: Drawn, target: Target, mask: NDArray[Any], start: Index) -> PlacedRegion:
    series, index, frames = target
    return PlacedRegion(
        series_uid=series.uid,
        volume=index,
        region=Region(
            mask=mask,
            start=start,
            grid=frames.geometry,
            label=drawn.label,
            tracking_uid=drawn.tracking_uid,
            code=drawn.code,
            method=drawn.method,
            source_uid=drawn.source_uid,
        ),
        number=drawn.number,
        tracking_id=drawn.tracking_id,
        category=drawn.category,
        role=drawn.role,
    )


def _targets(drawn: Drawn, images: Sequence[Series]) -> list[Target]:
    every = [(series, index, frames) for series in images for index, frames in enumerate(series.volumes)]
    named = [target for target in every if _refers_to(drawn.references, target)]
    if named:
        fitting = [target for target in named if _same_frame(drawn, target, trust_absent=True)]
        if not fitting:
            raise InputError(OTHER_FRAME_OF_REFERENCE, label=drawn.label)
        return _one_a_grid(fitting)
    fitting = [target for target in every if not target[0].localiser and _same_frame(drawn, target, trust_absent=False)]
    if fitting:
        return [max(fitting, key=lambda target: _fit(drawn, target[2].geometry))]
    if every and drawn.frame_of_reference_uid is not None:
        raise InputError(OTHER_FRAME_OF_REFERENCE, label=drawn.label)
    raise InputError(IMAGE_ABSENT, label=drawn.label)


def _refers_to(references: References, target: Target) -> bool:
    series, _, frames = target
    uids = references.sop_instance_uids
    if uids and not uids.isdisjoint(frames.sop_instance_uids):
        return True
    if _is_part(frames) and not uids.isdisjoint(series.sop_instance_uids):
        return True  # drawn on one of its slices that can't be used
    # A series named without any of its instances here is meant as a whole.
    return series.uid in references.series_uids and uids.isdisjoint(series.sop_instance_uids)


def _same_frame(drawn: Drawn, target: Target, *, trust_absent: bool) -> bool:
    series, _, frames = target
    mine = drawn.frame_of_reference_uid
    theirs = frames.geometry.frame_of_reference_uid or series.frame_of_reference_uid
    return mine == theirs if mine and theirs else trust_absent


def _is_part(frames: VolumeFrames) -> bool:
    return any(name == PART for name, _ in frames.key)


def _one_a_grid(targets: Sequence[Target]) -> list[Target]:
    """One target for all volumes of a series that share a grid, and one for all its parts."""
    kept: list[Target] = []
    for target in targets:
        if not any(_stands_for(one, target) for one in kept):
            kept.append(target)
    return kept


def _stands_for(one: Target, other: Target) -> bool:
    mine, theirs = one[2], other[2]
    if one[0].uid != other[0].uid:
        return False
    return mine.geometry.same_grid(theirs.geometry) or (_is_part(mine) and _is_part(theirs))


def _fit(drawn: Drawn, grid: VolumeGeometry) -> tuple[float, float]:
    index = grid.to_index(drawn.points_mm)
    within = np.all((index >= -0.5) & (index <= np.asarray(grid.shape) - 0.5), axis=-1)
    return round(float(within.mean()), 2), -grid.voxel_mm3
