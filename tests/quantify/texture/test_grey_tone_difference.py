from __future__ import annotations

import numpy as np
import pytest

from bingcheng.quantify.radiomics.feature import PLAIN, Aggregation
from bingcheng.quantify.texture.grey_tone_difference import FEATURES, grey_tone_difference
from bingcheng.quantify.texture.lattice import Lattices
from bingcheng.quantify.texture.neighbourhood import neighbourhoods

LEVELS = 5


@pytest.mark.parametrize("aggregation", PLAIN)
@pytest.mark.parametrize("distance", [1, 2])
def test_features_are_those_of_the_manuals_double_sums(slow, aggregation, distance):
    index = slow.random_levels(3, levels=LEVELS)
    index[index == 2] = 4  # a level that nobody has
    values = grey_tone_difference(slow.roi_of(index, count=LEVELS), [aggregation], distance=distance)
    by_slice = aggregation is Aggregation.BY_SLICE
    parts = [index[z : z + 1] for z in range(len(index)) if index[z].any()] if by_slice else [index]
    in_volume = not aggregation.by_slice
    vectors = [slow.tone_features(*slow.tones(part, in_volume, LEVELS, distance)) for part in parts]
    assert len(values) == len(FEATURES)
    slow.agree(FEATURES, aggregation, values, np.mean(vectors, axis=0))


def test_sums_of_differences_counted_by_hand(slow):
    index = np.array([[[1, 2, 5, 2], [3, 5, 1, 3], [1, 3, 5, 5], [3, 1, 1, 1]]])
    found = neighbourhoods(Lattices(slow.roi_of(index)).whole, in_volume=False)
    assert found.valid[1:].tolist() == [6, 2, 4, 0, 4]
    # Sum of neighbours over their number, in reading order; corners have three, edges five.
    ones = [10 / 3, 30 / 8, 15 / 5, 13 / 5, 15 / 5, 11 / 3]
    twos = [15 / 5, 9 / 3]
    threes = [12 / 5, 18 / 5, 20 / 8, 5 / 3]
    fives = [13 / 5, 21 / 8, 20 / 8, 11 / 5]
    means = {1: ones, 2: twos, 3: threes, 4: [], 5: fives}
    expect = [sum(abs(level - mean) for mean in some) for level, some in means.items()]
    assert found.differences[1:] == pytest.approx(expect)


def test_a_flat_lesion_reaches_the_manuals_limits(slow):
    values = grey_tone_difference(slow.roi_of(np.full((3, 3, 3), 4)), PLAIN)
    for aggregation in PLAIN:
        assert values[f"ngt_coarseness_{aggregation}"] == 1e6
        for tag in ("contrast", "busyness", "complexity", "strength"):
            assert values[f"ngt_{tag}_{aggregation}"] == 0.0


def test_two_flat_pieces_of_different_level_have_coarseness_at_its_limit_and_no_strength(slow):
    index = np.zeros((1, 3, 7), dtype=int)
    index[..., :3], index[..., 4:] = 1, 5
    values = grey_tone_difference(slow.roi_of(index), [Aggregation.IN_VOLUME])
    assert values["ngt_coarseness_3D"] == 1e6
    assert values["ngt_strength_3D"] == 0.0
    assert values["ngt_busyness_3D"] == 0.0


def test_busyness_without_a_denominator_is_undefined(slow):
    # Two voxels of level 1 and one of level 2 weigh the same.
    values = grey_tone_difference(slow.roi_of([[[1, 2, 1]]]), [Aggregation.IN_VOLUME])
    assert values["ngt_busyness_3D"].code == "quantify.texture-levels-balanced"
    assert values["ngt_coarseness_3D"] == pytest.approx(3 / (2 * 2 + 1 * 1))


def test_voxels_without_a_neighbour_do_not_count(slow):
    index = np.zeros((1, 3, 6), dtype=int)
    index[0, :, :3] = slow.random_levels(2, (3, 3), inside=1.0)
    alone = index.copy()
    alone[0, 0, 5] = 9
    assert grey_tone_difference(slow.roi_of(alone, count=9), [Aggregation.IN_VOLUME]) == grey_tone_difference(
        slow.roi_of(index, count=9), [Aggregation.IN_VOLUME]
    )


def test_a_lone_voxel_has_no_neighbourhood(slow):
    values = grey_tone_difference(slow.roi_of(np.full((1, 1, 1), 2)), PLAIN)
    assert {value.code for value in values.values()} == {"quantify.texture-without-neighbours"}
