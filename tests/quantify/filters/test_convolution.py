from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from bingcheng.quantify.filters.boundary import MIRROR, NEAREST, NUMPY_MODES, PERIODIC, ZERO, Beyond, Boundary
from bingcheng.quantify.filters.convolution import convolved, separable

AIR = Boundary(beyond=Beyond.CONSTANT, constant=-3.0)


def by_definition(line, kernel, boundary):
    """``r[i] = sum over k of g[k] f[i + n // 2 - k]`` on the padded line."""
    pad = kernel.size
    options = {"constant_values": boundary.constant} if boundary.beyond is Beyond.CONSTANT else {}
    padded = np.pad(line, pad, mode=NUMPY_MODES[boundary.beyond], **options)
    return [
        sum(kernel[k] * padded[pad + i + kernel.size // 2 - k] for k in range(kernel.size)) for i in range(line.size)
    ]


@settings(max_examples=40, deadline=None)
@given(
    boundary=st.sampled_from([ZERO, AIR, NEAREST, PERIODIC, MIRROR]),
    axis=st.integers(0, 2),
    taps=st.integers(1, 9),
    shape=st.tuples(*[st.integers(1, 5)] * 3),
    seed=st.integers(0, 99),
)
def test_every_line_is_convolved_by_the_definition(boundary, axis, taps, shape, seed):
    rng = np.random.default_rng(seed)
    voxels, kernel = rng.normal(size=shape).astype(np.float32), rng.normal(size=taps)
    expected = np.apply_along_axis(by_definition, axis, voxels.astype(float), kernel, boundary)
    # Nine products of single precision, each rounded to 6e-8 of at most 3 x 3.
    assert_allclose(convolved(voxels, kernel, axis, boundary), expected, atol=1e-5)


def test_an_impulse_becomes_the_kernel():
    voxels = np.zeros((1, 1, 9), dtype=np.float32)
    voxels[0, 0, 4] = 1
    kernel = np.array([1.0, 2.0, 3.0])
    assert convolved(voxels, kernel, 2, ZERO)[0, 0].tolist() == [0, 0, 0, 1, 2, 3, 0, 0, 0]


def test_an_axis_without_a_kernel_is_left_alone():
    voxels = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    kernel = np.array([0.5, 0.5, 0.0])
    expected = convolved(convolved(voxels, kernel, 1, MIRROR), kernel, 2, MIRROR)
    assert np.array_equal(separable(voxels, (None, kernel, kernel), MIRROR), expected)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_view_of_another_order_is_convolved_alike(axis):
    voxels = np.random.default_rng(1).normal(size=(4, 5, 6)).astype(np.float32)
    turned = np.asfortranarray(voxels)
    kernel = np.array([1.0, -2.0, 0.5])
    assert np.array_equal(convolved(turned, kernel, axis, NEAREST), convolved(voxels, kernel, axis, NEAREST))
