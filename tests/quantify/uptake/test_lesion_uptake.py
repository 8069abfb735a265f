from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.core.case import Case, Methods
from bingcheng.core.errors import CatalogueError, Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.uptake import known_images as known
from bingcheng.quantify.uptake.lesion_uptake import (
    lean_body_mass_kg,
    metabolic_tumour_volume,
    mtv_41,
    sul_peak,
    suv_max,
    suv_mean,
    suv_peak,
    total_lesion_glycolysis,
)

KEYS = ("suv_max", "suv_mean", "suv_peak", "metabolic_tumour_volume", "mtv_41", "total_lesion_glycolysis", "sul_peak")


def pet(voxels: np.ndarray, spacing=(4.0, 4.0, 4.0), valid=None) -> Volume:
    geometry = VolumeGeometry(shape=voxels.shape, spacing_mm=spacing)
    return Volume(voxels=voxels.astype(np.float32), geometry=geometry, unit="g/ml", valid=valid)


def lesion_of(mask: np.ndarray, volume: Volume) -> Region:
    return Region.of(mask, volume.geometry, label="lesion")


@pytest.fixture(scope="module")
def methods() -> Methods:
    return Methods.of("bingcheng.quantify")


@pytest.mark.parametrize("key", KEYS)
def test_each_measure_reproduces_its_references(methods, key):
    measure = methods.measures[key]
    for reference in measure.references:
        (found,) = Case(methods, reference.case(), modality="PT").measured(measure)
        assert found.value is not None, found.no_value
        assert reference.accepts(found.value), f"{reference.name}: {found.value} instead of {reference.expect}"


@pytest.mark.parametrize("key", KEYS)
def test_each_measure_is_one_of_a_pet_lesion_and_says_why_it_has_no_value(methods, key):
    measure = methods.measures[key]
    assert measure.modalities == {"PT"}
    assert methods.per_lesion(measure)
    givens = dict(known.uniform_cube())
    givens["acquisition"] = replace(known.acquisition(), injected_dose_bq=None)
    (found,) = Case(methods, givens, modality="PT").measured(measure)
    assert found.value is None
    assert found.no_value is not None
    assert found.no_value.code == "quantify.suv-no-dose"


def rng_case(seed: int):
    rng = np.random.default_rng(seed)
    volume = pet(rng.uniform(0.5, 10, (9, 10, 11)))
    mask = np.zeros(volume.voxels.shape, dtype=bool)
    mask[3:6, 3:7, 4:8] = rng.random((3, 4, 4)) < 0.7
    mask[4, 5, 5] = True
    return volume, lesion_of(mask, volume), mask


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.floats(0.1, 20))
def test_uptake_scales_and_volumes_stay_with_a_factor_on_the_image(seed, factor):
    volume, lesion, _ = rng_case(seed)
    scaled = pet(volume.voxels * factor)
    for measure in (suv_max, suv_mean, suv_peak, total_lesion_glycolysis):
        assert measure(scaled, lesion) == pytest.approx(factor * measure(volume, lesion), rel=1e-5)  # float32
    assert metabolic_tumour_volume(scaled, lesion) == metabolic_tumour_volume(volume, lesion)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_mean_peak_and_maximum_are_in_order_and_glycolysis_is_their_product(seed):
    volume, lesion, mask = rng_case(seed)
    inside = volume.voxels[mask]
    assert suv_max(volume, lesion) == inside.max()
    assert suv_mean(volume, lesion) == pytest.approx(inside.mean(), rel=1e-5)
    assert suv_peak(volume, lesion) <= volume.voxels.max()
    product = suv_mean(volume, lesion) * metabolic_tumour_volume(volume, lesion)
    assert total_lesion_glycolysis(volume, lesion) == pytest.approx(product)
    assert mtv_41(volume, lesion) <= metabolic_tumour_volume(volume, lesion)
    assert mtv_41(volume, lesion, fraction=0.0) == pytest.approx(metabolic_tumour_volume(volume, lesion))


def test_voxels_that_belong_in_part_count_in_part():
    voxels = np.full((7, 7, 7), 2.0)
    voxels[3, 3, 4] = 6.0
    share = np.zeros((7, 7, 7), dtype=np.float32)
    share[3, 3, 3], share[3, 3, 4] = 1.0, 0.25
    volume = pet(voxels)
    lesion = lesion_of(share, volume)
    assert suv_mean(volume, lesion) == pytest.approx((2 + 0.25 * 6) / 1.25)
    assert metabolic_tumour_volume(volume, lesion) == pytest.approx(1.25 * 0.064)
    assert suv_max(volume, lesion) == 2.0  # the hotter voxel belongs by less than half


