"""Noise of exact strength: white, CT-like, PET-like, Rician. Every function takes the random generator that it uses.

"Exact" means the standard deviation of the process: a sample's own deviates by about 1 / sqrt(2 n) for n independent
values.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from bingcheng.image.geometry import Triple


def white(shape: tuple[int, ...], sd: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Gaussian noise, independent from voxel to voxel."""
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(sd)


def ct_transfer(rows: int, columns: int, spacing_mm: tuple[float, float], blur_mm: float) -> NDArray[np.float32]:
    """Amplitude (rows, columns // 2 + 1) of CT noise in the half Fourier plane, scaled to a standard deviation of one.

    Filtered back-projection gives a noise power in proportion to |f| times the squared apodisation (Riederer,
    Pelc and Chesler, Phys Med Biol 1978;23:446); the apodisation is the modulation transfer function of a Gaussian
    of `blur_mm`, as for the image itself.
    """
    f_y = np.fft.fftfreq(rows, spacing_mm[0])[:, None]
    f_x = np.fft.rfftfreq(columns, spacing_mm[1])[None, :]
    squared = f_y**2 + f_x**2
    amplitude = np.sqrt(np.sqrt(squared)) * np.exp(-2.0 * (math.pi * blur_mm) ** 2 * squared)
    # Parseval: each column but the first (and, for an even width, the last) stands for itself and its mirror
    weight = np.full(amplitude.shape[1], 2.0)
    weight[0] = 1.0
    if columns % 2 == 0:
        weight[-1] = 1.0
    power = float((amplitude**2 * weight).sum()) / (rows * columns)
    scaled: NDArray[np.float32] = (amplitude / math.sqrt(power)).astype(np.float32)
    return scaled


def ct_slices(
    count: int,
    shape: tuple[int, int],
    spacing_mm: tuple[float, float],
    *,
    sd: float,
    blur_mm: float,
    rng: np.random.Generator,
) -> Iterator[NDArray[np.float32]]:
    """CT-like noise, one slice (y, x) after the other, independent between slices; see `ct_transfer`."""
    transfer = ct_transfer(*shape, spacing_mm, blur_mm) * np.float32(sd)
    for _ in range(count):
        spectrum = scipy.fft.rfft2(rng.standard_normal(shape, dtype=np.float32)) * transfer
        slice_noise: NDArray[np.float32] = scipy.fft.irfft2(spectrum, s=shape)
        yield slice_noise


def smooth(shape: tuple[int, int, int], sigma_voxels: Triple, rng: np.random.Generator) -> NDArray[np.float32]:
    """Gaussian-filtered white noise (z, y, x) of standard deviation one (periodic at the borders)."""
    noise = rng.standard_normal(shape, dtype=np.float32)
    for axis, sigma in enumerate(sigma_voxels):
        if sigma <= 0:
            continue
        impulse = np.zeros(shape[axis])
        impulse[shape[axis] // 2] = 1.0
        kernel = gaussian_filter1d(impulse, sigma, mode="wrap")
        noise = gaussian_filter1d(noise, sigma, axis=axis, mode="wrap") / np.float32(
            math.sqrt(float((kernel**2).sum()))
        )
    return noise


def pet(
    activity: NDArray[np.float32],
    *,
    relative_sd: float,
    reference: float,
    sigma_voxels: Triple,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """`activity` with post-filtered counting noise: the variance is proportional to the activity.

    At the activity `reference` (the liver, say) the relative standard deviation is `relative_sd`. Negative results
    are kept: a scanner that cuts them off is another matter.
    """
    spread = np.sqrt(np.maximum(activity, 0.0) * np.float32(reference)) * np.float32(relative_sd)
    noisy: NDArray[np.float32] = activity + smooth(activity.shape, sigma_voxels, rng) * spread
    return noisy


def rician(signal: NDArray[np.float32], *, sd: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Magnitude of `signal` with Gaussian noise of `sd` in both channels (one coil)."""
    real = signal + white(signal.shape, sd, rng)
    magnitude: NDArray[np.float32] = np.hypot(real, white(signal.shape, sd, rng))
    return magnitude
