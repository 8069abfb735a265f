"""A region is the tight box of its mask, wherever that lies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region

SHAPE = (5, 6, 7)
GRID = VolumeGeometry(shape=SHAPE, spacing_mm=(3.0, 1.0, 1.0))
PLACES = st.lists(st.tuples(*(st.integers(0, n - 1) for n in SHAPE)), min_size=1, max_size=4)


@given(PLACES, st.booleans(), st.booleans())
def test_the_box_is_the_smallest_that_holds_all_that_belongs(places, boolean, turned):
    full = np.zeros(SHAPE, dtype=bool if boolean else np.float32)
    full[tuple(np.transpose(places))] = True if boolean else 0.25
    grid = GRID
    if turned:
        # Not contiguous: as a view of a mask that was read slice by slice along another axis.
        full, grid = full.T, VolumeGeometry(shape=SHAPE[::-1], spacing_mm=(1.0, 1.0, 3.0))
    found = Region.of(full, grid, label="a")
    where = np.argwhere(full)
    assert found.start == tuple(where.min(axis=0))
    assert found.mask.shape == tuple(np.ptp(where, axis=0) + 1)
    assert np.array_equal(found.mask, full[found.box()])
    assert found.mask.flags.c_contiguous


@pytest.mark.parametrize("dtype", [bool, np.float32])
def test_a_mask_of_nothing_is_an_empty_box(dtype):
    found = Region.of(np.zeros(SHAPE, dtype=dtype), GRID, label="none")
    assert (found.mask.shape, found.start, found.empty) == ((0, 0, 0), (0, 0, 0), True)
