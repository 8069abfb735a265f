"""Regions of known shape."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from bingcheng.quantify.radiomics.roi import Roi


def cropped(inside):
    """The mask's bounding box."""
    return np.ascontiguousarray(
        inside[np.ix_(inside.any(axis=(1, 2)), inside.any(axis=(0, 2)), inside.any(axis=(0, 1)))]
    )


def ellipsoid(semi_mm, spacing_mm=(1.0, 1.0, 1.0), shift=(0.17, 0.34, 0.51)):
    """The voxels whose centre lies in an ellipsoid with semi-axes along (z, y, x), its centre off the grid."""
    sizes = [int(2 * r / s) + 4 for r, s in zip(semi_mm, spacing_mm, strict=True)]
    axes = [(np.arange(n) - n // 2 + d) * s / r for n, d, s, r in zip(sizes, shift, spacing_mm, semi_mm, strict=True)]
    z, y, x = np.ix_(*axes)
    return cropped(z**2 + y**2 + x**2 <= 1.0)


def scattered(seed, shape=(5, 6, 7), part=0.5):
    """Voxels at random, at least one."""
    inside = np.random.default_rng(seed).random(shape) < part
    inside.flat[seed % inside.size] = True
    return inside


def roi_of(inside, intensity=None, *, spacing_mm=(1.0, 1.0, 1.0), counts=None):
    """A region whose intensities count everywhere, or in the mask `counts` alone."""
    if intensity is None:
        intensity = np.random.default_rng(7).normal(100.0, 20.0, inside.shape).astype(np.float32)
    return Roi(
        intensity=np.ascontiguousarray(intensity),
        morphological=inside,
        intensity_mask=inside if counts is None else counts,
        spacing_mm=spacing_mm,
        surroundings=intensity,
    )


@pytest.fixture(scope="session")
def shapes():
    """The functions of this module."""
    return SimpleNamespace(**{name: value for name, value in globals().items() if callable(value)})
