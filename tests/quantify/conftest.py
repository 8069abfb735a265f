"""Generated lesions whose true size, intensity and diffusivity are known in closed form, and readers who draw them."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import ndimage

from bingcheng.core.case import Case, Methods
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Stack, Volume


@dataclass(frozen=True, kw_only=True)
class Ellipsoid:
    """Semi-axes in mm and a rotation; the centre is at the origin plus `centre_mm` (z, y, x)."""

    semi_mm: tuple[float, float, float]
    rotation: np.ndarray
    centre_mm: np.ndarray

    @property
    def form(self):
        """The matrix A of the surface p A p = 1, in the order (z, y, x)."""
        return self.rotation @ np.diag(1.0 / np.square(self.semi_mm)) @ self.rotation.T

    @property
    def truth(self):
        section = np.linalg.eigvalsh(self.form[1:, 1:])
        return {
            "volume": 4.0 / 3.0 * np.pi * np.prod(self.semi_mm) / 1000.0,
            "longest_diameter": 2.0 / np.sqrt(section[0]),
            "short_axis": 2.0 / np.sqrt(section[1]),
            "diameter_3d": 2.0 * max(self.semi_mm),
        }

    def depth_mm(self, spacing_mm, shape):
        """Signed distance to the surface (first order, exact at it), positive inside, at the voxels' centres."""
        axes = [
            (np.arange(n) - (n - 1) / 2.0) * s - c for n, s, c in zip(shape, spacing_mm, self.centre_mm, strict=True)
        ]
        p = np.ix_(*(axis.astype(np.float32) for axis in axes))
        slope = [sum(np.float32(a) * q for a, q in zip(row, p, strict=True)) for row in self.form]
        radius = np.sqrt(sum(q * s for q, s in zip(p, slope, strict=True)))
        steepness = np.sqrt(sum(s * s for s in slope))
        return (1.0 - radius) * radius / np.maximum(steepness, np.float32(1e-9))

    def shape(self, spacing_mm, margin_mm=9.0):
        return tuple(int(np.ceil(2.0 * (max(self.semi_mm) + margin_mm) / s)) + 4 for s in spacing_mm)


def any_ellipsoid(generator, diameter_mm, spacing_mm, *, elongation=1.6):
    ratio = generator.uniform(1.0, elongation, 3)
    semi = diameter_mm / 2.0 * ratio / np.cbrt(np.prod(ratio))
    rotation, _ = np.linalg.qr(generator.normal(size=(3, 3)))
    return Ellipsoid(semi_mm=tuple(semi), rotation=rotation, centre_mm=generator.uniform(-0.5, 0.5, 3) * spacing_mm)


def coverage(body, spacing_mm, shape, blur_mm=0.0):
    """The part of each voxel that the body fills, blurred; computed on a finer grid and averaged."""
    parts = [int(np.ceil(s / 1.4)) | 1 for s in spacing_mm]
    fine = tuple(s / k for s, k in zip(spacing_mm, parts, strict=True))
    depth = body.depth_mm(fine, tuple(n * k for n, k in zip(shape, parts, strict=True)))
    filled = np.clip(0.5 + depth / np.mean(fine), 0.0, 1.0).astype(np.float32)
    if blur_mm:
        filled = ndimage.gaussian_filter(filled, [blur_mm / s for s in fine], truncate=3.5)
    for axis, k in enumerate(parts):
        filled = np.add.reduceat(filled, np.arange(0, filled.shape[axis], k), axis=axis) / k
    return filled


def careful_reader(body, grid):
    """Every voxel that lies at least half inside."""
    return Region.of(coverage(body, grid.spacing_mm, grid.shape) >= 0.5, grid, label="lesion")


def ordinary_reader(generator, body, grid):
    """Off by a quarter of a pixel as a whole, and by another quarter unevenly over 8 mm (standard deviations)."""
    pixel = grid.spacing_mm[2]
    uneven = ndimage.gaussian_filter(generator.normal(size=grid.shape), [8.0 / s for s in grid.spacing_mm])
    depth = body.depth_mm(grid.spacing_mm, grid.shape)
    depth = depth + pixel * (0.25 * generator.normal() + 0.25 * uneven / uneven.std())
    return Region.of(depth > 0.0, grid, label="lesion")


def noise(generator, shape, sd, smoothing=0.0):
    draw = generator.normal(size=shape)
    if smoothing:
        draw = ndimage.gaussian_filter(draw, smoothing, mode="wrap")
        draw /= draw.std()
    return sd * draw


def ct(generator, body, spacing_mm, *, lesion_hu, background_hu, noise_hu, blur_mm):
    grid = VolumeGeometry(shape=body.shape(spacing_mm), spacing_mm=spacing_mm)
    voxels = background_hu + (lesion_hu - background_hu) * coverage(body, spacing_mm, grid.shape, blur_mm)
    voxels = voxels + noise(generator, grid.shape, noise_hu, (0.0, 0.7, 0.7))
    return Volume(voxels=voxels.astype(np.float32), geometry=grid, unit="[hnsf'U]")


def dwi(
    generator, body, spacing_mm, *, lesion, background, signal_ratio, snr, blur_mm, b_values=(0.0, 50.0, 400.0, 800.0)
):
    """Lesion and background in mm2/s; `signal_ratio` is background over lesion at b = 0; magnitude of complex noise."""
    grid = VolumeGeometry(shape=body.shape(spacing_mm), spacing_mm=spacing_mm)
    part = coverage(body, spacing_mm, grid.shape, blur_mm)
    volumes = []
    for b in b_values:
        signal = part * np.exp(-b * lesion) + (1.0 - part) * signal_ratio * np.exp(-b * background)
        real, imaginary = generator.normal(size=(2, *grid.shape)) / snr
        magnitude = 500.0 * np.hypot(signal + real, imaginary)
        volumes.append(Volume(voxels=magnitude.astype(np.float32), geometry=grid, unit="{arbitrary}"))
    return Stack(volumes=tuple(volumes), axis="b_value", values=tuple(b_values), unit="s/mm2")


@pytest.fixture(scope="session")
def lesions():
    """The generators of this module."""
    return SimpleNamespace(**{name: value for name, value in globals().items() if callable(value)})


@pytest.fixture(scope="session")
def methods():
    """All measures and derived inputs of this floor."""
    return Methods.of("bingcheng.quantify")


@pytest.fixture(scope="session")
def case_of(methods):
    """A lesion's case: case_of("CT", lesion, volume=...)."""

    def make(modality, lesion, **givens):
        return Case(methods, givens, modality=modality).with_lesion(lesion)

    return make
