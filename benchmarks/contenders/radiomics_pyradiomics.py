"""The features of one lesion that pyradiomics has. Arguments: file of arrays, calls, answer."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import numpy as np
import SimpleITK
from radiomics.featureextractor import RadiomicsFeatureExtractor
from repetition import repeated

DIAGNOSTICS, ORIGINAL = "diagnostics_", "original_"


def main() -> None:
    logging.disable(logging.CRITICAL)
    with np.load(sys.argv[1]) as held:
        image, mask = (
            SimpleITK.GetImageFromArray(held["image"]),
            SimpleITK.GetImageFromArray(held["mask"].astype(np.uint8)),
        )
        for one in (image, mask):
            one.SetSpacing(held["spacing_mm"][::-1].tolist())
    extractor = RadiomicsFeatureExtractor(binCount=32)

    def once() -> dict[str, float]:
        found = extractor.execute(image, mask)
        return {
            name.removeprefix(ORIGINAL): float(np.real(value))
            for name, value in found.items()
            if not name.startswith(DIAGNOSTICS)
        }

    repeated(once, int(sys.argv[2]), Path(sys.argv[3]))


if __name__ == "__main__":
    main()
