from __future__ import annotations

import numpy as np

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Volume
from bingcheng.quantify.filters.gaps import recorded

EVERYWHERE = (slice(None), slice(None), slice(None))


def volume(voxels, valid=None, spacing=(1.0, 1.0, 1.0)):
    return Volume(voxels=voxels, geometry=VolumeGeometry(shape=voxels.shape, spacing_mm=spacing), unit="1", valid=valid)


def test_a_full_image_is_not_copied():
    voxels = np.ones((2, 3, 4), dtype=np.float32)
    found, known = recorded(volume(voxels), EVERYWHERE)
    assert known is None
    assert np.shares_memory(found, voxels)


def test_gaps_take_the_nearest_value_in_mm():
    voxels = np.array([[[1.0, np.nan, 5.0], [7.0, np.nan, 9.0]], [[2.0, 3.0, 4.0], [2.0, 3.0, 4.0]]])
    found, known = recorded(volume(voxels, spacing=(0.5, 9.0, 1.0)), EVERYWHERE)
    assert found[0].tolist() == [[1.0, 3.0, 5.0], [7.0, 3.0, 9.0]]
    assert (~known).sum() == 2


def test_padding_counts_as_a_gap_and_nothing_recorded_gives_zeros():
    voxels = np.full((1, 2, 2), -2000, dtype=np.int16)
    found, known = recorded(volume(voxels, valid=np.zeros(voxels.shape, dtype=bool)), EVERYWHERE)
    assert not found.any()
    assert not known.any()
