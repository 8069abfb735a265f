"""Lesions in arrays, generated: ``python -m benchmarks.radiomics_lesions FOLDER``.

Each file holds an image of correlated texture, in CT numbers and voxels of 1 mm, and a ball of a lesion drawn in it:
what every contender is handed. The image is larger than the lesion, as a series is.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

SEED = 20261201
SHAPE = (120, 256, 256)
RADII: Mapping[str, float] = MappingProxyType({"2k": 7.8, "30k": 19.36, "400k": 46.1})
"""Radii in voxels, by about how many voxels the lesion has."""
GRAIN, BLOBS = (1.5, 120.0), (5.0, 600.0)
"""Width of the blur in voxels, and what the blurred white noise is multiplied with: 6 CT numbers or so of each."""
INSIDE, OUTSIDE = 40.0, -60.0


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    texture = _texture()
    for name, radius in RADII.items():
        mask = ball(SHAPE, radius)
        image = np.rint(texture + np.where(mask, INSIDE, OUTSIDE)).astype(np.int16)
        np.savez(folder / f"{name}.npz", image=image, mask=mask, spacing_mm=np.ones(3))


def ball(shape: tuple[int, int, int], radius: float) -> NDArray[np.bool_]:
    """Voxels (z, y, x) whose centres lie within `radius` voxels of the middle one."""
    z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    inside: NDArray[np.bool_] = (
        (z - shape[0] // 2) ** 2 + (y - shape[1] // 2) ** 2 + (x - shape[2] // 2) ** 2
    ) <= radius**2
    return inside


def _texture() -> NDArray[np.float32]:
    generator = np.random.default_rng(SEED)
    found = np.zeros(SHAPE, dtype=np.float32)
    for blur, size in (GRAIN, BLOBS):
        found += size * ndimage.gaussian_filter(generator.standard_normal(SHAPE, dtype=np.float32), blur)
    return found


if __name__ == "__main__":
    main()
