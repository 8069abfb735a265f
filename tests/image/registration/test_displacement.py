"""A displacement field and its inverse, folds and change of volume, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.registration.displacement import Displacement

GRID = VolumeGeometry(shape=(20, 24, 22), spacing_mm=(3.0, 2.0, 2.0), origin_mm=(-20.0, -24.0, -30.0))


def linear(matrix):
    index = np.moveaxis(np.indices(GRID.shape), 0, -1)
    return Displacement(vectors_mm=(GRID.to_mm(index) @ np.asarray(matrix).T).astype(np.float32), grid=GRID)


def test_a_linear_field_changes_volume_by_its_determinant_everywhere():
    slope = np.array([[0.1, 0.02, 0.0], [-0.03, -0.2, 0.05], [0.0, 0.04, 0.15]])
    expect = np.linalg.det(np.eye(3) + slope)
    # float32 vectors of 30 mm, differenced over 2 mm
    assert np.abs(linear(slope).determinants() - expect).max() < 1e-5


def test_a_mirror_folds_everywhere():
    assert np.all(linear(np.diag([-2.0, 0.0, 0.0])).determinants() < 0)


def test_points_come_back_where_the_field_is_steep():
    field = linear(np.diag([-0.6, 0.7, -0.5]))
    points = np.random.default_rng(0).uniform(-15.0, 15.0, (300, 3))
    assert np.abs(field(field.back(points)) - points).max() <= 1e-3


def test_vectors_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        linear(np.zeros((3, 3))).vectors_mm[0, 0, 0, 0] = 1.0
