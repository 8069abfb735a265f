"""Where a lesion lies on the new grid, and which voxels of the image the new ones are made of."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import Undefined
from bingcheng.image.geometry import Triple, VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.quantify.empty_lesion import EMPTY_LESION
from bingcheng.quantify.filters.filter import sized
from bingcheng.quantify.filters.gaps import Box
from bingcheng.quantify.radiomics.feature import Family
from bingcheng.quantify.radiomics.interpolation import (
    HALF_SLACK,
    Axis,
    ImageMethod,
    axes_of,
    bounded,
    resampled,
    source_range,
)
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

PEAK_REACH_MM = 7.0
"""A sphere of 1 cm3 has a radius of 6.2 mm."""

Index = tuple[int, int, int]
Range = tuple[int, int]
Axes = tuple[Axis, Axis, Axis]
Places = tuple[tuple[Axis, int, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """What settings leave to chance and another choice would do as well; varied to see what it changes.

    Parameters
    ----------
    lattice_voxels : shift of the interpolated grid along (z, y, x), in parts of its voxels.
    bins : shift of the edges of grey levels towards lower intensities, in parts of a bin.
    """

    lattice_voxels: Triple = (0.0, 0.0, 0.0)
    bins: float = 0.0


AS_SET = Variation()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What an image is cut out of, so that it is interpolated to the voxels to which the whole would be.

    Parameters
    ----------
    start : index (z, y, x) in the whole image of the part's first voxel.
    whole : number of voxels of the whole image along (z, y, x).
    """

    start: Index
    whole: Index


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """A lesion on the new grid, which is that of the whole image.

    Parameters
    ----------
    axes : the new grid along (z, y, x), in voxels of the whole image.
    drawn : boolean (z, y, x), the morphological mask on it: its bounding box.
    first : index of that box's first voxel among all new ones.
    start : the same among the new voxels that are made.
    source : the voxels of the whole image from which these are made, as ranges along (z, y, x).
    places : for `interpolation.resampled`.
    """

    axes: Axes
    drawn: NDArray[np.bool_]
    first: Index
    start: Index
    source: tuple[Range, ...]
    places: Places

    @property
    def spacing_mm(self) -> Triple:
        """Of the new grid."""
        return self.axes[0].spacing_mm, self.axes[1].spacing_mm, self.axes[2].spacing_mm

    def box(self, part: Part | None = None) -> Box:
        """The voxels that new ones are made of, of the whole image or of a part of it."""
        start = (0, 0, 0) if part is None else part.start
        z, y, x = (slice(low - s, high - s) for (low, high), s in zip(self.source, start, strict=True))
        return z, y, x

    def geometry(self, image: VolumeGeometry, part: Part | None = None) -> VolumeGeometry:
        """Where the morphological mask lies; `image` is the geometry of the part."""
        start = (0, 0, 0) if part is None else part.start
        index = [
            axis.start + axis.step * first - s for axis, first, s in zip(self.axes, self.first, start, strict=True)
        ]
        position = [
            o + sum(step * i * axis[n] for i, step, axis in zip(index, image.spacing_mm, image.axes, strict=True))
            for n, o in enumerate(image.origin_mm)
        ]
        z, y, x = self.drawn.shape
        return VolumeGeometry(
            shape=(z, y, x),
            spacing_mm=self.spacing_mm,
            origin_mm=(position[0], position[1], position[2]),
            axes=image.axes,
            frame_of_reference_uid=image.frame_of_reference_uid,
        )


def placed(
    geometry: VolumeGeometry,
    region: Region,
    settings: RadiomicsSettings,
    variation: Variation = AS_SET,
    part: Part | None = None,
) -> Placed:
    """The lesion on the new grid, with what has to be made of the image for it.

    Parameters
    ----------
    geometry : of the image.
    region : on its grid.
    part : what the image is a part of; None if it is whole.

    Raises
    ------
    InputError
        ``quantify.voxels-without-size``, ``quantify.radiomics-too-many-voxels``.
    Undefined
        ``quantify.lesion-without-voxels``.
    """
    whole = geometry.shape if part is None else part.whole
    axes = axes_of(whole, geometry.spacing_mm, settings.interpolation)
    if any(variation.lattice_voxels):
        axes = _shifted(axes, variation.lattice_voxels)
    at = region.start
    if part is not None:
        at = (at[0] + part.start[0], at[1] + part.start[1], at[2] + part.start[2])
    mask, first = _drawn(region.mask, at, axes, settings)
    spacing = (axes[0].spacing_mm, axes[1].spacing_mm, axes[2].spacing_mm)
    sized(spacing)
    had = [(0, n) for n in whole]
    if part is not None:
        had = [(s, s + n) for s, n in zip(part.start, geometry.shape, strict=True)]
    outer = _outer(first, mask.shape, _margin(settings, spacing, axes), axes, had)
    method = ImageMethod.NEAREST
    if settings.interpolation is not None:
        bounded(_voxels(outer))
        method = settings.interpolation.image
    source = [source_range(axis, low, high, method) for axis, (low, high) in zip(axes, outer, strict=True)]
    if part is not None:
        source = [_among(one, there) for one, there in zip(source, had, strict=True)]
    return Placed(
        axes=axes,
        drawn=mask,
        first=first,
        start=(first[0] - outer[0][0], first[1] - outer[1][0], first[2] - outer[2][0]),
        source=tuple(source),
        places=_places(axes, source, outer),
    )


