"""The image-processing chain of the IBSI: from a volume and a region to what features are computed from.

Interpolation of image and mask, rounding, filter, re-segmentation, discretisation; everything on a box around the
lesion, which is as large as the lesion, the local peak's sphere and the filter's reach need.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import InputError, Owner, Problem, Undefined
from bingcheng.image.geometry import Triple, VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.empty_lesion import EMPTY_LESION
from bingcheng.quantify.filters import gaps
from bingcheng.quantify.filters.filter import response_of, sized
from bingcheng.quantify.filters.gaps import Box
from bingcheng.quantify.radiomics.discretisation import texture_levels, volume_histogram_levels
from bingcheng.quantify.radiomics.feature import Family
from bingcheng.quantify.radiomics.interpolation import (
    HALF_SLACK,
    Axis,
    ImageMethod,
    MaskMethod,
    axes_of,
    bounded,
    resampled,
    source_range,
)
from bingcheng.quantify.radiomics.resegmentation import resegmented
from bingcheng.quantify.radiomics.roi import Levels, Roi
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

OTHER_GRID = Problem(
    code="quantify.radiomics-mask-on-other-grid",
    says="the region '{label}' lies on another grid than the image",
    remedy="Draw or resample the region on the grid of this image.",
    owner=Owner.RADIOLOGIST,
)
SHEARED_GRID = Problem(
    code="quantify.radiomics-sheared-grid",
    says="the image's axes are not at right angles (gantry tilt), for which these features are not defined",
    remedy="Resample image and region to a rectangular grid first.",
    owner=Owner.OPERATOR,
)

RIGHT_ANGLE = 1e-4
"""Largest cosine between two axes that still counts as a right angle: the rounding of a header's direction cosines."""
PEAK_REACH_MM = 7.0
"""A sphere of 1 cm3 has a radius of 6.2 mm."""
LEVELLED = frozenset(Family) - {Family.MORPHOLOGY, Family.LOCAL_INTENSITY, Family.STATISTICS, Family.VOLUME_HISTOGRAM}

Margin = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A lesion after the chain.

    Parameters
    ----------
    roi : what features are computed from.
    geometry : where the box of `roi` lies.
    voxels : number of voxels of the morphological mask.
    counted : number of voxels of the intensity mask.
    without_value : voxels of the lesion left out because the image has no finite, recorded intensity there.
    """

    roi: Roi
    geometry: VolumeGeometry
    voxels: int
    counted: int
    without_value: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cut:
    """What the chain needs of image and outline: little enough to be handed to another process.

    Parameters
    ----------
    voxels : (z, y, x), the part of the image, finite everywhere; a view of it.
    recorded : boolean, which of them were recorded; None if all were.
    places : where the new voxels lie among them, for `resampled`.
    drawn : boolean (z, y, x), the morphological mask on the new grid: its bounding box.
    start : where that box begins among the new voxels.
    geometry : where it lies.
    """

    voxels: NDArray[Any]
    recorded: NDArray[np.bool_] | None
    places: tuple[tuple[Axis, int, int, int], ...]
    drawn: NDArray[np.bool_]
    start: tuple[int, int, int]
    geometry: VolumeGeometry


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Drawn:
    """The morphological mask on the new grid: only its bounding box, which begins at `start`."""

    mask: NDArray[np.bool_]
    start: tuple[int, int, int]


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


def prepared(volume: Volume, region: Region, settings: RadiomicsSettings, variation: Variation = AS_SET) -> Prepared:
    """The lesion after interpolation, rounding, filter, re-segmentation and discretisation.

    Voxels that are not `valid` or not finite stay in the morphological mask, are left out of the intensity mask and
    of local peaks, and take the nearest recorded intensity where a neighbour's interpolated value or a filter needs
    one. Beyond the image its outermost voxels go on.

    Parameters
    ----------
    volume : the image, in any number type.
    region : the lesion, on the volume's grid.
    variation : none unless the uncertainty is asked for.

    Raises
    ------
    InputError
        ``quantify.radiomics-mask-on-other-grid``, ``quantify.voxels-without-size``,
        ``quantify.radiomics-sheared-grid``, ``quantify.radiomics-too-many-voxels``,
        ``quantify.intensities-not-real``, ``quantify.intensity-too-large``, ``quantify.filter-response-too-large``,
        ``quantify.radiomics-too-many-levels``, ``quantify.radiomics-below-first-bin``,
        ``quantify.radiomics-not-levels``.
    Undefined
        ``quantify.lesion-without-voxels``: no voxel belongs, or none does on the coarser grid.
    """
    return processed(cut(volume, region, settings, variation), settings, variation)


def cut(volume: Volume, region: Region, settings: RadiomicsSettings, variation: Variation = AS_SET) -> Cut:
    """What the chain needs of image and outline, with the parameters and errors of `prepared` that concern these."""
    geometry = volume.geometry
    _check(geometry, region)
    axes = axes_of(geometry.shape, geometry.spacing_mm, settings.interpolation)
    if any(variation.lattice_voxels):
        axes = _shifted(axes, variation.lattice_voxels)
    drawn = _drawn(region, axes, settings)
    spacing = (axes[0].spacing_mm, axes[1].spacing_mm, axes[2].spacing_mm)
    sized(spacing)
    outer, start = _outer(drawn, axes, _margin(settings, spacing, axes))
    method = ImageMethod.NEAREST
    if settings.interpolation is not None:
        bounded(_voxels(outer))
        method = settings.interpolation.image
    source = [source_range(axis, low, high, method) for axis, (low, high) in zip(axes, outer, strict=True)]
    voxels, recorded = gaps.recorded(volume, (slice(*source[0]), slice(*source[1]), slice(*source[2])))
    return Cut(
        voxels=voxels,
        recorded=recorded,
        places=_places(axes, source, outer),
        drawn=drawn.mask,
        start=start,
        geometry=_geometry(geometry, axes, drawn, spacing),
    )


def processed(found: Cut, settings: RadiomicsSettings, variation: Variation = AS_SET) -> Prepared:
    """What `prepared` makes of an image and an outline of which the needed part is cut out already."""
    spacing, drawn = found.geometry.spacing_mm, found.drawn
    image, recorded = _image(found, settings)
    box = _box(found.start, drawn.shape)
    counts = drawn if recorded is None else drawn & recorded[box]
    intensity = np.ascontiguousarray(image[box], dtype=settings.dtype)
    mask = resegmented(intensity, counts, settings.resegmentation)
    if settings.filter is not None or recorded is not None:
        image = _responded(image.astype(settings.dtype, copy=False), recorded, spacing, settings)
        intensity = np.ascontiguousarray(image[box])
    roi = _roi(image, intensity, box, drawn, mask, spacing, settings, variation)
    voxels = int(np.count_nonzero(drawn))
    return Prepared(
        roi=roi,
        geometry=found.geometry,
        voxels=voxels,
        counted=voxels if mask is drawn else int(np.count_nonzero(mask)),
        without_value=0 if counts is drawn else voxels - int(np.count_nonzero(counts)),
    )


def _check(geometry: VolumeGeometry, region: Region) -> None:
    same = region.grid is geometry or region.grid == geometry or region.grid.same_grid(geometry)
    ends = zip(region.start, region.mask.shape, geometry.shape, strict=True)
    if not same or any(start < 0 or start + size > whole for start, size, whole in ends):
        raise InputError(OTHER_GRID, label=region.label)
    sized(geometry.spacing_mm)
    if _sheared(geometry):
        raise InputError(SHEARED_GRID)


def _responded(
    image: NDArray[Any], recorded: NDArray[np.bool_] | None, spacing: Triple, settings: RadiomicsSettings
) -> NDArray[Any]:
    """The filter's response; NaN where nothing was recorded."""
    if settings.filter is not None:
        image = np.asarray(response_of(settings.filter, image, spacing), dtype=settings.dtype)
    return image if recorded is None else np.where(recorded, image, settings.dtype.type(np.nan))


