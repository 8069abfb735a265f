"""Ready-made images of which the answer is known: what references and tests of measures are made of.

All are seeded and small; each says which number must come out, and why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bingcheng.image.geometry import Triple, VolumeGeometry
from bingcheng.image.phantoms import noise
from bingcheng.image.phantoms.render import Part, compose, paint, region_of
from bingcheng.image.phantoms.shapes import cylinder_of, sphere_of
from bingcheng.image.region import Region
from bingcheng.image.volume import Stack, Volume

AIR_HU = -1000.0
HU = "[hnsf'U]"


def centred(shape: tuple[int, int, int], spacing_mm: Triple) -> VolumeGeometry:
    """An axial grid with the patient's origin in its middle."""
    z, y, x = (-(n - 1) / 2 * step for n, step in zip(shape, spacing_mm, strict=True))
    return VolumeGeometry(shape=shape, spacing_mm=spacing_mm, origin_mm=(x, y, z))


def sphere(
    diameter_mm: float,
    *,
    spacing_mm: Triple = (1.0, 1.0, 1.0),
    inside: float = 100.0,
    outside: float = 0.0,
    blur_mm: Triple = (0.8, 0.8, 0.8),
    centre_mm: Triple = (0.0, 0.0, 0.0),
    sd: float = 0.0,
    unit: str = HU,
    seed: int = 0,
) -> tuple[Volume, Region]:
    """A blurred sphere with white noise, and the voxels that lie at least half in it.

    Its volume is pi d^3 / 6 and each of its diameters d; the mean of its inner voxels is `inside`.
    """
    shape = tuple(
        math.ceil((diameter_mm + 12.0 * blur) / step) + 3 for blur, step in zip(blur_mm, spacing_mm, strict=True)
    )
    geometry = centred((shape[0], shape[1], shape[2]), spacing_mm)
    ball = sphere_of(diameter_mm, centre_mm)
    clean = compose([Part(shape=ball, value=inside)], geometry, blur_mm, background=outside, unit=unit)
    voxels = clean.voxels + noise.white(geometry.shape, sd, np.random.default_rng(seed)) if sd else clean.voxels
    return Volume(voxels=voxels, geometry=geometry, unit=unit), region_of(ball, geometry, label="sphere")


def edge_cylinder(
    diameter_mm: float = 240.0,
    *,
    blur_mm: float = 0.6,
    sd_hu: float = 10.0,
    inside_hu: float = 40.0,
    slices: int = 5,
    matrix: int = 512,
    pixel_mm: float = 0.75,
    slice_mm: float = 5.0,
    seed: int = 0,
) -> Volume:
    """A cylinder in air seen by a CT of Gaussian resolution, with CT-like noise; slightly off centre.

    The modulation transfer function is exp(-2 (pi sigma f)^2), so f50 = sqrt(ln 2 / 2) / (pi sigma); the noise in it
    has the standard deviation `sd_hu`.
    """
    geometry = centred((slices, matrix, matrix), (slice_mm, pixel_mm, pixel_mm))
    voxels = np.full(geometry.shape, AIR_HU, dtype=np.float32)
    # one slice serves all: a cylinder looks the same in each
    one = geometry.box((0, 0, 0), (1, matrix, matrix))
    paint(voxels[:1], one, cylinder_of(diameter_mm, (0.31, -0.17, 0.0)), inside_hu, (blur_mm, blur_mm, blur_mm))
    voxels[1:] = voxels[:1]
    rng = np.random.default_rng(seed)
    grain = noise.ct_slices(slices, (matrix, matrix), (pixel_mm, pixel_mm), sd=sd_hu, blur_mm=blur_mm, rng=rng)
    for index, layer in enumerate(grain):
        voxels[index] += layer
    return Volume(voxels=voxels, geometry=geometry, unit=HU)


def water_cylinder(diameter_mm: float = 300.0, *, sd_hu: float = 8.0, slices: int = 5, seed: int = 0) -> Volume:
    """A cylinder of water in air: its water-equivalent diameter is its diameter."""
    return edge_cylinder(
        diameter_mm, sd_hu=sd_hu, inside_hu=0.0, slices=slices, matrix=256, pixel_mm=1.6, blur_mm=0.9, seed=seed
    )


def rician_slab(signal: float, sd: float, *, shape: tuple[int, int, int] = (8, 96, 96), seed: int = 0) -> Volume:
    """Tissue of one signal in the middle half of air, as magnitude with Rician noise: its SNR is signal / sd."""
    geometry = centred(shape, (5.0, 2.0, 2.0))
    clean = np.zeros(shape, dtype=np.float32)
    clean[:, shape[1] // 4 : -(shape[1] // 4), shape[2] // 4 : -(shape[2] // 4)] = signal
    rng = np.random.default_rng(seed)
    return Volume(voxels=noise.rician(clean, sd=sd, rng=rng), geometry=geometry, unit="{arbitrary}")


def diffusion_slab(
    adc_mm2_per_s: float,
    *,
    b_values: Sequence[float] = (0.0, 400.0, 800.0),
    signal: float = 400.0,
    sd: float = 0.0,
    shape: tuple[int, int, int] = (6, 48, 48),
    seed: int = 0,
) -> tuple[Stack, Region]:
    """One tissue that diffuses with one coefficient, in air, and the region of the tissue: S0 exp(-b ADC)."""
    geometry = centred(shape, (5.0, 2.0, 2.0))
    rng = np.random.default_rng(seed)
    tissue = np.zeros(shape, dtype=bool)
    tissue[1:-1, shape[1] // 4 : -(shape[1] // 4), shape[2] // 4 : -(shape[2] // 4)] = True
    volumes = []
    for b_value in b_values:
        clean = np.where(tissue, np.float32(signal * math.exp(-b_value * adc_mm2_per_s)), np.float32(0.0))
        voxels = noise.rician(clean, sd=sd, rng=rng) if sd else clean
        volumes.append(Volume(voxels=voxels, geometry=geometry, unit="{arbitrary}"))
    stack = Stack(volumes=tuple(volumes), axis="b_value", values=tuple(b_values), unit="s/mm2")
    return stack, Region.of(tissue, geometry, label="tissue")


def pet_liver(
    suv: float = 2.0, *, relative_sd: float = 0.10, background: float = 0.6, seed: int = 0
) -> tuple[Volume, Region]:
    """A liver of even uptake in a trunk, as SUV with post-filtered noise, and the liver well inside its border.

    The mean over the region is `suv` and its coefficient of variation `relative_sd`. The liver lies on the patient's
    right: at low L.
    """
    geometry = centred((48, 96, 128), (4.0, 4.0, 4.0))
    blur_mm = (2.6, 2.6, 2.6)
    trunk, liver = cylinder_of(300.0), sphere_of(140.0, (-65.0, 0.0, 0.0))
    clean = compose([Part(shape=trunk, value=background), Part(shape=liver, value=suv)], geometry, blur_mm, unit="g/ml")
    noisy = noise.pet(
        np.asarray(clean.voxels),
        relative_sd=relative_sd,
        reference=suv,
        sigma_voxels=(0.6, 0.6, 0.6),
        rng=np.random.default_rng(seed),
    )
    inner = region_of(sphere_of(110.0, (-65.0, 0.0, 0.0)), geometry, label="liver")
    return Volume(voxels=noisy, geometry=geometry, unit="g/ml"), inner