def _among(wanted: Range, had: Range) -> Range:
    """The range as far as it is at hand, at least one voxel of it."""
    low = min(max(wanted[0], had[0]), had[1] - 1)
    return low, max(low + 1, min(wanted[1], had[1]))


def _shifted(axes: Axes, parts: Triple) -> Axes:
    """The same grid, moved by parts of its voxels; an axis that is not interpolated stays."""
    z, y, x = (
        axis if axis.unchanged else replace(axis, start=axis.start + part * axis.step)
        for axis, part in zip(axes, parts, strict=True)
    )
    return z, y, x


def _drawn(
    membership: NDArray[np.generic], start: Index, axes: Axes, settings: RadiomicsSettings
) -> tuple[NDArray[np.bool_], Index]:
    """The morphological mask on the new grid: its bounding box, and the index at which that begins.

    Parameters
    ----------
    membership, start : the mask as drawn, and where it begins in the whole image.
    """
    threshold = settings.partial_volume_threshold
    if settings.interpolation is None:
        inside: NDArray[np.bool_] = membership if membership.dtype == bool else membership >= threshold  # type: ignore[assignment, operator]
        return _tight(inside, start)
    if 0 in membership.shape:
        raise Undefined(EMPTY_LESION)
    method = settings.interpolation.mask
    ends = [s + n for s, n in zip(start, membership.shape, strict=True)]
    wanted = [axis.covering(s, e) for axis, s, e in zip(axes, start, ends, strict=True)]
    if any(high <= low for low, high in wanted):
        raise Undefined(EMPTY_LESION)
    bounded(_voxels(wanted))
    source = [source_range(axis, low, high, method) for axis, (low, high) in zip(axes, wanted, strict=True)]
    source = [(min(low, s), max(high, e)) for (low, high), s, e in zip(source, start, ends, strict=True)]
    padded = np.zeros([high - low for low, high in source], dtype=membership.dtype)
    inner = tuple(slice(s - low, e - low) for s, e, (low, _) in zip(start, ends, source, strict=True))
    padded[inner] = membership
    moved = resampled(padded, _places(axes, source, wanted), method)
    # Nearest neighbours of a binary mask are binary; those of fractions and interpolated ones meet the threshold.
    return _tight(moved >= threshold - HALF_SLACK, (wanted[0][0], wanted[1][0], wanted[2][0]))


def _tight(mask: NDArray[np.bool_], start: Index) -> tuple[NDArray[np.bool_], Index]:
    """The bounding box of a mask that begins at `start`, and where it begins."""
    low, high = [], []
    for other in ((1, 2), (0, 2), (0, 1)):
        hits = np.flatnonzero(mask.any(axis=other))
        if not hits.size:
            raise Undefined(EMPTY_LESION)
        low.append(int(hits[0]))
        high.append(int(hits[-1]) + 1)
    inner = np.ascontiguousarray(mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))])
    return inner, (start[0] + low[0], start[1] + low[1], start[2] + low[2])


def _margin(settings: RadiomicsSettings, spacing: Triple, axes: Axes) -> Index:
    """How many voxels beyond the lesion the image is needed, along (z, y, x)."""
    reach = PEAK_REACH_MM if Family.LOCAL_INTENSITY in settings.families else 0.0
    margin = [math.ceil(reach / step) for step in spacing]
    if settings.filter is not None:
        further = settings.filter.reach_voxels(spacing)
        margin = [m + f for m, f in zip(margin, further, strict=True)] if further else [axis.after for axis in axes]
    return margin[0], margin[1], margin[2]


def _outer(first: Index, size: tuple[int, ...], margin: Index, axes: Axes, had: list[Range]) -> list[Range]:
    """The box of new voxels to make: the lesion's and a margin, as far as the image at hand goes."""
    outer = []
    for axis, at, n, more, there in zip(axes, first, size, margin, had, strict=True):
        low, high = axis.within(*there)
        outer.append((min(at, max(low, at - more)), max(at + n, min(high, at + n + more))))
    return outer


def _places(axes: Axes, source: list[Range], wanted: list[Range]) -> Places:
    return tuple((axis, first, low, high) for axis, (first, _), (low, high) in zip(axes, source, wanted, strict=True))


def _voxels(ranges: list[Range]) -> int:
    return math.prod(high - low for low, high in ranges)
