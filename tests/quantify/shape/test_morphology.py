"""The morphological family: the IBSI's values, known shapes, and regions that have no shape."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.core.errors import Undefined
from bingcheng.quantify.radiomics.conformance import digital_phantom, expectations
from bingcheng.quantify.shape.morphology import FEATURES, morphology

INTENSITY = {"morph_com", "morph_integ_int", "morph_moran_i", "morph_geary_c"}


def codes(values):
    return {tag: value.code for tag, value in values.items() if isinstance(value, Undefined)}


def finite(values):
    """Every feature has a finite number or a reason."""
    assert set(values) == {feature.tag for feature in FEATURES}
    return all(
        isinstance(value, Undefined) or (type(value) is float and math.isfinite(value)) for value in values.values()
    )


def test_every_value_of_the_digital_phantom_that_has_a_consensus(shapes):
    volume, lesion = digital_phantom()
    # The lesion's box is the whole image.
    values = morphology(shapes.roi_of(lesion.inside, volume.voxels[lesion.box()], spacing_mm=(2.0, 2.0, 2.0)))
    wanted = [e for e in expectations("digital phantom") if e.tag.startswith("morph_") and e.expect is not None]
    assert len(wanted) == 25
    for one in wanted:
        assert one.accepts(values[one.tag]), (one.tag, values[one.tag], one.expect)


def test_there_are_29_features_with_identifiers_of_their_own():
    assert (
        len(FEATURES) == len({feature.ibsi for feature in FEATURES}) == len({feature.tag for feature in FEATURES}) == 29
    )


@pytest.mark.parametrize("semi_mm", [(24.0, 24.0, 24.0), (12.0, 18.0, 30.0)])
@pytest.mark.parametrize("step_mm", [2.0, 1.0])
def test_an_ellipsoid_within_half_a_voxel_and_a_hundredth(shapes, semi_mm, step_mm):
    spacing_mm = (step_mm,) * 3
    values = morphology(shapes.roi_of(shapes.ellipsoid(semi_mm, spacing_mm), spacing_mm=spacing_mm))
    assert values["morph_volume"] == pytest.approx(4.0 / 3.0 * np.pi * np.prod(semi_mm), rel=0.01)
    assert values["morph_diam"] == pytest.approx(2.0 * max(semi_mm), abs=step_mm)
    axes = [values[f"morph_pca_{name}_axis"] for name in ("maj", "min", "least")]
    expect = [2.0 * a * np.sqrt(0.8) for a in sorted(semi_mm, reverse=True)]
    assert axes == pytest.approx(expect, rel=0.01)
    # Half a voxel on each side of each axis changes a box by this part.
    widened = np.prod([1.0 + step_mm / (2.0 * a) for a in semi_mm])
    assert values["morph_vol_dens_aabb"] == pytest.approx(np.pi / 6.0, rel=widened - 1.0 + 0.01)
    assert values["morph_vol_dens_ombb"] == pytest.approx(np.pi / 6.0, rel=widened - 1.0 + 0.01)
    assert values["morph_vol_dens_mvee"] == pytest.approx(1.0, rel=widened - 1.0 + 0.01)
    assert values["morph_vol_dens_conv_hull"] == pytest.approx(1.0, rel=widened - 1.0 + 0.01)
    # The ellipsoid by the principal axes is sqrt(4/5) of the true one along each axis.
    assert values["morph_vol_dens_aee"] == pytest.approx(0.8**-1.5, rel=0.03)


def test_a_box_fills_its_boxes_but_for_bevelled_edges(shapes):
    values = morphology(shapes.roi_of(np.ones((10, 20, 30), dtype=bool)))
    assert values["morph_vol_approx"] == 6000.0
    assert (
        values["morph_vol_dens_aabb"] == values["morph_vol_dens_ombb"] == pytest.approx(values["morph_volume"] / 6000.0)
    )
    assert values["morph_vol_dens_conv_hull"] == pytest.approx(1.0)
    assert values["morph_diam"] == pytest.approx(np.sqrt(9**2 + 19**2 + 30**2))


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.permutations(range(3)), st.tuples(*[st.booleans()] * 3))
def test_a_lesion_turned_by_right_angles_has_the_same_shape(shapes, seed, order, flips):
    inside, spacing_mm = shapes.scattered(seed, (4, 5, 6)), (3.0, 1.0, 0.7)
    intensity = np.random.default_rng(seed).normal(100.0, 20.0, inside.shape).astype(np.float32)
    turn = lambda box: np.ascontiguousarray(np.flip(box.transpose(order), np.flatnonzero(flips)))
    turned_mm = tuple(spacing_mm[k] for k in order)
    first = morphology(shapes.roi_of(inside, intensity, spacing_mm=spacing_mm))
    second = morphology(shapes.roi_of(turn(inside), turn(intensity), spacing_mm=turned_mm))
    assert codes(first) == codes(second)
    for tag in first.keys() - codes(first).keys():
        # Other triangles of the hull's faces may be chosen; autocorrelation is in single precision. The ellipsoid's
        # volume is found to twice its tolerance of 1e-3, its axes to the root of that.
        loose = {"vol_dens_mvee": 2e-3, "area_dens_mvee": 0.045, "ombb": 1e-5, "moran": 1e-5, "geary": 1e-6}
        rel = next((value for part, value in loose.items() if part in tag), 1e-9)
        assert second[tag] == pytest.approx(first[tag], rel=rel, abs=1e-7), tag


@given(st.floats(-500.0, 500.0), st.floats(0.1, 1000.0))
def test_shape_does_not_look_at_intensities(shapes, offset, scale):
    inside = shapes.scattered(5)
    intensity = np.random.default_rng(5).normal(size=inside.shape)
    first = morphology(shapes.roi_of(inside, intensity))
    second = morphology(shapes.roi_of(inside, intensity * scale + offset))
    for tag in first.keys() - INTENSITY:
        assert second[tag] == first[tag]


@given(st.floats(0.5, 20.0))
def test_larger_voxels_scale_lengths_areas_and_volumes_and_leave_ratios(shapes, scale):
    inside = shapes.scattered(6)
    first = morphology(shapes.roi_of(inside))
    second = morphology(shapes.roi_of(inside, spacing_mm=(scale, scale, scale)))
    power = {"1": 0, "/mm": -1, "mm": 1, "mm2": 2, "mm3": 3}
    for feature in FEATURES:
        # The ellipsoid is found in the same steps, but for the rounding of what is compared.
        tolerance = 2e-3 if "mvee" in feature.tag else 1e-6
        expect = first[feature.tag] * scale ** power[feature.unit]
        assert second[feature.tag] == pytest.approx(expect, rel=tolerance, abs=1e-7), feature.tag


def test_single_and_double_precision_agree(shapes):
    inside = shapes.ellipsoid((6.0, 8.0, 9.0))
    intensity = np.random.default_rng(2).normal(100.0, 20.0, inside.shape).astype(np.float32)
    first = morphology(shapes.roi_of(inside, intensity))
    second = morphology(shapes.roi_of(inside, intensity.astype(np.float64)))
    for tag, value in first.items():
        assert second[tag] == pytest.approx(value, rel=1e-6), tag


@pytest.mark.parametrize(
    ("inside", "undefined"),
    [
        (
            np.ones((1, 1, 1), dtype=bool),
            {
                "morph_pca_elongation": "quantify.shape-of-one-voxel",
                "morph_pca_flatness": "quantify.shape-of-one-voxel",
                "morph_vol_dens_aee": "quantify.shape-of-one-voxel",
                "morph_area_dens_aee": "quantify.shape-of-one-voxel",
                "morph_moran_i": "quantify.autocorrelation-of-one-voxel",
                "morph_geary_c": "quantify.autocorrelation-of-one-voxel",
            },
        ),
        (
            np.ones((1, 1, 6), dtype=bool),
            {"morph_vol_dens_aee": "quantify.shape-flat", "morph_area_dens_aee": "quantify.shape-flat"},
        ),
        (np.ones((1, 5, 6), dtype=bool), {"morph_vol_dens_aee": "quantify.shape-flat"}),
        (
            np.eye(7, dtype=bool)[None],
            {"morph_vol_dens_aee": "quantify.shape-flat", "morph_area_dens_aee": "quantify.shape-flat"},
        ),
        (np.kron(np.eye(2), np.ones((3, 3)))[None].repeat(3, axis=0) > 0, {}),
    ],
    ids=["one voxel", "line", "one slice", "diagonal line", "two pieces"],
)
@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (20.0, 1.0, 1.0)])
def test_small_and_flat_lesions_have_a_value_or_a_reason(shapes, inside, undefined, spacing_mm):
    values = morphology(shapes.roi_of(inside, spacing_mm=spacing_mm))
    assert finite(values)
    assert codes(values) == undefined


def test_constant_missing_and_balanced_intensities_are_told(shapes):
    inside = np.ones((2, 3, 4), dtype=bool)
    constant = codes(morphology(shapes.roi_of(inside, np.full(inside.shape, 5.0))))
    assert constant == dict.fromkeys(("morph_moran_i", "morph_geary_c"), "quantify.autocorrelation-of-constant")
    empty = codes(morphology(shapes.roi_of(inside, counts=np.zeros_like(inside))))
    assert empty == dict.fromkeys(INTENSITY, "quantify.no-voxel-in-intensity-range")
    balanced = np.where(np.arange(24).reshape(2, 3, 4) % 2, 1.0, -1.0)
    assert codes(morphology(shapes.roi_of(inside, balanced))) == {"morph_com": "quantify.intensity-sum-zero"}


def test_intensities_outside_their_mask_do_not_count(shapes):
    inside = shapes.scattered(8)
    counts = inside & (shapes.scattered(9) | (np.arange(inside.size).reshape(inside.shape) % 3 == 0))
    intensity = np.random.default_rng(8).normal(100.0, 20.0, inside.shape)
    first = morphology(shapes.roi_of(inside, intensity, counts=counts))
    second = morphology(shapes.roi_of(inside, np.where(counts, intensity, np.nan), counts=counts))
    assert finite(second)
    assert first == second