def test_peak_takes_in_what_surrounds_a_small_lesion():
    voxels = np.ones((11, 11, 11))
    voxels[5, 5, 5] = 50.0
    volume = pet(voxels)
    mask = np.zeros(voxels.shape, dtype=bool)
    mask[5, 5, 5] = True
    # One voxel of 64 mm3 in a sphere of 1 ml: (64 * 50 + 936 * 1) / 1000. Weights err by under 0.3 % of themselves.
    assert suv_peak(volume, lesion_of(mask, volume)) == pytest.approx(4.136, rel=2e-3)


def test_peak_is_undefined_where_the_hottest_sphere_leaves_the_image_and_defined_where_it_does_not():
    voxels = np.ones((9, 9, 9))
    voxels[0, 4, 4], voxels[5, 4, 4] = 9.0, 5.0
    volume = pet(voxels)
    mask = np.zeros(voxels.shape, dtype=bool)
    mask[0:6, 4, 4] = True
    lesion = lesion_of(mask, volume)
    with pytest.raises(Undefined) as refused:
        suv_peak(volume, lesion)
    assert refused.value.code == "quantify.peak-sphere-leaves-image"
    voxels[0, 4, 4], voxels[5, 4, 4] = 1.0, 9.0
    assert suv_peak(pet(voxels), lesion) > 1.0


def test_peak_of_a_single_slice_is_undefined():
    volume = pet(np.ones((1, 20, 20)))
    mask = np.zeros((1, 20, 20), dtype=bool)
    mask[0, 9:12, 9:12] = True
    with pytest.raises(Undefined) as refused:
        suv_peak(volume, lesion_of(mask, volume))
    assert refused.value.code == "quantify.peak-sphere-leaves-image"


def test_empty_lesion_and_unrecorded_voxels_are_undefined_by_name():
    volume = pet(np.ones((5, 5, 5)))
    nothing = lesion_of(np.zeros((5, 5, 5), dtype=bool), volume)
    for measure in (suv_max, suv_mean, suv_peak, metabolic_tumour_volume, mtv_41, total_lesion_glycolysis):
        with pytest.raises(Undefined) as refused:
            measure(volume, nothing)
        assert refused.value.code == "quantify.lesion-without-voxels"
    valid = np.ones((5, 5, 5), dtype=bool)
    valid[2, 2, 2] = False
    mask = np.zeros((5, 5, 5), dtype=bool)
    mask[2, 2, 1:4] = True
    with pytest.raises(Undefined) as refused:
        suv_mean(pet(np.ones((5, 5, 5)), valid=valid), lesion_of(mask, volume))
    assert refused.value.code == "quantify.lesion-without-uptake-value"


def test_volume_of_a_lesion_at_the_edge_of_the_image_is_undefined():
    volume = pet(np.ones((5, 5, 5)))
    mask = np.zeros((5, 5, 5), dtype=bool)
    mask[0:2, 2, 2] = True
    for measure in (metabolic_tumour_volume, total_lesion_glycolysis):
        with pytest.raises(Undefined) as refused:
            measure(volume, lesion_of(mask, volume))
        assert refused.value.code == "quantify.lesion-cut-off"


@pytest.mark.parametrize(
    ("weight", "height", "sex", "formula", "expect"),
    [
        # Worked by hand from the published formulas.
        (70, 1.75, "M", "janmahasatian", 9270 * 70 / (6680 + 216 * 22.857142857)),
        (60, 1.60, "F", "janmahasatian", 9270 * 60 / (8780 + 244 * 23.4375)),
        (70, 1.75, "M", "james", 1.10 * 70 - 128 * 0.16),
        (60, 1.60, "F", "james", 1.07 * 60 - 148 * 0.140625),
    ],
)
def test_lean_body_mass_follows_its_published_formula(weight, height, sex, formula, expect):
    assert lean_body_mass_kg(weight, height, sex, formula) == pytest.approx(expect, rel=1e-9)


def test_unknown_formula_is_an_error_of_the_program():
    with pytest.raises(CatalogueError):
        lean_body_mass_kg(70, 1.75, "M", "guess")


@pytest.mark.parametrize("change", [{"height_m": None}, {"sex": "O"}, {"sex": None}])
def test_lean_uptake_without_height_or_sex_is_undefined(change):
    volume, lesion, _ = rng_case(1)
    with pytest.raises(Undefined) as refused:
        sul_peak(volume, lesion, replace(known.acquisition(), **change))
    assert refused.value.code == "quantify.sul-no-height-or-sex"


def test_budget_of_uptake_is_the_calibration_limit_as_a_rectangle(methods):
    relative = [component.relative for component in methods.measures["suv_peak"].budget]
    assert relative[0] == pytest.approx(0.1 / math.sqrt(3))
    assert methods.measures["metabolic_tumour_volume"].budget == ()
