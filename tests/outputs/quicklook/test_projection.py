"""The projection shows the greatest value along each ray."""

from __future__ import annotations

import numpy as np

from bingcheng.outputs.quicklook.projection import from_the_front, from_the_side


def test_the_hottest_voxel_is_seen_from_the_front_and_from_the_side():
    volume = np.zeros((5, 6, 7), dtype=np.float32)
    volume[3, 2, 4] = 9
    front, side = from_the_front(volume), from_the_side(volume)
    assert front.shape == (5, 7)
    assert side.shape == (5, 6)
    assert np.argwhere(front == 9).tolist() == [[3, 4]]
    assert np.argwhere(side == 9).tolist() == [[3, 2]]
