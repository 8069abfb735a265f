"""A radiomics feature as a map: its value in a window around each voxel of a region."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import InputError, Owner, Problem, Undefined
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.radiomics.chain import SHEARED_GRID, prepared
from bingcheng.quantify.radiomics.extraction import values_of
from bingcheng.quantify.radiomics.families import Entry, all_features
from bingcheng.quantify.radiomics.feature import Aggregation, Family
from bingcheng.quantify.radiomics.roi import Levels, Roi
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

UNKNOWN_TAG = Problem(
    code="quantify.feature-map-unknown-tag",
    says="no feature is called '{tag}'; nearest is '{nearest}'",
    remedy="Give the tag of the IBSI's tables with its aggregation, such as cm_contrast_3D_comb.",
    owner=Owner.PHYSICIST,
)
TOO_MANY_WINDOWS = Problem(
    code="quantify.feature-map-too-large",
    says="the map would take {windows} windows, more than the {most} that can be computed in reasonable time",
    remedy="Map a smaller region, resample to larger voxels, or raise the limit.",
    owner=Owner.OPERATOR,
)
BAD_RADIUS = Problem(
    code="quantify.feature-map-radius",
    says="a window's radius of {radius} voxels is not from 1 to {most}",
    remedy="Give another radius.",
    owner=Owner.PHYSICIST,
)

MOST_WINDOWS = 200_000
"""About a minute of co-occurrence features with a radius of 2 voxels (5,000 windows a second were measured)."""
LARGEST_RADIUS = 25
_ARBITRARY = "{arbitrary}"
_WINDOWS_AT_ONCE = 256

Progress = Callable[[int, int], None]
"""Told how many windows are done, of how many; by the thread that asked for the map."""


def feature_map(
    volume: Volume,
    region: Region,
    tag: str,
    settings: RadiomicsSettings,
    radius_voxels: int,
    *,
    workers: int = 1,
    most_windows: int = MOST_WINDOWS,
    progress: Progress | None = None,
) -> Volume:
    """The value of one feature in the window around each voxel of a region.

    The region goes through the settings' chain once; grey levels are those of the whole region, so that windows can be
    compared. A window is the part of the region within a Chebyshev distance of its voxel, in the slice alone if the
    feature's aggregation is by slice.

    Parameters
    ----------
    volume, region : the image and where to map.
    tag : of the IBSI's tables, with the aggregation.
    settings : the chain's and the feature's; families and aggregations in it don't matter.
    radius_voxels : the distance, after interpolation.
    workers : threads; the values don't depend on it. Small windows spend their time in Python, so that more threads
        gain little.
    most_windows : refuse larger maps.
    progress : told now and then.

    Returns
    -------
    float32 on the box of the region after interpolation, in the feature's unit; not valid outside the region and where
    the definition gives no value.

    Raises
    ------
    InputError
        ``quantify.feature-map-unknown-tag``, ``quantify.feature-map-radius``, ``quantify.feature-map-too-large``, and
        as `bingcheng.quantify.radiomics.chain.prepared`.
    Undefined
        ``quantify.lesion-without-voxels``.
    """
    if isinstance(radius_voxels, bool) or not 1 <= radius_voxels <= LARGEST_RADIUS:
        raise InputError(BAD_RADIUS, radius=radius_voxels, most=LARGEST_RADIUS)
    entry = _entry(tag, settings)
    alone = replace(
        settings,
        families=(entry.feature.family,),
        aggregations=(entry.aggregation,) if entry.aggregation else settings.aggregations,
    )
    lesion = prepared(volume, region, alone)
    if lesion.roi.askew:
        raise InputError(SHEARED_GRID)
    centres = np.argwhere(lesion.roi.morphological)
    if len(centres) > most_windows:
        raise InputError(TOO_MANY_WINDOWS, windows=len(centres), most=most_windows)
    by_slice = entry.aggregation is not None and entry.aggregation.by_slice
    window = _Window(
        roi=_ready(lesion.roi),
        histogram_levels=lesion.roi.volume_histogram_levels() if alone.families == (Family.VOLUME_HISTOGRAM,) else None,
        settings=alone,
        tag=tag,
        radius=(0 if by_slice else radius_voxels, radius_voxels, radius_voxels),
    )
    voxels = np.zeros(lesion.roi.morphological.shape, dtype=np.float32)
    valid = np.zeros(voxels.shape, dtype=bool)
    for done, (some, values) in enumerate(_computed(window, centres, workers), start=1):
        there = tuple(some.T)
        valid[there] = np.isfinite(values)
        voxels[there] = np.where(np.isfinite(values), values, 0)
        if progress is not None:
            progress(min(done * _WINDOWS_AT_ONCE, len(centres)), len(centres))
    unit = _ARBITRARY if settings.filter is not None and settings.filter.unitless else volume.unit
    return Volume(voxels=voxels, geometry=lesion.geometry, unit=entry.unit_of(unit), valid=valid)


def _entry(tag: str, settings: RadiomicsSettings) -> Entry:
    every = replace(settings, families=tuple(Family), aggregations=tuple(Aggregation))
    known = {entry.tag: entry for entry in all_features(every)}
    if tag not in known:
        close = get_close_matches(tag, list(known), n=1, cutoff=0.0)
        raise InputError(UNKNOWN_TAG, tag=tag, nearest=close[0])
    return known[tag]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Window:
    """What the value around a voxel is computed from."""

    roi: Roi
    histogram_levels: Levels | None
    settings: RadiomicsSettings
    tag: str
    radius: tuple[int, int, int]

    def values(self, centres: NDArray[np.int64]) -> NDArray[np.float64]:
        """The feature around each of the voxels (n, 3); not a number where it has none."""
        return np.array([self._value(centre) for centre in centres.tolist()])

    def _value(self, centre: list[int]) -> float:
        value = values_of(self._roi(centre), self.settings)[self.tag]
        return float("nan") if isinstance(value, Undefined) else value

    def _roi(self, centre: list[int]) -> Roi:
        roi = self.roi
        z, y, x = (
            slice(max(0, place - far), min(size, place + far + 1))
            for place, far, size in zip(centre, self.radius, roi.morphological.shape, strict=True)
        )
        begin = roi.surroundings_start
        return Roi(
            intensity=np.ascontiguousarray(roi.intensity[z, y, x]),
            morphological=np.ascontiguousarray(roi.morphological[z, y, x]),
            intensity_mask=np.ascontiguousarray(roi.intensity_mask[z, y, x]),
            spacing_mm=roi.spacing_mm,
            surroundings=roi.surroundings,
            surroundings_start=(begin[0] + z.start, begin[1] + y.start, begin[2] + x.start),
            levels=_part(roi.levels, (z, y, x)),
            volume_histogram_levels=lambda: _part(self.histogram_levels, (z, y, x)),
        )


def _ready(roi: Roi) -> Roi:
    """The region with an image of the kind that kernels take, so that it isn't copied for every window."""
    return replace(roi, surroundings=np.ascontiguousarray(roi.surroundings, dtype=roi.intensity.dtype))


def _part(levels: Levels | None, box: tuple[slice, slice, slice]) -> Levels | None:
    if levels is None:
        return None
    return replace(levels, index=np.ascontiguousarray(levels.index[box]))


def _computed(
    window: _Window, centres: NDArray[np.int64], workers: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    parts = [centres[begin : begin + _WINDOWS_AT_ONCE] for begin in range(0, len(centres), _WINDOWS_AT_ONCE)]
    if workers <= 1:
        yield from ((part, window.values(part)) for part in parts)
        return
    with ThreadPoolExecutor(workers) as pool:
        yield from zip(parts, pool.map(window.values, parts), strict=True)
