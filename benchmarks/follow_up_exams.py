"""Two CT exams of one generated patient: ``python -m benchmarks.follow_up_exams FOLDER SLICES MATRIX``.

A trunk with organs and a grain of its own, and the same trunk turned, shifted and deformed by a known map; each exam
has its own noise. Points of the body and where they went are kept beside them, so that what is found can be judged.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bingcheng.image.phantoms.abdomen import enhanced_abdomen
from bingcheng.image.phantoms.follow_up import Warp
from bingcheng.image.phantoms.noise import smooth
from bingcheng.image.volume import Volume

SEED = 20261202
LENGTH_MM, FIELD_MM = 450.0, 400.0
LOWEST_MM = -215.0
GRAIN_MM, GRAIN_HU = 5.0, 25.0
"""Vessels, fat strands and ducts: structures of about 10 mm that move with the tissue."""
NOISE_HU, AIR_HU, BODY_HU = 15.0, -1000.0, -400.0
SWING_MM, WAVE_MM = 3.0, 110.0
POINTS = 4000


def main() -> None:
    folder, slices, matrix = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    earlier = _trunk(slices, matrix, rng)
    middle = earlier.geometry.to_mm((np.asarray(earlier.geometry.shape) - 1) / 2.0)
    warp = Warp.drawn(rng, middle, swing_mm=SWING_MM, wavelength_mm=WAVE_MM)
    later = warp.later(earlier, earlier.geometry, outside=AIR_HU)
    points = _points(later, warp, rng)
    spacing, origin = np.asarray(earlier.geometry.spacing_mm), np.asarray(earlier.geometry.origin_mm)
    np.savez(folder / "truth.npz", later_mm=points[0], earlier_mm=points[1], spacing_mm=spacing, origin_mm=origin)
    for name, volume in (("earlier", earlier), ("later", later)):
        np.save(folder / f"{name}.npy", _with_noise(volume.voxels, rng))


def _trunk(slices: int, matrix: int, rng: np.random.Generator) -> Volume:
    spacing_mm = (LENGTH_MM / slices, FIELD_MM / matrix, FIELD_MM / matrix)
    made = enhanced_abdomen(spacing_mm=spacing_mm, levels_mm=(LOWEST_MM, LOWEST_MM + LENGTH_MM), field_mm=FIELD_MM)
    z, y, x = (GRAIN_MM / mm for mm in spacing_mm)
    grain = smooth(made.geometry.shape, (z, y, x), rng)
    tissue = np.abs(made.voxels) < 300.0
    grain *= tissue
    grain *= np.float32(GRAIN_HU)
    grain += made.voxels
    return Volume(voxels=grain, geometry=made.geometry, unit=made.unit)


def _points(later: Volume, warp: Warp, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points (n, 3) of the body in the later exam, and where they were in the earlier one, which shows them too."""
    size = np.asarray(later.geometry.shape) - 1
    index = rng.uniform(size=(4 * POINTS, 3)) * size
    inside = later.voxels[tuple(np.rint(index).astype(int).T)] > BODY_HU
    there = later.geometry.to_mm(index[inside])
    then = warp.to_earlier(there)
    before = later.geometry.to_index(then)
    shown = ((before >= 0) & (before <= size)).all(axis=1)
    return there[shown][:POINTS], then[shown][:POINTS]


def _with_noise(voxels: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.int16]:
    found = np.empty(voxels.shape, dtype=np.int16)
    for layer, target in zip(voxels, found, strict=True):
        target[:] = np.rint(layer + NOISE_HU * rng.standard_normal(layer.shape, dtype=np.float32))
    return found


if __name__ == "__main__":
    main()
