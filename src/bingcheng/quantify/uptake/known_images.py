"""PET images with a known answer, for the references of the uptake measures."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.measure import Givens
from bingcheng.dicom.acquisition import Device, PetAcquisition
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume

WEIGHT_KG = 70.0
HEIGHT_M = 1.75
DOSE_BQ = 370e6
HALF_LIFE_S = 6586.2
BQ_PER_ML_PER_SUV = DOSE_BQ / 2 / (1000 * WEIGHT_KG)
"""The scan starts one half-life after the injection, so that half of the dose is left."""

SHAPE = (24, 24, 24)
SPACING_MM = (3.0, 4.0, 4.0)
EDGE = 8
"""The lesion is a cube of so many voxels a side."""
BLOB_SIGMA_MM = 20.0


def acquisition() -> PetAcquisition:
    """Facts of a corrected FDG scan of a man of 70 kg and 1.75 m."""
    injected = datetime(2024, 1, 1, 23, 30)  # noqa: DTZ001 - a scanner's local time; midnight lies before the scan
    started = injected + timedelta(seconds=HALF_LIFE_S)
    return PetAcquisition(
        modality="PT",
        device=Device(),
        series_uid="2.25.1",
        started_at=started,
        weight_kg=WEIGHT_KG,
        height_m=HEIGHT_M,
        sex="M",
        units="BQML",
        stored_unit_factor=1.0,
        corrections=("DECY", "ATTN", "SCAT", "NORM", "DTIM", "RAN"),
        attenuation_corrected=True,
        decay_correction="START",
        injected_dose_bq=DOSE_BQ,
        injected_at=injected,
        decay_reference_at=started,
        half_life_s=HALF_LIFE_S,
        radionuclide="F-18",
    )


def uniform_cube() -> Givens:
    """SUV 5 in a cube of 8 voxels a side, 1 around it."""
    image = np.ones(SHAPE)
    image[_cube()] = 5.0
    return _givens(image)


def two_levels() -> Givens:
    """The cube has SUV 10 in its lower half along z and SUV 4 (below 41 % of 10) in its upper half."""
    image = np.ones(SHAPE)
    image[_cube()] = 4.0
    image[8:12, 8:16, 8:16] = 10.0
    return _givens(image)


def ramp() -> Givens:
    """SUV grows by 0.1 a voxel along x everywhere: a sphere's mean is its centre's value, in the cube at most 1.5."""
    return _givens(np.broadcast_to(np.arange(SHAPE[2]) * 0.1, SHAPE))


def blob() -> Givens:
    """SUV 8 exp(-r^2 / 2 s^2) with s = 20 mm about the centre of a voxel in the cube."""
    z, y, x = ((np.arange(n) - 12) * step for n, step in zip(SHAPE, SPACING_MM, strict=True))
    squared = z[:, None, None] ** 2 + y[None, :, None] ** 2 + x[None, None, :] ** 2
    return _givens(8.0 * np.exp(-squared / (2 * BLOB_SIGMA_MM**2)))


def _cube() -> tuple[slice, slice, slice]:
    return slice(8, 8 + EDGE), slice(8, 8 + EDGE), slice(8, 8 + EDGE)


def _givens(suv: NDArray[np.float64]) -> Givens:
    geometry = VolumeGeometry(shape=SHAPE, spacing_mm=SPACING_MM)
    mask = np.zeros(SHAPE, dtype=bool)
    mask[_cube()] = True
    return {
        "volume": Volume(voxels=(suv * BQ_PER_ML_PER_SUV).astype(np.float32), geometry=geometry, unit="Bq/ml"),
        "acquisition": acquisition(),
        "lesion": Region.of(mask, geometry, label="lesion", method="analytic"),
    }