def _roi(
    image: NDArray[Any],
    intensity: NDArray[Any],
    box: Box,
    drawn: NDArray[np.bool_],
    mask: NDArray[np.bool_],
    spacing: Triple,
    settings: RadiomicsSettings,
    variation: Variation,
) -> Roi:
    # A response is no longer in the image's unit, so that the range of re-segmentation says nothing about its bins.
    rules = settings.resegmentation if settings.filter is None else type(settings.resegmentation)()
    levels: Levels | None = None
    if LEVELLED.intersection(settings.families):
        levels = texture_levels(intensity, mask, settings.discretisation, rules, shift=variation.bins)
    return Roi(
        intensity=intensity,
        morphological=drawn,
        intensity_mask=mask,
        spacing_mm=spacing,
        surroundings=image,
        surroundings_start=(box[0].start, box[1].start, box[2].start),
        levels=levels,
        volume_histogram_levels=partial(volume_histogram_levels, intensity, mask, settings.volume_histogram, rules),
    )


def _shifted(axes: tuple[Axis, Axis, Axis], parts: Triple) -> tuple[Axis, Axis, Axis]:
    """The same grid, moved by parts of its voxels; an axis that is not interpolated stays."""
    z, y, x = (
        axis if axis.unchanged else replace(axis, start=axis.start + part * axis.step)
        for axis, part in zip(axes, parts, strict=True)
    )
    return z, y, x


def _sheared(geometry: VolumeGeometry) -> bool:
    z, y, x = geometry.axes
    cosines = (sum(p * q for p, q in zip(a, b, strict=True)) for a, b in ((z, y), (z, x), (y, x)))
    return any(abs(cosine) > RIGHT_ANGLE for cosine in cosines)


