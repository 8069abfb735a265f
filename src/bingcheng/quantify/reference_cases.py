"""Inputs with a known answer for the references of this floor's measures: small, from closed forms or tables."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.measure import Givens
from bingcheng.dicom.acquisition import CtAcquisition, Device
from bingcheng.image.geometry import Triple, VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Stack, Volume

IBSI_SOURCE = (
    "Zwanenburg et al., Radiology 2020;295:328-338 (IBSI): consensus on the digital phantom; "
    "phantom by A. Zwanenburg, CC BY 4.0, https://github.com/theibsi/data_sets"
)

DIFFUSIVITY_MM2_PER_S = 1.1e-3
"""Water in ice has this diffusivity; QIBA's diffusion phantoms are built on it (Malyarenko et al., JMRI 2013)."""
B_VALUES_S_PER_MM2 = (0.0, 100.0, 400.0, 800.0)

_IBSI_INTENSITY = (
    "14411 14611 41641 44641",
    "14411 11611 11311 44611",
    "14411 11111 11911 11611",
    "14411 11111 11111 11611",
)
_IBSI_MASK = (
    "11111 11111 11111 11111",
    "11111 11111 01111 11111",
    "11100 11111 11011 11111",
    "11100 11111 11111 11111",
)


def ibsi_digital_phantom() -> Givens:
    """The digital phantom of the IBSI in voxels of 2 mm, with a border of one empty voxel; lesion of 74 voxels."""
    grid = VolumeGeometry(shape=(6, 6, 7), spacing_mm=(2.0, 2.0, 2.0))
    intensity = np.pad(_digits(_IBSI_INTENSITY), 1).astype(np.float32)
    inside = np.pad(_digits(_IBSI_MASK), 1).astype(bool)
    return {
        "volume": Volume(voxels=intensity, geometry=grid, unit="[hnsf'U]"),
        "lesion": Region.of(inside, grid, label="phantom"),
    }


def sphere_20mm() -> Givens:
    """A sphere of 20 mm in voxels of 1 mm, its centre off the grid."""
    return {"lesion": ellipsoid((20.0, 20.0, 20.0), (1.0, 1.0, 1.0))}


def ellipsoid_40_24_16mm() -> Givens:
    """An ellipsoid of 40 (x) by 24 (y) by 16 mm (z) in voxels of 1 mm, its centre off the grid."""
    return {"lesion": ellipsoid((16.0, 24.0, 40.0), (1.0, 1.0, 1.0))}


def ellipsoid_in_slices_of_8mm() -> Givens:
    """An ellipsoid of 40 mm in the plane of slices that are 8 mm thick."""
    lesion = ellipsoid((48.0, 24.0, 40.0), (8.0, 1.0, 1.0))
    acquisition = CtAcquisition(modality="CT", device=Device(), series_uid="2.25.1", slice_thickness_mm=8.0)
    return {"lesion": lesion, "acquisition": acquisition}


def uniform_lesion() -> Givens:
    """A sphere of 20 mm and 40 HU in a background of -100 HU, sharp and without noise."""
    lesion = ellipsoid((20.0, 20.0, 20.0), (1.0, 1.0, 1.0))
    voxels = np.full(lesion.grid.shape, -100.0, dtype=np.float32)
    voxels[lesion.box()][lesion.inside] = 40.0
    return {"volume": Volume(voxels=voxels, geometry=lesion.grid, unit="[hnsf'U]"), "lesion": lesion}


def diffusion_lesion() -> Givens:
    """A sphere of 1.1e-3 mm2/s at four b-values in a background of twice that, without noise."""
    lesion = ellipsoid((20.0, 20.0, 20.0), (2.0, 2.0, 2.0))
    diffusivity = np.full(lesion.grid.shape, 2.0 * DIFFUSIVITY_MM2_PER_S)
    diffusivity[lesion.box()][lesion.inside] = DIFFUSIVITY_MM2_PER_S
    volumes = tuple(
        Volume(voxels=(1000.0 * np.exp(-b * diffusivity)).astype(np.float32), geometry=lesion.grid, unit="{arbitrary}")
        for b in B_VALUES_S_PER_MM2
    )
    stack = Stack(volumes=volumes, axis="b_value", values=B_VALUES_S_PER_MM2, unit="s/mm2")
    return {"volume": volumes[0], "diffusion": stack, "lesion": lesion}


def ellipsoid(diameters_mm: Triple, spacing_mm: Triple) -> Region:
    """The voxels whose centre lies in an ellipsoid with diameters along (z, y, x), three voxels from every edge."""
    extent = [round(d / s) + 7 for d, s in zip(diameters_mm, spacing_mm, strict=True)]
    grid = VolumeGeometry(shape=(extent[0], extent[1], extent[2]), spacing_mm=spacing_mm)
    squared = np.zeros(grid.shape)
    for axis, (size, step, diameter) in enumerate(zip(extent, spacing_mm, diameters_mm, strict=True)):
        # Off the grid by different parts of a voxel, so that no symmetry of the grid flatters the result.
        position = (np.arange(size) - (size - 1) / 2.0 + 0.17 * (axis + 1)) * step
        squared += np.square(2.0 * position / diameter).reshape([-1 if a == axis else 1 for a in range(3)])
    return Region.of(squared <= 1.0, grid, label="ellipsoid")


def _digits(slices: tuple[str, ...]) -> NDArray[np.int64]:
    return np.array([[[int(digit) for digit in row] for row in rows.split()] for rows in slices], dtype=np.int64)
