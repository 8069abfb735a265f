"""What an image around a lesion says about itself: how far it is blurred over the border, and how noisy it is.

Both feed the uncertainty of whatever is measured there; neither corrects a value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.quiet import quiet_noise, smoothed, smoothing_of

Floats = NDArray[np.float32]

VOXEL_VARIANCE = 1.0 / 12.0
"""Variance of a voxel's own box profile, in voxels squared: a voxel holds the mean over itself."""
BLURS_MM = (0.35, 0.53, 0.79, 1.18, 1.78, 2.67, 4.0)
"""Standard deviations of the blur that are tried: from a sharp CT kernel to an old PET scanner (9.4 mm FWHM)."""
REACH_SD = 2.5
ENOUGH_VOXELS = 60
LARGE_VOXELS = 1000
"""From about eight windows on, a lesion is large enough to tell its uniform places from its uneven ones."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surroundings:
    """The image around a lesion, explained.

    Parameters
    ----------
    sharpened : the image with the blur across the lesion's border undone, under the model of a uniform lesion in a
        uniform background, each keeping its own structure (the additive form of Yang's region-based correction).
    blur_mm : standard deviation of the blur, in mm; beside the voxel's own.
    contrast : lesion minus background, in the image's unit; where the background differs from side to side (fat and
        bone), the root mean square over it, with the sign of the mean.
    noise : standard deviation of noise (with structure too fine to tell from it), in the image's unit.
    noise_smoothing_voxels : along (z, y, x), the Gaussian that turns white noise into noise of the same correlation.
    """

    sharpened: Floats
    blur_mm: float
    contrast: float
    noise: float
    noise_smoothing_voxels: tuple[float, float, float]

    def noise_like_it(self, generator: np.random.Generator) -> Floats:
        """A draw of such noise over the image, (z, y, x)."""
        draw = generator.standard_normal(self.sharpened.shape, dtype=np.float32)
        draw = smoothed(draw, self.noise_smoothing_voxels)
        draw *= np.float32(self.noise)
        return draw


def sharpened_for(image: Volume, outline: Region, surroundings: Surroundings) -> Floats:
    """The image with the blur across another outline undone, by the blur and contrast found for the one drawn."""
    member = _membership(image, outline)
    return _sharpened(image, member, _blurred(member, image, surroundings.blur_mm), surroundings.contrast)


def _sharpened(image: Volume, member: Floats, blurred: Floats, contrast: float) -> Floats:
    # A voxel that belongs belongs wholly, as the measures take it; what it holds of other tissue is blur as well.
    inside = (member >= 0.5).astype(np.float32)
    sharp: Floats = np.asarray(image.voxels, dtype=np.float32) + np.float32(contrast) * (inside - blurred)
    return sharp


def explain(image: Volume, lesion: Region) -> Surroundings | None:
    """How the image around `lesion` is blurred and how noisy it is; None where there is no background to compare.

    The blur is the one with which a uniform lesion in a uniform background fits best around the border (least
    squares over lesion, background and blur). The noise is what is left inside the lesion after a quadratic trend
    in space is taken out, once the border is sharpened; in a lesion too small for that, what is left of the fit. A
    large lesion has air, necrosis or vessels in it, which are no noise: there its most uniform parts tell (see
    `quiet_noise`).

    Parameters
    ----------
    image : the lesion with at least some millimetres around it.
    lesion : on the same grid, not empty.
    """
    voxels = np.asarray(image.voxels, dtype=np.float32)
    member = _membership(image, lesion)
    near = _blurred(member, image, BLURS_MM[-1] / 2.0) > 0.01
    if image.valid is not None:
        near &= image.valid
    observed = voxels[near].astype(np.float64)
    trials = [_Trial.of(member, image, blur, near, observed) for blur in BLURS_MM]
    if not np.isfinite([trial.misfit for trial in trials]).all():
        return None
    best = _Trial.of(member, image, _between(trials), near, observed)
    if not np.isfinite(best.misfit):
        return None
    noise, smoothing = _noise(_sharpened(image, member, best.blurred, best.contrast), lesion, image)
    if noise is None:
        noise = float(np.sqrt(best.misfit / max(1, observed.size - 3)))
    contrast = math.copysign(math.hypot(best.contrast, _unevenness(image, member, best, noise)), best.contrast)
    return Surroundings(
        sharpened=_sharpened(image, member, best.blurred, contrast),
        blur_mm=best.blur_mm,
        contrast=contrast,
        noise=noise,
        noise_smoothing_voxels=smoothing,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """The fit of background + contrast x blurred membership, for one blur."""

    blur_mm: float
    contrast: float
    misfit: float
    blurred: Floats

    @staticmethod
    def of(member: Floats, image: Volume, blur_mm: float, near: NDArray[np.bool_], observed: NDArray[Any]) -> _Trial:
        blurred = _blurred(member, image, blur_mm)
        model = blurred[near].astype(np.float64)
        model -= model.mean()
        deviation = observed - observed.mean()
        spread = float(model @ model)
        if spread <= 0.0:
            return _Trial(blur_mm, 0.0, np.nan, blurred)
        contrast = float(model @ deviation) / spread
        return _Trial(blur_mm, contrast, float(np.sum(np.square(deviation - contrast * model))), blurred)


def _unevenness(image: Volume, member: Floats, best: _Trial, noise: float) -> float:
    """Standard deviation of the background next to the lesion beyond that of `noise`, in the image's unit.

    Next to it is what holds less than 3 % of the lesion, and would hold more than 1 % if the blur were twice as wide.
    The mean contrast tells the blur's bias of a lesion between fat and bone no better than the mean of fat and bone
    tells either; each face's own contrast is what blurs into it.
    """
    beside = (best.blurred < 0.03) & (_blurred(member, image, 2.0 * best.blur_mm) > 0.01)
    if image.valid is not None:
        beside &= image.valid
    if np.count_nonzero(beside) < ENOUGH_VOXELS:
        return 0.0
    return math.sqrt(max(float(image.voxels[beside].var(dtype=np.float64)) - noise**2, 0.0))


def _membership(image: Volume, region: Region) -> Floats:
    member = np.zeros(image.voxels.shape, dtype=np.float32)
    member[region.box()] = region.mask
    return member


def _blurred(member: Floats, image: Volume, blur_mm: float) -> Floats:
    widths = [np.sqrt((blur_mm / step) ** 2 + VOXEL_VARIANCE) for step in image.geometry.spacing_mm]
    blurred: Floats = ndimage.gaussian_filter(member, widths, mode="nearest", truncate=REACH_SD)
    return blurred


def _between(trials: list[_Trial]) -> float:
    """The blur of least misfit, by a parabola through the best trial and its neighbours, in the logarithm of blur."""
    misfit = np.array([trial.misfit for trial in trials])
    i = int(np.argmin(misfit))
    if i in (0, len(trials) - 1):
        return trials[i].blur_mm
    left, middle, right = misfit[i - 1 : i + 2]
    bend = left - 2.0 * middle + right
    part = 0.0 if bend <= 0.0 else float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5))
    ratio = trials[i + 1].blur_mm / trials[i].blur_mm
    return float(trials[i].blur_mm * ratio**part)


def _noise(sharpened: Floats, lesion: Region, image: Volume) -> tuple[float | None, tuple[float, float, float]]:
    values = sharpened[lesion.box()]
    core = lesion.inside
    if image.valid is not None:
        core = core & image.valid[lesion.box()]
    eroded = ndimage.binary_erosion(core)
    core = eroded if np.count_nonzero(eroded) >= ENOUGH_VOXELS else core
    if np.count_nonzero(core) < ENOUGH_VOXELS:
        return None, (0.0, 0.0, 0.0)
    at = np.stack(np.nonzero(core), axis=1).astype(np.float64)
    at = (at - at.mean(axis=0)) / np.maximum(at.std(axis=0), 1.0)
    z, y, x = at.T
    terms = np.stack((np.ones_like(z), z, y, x, z * z, y * y, x * x, z * y, y * x, x * z), axis=1)
    inside = values[core].astype(np.float64)
    trend, *_ = np.linalg.lstsq(terms, inside, rcond=None)
    rest = inside - terms @ trend
    noise = float(np.sqrt(rest @ rest / (rest.size - terms.shape[1])))
    if noise == 0.0:
        return 0.0, (0.0, 0.0, 0.0)
    residual = np.zeros(core.shape)
    residual[core] = rest
    widths = [_smoothing(residual, core, axis, noise) for axis in range(3)]
    smoothing = (widths[0], widths[1], widths[2])
    if np.count_nonzero(core) < LARGE_VOXELS:
        return noise, smoothing
    return quiet_noise(residual, core) or (noise, smoothing)


def _smoothing(residual: NDArray[np.float64], core: NDArray[np.bool_], axis: int, noise: float) -> float:
    """Width of the Gaussian whose smoothed white noise has the residual's correlation between neighbours on an axis."""
    if core.shape[axis] < 2:
        return 0.0
    one, next_one = [slice(None)] * 3, [slice(None)] * 3
    one[axis], next_one[axis] = slice(None, -1), slice(1, None)
    both = core[tuple(one)] & core[tuple(next_one)]
    if np.count_nonzero(both) < ENOUGH_VOXELS // 2:
        return 0.0
    products = residual[tuple(one)][both] * residual[tuple(next_one)][both]
    correlation = float(products.mean()) / noise**2
    return smoothing_of(correlation)
