"""The part of a grid around a lesion, in which it is measured again at the cost of the lesion and not of the image."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume

LEAST_VOXELS, MORE_VOXELS = 4, 2
"""The least margin, and what is added to it in mm: blur, noise and moved outlines are seen some voxels away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """A box of a grid.

    Parameters
    ----------
    box : slices (z, y, x) of the whole grid.
    grid : the geometry of the box.
    """

    box: tuple[slice, slice, slice]
    grid: VolumeGeometry

    @staticmethod
    def around(lesion: Region, margin_mm: float) -> Excerpt:
        """The lesion's box with a margin and some voxels more, as far as its grid goes."""
        z, y, x = (max(LEAST_VOXELS, math.ceil(margin_mm / step) + MORE_VOXELS) for step in lesion.grid.spacing_mm)
        return Excerpt.of(lesion.box((z, y, x)), lesion.grid)

    @staticmethod
    def of(box: tuple[slice, slice, slice], grid: VolumeGeometry) -> Excerpt:
        """The box of the whole `grid`."""
        start = (box[0].start, box[1].start, box[2].start)
        shape = (box[0].stop - start[0], box[1].stop - start[1], box[2].stop - start[2])
        return Excerpt(box=box, grid=grid.box(start, shape))

    def reaching(self, other: tuple[slice, slice, slice], grid: VolumeGeometry) -> Excerpt:
        """The smallest box of the whole `grid` that holds this one and another."""
        z, y, x = (slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(self.box, other, strict=True))
        return self if (z, y, x) == self.box else Excerpt.of((z, y, x), grid)

    def of_volume(self, volume: Volume) -> Volume:
        """The part of an image on the whole grid; a view of it."""
        valid = None if volume.valid is None else volume.valid[self.box]
        return Volume(voxels=volume.voxels[self.box], geometry=self.grid, unit=volume.unit, valid=valid)

    def of_region(self, region: Region) -> Region:
        """A region within the box, as one of the part's grid."""
        z, y, x = (start - cut.start for start, cut in zip(region.start, self.box, strict=True))
        return replace(region, start=(z, y, x), grid=self.grid)
