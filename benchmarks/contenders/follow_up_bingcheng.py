"""The registration of two CT exams. Argument: the folder of `benchmarks.follow_up_exams`.

The facts say how far the points of the body come to lie from where they are, in mm.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from stopwatch import timed

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.registration import RegistrationSettings, register
from bingcheng.image.volume import Volume


def main() -> None:
    folder = Path(sys.argv[1])
    truth = np.load(folder / "truth.npz")
    z, y, x = (float(mm) for mm in truth["spacing_mm"])
    left, back, up = (float(mm) for mm in truth["origin_mm"])

    def exam(name: str) -> Volume:
        voxels = np.load(folder / f"{name}.npy").astype(np.float32)
        grid = VolumeGeometry(shape=voxels.shape, spacing_mm=(z, y, x), origin_mm=(left, back, up))
        return Volume(voxels=voxels, geometry=grid, unit="[hnsf'U]")

    earlier, later = exam("earlier"), exam("later")
    _warm_up()

    def registered() -> dict[str, float]:
        found = register(earlier, later)
        error = np.linalg.norm(found.to_moving(truth["earlier_mm"]) - truth["later_mm"], axis=1)
        return {"error_mm": float(error.mean()), "error_95_mm": float(np.percentile(error, 95))}

    timed(registered)


def _warm_up() -> None:
    """Load what is compiled, on a tiny pair."""
    rng = np.random.default_rng(0)
    voxels = np.kron(rng.integers(-500, 300, (6, 6, 6)), np.ones((6, 6, 6))).astype(np.float32)
    tiny = Volume(
        voxels=voxels, geometry=VolumeGeometry(shape=voxels.shape, spacing_mm=(4.0, 4.0, 4.0)), unit="[hnsf'U]"
    )
    register(tiny, tiny, RegistrationSettings(working_mm=8.0, least_confidence=0.0))


if __name__ == "__main__":
    main()