def _drawn(region: Region, axes: tuple[Axis, Axis, Axis], settings: RadiomicsSettings) -> _Drawn:
    """The morphological mask on the new grid."""
    threshold = settings.partial_volume_threshold
    if settings.interpolation is None:
        return _tight(region.mask if region.mask.dtype == bool else region.mask >= threshold, region.start)
    if 0 in region.mask.shape:
        raise Undefined(EMPTY_LESION)
    method = settings.interpolation.mask
    ends = [s + n for s, n in zip(region.start, region.mask.shape, strict=True)]
    wanted = [axis.covering(s, e) for axis, s, e in zip(axes, region.start, ends, strict=True)]
    if any(high <= low for low, high in wanted):
        raise Undefined(EMPTY_LESION)
    bounded(_voxels(wanted))
    source = [source_range(axis, low, high, method) for axis, (low, high) in zip(axes, wanted, strict=True)]
    source = [(min(low, s), max(high, e)) for (low, high), s, e in zip(source, region.start, ends, strict=True)]
    membership = np.zeros([high - low for low, high in source], dtype=region.mask.dtype)
    inner = tuple(slice(s - low, e - low) for s, e, (low, _) in zip(region.start, ends, source, strict=True))
    membership[inner] = region.mask
    part = resampled(membership, _places(axes, source, wanted), method)
    # Nearest neighbours of a binary mask are binary; those of fractions and interpolated ones meet the threshold.
    return _tight(part >= threshold - HALF_SLACK, (wanted[0][0], wanted[1][0], wanted[2][0]))


def _tight(mask: NDArray[np.bool_], start: tuple[int, int, int]) -> _Drawn:
    """The bounding box of a mask that begins at `start`."""
    low, high = [], []
    for other in ((1, 2), (0, 2), (0, 1)):
        hits = np.flatnonzero(mask.any(axis=other))
        if not hits.size:
            raise Undefined(EMPTY_LESION)
        low.append(int(hits[0]))
        high.append(int(hits[-1]) + 1)
    inner = np.ascontiguousarray(mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))])
    return _Drawn(mask=inner, start=(start[0] + low[0], start[1] + low[1], start[2] + low[2]))


def _margin(settings: RadiomicsSettings, spacing: Triple, axes: tuple[Axis, Axis, Axis]) -> Margin:
    """How many voxels beyond the lesion the image is needed, along (z, y, x)."""
    reach = PEAK_REACH_MM if Family.LOCAL_INTENSITY in settings.families else 0.0
    margin = [math.ceil(reach / step) for step in spacing]
    if settings.filter is not None:
        further = settings.filter.reach_voxels(spacing)
        margin = [m + f for m, f in zip(margin, further, strict=True)] if further else [axis.after for axis in axes]
    return margin[0], margin[1], margin[2]


def _outer(
    drawn: _Drawn, axes: tuple[Axis, Axis, Axis], margin: Margin
) -> tuple[list[tuple[int, int]], tuple[int, int, int]]:
    """The box of new voxels to compute, and where in it the lesion's box begins."""
    outer = [
        (max(0, s - m), min(axis.after, s + n + m))
        for s, n, m, axis in zip(drawn.start, drawn.mask.shape, margin, axes, strict=True)
    ]
    z, y, x = (s - low for s, (low, _) in zip(drawn.start, outer, strict=True))
    return outer, (z, y, x)


def _image(found: Cut, settings: RadiomicsSettings) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Intensities on a box of the new grid, and where they rest on recorded ones alone (None: everywhere).

    Of the image's number type, and a view of it, where nothing is interpolated.
    """
    chosen, recorded = settings.interpolation, found.recorded
    if chosen is None:
        return found.voxels, recorded
    image = resampled(found.voxels, found.places, chosen.image, settings.dtype)
    if chosen.rounding:
        np.rint(image, out=image)
    if recorded is not None:
        nearby = MaskMethod.NEAREST if chosen.image is ImageMethod.NEAREST else MaskMethod.LINEAR
        recorded = resampled(~recorded, found.places, nearby) <= HALF_SLACK
    return image, recorded


def _places(
    axes: tuple[Axis, Axis, Axis], source: list[tuple[int, int]], wanted: list[tuple[int, int]]
) -> tuple[tuple[Axis, int, int, int], ...]:
    return tuple((axis, first, low, high) for axis, (first, _), (low, high) in zip(axes, source, wanted, strict=True))


def _voxels(ranges: list[tuple[int, int]]) -> int:
    return math.prod(high - low for low, high in ranges)


def _box(start: tuple[int, int, int], shape: tuple[int, ...]) -> Box:
    z, y, x = (slice(s, s + n) for s, n in zip(start, shape, strict=True))
    return z, y, x


def _geometry(image: VolumeGeometry, axes: tuple[Axis, Axis, Axis], drawn: _Drawn, spacing: Triple) -> VolumeGeometry:
    index = [axis.start + axis.step * s for axis, s in zip(axes, drawn.start, strict=True)]
    position = [
        o + sum(step * i * axis[n] for i, step, axis in zip(index, image.spacing_mm, image.axes, strict=True))
        for n, o in enumerate(image.origin_mm)
    ]
    z, y, x = drawn.mask.shape
    return VolumeGeometry(
        shape=(z, y, x),
        spacing_mm=spacing,
        origin_mm=(position[0], position[1], position[2]),
        axes=image.axes,
        frame_of_reference_uid=image.frame_of_reference_uid,
    )
