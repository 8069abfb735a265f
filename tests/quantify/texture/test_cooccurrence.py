from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.quantify.radiomics.feature import DIRECTIONAL, Aggregation
from bingcheng.quantify.texture import cooccurrence as module
from bingcheng.quantify.texture.cooccurrence import FEATURES, cooccurrence
from bingcheng.quantify.texture.lattice import Lattices, neighbours

LEVELS = 5


def expected(slow, index, aggregation, distance=1):
    steps = slow.directions(not aggregation.by_slice)
    slices = [index[z : z + 1] for z in range(len(index)) if index[z].any()]
    groups = [[step] for step in steps] if aggregation.endswith("avg") else [steps]
    parts = slices if aggregation.startswith("2D") else [index]
    matrices = [slow.pairs(part, group, LEVELS, distance) for part in parts for group in groups]
    vectors = np.array([slow.cooccurrence_features(matrix) for matrix in matrices])
    given_ones = ~np.isnan(vectors)
    return np.where(given_ones, vectors, 0).sum(axis=0) / given_ones.sum(axis=0)


@pytest.mark.parametrize("aggregation", DIRECTIONAL)
@pytest.mark.parametrize("distance", [1, 2])
def test_features_are_those_of_the_manuals_double_sums(slow, aggregation, distance):
    index = slow.random_levels(3, levels=LEVELS)
    index[index == 2] = 4  # a level that nobody has
    values = cooccurrence(slow.roi_of(index, count=LEVELS), [aggregation], distance=distance)
    assert len(values) == len(FEATURES)
    slow.agree(FEATURES, aggregation, values, expected(slow, index, aggregation, distance))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), levels=st.integers(1, 90), shape=st.tuples(*[st.integers(1, 6)] * 3))
def test_rows_of_one_level_at_a_time_give_what_a_table_gives(slow, seed, levels, shape):
    index = slow.random_levels(seed, shape, levels)
    lattice = Lattices(slow.roi_of(index, count=levels)).whole
    if lattice is None:
        return
    offsets = lattice.offsets(neighbours(1, in_volume=True))
    each, together = module._by_table(lattice, offsets, averaged=True, merged=True)
    other_each, other_together = module._by_rows(lattice, offsets, averaged=True, merged=True)
    # The same counts, added in another order; a root turns rounding of 1e-16 into 1e-8.
    np.testing.assert_allclose(np.array(other_each), np.array(each), rtol=1e-11, atol=1e-7)
    np.testing.assert_allclose(other_together, together, rtol=1e-11, atol=1e-7)


def test_many_levels_take_rows_and_few_take_a_table(slow, monkeypatch):
    taken = []
    for name in ("_by_table", "_by_rows"):
        monkeypatch.setattr(module, name, lambda *_, name=name: taken.append(name) or ([], np.zeros(25)))
    cooccurrence(slow.roi_of(slow.random_levels(1)), [Aggregation.IN_VOLUME_MERGED])
    cooccurrence(slow.roi_of(slow.random_levels(1, (9, 9, 9), 3000)), [Aggregation.IN_VOLUME_MERGED])
    assert taken == ["_by_table", "_by_rows"]


def test_a_checkerboard_has_pairs_of_unlike_levels_along_the_axes_only(slow):
    index = np.indices((1, 6, 6)).sum(axis=0) % 2 + 1
    values = cooccurrence(slow.roi_of(index), [Aggregation.BY_SLICE_AVERAGED])
    # Two of the four directions always change by one level, the diagonals never do.
    assert values["cm_contrast_2D_avg"] == pytest.approx(0.5)
    assert values["cm_corr_2D_avg"] == pytest.approx(0.0, abs=1e-12)
    assert values["cm_inv_var_2D_avg"] == pytest.approx(0.5)


