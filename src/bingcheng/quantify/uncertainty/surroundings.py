"""What an image around a lesion says about itself: how far it is blurred over the border, and how noisy it is.

Both feed the uncertainty of whatever is measured there; neither corrects a value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.uncertainty.quiet import quiet_noise, smoothed, smoothing_of

Floats = NDArray[np.float32]

VOXEL_VARIANCE = 1.0 / 12.0
"""Variance of a voxel's own box profile, in voxels squared: a voxel holds the mean over itself."""
BLURS_MM = (0.35, 0.53, 0.79, 1.18, 1.78, 2.67, 4.0)
"""Standard deviations of the blur that are tried: from a sharp CT kernel to an old PET scanner (9.4 mm FWHM)."""
REACH_SD = 2.5
ROUNDS = 2
"""The blur tells where the background begins, and the background bends the fit of the blur: each is told again."""
MOST_LESION = 0.03
BESIDE_REACH_SD, LEAST_WEIGHT = 4.0, np.float32(1e-5)
"""The background is continued this far; a Gaussian's weight at this distance is about the least that counts."""
COARSE_VOXELS = 2.0
"""Smoothing that leaves a twentieth of white noise (SD), and a seventh of noise as smooth as that of PET."""
ENOUGH_VOXELS = 60
LARGE_VOXELS = 1000
"""From about eight windows on, a lesion is large enough to tell its uniform places from its uneven ones."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surroundings:
    """The image around a lesion, explained.

    Parameters
    ----------
    blur_mm : standard deviation of the blur, in mm; beside the voxel's own.
    level : what a uniform lesion holds once the blur is undone, in the image's unit.
    background : what lies beside the lesion, continued into it from the nearest side, (z, y, x).
    near : where the image tells of the lesion, (z, y, x).
    sharpened : the image with the blur across the lesion's border undone, under the model of a uniform lesion in this
        background, each keeping its own structure (the additive form of Yang's region-based correction).
    quiet : the image without its noise: that model, blurred, with what structure is coarser than noise.
    noise : standard deviation of noise (with structure too fine to tell from it), in the image's unit.
    noise_smoothing_voxels : along (z, y, x), the Gaussian that turns white noise into noise of the same correlation.
    """

    blur_mm: float
    level: float
    background: Floats
    near: NDArray[np.bool_]
    sharpened: Floats
    quiet: Floats
    noise: float
    noise_smoothing_voxels: tuple[float, float, float]

    def noise_like_it(self, generator: np.random.Generator) -> Floats:
        """A draw of such noise over the image, (z, y, x)."""
        draw = generator.standard_normal(self.sharpened.shape, dtype=np.float32)
        draw = smoothed(draw, self.noise_smoothing_voxels)
        draw *= np.float32(self.noise)
        return draw


def sharpened_for(image: Volume, outline: Region, surroundings: Surroundings) -> tuple[Floats, Floats]:
    """The image with the blur across another outline undone, by blur and background found for the one drawn.

    Returns
    -------
    as_drawn, refitted : what the lesion holds is taken as it was told along the outline as drawn, or fitted again along
        `outline`.
    """
    voxels = np.asarray(image.voxels, dtype=np.float32)
    member = _membership(image, outline)
    blurred = _blurred(member, image, surroundings.blur_mm)
    near, background = surroundings.near, surroundings.background
    share = blurred[near]
    weight = float(share @ share)
    as_drawn = _sharpened(voxels, member, blurred, np.float32(surroundings.level) - background)
    if weight <= 0.0:
        return as_drawn, as_drawn
    level = float(share @ (voxels[near] - background[near] * (1.0 - share))) / weight
    missing = (member >= 0.5).astype(np.float32) - blurred
    return as_drawn, as_drawn + np.float32(level - surroundings.level) * missing


def _sharpened(voxels: Floats, member: Floats, blurred: Floats, contrast: Floats) -> Floats:
    # A voxel that belongs belongs wholly, as the measures take it; what it holds of other tissue is blur as well.
    inside = (member >= 0.5).astype(np.float32)
    sharp: Floats = voxels + contrast * (inside - blurred)
    return sharp


def explain(image: Volume, lesion: Region) -> Surroundings | None:
    """How the image around `lesion` is blurred and how noisy it is; None where there is no background to compare.

    The blur is the one with which a uniform lesion fits best into its background around the border (least squares over
    lesion, background's level and blur). The background may differ from side to side: it is read beside the lesion, as
    far as the blur lets it be told, and continued into the lesion. The noise is what is left inside the lesion after a
    quadratic trend in space is taken out, once the border is sharpened; in a lesion too small for that, what is left
    of the fit. A large lesion has air, necrosis or vessels in it, which are no noise: there its most uniform parts
    tell (see `quiet_noise`).

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
    background: Floats = np.zeros_like(voxels)
    told, beside = voxels[near], background[near]
    trials = [_Trial.of(_blurred(member, image, blur), blur, near).fitted(told, beside) for blur in BLURS_MM]
    if not np.isfinite([trial.misfit for trial in trials]).all():
        return None
    best = _best(trials, member, image, near).fitted(told, beside)
    for _ in range(ROUNDS):
        background = _beside(image, best)
        beside = background[near]
        trials = [trial.fitted(told, beside) for trial in trials]
        best = _best(trials, member, image, near).fitted(told, beside)
    background = background + np.float32(best.offset)
    contrast = np.float32(best.offset + best.contrast) - background
    sharpened = _sharpened(voxels, member, best.blurred, contrast)
    noise, smoothing = _noise(sharpened, lesion, image)
    if noise is None:
        noise = float(np.sqrt(best.misfit / max(1, np.count_nonzero(near) - 3)))
    return Surroundings(
        blur_mm=best.blur_mm,
        level=best.offset + best.contrast,
        background=background,
        near=near,
        sharpened=sharpened,
        quiet=_quiet(image, background + contrast * best.blurred),
        noise=noise,
        noise_smoothing_voxels=smoothing,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """The fit, for one blur, of a uniform lesion in a background whose level alone is free.

    Parameters
    ----------
    blurred, share : how much of the lesion blurs to each voxel, and to each one near it.
    offset : what the fit adds to the background.
    contrast : lesion minus `offset`; the lesion holds `offset` + `contrast`.
    misfit : sum of squares of what is left.
    """

    blur_mm: float
    blurred: Floats
    share: NDArray[np.float64]
    offset: float = math.nan
    contrast: float = 0.0
    misfit: float = math.nan

    @staticmethod
    def of(blurred: Floats, blur_mm: float, near: NDArray[np.bool_]) -> _Trial:
        return _Trial(blur_mm, blurred, blurred[near].astype(np.float64))

    def fitted(self, told: Floats, beside: Floats) -> _Trial:
        """The fit to what the image and the background hold at the voxels near the lesion."""
        # In place: memory that is asked for anew takes longer than what is reckoned in it.
        beyond = 1.0 - self.share
        beyond *= beside
        np.subtract(told, beyond, out=beyond)
        middle, level = (float(one.mean()) if one.size else math.nan for one in (self.share, beyond))
        share = self.share - middle
        beyond -= level
        spread = float(share @ share)
        if not spread > 0.0:
            return _Trial(self.blur_mm, self.blurred, self.share)
        contrast = float(share @ beyond) / spread
        share *= contrast
        beyond -= share
        misfit = float(np.sum(np.square(beyond, out=beyond)))
        return replace(self, offset=level - contrast * middle, contrast=contrast, misfit=misfit)


def _best(trials: list[_Trial], member: Floats, image: Volume, near: NDArray[np.bool_]) -> _Trial:
    blur_mm = _between(trials)
    return _Trial.of(_blurred(member, image, blur_mm), blur_mm, near)


def _beside(image: Volume, best: _Trial) -> Floats:
    """What lies beside the lesion, continued into it: at each voxel the mean of what is nearest, (z, y, x).

    Read where less than 3 % of the lesion blurs to. Weights fall off as the blur does, so that fat on one side and
    bone on the other each stay on theirs, as they blur into the lesion.
    """
    voxels = np.asarray(image.voxels, dtype=np.float32)
    outside = best.blurred < MOST_LESION
    if image.valid is not None:
        outside &= image.valid
    if not outside.any():
        return np.zeros_like(voxels)
    level = np.float32(voxels[outside].mean(dtype=np.float64))
    widths = _widths_voxels(image, best.blur_mm)
    above, weight = (
        ndimage.gaussian_filter(one, widths, mode="nearest", truncate=BESIDE_REACH_SD)
        for one in (np.where(outside, voxels - level, np.float32(0.0)), outside.astype(np.float32))
    )
    # Deep in the lesion, where no background reaches and none blurs to, its mean level takes over.
    background: Floats = level + above / (weight + LEAST_WEIGHT)
    return background


def _quiet(image: Volume, modelled: Floats) -> Floats:
    """The image as modelled, with what is left of it smoothed until little noise remains: structure stays."""
    rest = np.asarray(image.voxels, dtype=np.float32) - modelled
    if image.valid is not None:
        rest[~image.valid] = 0.0
    ndimage.gaussian_filter(rest, COARSE_VOXELS, mode="nearest", output=rest)
    quiet: Floats = modelled + rest
    return quiet


def _membership(image: Volume, region: Region) -> Floats:
    member = np.zeros(image.voxels.shape, dtype=np.float32)
    member[region.box()] = region.mask
    return member


def _blurred(member: Floats, image: Volume, blur_mm: float) -> Floats:
    blurred: Floats = ndimage.gaussian_filter(member, _widths_voxels(image, blur_mm), mode="nearest", truncate=REACH_SD)
    return blurred


def _widths_voxels(image: Volume, blur_mm: float) -> list[float]:
    """Standard deviations along (z, y, x) of blur and voxel together."""
    return [math.sqrt((blur_mm / step) ** 2 + VOXEL_VARIANCE) for step in image.geometry.spacing_mm]


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
