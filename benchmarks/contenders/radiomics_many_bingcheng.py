"""All features of many lesions of one image. Arguments: file of arrays, how many lesions, workers, and maybe warming.

The lesion of the file is measured at so many places of its image. `warming` lesions take longer than starting a process
does: workers that measure them before the clock have started, and have loaded their kernels; they are kept. The time of
their processors is not told then, for they go on.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
from radiomics_bingcheng import SETTINGS, read
from stopwatch import timed

from bingcheng.core.errors import BingchengError
from bingcheng.image.region import Region
from bingcheng.quantify.radiomics.lesion_workers import LesionWorkers
from bingcheng.quantify.radiomics.many_lesions import features_of_many

SEED = 7


def main() -> None:
    file, count, workers = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    volume, mask = read(file)
    lesion = Region.of(mask, volume.geometry, label="lesion")
    room = np.array(volume.geometry.shape) - lesion.mask.shape
    starts = np.random.default_rng(SEED).integers(0, room + 1, (count, 3)).tolist()
    lesions = [replace(lesion, start=(z, y, x), label=f"lesion {n}") for n, (z, y, x) in enumerate(starts)]
    features_of_many(volume, lesions[:2], SETTINGS)
    with ExitStack() as stack:
        shared: int | LesionWorkers = workers
        if sys.argv[4:]:
            warming = int(sys.argv[4])
            shared = stack.enter_context(LesionWorkers(workers))
            features_of_many(volume, (lesions * warming)[:warming], SETTINGS, workers=shared)

        def work() -> dict[str, float]:
            found = features_of_many(volume, lesions, SETTINGS, workers=shared)
            measured = [one for one in found if not isinstance(one, BingchengError)]
            return {"lesions": len(measured), "sum": float(sum(one["stat_mean"] for one in measured))}

        timed(work)


if __name__ == "__main__":
    main()
