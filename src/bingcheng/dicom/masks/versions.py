"""Several versions of one segmentation or structure set: what they agree on is used, what they contradict is not.

A program that edits a structure set and keeps its SOP Instance UID leaves two contents under one name. Which one counts
nobody but those who drew it can say; yet a region that stands in all of them alike, or that only one of them draws on
an image which the others don't speak of, is in no doubt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bingcheng.core.errors import BingchengError, InputError, Owner, Problem
from bingcheng.dicom.exam import FrameSource
from bingcheng.dicom.grouping.duplicates import told_apart
from bingcheng.dicom.masks.placement import PlacedRegion

VERSIONS = Problem(
    code="dicom.mask-versions",
    says="{count} files of regions claim the same SOPInstanceUID; what none contradicts is used: {one} and {other}",
    remedy="Find out which one is right and remove the others.",
    owner=Owner.ARCHIVE,
)
VERSIONS_DISAGREE = Problem(
    code="dicom.mask-versions-disagree",
    says="'{label}' is not the same, or not there, in all files that claim the same SOPInstanceUID: {one} and {other}",
    remedy="Find out which one is right and remove the others; until then the region is left out.",
    owner=Owner.RADIOLOGIST,
)
SAME_MEMBERSHIP = 1e-3
"""How far the share of a voxel may differ: contours written with fewer decimals are the same contours."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Version:
    """What one file made of its regions.

    Parameters
    ----------
    source : the file.
    regions : each on its image.
    errors : what could not be placed.
    series_uids : the image series that it says it was drawn on.
    """

    source: FrameSource
    regions: tuple[PlacedRegion, ...]
    errors: tuple[BingchengError, ...]
    series_uids: frozenset[str]

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.source.member or self.source.path.name


Place = tuple[str, int]


def settled(versions: Sequence[Version]) -> Iterator[PlacedRegion | BingchengError]:
    """The regions that the versions of one object don't contradict, and what is left out, as errors, not raised.

    On each image those versions count that name its series as what they were drawn on; without one, all that have a
    region there. A region of theirs must be the same in all of them. Its name is that of the first of them.
    """
    one_file, other_file = told_apart(versions[0].source, versions[-1].source)
    yield InputError(VERSIONS, count=len(versions), one=one_file, other=other_file)
    for place in sorted({_place(region) for version in versions for region in version.regions}):
        for one in _on_image(versions, place):
            if isinstance(one, PlacedRegion):
                yield one
            else:
                yield InputError(VERSIONS_DISAGREE, label=one, one=one_file, other=other_file)
    told: set[str] = set()
    for error in (error for version in versions for error in version.errors):
        if str(error) not in told:
            told.add(str(error))
            yield error


def _on_image(versions: Sequence[Version], place: Place) -> Iterator[PlacedRegion | str]:
    """The undisputed regions on one image, and the labels of the disputed ones."""
    naming = [version for version in versions if place[0] in version.series_uids]
    drawing = [version for version in versions if any(_place(region) == place for region in version.regions)]
    judges = naming or drawing
    left = {
        id(version): [region for region in version.regions if _place(region) == place]
        for version in (*judges, *(version for version in drawing if version not in judges))
    }
    disputed: set[str] = set()
    for regions in left.values():
        while regions:
            region = regions.pop(0)
            holders = [owner for owner, others in left.items() if others is regions or _take(region, others)]
            if all(id(judge) in holders for judge in judges):
                yield region
            else:
                disputed.add(region.region.label)
    yield from sorted(disputed)


def _take(region: PlacedRegion, others: list[PlacedRegion]) -> bool:
    """Whether the region is among others; it is taken from them."""
    for at, other in enumerate(others):
        if _same(region, other):
            del others[at]
            return True
    return False


def _same(one: PlacedRegion, other: PlacedRegion) -> bool:
    mine, theirs = one.region, other.region
    return (
        mine.start == theirs.start
        and mine.mask.shape == theirs.mask.shape
        and bool(np.allclose(mine.mask, theirs.mask, rtol=0, atol=SAME_MEMBERSHIP))
    )


def _place(region: PlacedRegion) -> Place:
    return region.series_uid, region.volume
