"""All features of one lesion with their uncertainty from 30 perturbations. Arguments: file of arrays, workers."""

from __future__ import annotations

import sys
from pathlib import Path

from radiomics_bingcheng import SETTINGS, read
from stopwatch import timed

from bingcheng.image.region import Region
from bingcheng.quantify.radiomics.robustness import Repetitions, robust_features

REPETITIONS = Repetitions(contours=12, rotations=4, noises=8, lattices=4, bins=2)
"""Thirty; without interpolation, as here, outlines take the place of lattices."""


def main() -> None:
    file, workers = Path(sys.argv[1]), int(sys.argv[2])
    volume, mask = read(file)
    lesion = Region.of(mask, volume.geometry, label="lesion")

    def work() -> dict[str, float]:
        found = robust_features(volume, lesion, SETTINGS, repetitions=REPETITIONS, workers=workers)
        known = sum(one is not None for one in found.standard_uncertainty.values())
        return {"repetitions": found.repetitions, "values": len(found.result.values), "known": known}

    work()
    timed(work)


if __name__ == "__main__":
    main()
