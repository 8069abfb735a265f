from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bingcheng.core.errors import InputError
from bingcheng.quantify.filters.boundary import ZERO
from bingcheng.quantify.filters.laws import LAWS, Laws

CUBE = (1.0, 1.0, 1.0)


def impulse(size=9):
    voxels = np.zeros((size,) * 3, dtype=np.float32)
    voxels[(size // 2,) * 3] = 1
    return voxels


@pytest.mark.parametrize("name", LAWS)
def test_kernels_have_unit_norm_and_but_for_level_no_sum(name):
    kernel = np.array(LAWS[name])
    assert np.linalg.norm(kernel) == pytest.approx(1)
    assert (abs(kernel.sum()) > 1) == name.startswith("L")


def test_names_are_those_of_x_then_y_then_z():
    response = Laws(kernels="E5L5S5", boundary=ZERO).response(impulse(), CUBE)
    expected = np.einsum("z,y,x->zyx", LAWS["S5"], LAWS["L5"], LAWS["E5"])
    assert_allclose(response[2:7, 2:7, 2:7], expected, atol=1e-7)


def test_two_names_filter_slices():
    response = Laws(kernels="L5S5", boundary=ZERO).response(impulse(), CUBE)
    assert_allclose(response[4, 2:7, 2:7], np.outer(LAWS["S5"], LAWS["L5"]), atol=1e-7)
    assert not response[3].any()


def test_a_constant_has_no_edges():
    assert_allclose(Laws(kernels="E5L5S5").response(np.full((5, 5, 5), 100.0), CUBE), 0, atol=1e-4)


def test_energy_is_the_mean_size_of_the_response_within_the_distance():
    plain = Laws(kernels="E5L5S5", boundary=ZERO)
    size = np.abs(plain.response(impulse(13), CUBE))
    energy = Laws(kernels="E5L5S5", boundary=ZERO, energy_distance_voxels=1).response(impulse(13), CUBE)
    assert energy[6, 6, 6] == pytest.approx(size[5:8, 5:8, 5:8].mean(), rel=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [{"kernels": "E5"}, {"kernels": "E5L5S5L5"}, {"kernels": "Q5L5"}, {"kernels": ""}, {"energy_distance_voxels": -1}],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(InputError) as refused:
        Laws(**{"kernels": "L5L5"} | wrong)
    assert refused.value.code == "quantify.filter-parameter"
