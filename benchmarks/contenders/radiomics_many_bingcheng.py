"""All features of many lesions of one image. Arguments: file of arrays, how many lesions, workers.

The lesion of the file is measured at so many places of its image.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from radiomics_bingcheng import SETTINGS, read
from stopwatch import timed

from bingcheng.core.errors import BingchengError
from bingcheng.image.region import Region
from bingcheng.quantify.radiomics.extraction import features_of_many

SEED = 7


def main() -> None:
    file, count, workers = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    volume, mask = read(file)
    lesion = Region.of(mask, volume.geometry, label="lesion")
    room = np.array(volume.geometry.shape) - lesion.mask.shape
    starts = np.random.default_rng(SEED).integers(0, room + 1, (count, 3)).tolist()
    lesions = [replace(lesion, start=(z, y, x), label=f"lesion {n}") for n, (z, y, x) in enumerate(starts)]
    features_of_many(volume, lesions[:2], SETTINGS)

    def work() -> dict[str, float]:
        found = features_of_many(volume, lesions, SETTINGS, workers=workers)
        measured = [one for one in found if not isinstance(one, BingchengError)]
        return {"lesions": len(measured), "sum": float(sum(one["stat_mean"] for one in measured))}

    timed(work)


if __name__ == "__main__":
    main()
