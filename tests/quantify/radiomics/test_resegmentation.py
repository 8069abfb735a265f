"""Which voxels count: ranges are closed, outliers are those of the whole lesion, both are intersected."""

from __future__ import annotations

import numpy as np
import pytest

from bingcheng.quantify.radiomics.resegmentation import Resegmentation, resegmented

LINE = np.array([[[-600.0, -500.0, 0.0, 400.0, 401.0]]], dtype=np.float32)
ALL = np.ones(LINE.shape, dtype=bool)


@pytest.mark.parametrize(
    ("low", "high", "stays"),
    [(-500, 400, [1, 2, 3]), (-500, None, [1, 2, 3, 4]), (None, 400, [0, 1, 2, 3]), (1000, None, [])],
)
def test_a_range_is_closed_and_may_be_open_at_either_end(low, high, stays):
    found = resegmented(LINE, ALL, Resegmentation(low=low, high=high))
    assert np.flatnonzero(found).tolist() == stays


def test_without_rules_the_mask_itself_is_given_back():
    assert resegmented(LINE, ALL, Resegmentation()) is ALL
    assert resegmented(LINE, ALL, Resegmentation(low=-1000, high=1000)) is ALL


def test_voxels_outside_of_the_mask_neither_count_nor_come_back():
    mask = ALL.copy()
    mask[..., -1] = False
    assert not resegmented(LINE, mask, Resegmentation(low=-700))[..., -1]


def test_outliers_lie_beyond_so_many_standard_deviations_of_the_population():
    """Of 99 voxels of 0 and one of 10: mean 0.1, sd sqrt(0.99) = 0.995; 10 lies 9.95 sd off."""
    image = np.zeros((1, 1, 100), dtype=np.float32)
    image[..., 7] = 10.0
    mask = np.ones(image.shape, dtype=bool)
    assert np.count_nonzero(resegmented(image, mask, Resegmentation(outlier_sd=9.9))) == 99
    assert np.count_nonzero(resegmented(image, mask, Resegmentation(outlier_sd=9.99))) == 100


def test_the_two_methods_are_intersected_and_not_applied_one_after_the_other():
    """The outlier limits are those of all voxels: after the range they would be narrower."""
    values = np.array([0.0] * 20 + [10.0] + [100.0] * 4, dtype=np.float32).reshape(1, 1, -1)
    mask = np.ones(values.shape, dtype=bool)
    rules = Resegmentation(high=50.0, outlier_sd=2.0)
    assert np.count_nonzero(resegmented(values, mask, rules)) == 21
    assert rules.limits(values[values <= 50.0])[1] < 10.0


def test_an_empty_mask_stays_empty():
    none = np.zeros(LINE.shape, dtype=bool)
    assert not resegmented(LINE, none, Resegmentation(outlier_sd=3.0)).any()
