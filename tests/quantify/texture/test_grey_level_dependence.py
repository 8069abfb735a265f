from __future__ import annotations

import numpy as np
import pytest

from bingcheng.quantify.radiomics.feature import PLAIN, Aggregation
from bingcheng.quantify.texture.grey_level_dependence import FEATURES, grey_level_dependence

LEVELS = 5


@pytest.mark.parametrize("aggregation", PLAIN)
@pytest.mark.parametrize(("distance", "coarseness"), [(1, 0), (1, 1), (2, 0), (2, 2)])
def test_features_are_those_of_neighbours_counted_one_by_one(slow, aggregation, distance, coarseness):
    index = slow.random_levels(3, levels=LEVELS)
    roi = slow.roi_of(index, count=LEVELS)
    values = grey_level_dependence(roi, [aggregation], distance=distance, coarseness=coarseness)
    by_slice = aggregation is Aggregation.BY_SLICE
    parts = [index[z : z + 1] for z in range(len(index)) if index[z].any()] if by_slice else [index]
    matrices = [slow.dependence(part, not aggregation.by_slice, LEVELS, distance, coarseness) for part in parts]
    vectors = [slow.emphasis_features(m, m.sum()) for m in matrices]
    assert len(values) == len(FEATURES)
    slow.agree(FEATURES, aggregation, values, np.mean(vectors, axis=0))


def test_every_voxel_counts(slow):
    values = grey_level_dependence(slow.roi_of(slow.random_levels(9)), PLAIN)
    assert {values[f"ngl_dc_perc_{one}"] for one in PLAIN} == {1.0}


def test_a_lone_voxel_depends_on_itself(slow):
    values = grey_level_dependence(slow.roi_of(np.full((1, 1, 1), 3)), PLAIN)
    for aggregation in PLAIN:
        assert values[f"ngl_hde_{aggregation}"] == 1.0
        assert values[f"ngl_hdhge_{aggregation}"] == 9.0
        assert values[f"ngl_dc_energy_{aggregation}"] == 1.0


def test_within_a_coarseness_of_all_levels_every_neighbour_depends(slow):
    index = slow.random_levels(3, (5, 5, 5), LEVELS, inside=1.0)
    values = grey_level_dependence(slow.roi_of(index), [Aggregation.IN_VOLUME], coarseness=10**6)
    # 27 inner voxels have 27 in reach, 54 on faces 18, 36 on edges 12, 8 corners 8.
    assert values["ngl_hde_3D"] == pytest.approx((27 * 27**2 + 54 * 18**2 + 36 * 12**2 + 8 * 8**2) / 125)
