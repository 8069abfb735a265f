"""The hottest voxel of a PET image: it scales as SUV does and knows nothing of outlines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.core.errors import Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Volume
from bingcheng.quantify.uptake.highest_uptake import suv_highest


def image(values, valid=None):
    voxels = np.asarray(values, dtype=np.float32).reshape(1, 1, -1)
    geometry = VolumeGeometry(shape=voxels.shape, spacing_mm=(2.0, 2.0, 2.0))
    return Volume(
        voxels=voxels, geometry=geometry, unit="g/ml", valid=None if valid is None else np.reshape(valid, voxels.shape)
    )


# Half of the smallest numbers of single precision has no exact form.
UPTAKE = st.floats(-1, 100, width=32).filter(lambda value: value == 0.0 or abs(value) > 1e-30)


@given(st.lists(UPTAKE, min_size=1, max_size=20), st.sampled_from([0.5, 2.0, 4.0]))
def test_it_goes_with_the_scale_and_not_with_the_order(values, factor):
    assert suv_highest(image(values[::-1])) == suv_highest(image(values)) == np.float32(max(values))
    assert suv_highest(image([factor * v for v in values])) == factor * suv_highest(image(values))


def test_what_the_scanner_did_not_record_does_not_count():
    assert suv_highest(image([1.0, 9.0, 2.0], [True, False, True])) == 2.0


def test_an_image_without_a_recorded_voxel_has_none():
    with pytest.raises(Undefined) as caught:
        suv_highest(replace(image([1.0, 2.0]), valid=np.zeros((1, 1, 2), dtype=bool)))
    assert caught.value.code == "quantify.no-recorded-uptake"
