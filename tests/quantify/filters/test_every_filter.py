"""What holds for filters of every kind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from bingcheng.core.errors import InputError, Undefined
from bingcheng.quantify.filters.boundary import MIRROR, NEAREST, PERIODIC, ZERO
from bingcheng.quantify.filters.catalogue import FILTERS, LABELS
from bingcheng.quantify.filters.configurations import CT_FILTERS, RESPONSE_MAPS
from bingcheng.quantify.filters.filter import Filter
from bingcheng.quantify.filters.gabor import Gabor, Part
from bingcheng.quantify.filters.gaussian import Gaussian, LaplacianOfGaussian
from bingcheng.quantify.filters.laws import Laws
from bingcheng.quantify.filters.mean import Mean
from bingcheng.quantify.filters.nonseparable_wavelet import NonseparableWavelet
from bingcheng.quantify.filters.riesz import RieszTransform
from bingcheng.quantify.filters.rotation import Pooling
from bingcheng.quantify.filters.separable_wavelet import SeparableWavelet

CUBE = (1.0, 1.0, 1.0)
BLOB = LaplacianOfGaussian(sigma_mm=1.0)

LINEAR = {
    "mean": Mean(support_voxels=5),
    "mean by slice": Mean(support_voxels=3, by_slice=True),
    "gaussian": Gaussian(sigma_mm=1.2),
    "log": BLOB,
    "log by slice": LaplacianOfGaussian(sigma_mm=1.0, by_slice=True),
    "laws": Laws(kernels="E5L5S5"),
    "laws by slice, average": Laws(kernels="E3W5", rotation_invariant=True, pooling=Pooling.AVERAGE),
    "gabor, real": Gabor(sigma_mm=1.5, wavelength_mm=3.0, part=Part.REAL, theta_deg=30),
    "gabor, imaginary": Gabor(
        sigma_mm=1.5, wavelength_mm=3.0, part=Part.IMAGINARY, theta_step_deg=90, orthogonal_planes=True, theta_deg=20
    ),
    "wavelet": SeparableWavelet(wavelet="db3", bands="LLH", level=2),
    "wavelet, average": SeparableWavelet(wavelet="coif1", bands="LHL", rotation_invariant=True),
    "simoncelli": NonseparableWavelet(level=2),
    "shannon by slice": NonseparableWavelet(wavelet="shannon", by_slice=True),
    "riesz of log": RieszTransform(of=BLOB, order=(1, 0, 1)),
    "riesz of simoncelli": RieszTransform(of=NonseparableWavelet(by_slice=True), order=(0, 1)),
}
POOLED = {
    "laws, max": Laws(kernels="E5L5S5", rotation_invariant=True),
    "laws energy": Laws(kernels="L5E5E5", rotation_invariant=True, energy_distance_voxels=2),
    "gabor, planes": Gabor(sigma_mm=1.5, wavelength_mm=3.0, theta_step_deg=45, orthogonal_planes=True),
    "gabor, max": Gabor(
        sigma_mm=1.5, wavelength_mm=3.0, theta_step_deg=90, orthogonal_planes=True, pooling=Pooling.MAX
    ),
    "wavelet, max": SeparableWavelet(wavelet="db2", bands="LHH", rotation_invariant=True, pooling=Pooling.MAX),
    "wavelet, two levels": SeparableWavelet(wavelet="db2", bands="HLL", level=2, rotation_invariant=True),
}
ISOTROPIC = {key: LINEAR[key] for key in ("mean", "gaussian", "log", "wavelet, average", "simoncelli")} | POOLED
ALIGNED = {"aligned": RieszTransform(of=NonseparableWavelet(), order=(2, 0, 0), alignment_sigma_mm=1.0)}
EVERY = LINEAR | POOLED | ALIGNED
SIZED_IN_MM = ("gaussian", "log", "riesz of log", "gabor, imaginary", "gabor, planes", "gabor, max", "aligned")
"""Of about a millimetre along all three axes; the others are by slice, or count voxels."""


def with_boundary(chosen, boundary):
    if isinstance(chosen, RieszTransform):
        return replace(chosen, of=replace(chosen.of, boundary=boundary))
    return replace(chosen, boundary=boundary)


def noise(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def of(filters):
    return pytest.mark.parametrize("chosen", filters.values(), ids=filters)


@of(EVERY)
def test_a_filter_satisfies_the_protocol(chosen):
    assert isinstance(chosen, Filter)
    assert FILTERS[chosen.name] is type(chosen)
    assert LABELS[chosen.name]


def test_the_examples_are_of_every_kind():
    assert {chosen.name for chosen in EVERY.values()} == set(FILTERS)


@of(EVERY)
def test_the_response_is_single_precision_of_the_images_size_and_leaves_the_image_alone(chosen):
    voxels = noise((6, 9, 11))
    before = voxels.copy()
    response = chosen.response(voxels, CUBE)
    assert response.shape == voxels.shape
    assert response.dtype == np.float32
    assert np.isfinite(response).all()
    assert np.array_equal(voxels, before)
    assert not np.shares_memory(response, voxels)


@of(EVERY)
def test_other_number_types_give_the_same(chosen):
    voxels = np.random.default_rng(3).integers(0, 200, size=(5, 7, 8))
    expected = chosen.response(voxels.astype(np.float32), CUBE)
    for kind in (np.int16, np.uint8, np.float64):
        assert np.array_equal(chosen.response(voxels.astype(kind), CUBE), expected), kind


@of(LINEAR)
@settings(max_examples=8, deadline=None)
@given(factor=st.floats(-5, 5), seed=st.integers(0, 50), boundary=st.sampled_from([ZERO, NEAREST, PERIODIC, MIRROR]))
def test_a_linear_filter_is_linear(chosen, factor, seed, boundary):
    chosen = with_boundary(chosen, boundary)
    one, other = noise((4, 6, 7), seed), noise((4, 6, 7), seed + 1)
    together = chosen.response(one + np.float32(factor) * other, CUBE)
    apart = chosen.response(one, CUBE) + np.float32(factor) * chosen.response(other, CUBE)
    # Rounding in single precision: some 1e-7 of the kernel's absolute sum, which is below 100 for all of these.
    assert_allclose(together, apart, atol=2e-4)


@of(ISOTROPIC)
@pytest.mark.parametrize("plane", [(0, 1), (0, 2), (1, 2)])
def test_an_isotropic_filter_turns_with_the_image(chosen, plane):
    voxels = noise((12, 12, 12), 5)
    turned = np.ascontiguousarray(np.rot90(voxels, axes=plane))
    expected = np.rot90(chosen.response(voxels, CUBE), axes=plane)
    # Sums in another order: single precision on responses of up to 30.
    assert_allclose(chosen.response(turned, CUBE), expected, atol=1e-4)


@of({key: one for key, one in EVERY.items() if one.reach_voxels(CUBE)})
@pytest.mark.parametrize("boundary", [ZERO, NEAREST, MIRROR], ids=["zero", "nearest", "mirror"])
def test_a_part_of_the_image_with_the_reach_around_it_gives_the_same(chosen, boundary):
    chosen = with_boundary(chosen, boundary)
    reach = chosen.reach_voxels(CUBE)
    voxels = noise((30, 30, 30), 7)
    whole = chosen.response(voxels, CUBE)
    for begin, end in ((0, 3), (13, 16), (27, 30)):
        low = [max(0, begin - far) for far in reach]
        box = tuple(slice(a, min(30, end + far)) for a, far in zip(low, reach, strict=True))
        inner = tuple(slice(begin - a, end - a) for a in low)
        part = chosen.response(np.ascontiguousarray(voxels[box]), CUBE)[inner]
        assert_allclose(part, whole[begin:end, begin:end, begin:end], atol=1e-4, err_msg=f"from {begin}")


@of(EVERY)
def test_a_repeating_image_is_looked_at_whole(chosen):
    assert with_boundary(chosen, PERIODIC).reach_voxels(CUBE) is None


@of(EVERY)
def test_a_repeating_image_has_no_edge(chosen):
    chosen = with_boundary(chosen, PERIODIC)
    voxels = noise((8, 9, 10), 9)
    moved = np.roll(voxels, (0 if chosen.by_slice else 3, -2, 4), axis=(0, 1, 2))
    expected = np.roll(chosen.response(voxels, CUBE), (0 if chosen.by_slice else 3, -2, 4), axis=(0, 1, 2))
    assert_allclose(chosen.response(moved, CUBE), expected, atol=2e-4)


@of({key: one for key, one in EVERY.items() if one.by_slice})
def test_slices_are_filtered_by_themselves(chosen):
    voxels = noise((3, 9, 8), 2)
    alone = np.concatenate([chosen.response(voxels[z : z + 1], CUBE) for z in range(3)])
    assert_allclose(chosen.response(voxels, CUBE), alone, atol=1e-6)


@of(EVERY)
def test_one_slice_and_images_smaller_than_the_kernel_have_finite_responses(chosen):
    for boundary in (ZERO, NEAREST, PERIODIC, MIRROR):
        for shape in ((1, 1, 1), (1, 7, 9), (2, 2, 2), (3, 1, 5)):
            response = with_boundary(chosen, boundary).response(noise(shape), CUBE)
            assert response.shape == shape, boundary
            assert np.isfinite(response).all(), (boundary, shape)


@of({key: one for key, one in EVERY.items() if key not in SIZED_IN_MM})
def test_voxels_twenty_times_longer_than_wide_give_finite_responses(chosen):
    assert np.isfinite(chosen.response(noise((4, 20, 20)), (20.0, 1.0, 1.0))).all()


@of({key: EVERY[key] for key in SIZED_IN_MM})
def test_a_filter_finer_than_the_longest_side_is_undefined(chosen):
    with pytest.raises(Undefined) as refused:
        chosen.response(noise((4, 20, 20)), (20.0, 1.0, 1.0))
    assert refused.value.code == "quantify.filter-finer-than-voxels"


@of(EVERY)
def test_an_image_with_gaps_and_what_is_not_a_stack_are_refused(chosen):
    for value in (np.nan, np.inf):
        voxels = noise((4, 5, 6))
        voxels[1, 2, 3] = value
        with pytest.raises(InputError) as refused:
            chosen.response(voxels, CUBE)
        assert refused.value.code == "quantify.filter-not-finite"
        assert "1 voxels" in str(refused.value)
    for shape in ((5, 6), (0, 4, 4)):
        with pytest.raises(InputError) as refused:
            chosen.response(np.zeros(shape), CUBE)
        assert refused.value.code == "quantify.filter-needs-three-axes"


def test_benchmark_filters_are_of_the_dimension_of_their_table():
    for name, chosen in CT_FILTERS.items():
        assert chosen is None or chosen.by_slice == name.endswith("A")
    assert len(RESPONSE_MAPS) == 33
