"""All features of one lesion by pictologics. Arguments: file of arrays, calls, answer.

Its import runs kernels unless PICTOLOGICS_DISABLE_WARMUP says otherwise; the first call here does so anyhow.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

os.environ["PICTOLOGICS_DISABLE_WARMUP"] = "1"
from pictologics import Image, RadiomicsPipeline  # reads the environment when it is imported
from repetition import repeated

FAMILIES = ["intensity", "morphology", "texture", "histogram", "ivh"]
ASKED = {"families": FAMILIES, "include_spatial_intensity": True, "include_local_intensity": True}
STEPS = [
    {"step": "discretise", "params": {"method": "FBN", "n_bins": 32}},
    {"step": "extract_features", "params": ASKED},
]
NAME = "all"


def main() -> None:
    with np.load(sys.argv[1]) as held:
        arrays = [np.ascontiguousarray(held[name].transpose(2, 1, 0)) for name in ("image", "mask")]
        spacing_mm = tuple(held["spacing_mm"][::-1].tolist())
    image, mask = (
        Image(array=array.astype(kind), spacing=spacing_mm, origin=(0.0, 0.0, 0.0))
        for array, kind in zip(arrays, (np.float64, np.uint8), strict=True)
    )
    pipeline = RadiomicsPipeline()
    pipeline.add_config(NAME, STEPS)

    def once() -> dict[str, float]:
        return dict(pipeline.run(image, mask, config_names=[NAME])[NAME])

    repeated(once, int(sys.argv[2]), Path(sys.argv[3]))


if __name__ == "__main__":
    main()
