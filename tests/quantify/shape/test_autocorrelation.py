"""Moran's I and Geary's C against the double sums of their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial.distance import pdist, squareform

from bingcheng.core.errors import Undefined
from bingcheng.quantify.shape import autocorrelation as module
from bingcheng.quantify.shape.autocorrelation import Autocorrelation, autocorrelation

ALWAYS = {"pairs": lambda count, shape: True, "spectra": lambda count, shape: False}


def by_definition(intensity, inside, spacing_mm):
    values = intensity[inside].astype(np.float64)
    distance = squareform(pdist(np.argwhere(inside) * np.asarray(spacing_mm)))
    np.fill_diagonal(distance, np.inf)
    w = 1.0 / distance
    d = values - values.mean()
    n, spread = values.size, (d**2).sum()
    moran = n / w.sum() * (w * np.outer(d, d)).sum() / spread
    geary = (n - 1) / (2 * w.sum()) * (w * (values[:, None] - values[None]) ** 2).sum() / spread
    return moran, geary


def image(seed, shape, smooth):
    voxels = np.random.default_rng(seed).normal(size=shape)
    return (ndimage.gaussian_filter(voxels, smooth) * 300.0 + 40.0).astype(np.float32)


@settings(max_examples=40)
@given(
    st.integers(0, 10_000),
    st.tuples(*[st.integers(1, 7)] * 3).filter(lambda shape: np.prod(shape) >= 2),
    st.sampled_from([0.3, 0.8]),
    st.sampled_from([(1.0, 1.0, 1.0), (5.0, 0.7, 0.8), (20.0, 1.0, 1.0)]),
    st.sampled_from(sorted(ALWAYS)),
)
def test_both_ways_give_the_sums_over_all_pairs(shapes, seed, shape, part, spacing_mm, way):
    inside = shapes.scattered(seed, shape, part)
    inside.flat[:2] = True
    intensity = image(seed, shape, 0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_pairs_are_faster", ALWAYS[way])
        found = autocorrelation(intensity, inside, spacing_mm)
    moran, geary = by_definition(intensity, inside, spacing_mm)
    # Single precision rounds each of the spectra's terms by 6e-8; I is small next to the terms that it sums.
    assert found.moran_i == pytest.approx(moran, rel=1e-6, abs=1e-7)
    assert found.geary_c == pytest.approx(geary, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("smooth", [0.0, 2.0])
def test_spectra_agree_with_pairs_for_a_large_lesion(shapes, smooth, monkeypatch):
    inside = shapes.ellipsoid((9.0, 12.0, 14.0))
    intensity = image(1, inside.shape, smooth)
    found = {}
    # The slabs, tiles and turns that a lesion of a million voxels is taken apart into.
    for name, value in (("_SLAB", 2000), ("_TILE", 5000), ("_WHOLE", 100)):
        monkeypatch.setattr(module, name, value)
    for way, always in ALWAYS.items():
        monkeypatch.setattr(module, "_pairs_are_faster", always)
        found[way] = autocorrelation(intensity, inside, (1.0, 1.0, 1.0))
    assert found["spectra"].moran_i == pytest.approx(found["pairs"].moran_i, rel=1e-6)
    assert found["spectra"].geary_c == pytest.approx(found["pairs"].geary_c, rel=1e-6)


@given(st.integers(0, 1000), st.floats(0.01, 1e6), st.floats(-1e4, 1e4))
def test_unit_and_offset_do_not_matter(shapes, seed, scale, offset):
    inside = shapes.scattered(seed)
    intensity = np.random.default_rng(seed).normal(size=inside.shape)
    first = autocorrelation(intensity, inside, (1.0, 1.0, 1.0))
    second = autocorrelation(intensity * scale + offset * scale, inside, (1.0, 1.0, 1.0))
    assert second.moran_i == pytest.approx(first.moran_i, rel=1e-6, abs=1e-7)
    assert second.geary_c == pytest.approx(first.geary_c, rel=1e-6)


def test_single_and_double_precision_images_agree(shapes):
    inside = shapes.ellipsoid((8.0, 9.0, 10.0))
    intensity = image(3, inside.shape, 1.0)
    assert autocorrelation(intensity, inside, (1.0, 1.0, 1.0)) == autocorrelation(
        intensity.astype(np.float64), inside, (1.0, 1.0, 1.0)
    )


def test_turned_images_are_as_alike(shapes):
    inside = shapes.ellipsoid((6.0, 9.0, 11.0))
    intensity = image(4, inside.shape, 1.0)
    first = autocorrelation(intensity, inside, (3.0, 1.0, 1.0))
    second = autocorrelation(np.rot90(intensity, axes=(0, 2)), np.rot90(inside, axes=(0, 2)), (1.0, 1.0, 3.0))
    assert second.moran_i == pytest.approx(first.moran_i, rel=1e-6)
    assert second.geary_c == pytest.approx(first.geary_c, rel=1e-6)


def test_far_pieces_are_compared_by_pairs_and_not_over_the_space_between():
    inside = np.zeros((400, 400, 400), dtype=bool)
    inside[:3, :3, :3] = inside[-3:, -3:, -3:] = True
    assert module._pairs_are_faster(54, inside.shape)


def test_intensities_outside_do_not_count(shapes):
    inside = shapes.scattered(2)
    intensity = image(2, inside.shape, 0.0)
    first = autocorrelation(intensity, inside, (1.0, 1.0, 1.0))
    assert isinstance(first, Autocorrelation)
    assert autocorrelation(np.where(inside, intensity, np.nan), inside, (1.0, 1.0, 1.0)) == first


def test_there_is_none_of_one_voxel_and_of_a_constant():
    one, some = np.ones((1, 1, 1), dtype=bool), np.ones((2, 3, 4), dtype=bool)
    for inside, code in ((one, "of-one-voxel"), (some, "of-constant")):
        found = autocorrelation(np.full(inside.shape, 0.1, dtype=np.float32), inside, (1.0, 1.0, 1.0))
        assert isinstance(found, Undefined)
        assert found.code == f"quantify.autocorrelation-{code}"