def test_what_knows_no_order_of_levels_survives_renaming_them(slow):
    index = slow.random_levels(8, levels=4)
    renamed = np.array([0, 30, 2, 17, 9])[index]
    aggregations = [Aggregation.IN_VOLUME_MERGED, Aggregation.IN_VOLUME_AVERAGED]
    before = cooccurrence(slow.roi_of(index), aggregations)
    after = cooccurrence(slow.roi_of(renamed), aggregations)
    for tag in ("joint_max", "joint_entr", "energy", "info_corr1", "info_corr2"):
        for aggregation in aggregations:
            key = f"cm_{tag}_{aggregation}"
            assert after[key] == pytest.approx(before[key], rel=1e-10)


def test_stretching_the_levels_scales_the_moments(slow):
    index = slow.random_levels(8, levels=4)
    before = cooccurrence(slow.roi_of(index), [Aggregation.IN_VOLUME_MERGED])
    after = cooccurrence(slow.roi_of(3 * index), [Aggregation.IN_VOLUME_MERGED])
    for tag, power in (("joint_avg", 1), ("contrast", 2), ("clust_shade", 3), ("clust_prom", 4), ("corr", 0)):
        key = f"cm_{tag}_3D_comb"
        assert after[key] == pytest.approx(3.0**power * before[key], rel=1e-10)


def test_two_copies_far_apart_have_the_matrix_of_one(slow):
    index = slow.random_levels(5)
    twice = np.concatenate([index, np.zeros((3, *index.shape[1:]), dtype=int), index])
    one = cooccurrence(slow.roi_of(index), [Aggregation.IN_VOLUME_MERGED, Aggregation.IN_VOLUME_AVERAGED])
    two = cooccurrence(slow.roi_of(twice), [Aggregation.IN_VOLUME_MERGED, Aggregation.IN_VOLUME_AVERAGED])
    assert two == pytest.approx(one, rel=1e-10)


def test_empty_levels_above_count_only_in_normalised_features(slow):
    index = slow.random_levels(5, levels=4)
    few = cooccurrence(slow.roi_of(index, count=4), [Aggregation.IN_VOLUME_MERGED])
    many = cooccurrence(slow.roi_of(index, count=400), [Aggregation.IN_VOLUME_MERGED])
    changed = {key for key in few if many[key] != pytest.approx(few[key], rel=1e-12)}
    assert changed == {"cm_inv_diff_norm_3D_comb", "cm_inv_diff_mom_norm_3D_comb"}


def test_one_level_has_no_correlation_and_says_so(slow):
    values = cooccurrence(slow.roi_of(np.full((3, 3, 3), 7)), DIRECTIONAL)
    undefined = {key: value.code for key, value in values.items() if isinstance(value, Exception)}
    assert set(undefined) == {f"cm_{tag}_{one}" for tag in ("corr", "info_corr1") for one in DIRECTIONAL}
    assert set(undefined.values()) == {"quantify.texture-of-one-level"}
    assert values["cm_joint_entr_3D_comb"] == 0.0
    assert values["cm_energy_3D_comb"] == 1.0
    assert values["cm_info_corr2_3D_comb"] == 0.0
    assert values["cm_auto_corr_3D_comb"] == pytest.approx(49.0)


def test_a_lone_voxel_has_no_pair(slow):
    values = cooccurrence(slow.roi_of(np.full((1, 1, 1), 2)), DIRECTIONAL)
    assert {value.code for value in values.values()} == {"quantify.texture-without-neighbours"}


def test_a_slice_without_pairs_takes_no_part_in_the_mean(slow):
    index = np.zeros((2, 4, 4), dtype=int)
    index[0] = slow.random_levels(2, (1, 4, 4), inside=1.0)
    index[1, 0, 0] = 3
    aggregations = [Aggregation.BY_SLICE_AVERAGED, Aggregation.BY_SLICE_MERGED]
    assert cooccurrence(slow.roi_of(index, count=5), aggregations) == cooccurrence(
        slow.roi_of(index[:1], count=5), aggregations
    )
