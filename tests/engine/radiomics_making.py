"""A small image with lesions, as files and in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.nifti import write_volume
from bingcheng.image.volume import Volume

GRID = VolumeGeometry(shape=(12, 20, 24), spacing_mm=(2.5, 1.5, 1.25), origin_mm=(-20.0, 5.0, 30.0))


def voxels(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(60.0, 15.0, GRID.shape).round().astype(np.float32)


def labels() -> np.ndarray:
    """Lesion 1 of 6 x 8 x 9 voxels, lesion 2 of 4 x 5 x 6."""
    found = np.zeros(GRID.shape, dtype=np.uint8)
    found[2:8, 3:11, 4:13] = 1
    found[6:10, 13:18, 15:21] = 2
    return found


def saved(array: np.ndarray, path: Path, grid: VolumeGeometry = GRID) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_volume(Volume(voxels=array, geometry=grid, unit="1"), path)
    return path


def pair(folder: Path, name: str = "lung", *, only: int | None = None, seed: int = 1) -> tuple[Path, Path]:
    mask = labels() if only is None else (labels() == only).astype(np.uint8)
    return saved(voxels(seed), folder / f"{name}.nii.gz"), saved(mask, folder / f"{name}_mask.nii.gz")
