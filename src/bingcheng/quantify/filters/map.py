"""A filter's response as a volume: on the image's grid, whole or around a region."""

from __future__ import annotations

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.filters.filter import Filter, response_of, sized
from bingcheng.quantify.filters.gaps import Box, recorded

OTHER_GRID = Problem(
    code="quantify.filter-region-on-other-grid",
    says="the region '{label}' lies on another grid than the image to filter",
    remedy="Draw or resample the region on the grid of this image.",
    owner=Owner.RADIOLOGIST,
)
EMPTY_REGION = Problem(
    code="quantify.filter-region-empty",
    says="no voxel belongs to the region '{label}'",
    remedy="Draw the region, or ask for the map of the whole image.",
    owner=Owner.RADIOLOGIST,
)
SHEARED_IMAGE = Problem(
    code="quantify.filter-sheared-image",
    says="the slices lie askew over each other (a tilted gantry), for which filters are not defined",
    remedy="Interpolate the image to other voxels first: its slices are then moved over each other.",
    owner=Owner.OPERATOR,
)
ARBITRARY = "{arbitrary}"


def response_map(volume: Volume, chosen: Filter, region: Region | None = None) -> Volume:
    """The response map of an image, or of the box of a region with the values that the whole image's map has there.

    Voxels without a recorded value stay so; their neighbours see the nearest recorded value instead. No interpolation
    is done: filters are defined for voxels of equal sides (IBSI 2), so resample first where they aren't.

    Parameters
    ----------
    volume : the image.
    chosen : the filter.
    region : on the image's grid; only what the filter reaches from its box is looked at.

    Returns
    -------
    float32 on the image's grid (or the region's box of it), in the image's unit unless the filter loses it.

    Raises
    ------
    InputError
        ``quantify.filter-region-on-other-grid``, ``quantify.filter-region-empty``,
        ``quantify.filter-needs-three-axes``, ``quantify.voxels-without-size``,
        ``quantify.intensities-not-real``, ``quantify.intensity-too-large``,
        ``quantify.filter-response-too-large``, ``quantify.filter-sheared-image``.
    Undefined
        ``quantify.filter-finer-than-voxels``.
    """
    geometry = volume.geometry
    sized(geometry.spacing_mm)
    if geometry.sheared:
        raise InputError(SHEARED_IMAGE)
    wanted = _box(volume, region)
    looked_at = _reached(wanted, chosen.reach_voxels(geometry.spacing_mm), geometry.shape)
    voxels, known = recorded(volume, looked_at)
    response = response_of(chosen, voxels, geometry.spacing_mm)
    z, y, x = (
        slice(inner.start - outer.start, inner.stop - outer.start)
        for inner, outer in zip(wanted, looked_at, strict=True)
    )
    shape = (wanted[0].stop - wanted[0].start, wanted[1].stop - wanted[1].start, wanted[2].stop - wanted[2].start)
    return Volume(
        voxels=response[z, y, x].copy() if response.shape != shape else response,
        geometry=geometry.box((wanted[0].start, wanted[1].start, wanted[2].start), shape),
        unit=ARBITRARY if chosen.unitless else volume.unit,
        valid=None if known is None else known[z, y, x],
    )


def _box(volume: Volume, region: Region | None) -> Box:
    if region is None:
        z, y, x = (slice(0, size) for size in volume.geometry.shape)
        return z, y, x
    ends = zip(region.start, region.mask.shape, volume.geometry.shape, strict=True)
    if not region.grid.same_grid(volume.geometry) or any(low < 0 or low + size > most for low, size, most in ends):
        raise InputError(OTHER_GRID, label=region.label)
    if region.empty:
        raise InputError(EMPTY_REGION, label=region.label)
    return region.box()


def _reached(box: Box, reach: tuple[int, int, int] | None, shape: tuple[int, int, int]) -> Box:
    if reach is None:
        z, y, x = (slice(0, size) for size in shape)
        return z, y, x
    z, y, x = (
        slice(max(0, one.start - far), min(size, one.stop + far))
        for one, far, size in zip(box, reach, shape, strict=True)
    )
    return z, y, x
