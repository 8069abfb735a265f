"""Small analytic objects whose answers are known: the references of the quality measures are made of them."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from bingcheng.dicom.acquisition import CtAcquisition, Device, MrAcquisition, PetAcquisition
from bingcheng.image.geometry import Triple, VolumeGeometry
from bingcheng.image.volume import Volume

AIR_HU = -1000.0


def grid(shape: tuple[int, int, int], spacing_mm: Triple) -> VolumeGeometry:
    """An axial grid (z, y, x) centred on the origin of patient space, slices from feet to head."""
    z, y, x = (-0.5 * (n - 1) * step for n, step in zip(shape, spacing_mm, strict=True))
    return VolumeGeometry(shape=shape, spacing_mm=spacing_mm, origin_mm=(x, y, z))


def radius_mm(geometry: VolumeGeometry, centre_mm: tuple[float, float] = (0.0, 0.0)) -> NDArray[np.float64]:
    """Distance (y, x) of each pixel of an axial slice from a point (left, posterior)."""
    _, height, width = geometry.shape
    y = geometry.origin_mm[1] + geometry.spacing_mm[1] * np.arange(height) - centre_mm[1]
    x = geometry.origin_mm[0] + geometry.spacing_mm[2] * np.arange(width) - centre_mm[0]
    distance: NDArray[np.float64] = np.hypot(y[:, None], x[None, :])
    return distance


def cylinder(
    *,
    diameter_mm: float,
    hu: float = 0.0,
    blur_mm: float = 0.6,
    noise_hu: float = 0.0,
    seed: int = 0,
    shape: tuple[int, int, int] = (5, 320, 320),
    spacing_mm: Triple = (3.0, 0.75, 0.75),
    centre_mm: tuple[float, float] = (0.3, -0.2),
) -> Volume:
    """A cylinder along z in air, its border blurred by a Gaussian of SD `blur_mm`, with white noise of SD `noise_hu`.

    The border is the error function of the distance to it, which for a radius far above the blur is the convolution.
    """
    geometry = grid(shape, spacing_mm)
    share = ndtr((0.5 * diameter_mm - radius_mm(geometry, centre_mm)) / blur_mm)
    voxels = np.empty(shape, dtype=np.float32)
    voxels[:] = AIR_HU + (hu - AIR_HU) * share
    if noise_hu:
        voxels += np.float32(noise_hu) * np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    return Volume(voxels=voxels, geometry=geometry, unit="[hnsf'U]")


def hollow_cylinder(*, diameter_mm: float, inner_mm: float, inner_hu: float, blur_mm: float = 0.6) -> Volume:
    """A water cylinder along z with a coaxial inner cylinder of `inner_hu`."""
    outer = cylinder(diameter_mm=diameter_mm, blur_mm=blur_mm)
    inner = cylinder(diameter_mm=inner_mm, blur_mm=blur_mm)
    share = (inner.voxels - np.float32(AIR_HU)) / np.float32(-AIR_HU)
    return Volume(voxels=outer.voxels + np.float32(inner_hu) * share, geometry=outer.geometry, unit=outer.unit)


def ct_dose(*, ctdi_vol_mgy: float | None, phantom_cm: float | None, body_part: str | None = None) -> CtAcquisition:
    """A CT acquisition of which only the dose is known."""
    return CtAcquisition(
        modality="CT",
        device=Device(),
        series_uid="2.25.1",
        body_part=body_part,
        ctdi_vol_mgy=ctdi_vol_mgy,
        ctdi_phantom_cm=phantom_cm,
    )


def rician_cylinder(
    *,
    signal: float,
    noise: float,
    channels: int = 1,
    seed: int = 0,
    diameter_mm: float = 150.0,
    shape: tuple[int, int, int] = (6, 160, 160),
    spacing_mm: Triple = (5.0, 1.5, 1.5),
) -> Volume:
    """The magnitude of a uniform cylinder: root of the sum of squares over complex channels with noise SD `noise`."""
    geometry = grid(shape, spacing_mm)
    true = signal * ndtr((0.5 * diameter_mm - radius_mm(geometry)) / 1.0)
    generator = np.random.default_rng(seed)
    power = np.zeros(shape)
    for _ in range(channels):
        power += (true / np.sqrt(channels) + noise * generator.standard_normal(shape)) ** 2
        power += (noise * generator.standard_normal(shape)) ** 2
    return Volume(voxels=np.sqrt(power).astype(np.float32), geometry=geometry, unit="{arbitrary}")


def magnitude_series(volume: Volume, *image_type: str) -> dict[str, object]:
    """The givens of an MR series; its image type is that of a plain magnitude image unless told."""
    acquisition = MrAcquisition(
        modality="MR",
        device=Device(),
        series_uid="2.25.3",
        image_type=image_type or ("ORIGINAL", "PRIMARY", "M", "ND"),
    )
    return {"volume": volume, "acquisition": acquisition}


def pet_trunk(
    *,
    liver_suv: float = 2.0,
    cov: float = 0.10,
    background_suv: float = 0.6,
    seed: int = 0,
    shape: tuple[int, int, int] = (60, 90, 120),
    spacing_mm: Triple = (4.0, 4.0, 4.0),
) -> Volume:
    """SUV of a trunk (32 x 22 cm) with a liver, an ellipsoid of 16 x 16 x 14 cm on the patient's right; white noise."""
    geometry = grid(shape, spacing_mm)
    z, y, x = (
        geometry.origin_mm[axis] + step * np.arange(n)
        for axis, step, n in zip((2, 1, 0), spacing_mm, shape, strict=True)
    )
    in_trunk = (y[:, None] / 110.0) ** 2 + (x[None, :] / 160.0) ** 2 < 1.0
    in_liver = (
        (z[:, None, None] / 70.0) ** 2
        + ((y[None, :, None] + 5.0) / 80.0) ** 2
        + ((x[None, None, :] + 65.0) / 80.0) ** 2
    ) < 1.0
    voxels = np.zeros(shape, dtype=np.float32)
    voxels[:, in_trunk] = background_suv
    voxels[in_liver & in_trunk] = liver_suv
    voxels *= 1.0 + cov * np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    return Volume(voxels=voxels, geometry=geometry, unit="g/ml")


def pet_in_becquerel(suv: Volume, *, dose_bq: float = 3.5e8, weight_kg: float = 70.0) -> dict[str, object]:
    """The givens whose SUV is `suv`: activity decay-corrected to the injection, so that no time enters."""
    injected = datetime(2020, 1, 1, 8, 0, tzinfo=UTC).replace(tzinfo=None)
    acquisition = PetAcquisition(
        modality="PT",
        device=Device(),
        series_uid="2.25.2",
        weight_kg=weight_kg,
        units="BQML",
        stored_unit_factor=1.0,
        corrections=("ATTN", "DECY", "NORM", "SCAT", "RAN"),
        attenuation_corrected=True,
        decay_correction="ADMIN",
        injected_dose_bq=dose_bq,
        injected_at=injected,
        decay_reference_at=injected,
        started_at=injected.replace(hour=9),
        half_life_s=6586.2,
        radionuclide="F-18",
    )
    activity = suv.voxels * np.float32(dose_bq / (1000.0 * weight_kg))
    volume = Volume(voxels=activity, geometry=suv.geometry, unit="Bq/ml")
    return {"volume": volume, "acquisition": acquisition, "segments": {}}
