from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.quantify.radiomics.feature import PLAIN, Aggregation
from bingcheng.quantify.texture import distance_zone, size_zone
from bingcheng.quantify.texture.emphasis import crossed
from bingcheng.quantify.texture.lattice import Lattices
from bingcheng.quantify.texture.zones import border_distances, zones_of

LEVELS = 4


@pytest.mark.parametrize("in_volume", [True, False])
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    levels=st.integers(1, LEVELS),
    inside=st.floats(0.2, 1.0),
    shape=st.tuples(st.integers(1, 6), st.integers(1, 9), st.integers(1, 9)),
)
def test_zones_are_the_connected_pieces_of_each_level(slow, in_volume, seed, levels, inside, shape):
    index = slow.random_levels(seed, shape, levels, inside)
    roi = slow.roi_of(index, count=LEVELS)
    lattice = Lattices(roi).whole
    if lattice is None:
        return
    found = zones_of(lattice, roi.morphological, in_volume=in_volume)
    far = slow.distances(index > 0, in_volume)
    truth = [(level, int(zone.sum()), int(far[zone].min())) for level, zone in slow.zones(index, in_volume)]
    assert sorted(zip(found.ranks, found.sizes, found.distances, strict=True)) == sorted(truth)


def test_a_spiral_is_one_zone(slow):
    index = np.array([[1, 1, 1, 1, 1], [2, 2, 2, 2, 1], [1, 1, 1, 2, 1], [1, 2, 2, 2, 1], [1, 1, 1, 1, 1]])
    found = zones_of(Lattices(slow.roi_of(index[None])).whole, in_volume=True)
    assert sorted(found.sizes) == [8, 17]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), in_volume=st.booleans(), margin=st.integers(1, 3))
def test_border_distances_are_city_block_distances(slow, seed, in_volume, margin):
    mask = np.random.default_rng(seed).random((6, 8, 9)) < 0.9
    flat = border_distances(mask, (margin,) * 3, in_volume=in_volume)
    inner = flat.reshape([n + 2 * margin for n in mask.shape])[(slice(margin, -margin),) * 3]
    np.testing.assert_array_equal(inner, slow.distances(mask, in_volume))


@pytest.mark.parametrize("aggregation", PLAIN)
@pytest.mark.parametrize("module", [size_zone, distance_zone])
def test_features_are_those_of_zones_found_one_by_one(slow, module, aggregation):
    index = slow.random_levels(11, levels=LEVELS)
    mask = index > 0
    mask |= np.random.default_rng(12).random(index.shape) < 0.5  # outlined, but not in the range of intensities
    compute, matrix = {
        size_zone: (size_zone.size_zone, slow.size_zones),
        distance_zone: (distance_zone.distance_zone, slow.distance_zones),
    }[module]
    values = compute(slow.roi_of(index, count=LEVELS, morphological=mask), [aggregation])
    by_slice = aggregation is Aggregation.BY_SLICE
    parts = [slice(z, z + 1) for z in range(len(index)) if index[z].any()] if by_slice else [slice(None)]
    vectors = [
        slow.emphasis_features(
            matrix(index[part], not aggregation.by_slice, LEVELS, mask[part]), (index[part] > 0).sum()
        )
        for part in parts
    ]
    assert len(values) == len(module.FEATURES)
    slow.agree(module.FEATURES, aggregation, values, np.mean(vectors, axis=0))


def test_voxels_out_of_the_intensity_range_do_not_make_a_border(slow):
    index = np.zeros((7, 7, 7), dtype=int)
    index[3, 3, 3] = 1
    index[0, 0, 0] = 1
    roi = slow.roi_of(index, morphological=np.ones((7, 7, 7), dtype=bool))
    values = distance_zone.distance_zone(roi, [Aggregation.IN_VOLUME])
    assert values["dzm_lde_3D"] == pytest.approx((1 + 16) / 2)


def test_a_slice_counts_its_own_border(slow):
    index = np.ones((1, 5, 5), dtype=int)
    index[0, 2, 2] = 2
    values = distance_zone.distance_zone(slow.roi_of(index), PLAIN)
    assert values["dzm_lde_2D"] == values["dzm_lde_2_5D"] == pytest.approx((1 + 9) / 2)
    assert values["dzm_lde_3D"] == 1.0


def test_zones_of_all_sizes_take_few_columns(slow):
    index = np.full((20, 20, 20), 3000)
    index[:10] = slow.random_levels(1, (10, 20, 20), 2999, inside=1.0)
    lattice = Lattices(slow.roi_of(index)).whole
    zones = zones_of(lattice, in_volume=True)
    table, sizes = crossed(zones.ranks, zones.sizes, lattice.values.size - 1)
    assert sizes[-1] == 4000
    assert table.shape[1] == sizes.size <= np.sqrt(2 * lattice.voxels)
    assert (table.sum(axis=0) * sizes).sum() == lattice.voxels
