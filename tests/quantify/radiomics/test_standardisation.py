"""Standardising a whole image."""

from __future__ import annotations

import numpy as np
import pytest

from bingcheng.core.errors import InputError, Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Volume
from bingcheng.quantify.radiomics.standardisation import Standardisation


def volume(voxels, valid=None) -> Volume:
    grid = VolumeGeometry(shape=voxels.shape, spacing_mm=(1.0, 1.0, 1.0))
    return Volume(voxels=voxels, geometry=grid, unit="1", valid=valid)


def test_mean_and_deviation_are_those_of_recorded_voxels():
    voxels = np.random.default_rng(0).normal(100.0, 20.0, (5, 6, 7)).astype(np.float32)
    valid = np.ones(voxels.shape, dtype=bool)
    voxels[0], valid[0] = -5000.0, False
    voxels[1, 0, 0] = np.nan
    found = Standardisation(scale=10.0).applied(volume(voxels, valid))
    known = found.voxels[valid & np.isfinite(voxels)]
    assert known.mean() == pytest.approx(0.0, abs=1e-4)  # float32
    assert known.std(ddof=1) == pytest.approx(10.0, rel=1e-5)
    assert np.isnan(found.voxels[1, 0, 0])


def test_it_does_not_depend_on_scale_and_offset_of_the_image():
    voxels = np.random.default_rng(0).normal(100.0, 20.0, (5, 6, 7)).astype(np.float32)
    one = Standardisation().applied(volume(voxels)).voxels
    np.testing.assert_allclose(Standardisation().applied(volume(3.0 * voxels + 40.0)).voxels, one, atol=1e-4)


def test_a_constant_image_can_not_be_standardised():
    with pytest.raises(Undefined) as caught:
        Standardisation().applied(volume(np.full((3, 3, 3), 7.0)))
    assert caught.value.code == "quantify.radiomics-image-constant"


@pytest.mark.parametrize("wrong", [{"scale": 0.0}, {"outlier_sd": -1.0}, {"scale": float("inf")}])
def test_wrong_parameters_are_refused(wrong):
    with pytest.raises(InputError):
        Standardisation(**wrong)
