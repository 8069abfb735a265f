"""The image-processing chain of the IBSI: from a volume and a region to what features are computed from.

Interpolation of image and mask, rounding, filter, re-segmentation, discretisation; everything on a box around the
lesion, which is as large as the lesion, the local peak's sphere and the filter's reach need.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.image.geometry import Triple, VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.filters import gaps
from bingcheng.quantify.filters.filter import response_of, sized
from bingcheng.quantify.filters.gaps import Box
from bingcheng.quantify.radiomics.discretisation import texture_levels, volume_histogram_levels
from bingcheng.quantify.radiomics.feature import Family
from bingcheng.quantify.radiomics.interpolation import HALF_SLACK, ImageMethod, MaskMethod, resampled
from bingcheng.quantify.radiomics.placing import AS_SET, Part, Places, Variation, placed
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
    says="the slices lie askew over each other (a tilted gantry), for which this is not defined without interpolation",
    remedy="Choose settings that interpolate to other voxels: the slices are then moved over each other first.",
    owner=Owner.OPERATOR,
)

LEVELLED = frozenset(Family) - {Family.MORPHOLOGY, Family.LOCAL_INTENSITY, Family.STATISTICS, Family.VOLUME_HISTOGRAM}


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
    askew : whether slices lie askew over each other, as with a tilted gantry.
    """

    voxels: NDArray[Any]
    recorded: NDArray[np.bool_] | None
    places: Places
    drawn: NDArray[np.bool_]
    start: tuple[int, int, int]
    geometry: VolumeGeometry
    askew: bool = False


def prepared(
    volume: Volume,
    region: Region,
    settings: RadiomicsSettings,
    variation: Variation = AS_SET,
    part: Part | None = None,
) -> Prepared:
    """The lesion after interpolation, rounding, filter, re-segmentation and discretisation.

    Voxels that are not `valid` or not finite stay in the morphological mask, are left out of the intensity mask and
    of local peaks, and take the nearest recorded intensity where a neighbour's interpolated value or a filter needs
    one. Beyond the image its outermost voxels go on.

    Slices of a tilted gantry are moved over each other before they are interpolated (`image.gantry_tilt`), of image
    and mask alike. Without interpolation they stay as they are, and `Roi.askew` says so.

    Parameters
    ----------
    volume : the image, in any number type.
    region : the lesion, on the volume's grid.
    variation : none unless the uncertainty is asked for.
    part : what the image is a part of, if it is: the new voxels are then those of the whole image.

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
    return processed(cut(volume, region, settings, variation, part), settings, variation)


def cut(
    volume: Volume,
    region: Region,
    settings: RadiomicsSettings,
    variation: Variation = AS_SET,
    part: Part | None = None,
) -> Cut:
    """What the chain needs of image and outline, with the parameters and errors of `prepared` that concern these."""
    _check(volume.geometry, region)
    recorded_in, geometry, askew = gaps.recorded, volume.geometry, volume.geometry.sheared
    if askew and settings.interpolation is not None:
        # Loads what images of an upright gantry do not need.
        from bingcheng.quantify.radiomics.upright import upright_outline, upright_voxels  # noqa: PLC0415

        region = upright_outline(region)
        recorded_in, geometry, askew = upright_voxels, region.grid, False
    elif askew and settings.filter is not None:
        raise InputError(SHEARED_GRID)
    lesion = placed(geometry, region, settings, variation, part)
    voxels, recorded = recorded_in(volume, lesion.box(part))
    return Cut(
        voxels=voxels,
        recorded=recorded,
        places=lesion.places,
        drawn=lesion.drawn,
        start=lesion.start,
        geometry=lesion.geometry(geometry, part),
        askew=askew,
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
    roi = _roi(image, intensity, box, drawn, mask, found, settings, variation)
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
    found: Cut,
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
        spacing_mm=found.geometry.spacing_mm,
        surroundings=image,
        surroundings_start=(box[0].start, box[1].start, box[2].start),
        levels=levels,
        volume_histogram_levels=partial(volume_histogram_levels, intensity, mask, settings.volume_histogram, rules),
        askew=found.askew,
    )


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


def _box(start: tuple[int, int, int], shape: tuple[int, ...]) -> Box:
    z, y, x = (slice(s, s + n) for s, n in zip(start, shape, strict=True))
    return z, y, x
