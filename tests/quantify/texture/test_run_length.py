from __future__ import annotations

import numpy as np
import pytest

from bingcheng.quantify.radiomics.feature import DIRECTIONAL, Aggregation
from bingcheng.quantify.texture.run_length import FEATURES, run_length

LEVELS = 5


def expected(slow, index, aggregation):
    steps = slow.directions(not aggregation.by_slice)
    slices = [index[z : z + 1] for z in range(len(index)) if index[z].any()]
    groups = [[step] for step in steps] if aggregation.endswith("avg") else [steps]
    parts = slices if aggregation.startswith("2D") else [index]
    vectors = [
        slow.emphasis_features(slow.runs(part, group, LEVELS), (part > 0).sum() * len(group))
        for part in parts
        for group in groups
    ]
    return np.mean(vectors, axis=0)


@pytest.mark.parametrize("aggregation", DIRECTIONAL)
@pytest.mark.parametrize(("seed", "levels", "inside"), [(1, LEVELS, 0.7), (2, 2, 0.9), (3, 1, 1.0)])
def test_features_are_those_of_runs_followed_one_by_one(slow, aggregation, seed, levels, inside):
    index = slow.random_levels(seed, levels=levels, inside=inside)
    values = run_length(slow.roi_of(index, count=LEVELS), [aggregation])
    assert len(values) == len(FEATURES)
    slow.agree(FEATURES, aggregation, values, expected(slow, index, aggregation))


def test_many_levels_with_gaps_count_like_few(slow):
    index = slow.random_levels(4, levels=LEVELS)
    sparse = run_length(slow.roi_of(index * 1000), [Aggregation.IN_VOLUME_MERGED])
    dense = run_length(slow.roi_of(index), [Aggregation.IN_VOLUME_MERGED])
    assert sparse["rlm_sre_3D_comb"] == pytest.approx(dense["rlm_sre_3D_comb"])
    assert sparse["rlm_gl_var_3D_comb"] == pytest.approx(1e6 * dense["rlm_gl_var_3D_comb"])


def test_a_cube_of_one_level_has_runs_as_long_as_its_lines(slow):
    n = 4
    values = run_length(slow.roi_of(np.ones((n, n, n), dtype=int)), [Aggregation.IN_VOLUME_MERGED])
    # Lines of a cube: 3 axes with n^2 of n; 6 face diagonals and 4 space diagonals end on the faces they start from.
    faces = 3 * n**2 + 6 * n * (2 * n - 1) + 4 * (n**3 - (n - 1) ** 3)
    assert values["rlm_r_perc_3D_comb"] == pytest.approx(faces / (13 * n**3))


def test_a_hole_ends_a_run(slow):
    values = run_length(slow.roi_of([[[1, 1, 0, 1, 1, 1]]]), [Aggregation.IN_VOLUME_AVERAGED])
    # Along x there are runs of 2 and 3; in the twelve other directions five of one voxel.
    assert values["rlm_lre_3D_avg"] == pytest.approx((12 * 1 + (4 + 9) / 2) / 13)


def test_a_lone_voxel_is_one_run(slow):
    values = run_length(slow.roi_of(np.full((1, 1, 1), 2)), DIRECTIONAL)
    for aggregation in DIRECTIONAL:
        assert values[f"rlm_r_perc_{aggregation}"] == 1.0
        assert values[f"rlm_rl_entr_{aggregation}"] == 0.0
        assert values[f"rlm_lgre_{aggregation}"] == 0.25
