"""Interpolation: grids of the manual, exactness on polynomials, and the same values from a box as from the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from scipy import ndimage

from bingcheng.quantify.radiomics.interpolation import (
    Alignment,
    ImageMethod,
    Interpolation,
    MaskMethod,
    axes_of,
    axis_of,
    resampled,
    source_range,
)

METHODS = tuple(ImageMethod)


def whole(image, axes, method):
    return resampled(image, tuple((axis, 0, 0, axis.after) for axis in axes), method)


def test_the_manuals_example_of_three_alignments():
    """Four voxels of 3 mm to 2 mm: IBSI reference manual, section on the interpolation grid."""
    fit, origin, centre = (axis_of(4, 3.0, 2.0, way) for way in (Alignment.FIT, Alignment.ORIGIN, Alignment.CENTRE))
    assert (fit.after, fit.spacing_mm) == (6, pytest.approx(1.8))
    assert fit.positions(0, 6)[[0, -1]] == pytest.approx([0.0, 3.0])
    assert (origin.after, origin.spacing_mm, origin.start) == (6, 2.0, 0.0)
    assert (centre.after, centre.spacing_mm) == (6, 2.0)
    # By the formula for the grid's position: (4 - 1 - 2/3 (6 - 1)) / 2.
    assert centre.start == pytest.approx(-1.0 / 6.0)


@pytest.mark.parametrize("alignment", Alignment)
def test_one_voxel_is_a_grid(alignment):
    axis = axis_of(1, 5.0, 5.0 / 3.0, alignment)
    assert axis.after == (1 if alignment is Alignment.FIT else 3)
    assert np.all(axis.positions(0, axis.after) == 0.0)


def test_a_spacing_that_went_through_single_precision_adds_no_voxel():
    assert axis_of(10, float(np.float32(0.3)), 0.5, Alignment.CENTRE).after == 6


def test_an_axis_without_a_spacing_stays():
    axes = axes_of((5, 6, 7), (3.0, 1.0, 1.0), Interpolation(spacing_mm=(None, 2.0, 2.0)))
    assert axes[0].unchanged
    assert [axis.after for axis in axes] == [5, 3, 4]


@pytest.mark.parametrize(
    ("method", "degree"),
    [
        (ImageMethod.LINEAR, 1),
        (MaskMethod.LINEAR, 1),
        (ImageMethod.CUBIC_CONVOLUTION, 2),
        (ImageMethod.CUBIC_SPLINE, 3),
    ],
)
def test_polynomials_are_reproduced_up_to_the_methods_degree(method, degree):
    """Away from the border: a spline's coefficients feel it over some twenty voxels."""
    count = 80
    axis = axis_of(count, 1.0, 0.7, Alignment.CENTRE)
    line = ((np.arange(count) - 40.0) / 40.0) ** degree
    found = resampled(line[:, None, None], ((axis, 0, 40, 80), (*_same(), 0, 0, 1), (*_same(), 0, 0, 1)), method)
    expect = ((axis.positions(40, 80) - 40.0) / 40.0) ** degree
    assert found[:, 0, 0] == pytest.approx(expect, abs=1e-12)


def _same():
    return (axis_of(1, 1.0, None, Alignment.CENTRE),)


def test_cubic_convolution_is_no_better_than_its_degree():
    """A guard for the test above: a cubic is not reproduced by a = -1/2."""
    axis = axis_of(80, 1.0, 0.7, Alignment.CENTRE)
    line = ((np.arange(80) - 40.0) / 40.0) ** 3
    places = ((axis, 0, 40, 80), (*_same(), 0, 0, 1), (*_same(), 0, 0, 1))
    found = resampled(line[:, None, None], places, ImageMethod.CUBIC_CONVOLUTION)[:, 0, 0]
    assert np.abs(found - ((axis.positions(40, 80) - 40.0) / 40.0) ** 3).max() > 1e-6


@pytest.mark.parametrize(("method", "order"), [(ImageMethod.LINEAR, 1), (ImageMethod.CUBIC_SPLINE, 3)])
def test_three_axes_give_what_a_general_interpolator_gives(method, order):
    generator = np.random.default_rng(1)
    image = generator.normal(size=(9, 12, 15))
    axes = axes_of(image.shape, (3.0, 1.1, 0.9), Interpolation(spacing_mm=(1.3, 0.7, 1.9)))
    places = np.meshgrid(*(axis.positions(0, axis.after) for axis in axes), indexing="ij")
    expect = ndimage.map_coordinates(image, places, order=order, mode="mirror")
    assert whole(image, axes, method) == pytest.approx(expect, abs=1e-12)


def test_nearest_takes_the_upper_of_two_equally_near_voxels():
    axis = axis_of(4, 1.0, 2.0, Alignment.CENTRE)
    assert axis.positions(0, 2) == pytest.approx([0.5, 2.5])
    found = resampled(
        np.arange(4.0)[None, None], ((*_same(), 0, 0, 1), (*_same(), 0, 0, 1), (axis, 0, 0, 2)), MaskMethod.NEAREST
    )
    assert found.ravel().tolist() == [1.0, 3.0]


def test_beyond_the_image_its_edge_goes_on():
    axis = axis_of(4, 3.0, 2.0, Alignment.CENTRE)
    for method in METHODS:
        found = resampled(
            np.array([5.0, 1.0, 2.0, 7.0])[None, None],
            ((*_same(), 0, 0, 1), (*_same(), 0, 0, 1), (axis, 0, 0, 6)),
            method,
        )
        assert found.ravel()[[0, -1]] == pytest.approx([5.0, 7.0])


@effort(max_examples=25, deadline=None)
@given(
    method=st.sampled_from(METHODS),
    alignment=st.sampled_from(Alignment),
    wanted=st.tuples(st.none() | st.floats(0.4, 6.0), st.floats(0.4, 6.0), st.floats(0.4, 6.0)),
    seed=st.integers(0, 99),
)
def test_a_box_has_the_values_of_the_whole(method, alignment, wanted, seed):
    generator = np.random.default_rng(seed)
    image = generator.normal(size=(7, 60, 8))
    axes = axes_of(image.shape, (4.0, 1.0, 2.0), Interpolation(spacing_mm=wanted, alignment=alignment))
    ranges = []
    for axis in axes:
        low = int(generator.integers(0, axis.after))
        ranges.append((low, int(generator.integers(low, axis.after)) + 1))
    source = [source_range(axis, low, high, method) for axis, (low, high) in zip(axes, ranges, strict=True)]
    part = image[tuple(slice(*one) for one in source)]
    places = tuple((axis, s[0], *r) for axis, s, r in zip(axes, source, ranges, strict=True))
    expect = whole(image, axes, method)[tuple(slice(*one) for one in ranges)]
    # What is left of a spline's coefficients after 18 voxels: 0.268^18 = 5e-11 of intensities of order 1.
    assert resampled(part, places, method) == pytest.approx(expect, abs=1e-9)


def test_the_input_is_left_as_it_was():
    image = np.random.default_rng(2).normal(size=(6, 6, 6))
    before = image.copy()
    axes = axes_of(image.shape, (1.0, 1.0, 1.0), Interpolation(spacing_mm=(0.5, 0.5, 0.5)))
    whole(image, axes, ImageMethod.CUBIC_SPLINE)
    assert np.array_equal(image, before)
