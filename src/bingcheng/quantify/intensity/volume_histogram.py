"""How much of a lesion is at least how bright: the intensity-volume histogram family of the IBSI reference manual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.quantify.intensity.histogram import level_counts
from bingcheng.quantify.intensity.statistics import EMPTY_INTENSITY_MASK
from bingcheng.quantify.radiomics.feature import Family, Feature, Values
from bingcheng.quantify.radiomics.roi import Levels, Roi

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

NO_RANGE = Problem(
    code="quantify.volume-histogram-without-range",
    says="the range of intensities holds a single value, so that there are no parts of it",
    remedy="Give a range of intensities or narrower bins for the intensity-volume histogram.",
    owner=Owner.PHYSICIST,
)
NONE_SO_RARE = Problem(
    code="quantify.volume-histogram-too-coarse",
    says="every intensity, even the highest, is reached by more than {percent} % of the lesion's voxels",
    remedy="Use narrower bins for the intensity-volume histogram; a lesion of few voxels may be too small for it.",
    owner=Owner.PHYSICIST,
)


def _feature(tag: str, label: str, ibsi: str, power: int) -> Feature:
    return Feature(tag=tag, label=label, ibsi=ibsi, family=Family.VOLUME_HISTOGRAM, intensity_power=power)


FEATURES: tuple[Feature, ...] = (
    _feature("ivh_v10", "Volume fraction at 10% intensity", "BC2M", 0),
    _feature("ivh_v90", "Volume fraction at 90% intensity", "BC2M", 0),
    _feature("ivh_i10", "Intensity at 10% volume", "GBPN", 1),
    _feature("ivh_i90", "Intensity at 90% volume", "GBPN", 1),
    _feature("ivh_diff_v10_v90", "Volume fraction difference between 10% and 90% intensity", "DDTU", 0),
    _feature("ivh_diff_i10_i90", "Intensity difference between 10% and 90% volume", "CNV2", 1),
    _feature("ivh_auc", "Area under the intensity-volume histogram curve", "9CMM", 0),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Curve:
    """The histogram at rising intensities.

    `intensity` (n,) and `part` (n,) say which intensity it is, and how far along the range, 0 to 1; `reached` (n,)
    by how many of the `voxels` it is reached or surpassed.
    """

    intensity: Floats
    part: Floats
    reached: Whole
    voxels: int


def volume_histogram(roi: Roi) -> Values:
    """The intensity-volume histogram family (7 features).

    At each intensity of the range the histogram has the fraction of voxels that are at least as bright. The range and
    its steps are those of `Roi.volume_histogram_levels`; without levels they are the intensities that occur.
    ``ivh_v10`` is the fraction at the lowest intensity that is at least 10 % along the range, ``ivh_i10`` the lowest
    intensity that at most 10 % of the voxels reach. The area is that under the fraction of voxels over the fraction
    of the range, by trapezoids (van Velden et al., Eur J Nucl Med Mol Imaging 2011;38:1636-1647), and 0 if a single
    intensity occurs, as the manual says.

    Returns
    -------
    features by tag; `Undefined` with ``quantify.no-voxel-in-intensity-range`` (all),
    ``quantify.volume-histogram-without-range`` (volume fractions), ``quantify.volume-histogram-too-coarse``
    (intensities: other programs give the highest one where no intensity is rare enough).

    Notes
    -----
    Intensities are in the image's unit, but bin numbers where the levels are of a fixed bin number.
    """
    levels = roi.volume_histogram_levels()
    curve = _of_values(roi.values) if levels is None else _of_levels(levels)
    if curve is None:
        return dict.fromkeys((feature.tag for feature in FEATURES), Undefined(EMPTY_INTENSITY_MASK))
    v10, v90 = _volume_at(curve, 10), _volume_at(curve, 90)
    i10, i90 = _intensity_at(curve, 10), _intensity_at(curve, 90)
    return {
        "ivh_v10": v10,
        "ivh_v90": v90,
        "ivh_i10": i10,
        "ivh_i90": i90,
        "ivh_diff_v10_v90": _difference(v10, v90),
        "ivh_diff_i10_i90": _difference(i10, i90),
        "ivh_auc": _area(curve),
    }


def _of_levels(levels: Levels) -> _Curve | None:
    counts = level_counts(levels)
    voxels = int(counts.sum())
    if not voxels:
        return None
    step = np.arange(counts.size, dtype=np.float64)
    return _Curve(
        intensity=levels.first_value + step * levels.step,
        part=step / max(1, counts.size - 1),
        reached=np.cumsum(counts[::-1])[::-1],
        voxels=voxels,
    )


def _of_values(values: NDArray[Any]) -> _Curve | None:
    if not values.size:
        return None
    ordered = np.sort(values)
    first = np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1])
    intensity = ordered[first].astype(np.float64)
    extent = intensity[-1] - intensity[0]
    # Intensities in single precision miss tenths of their range by rounding.
    part = np.round((intensity - intensity[0]) / extent, 6) if extent else np.zeros(1)
    return _Curve(intensity=intensity, part=part, reached=values.size - first, voxels=values.size)


def _volume_at(curve: _Curve, percent: int) -> float | Undefined:
    """The fraction of voxels at the lowest intensity that is at least so far along the range."""
    if curve.part.size < 2:
        return Undefined(NO_RANGE)
    # 0.1 and 0.9 have no exact binary form: steps of tenths must not miss them by rounding.
    lowest = int(np.searchsorted(curve.part, percent / 100.0 - 1e-12))
    return float(curve.reached[lowest]) / curve.voxels


def _intensity_at(curve: _Curve, percent: int) -> float | Undefined:
    """The lowest intensity that at most so many of the voxels reach."""
    rare = 100 * curve.reached <= percent * curve.voxels
    if not rare[-1]:
        return Undefined(NONE_SO_RARE, percent=percent)
    return float(curve.intensity[np.argmax(rare)])


def _difference(first: float | Undefined, second: float | Undefined) -> float | Undefined:
    if isinstance(first, Undefined):
        return first
    return second if isinstance(second, Undefined) else first - second


def _area(curve: _Curve) -> float:
    # Each intensity that occurs is reached by fewer voxels than those below it.
    if np.unique(curve.reached[curve.reached > 0]).size == 1:
        return 0.0
    return float(np.trapezoid(curve.reached / curve.voxels, curve.part))
