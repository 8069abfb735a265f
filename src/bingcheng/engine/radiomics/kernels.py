"""Getting the kernels ready: compiled once on a machine, which takes long enough to show how far it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from bingcheng.core.wording import text
from bingcheng.engine.radiomics.call import Told
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.radiomics.extraction import features
from bingcheng.quantify.radiomics.feature import Family
from bingcheng.quantify.radiomics.image_type import ImageType

PREPARING = text("Preparing the kernels, once on this machine")
SIDE = 16
SPACING_MM = 1.5
SEED = 1


def prepare(types: Iterable[ImageType], told: Told) -> None:
    """Run each family that is asked for on a small lesion, so that its kernels are compiled, or loaded if they were.

    Parameters
    ----------
    told : of the families done.
    """
    every = list(types)
    families = tuple(one for one in Family if any(one in each.settings.families for each in every))
    volume, lesion = _small()
    told(PREPARING, 0, len(families))
    for done, family in enumerate(families, start=1):
        for each in every[:1]:
            # Intensities are whole and positive, so that no kind of grey levels refuses them.
            features(volume, lesion, replace(each.settings, families=(family,), filter=None))
        told(PREPARING, done, len(families))


def _small() -> tuple[Volume, Region]:
    grid = VolumeGeometry(shape=(SIDE, SIDE, SIDE), spacing_mm=(SPACING_MM, SPACING_MM, SPACING_MM))
    voxels = np.random.default_rng(SEED).integers(1, 9, grid.shape).astype(np.float32)
    mask = np.zeros(grid.shape, dtype=bool)
    mask[3:-3, 3:-3, 3:-3] = True
    return Volume(voxels=voxels, geometry=grid, unit="1"), Region.of(mask, grid, label="small")
