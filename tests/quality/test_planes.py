"""Masks slice by slice, against the general tools of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from bingcheng.quality.planes import Parts, grown, shrunk

CROSS = ndimage.generate_binary_structure(3, 1)
CROSS[0] = CROSS[2] = False

MASKS = arrays(bool, array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=7))
FEW = settings(max_examples=60, deadline=None)


def partition(mask, structure):
    """Parts as sets of flat voxel numbers."""
    labels, count = ndimage.label(mask, structure=structure)
    return {frozenset(np.flatnonzero(labels == n + 1)) for n in range(count)}


@FEW
@given(MASKS, st.integers(1, 3))
def test_shrinking_is_erosion_by_a_cross_in_each_slice(mask, times):
    np.testing.assert_array_equal(shrunk(mask, times=times), ndimage.binary_erosion(mask, CROSS, iterations=times))


@FEW
@given(MASKS, st.integers(1, 3))
def test_growing_is_dilation_by_a_cross_in_each_slice(mask, times):
    np.testing.assert_array_equal(grown(mask, times=times), ndimage.binary_dilation(mask, CROSS, iterations=times))


@FEW
@given(st.data(), MASKS, st.integers(1, 3))
def test_growing_within_a_mask_stays_within_it(data, mask, times):
    within = data.draw(arrays(bool, mask.shape))
    expected = ndimage.binary_dilation(mask, CROSS, iterations=times, mask=within)
    np.testing.assert_array_equal(grown(mask, within, times=times), expected)


@FEW
@given(MASKS, st.booleans())
def test_parts_are_what_hangs_together_by_faces(mask, across):
    parts = Parts.of(mask, across_slices=across)
    found = {frozenset(np.flatnonzero(parts.mask_of(np.arange(parts.count) == n))) for n in range(parts.count)}
    assert found == partition(mask, None if across else CROSS)
    np.testing.assert_array_equal(parts.mask_of(np.ones(parts.count, dtype=bool)), mask)


@FEW
@given(MASKS)
def test_sizes_and_sums_are_those_of_the_parts(mask):
    parts = Parts.of(mask, across_slices=True)
    values = np.arange(mask.size, dtype=np.float32).reshape(mask.shape)
    for n in range(parts.count):
        own = parts.mask_of(np.arange(parts.count) == n)
        assert parts.sizes[n] == np.count_nonzero(own)
        assert parts.sums(values)[n] == values[own].sum(dtype=np.float64)  # small integers: exact in any order


@FEW
@given(MASKS)
def test_what_is_enclosed_is_what_filling_holes_would_add(mask):
    holes = Parts.of(~mask, across_slices=False)
    filled = np.stack([ndimage.binary_fill_holes(layer) for layer in mask])
    np.testing.assert_array_equal(mask | holes.mask_of(holes.enclosed), filled)


@pytest.mark.parametrize("across", [True, False])
def test_a_spiral_is_one_part_though_its_runs_meet_late(across):
    mask = np.zeros((1, 7, 9), dtype=bool)
    mask[0, 0, :] = mask[0, :, 8] = mask[0, 6, :] = mask[0, 2:, 0] = mask[0, 2, 0:6] = mask[0, 2:5, 5] = True
    assert Parts.of(mask, across_slices=across).count == 1


def test_an_empty_mask_has_no_parts():
    parts = Parts.of(np.zeros((2, 3, 4), dtype=bool), across_slices=True)
    assert parts.count == 0
    assert not parts.mask_of(np.zeros(0, dtype=bool)).any()
