"""All features of one lesion. Arguments: file of arrays, and either calls and answer, or ``memory`` and a smaller file.

What is timed is the whole call: region, settings' provenance, result.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from repetition import forget_peak, repeated
from stopwatch import timed

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.radiomics.discretisation import FixedBinNumber
from bingcheng.quantify.radiomics.extraction import features
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

SETTINGS = RadiomicsSettings(discretisation=FixedBinNumber(count=32), volume_histogram=FixedBinNumber(count=32))


def main() -> None:
    file, rest = Path(sys.argv[1]), sys.argv[2:]
    if rest[0] == "memory":
        _memory(file, Path(rest[1]))
        return
    volume, mask = read(file)
    repeated(lambda: extracted(volume, mask), int(rest[0]), Path(rest[1]))


def read(file: Path) -> tuple[Volume, np.ndarray]:
    with np.load(file) as held:
        image, mask, spacing_mm = held["image"], held["mask"], held["spacing_mm"].tolist()
    geometry = VolumeGeometry(shape=image.shape, spacing_mm=tuple(spacing_mm))
    return Volume(voxels=image, geometry=geometry, unit="[hnsf'U]"), mask


def extracted(volume: Volume, mask: np.ndarray) -> dict[str, float]:
    return features(volume, Region.of(mask, volume.geometry, label="lesion"), SETTINGS).numbers()


def _memory(file: Path, small: Path) -> None:
    """Everything is loaded by a small lesion; the peak above what is then held is that of one call."""
    volume, mask = read(small)
    extracted(volume, mask)
    volume, mask = read(file)
    lesion = Region.of(mask, volume.geometry, label="lesion")
    box = float(lesion.mask.size)
    forget_peak()
    timed(lambda: {"values": len(features(volume, lesion, SETTINGS).values), "box_voxels": box})


if __name__ == "__main__":
    main()
