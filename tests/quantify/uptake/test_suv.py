from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.core.case import Case, Methods
from bingcheng.core.errors import Undefined
from bingcheng.dicom.acquisition import CtAcquisition, Device
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Volume
from bingcheng.quantify.uptake import known_images as known
from bingcheng.quantify.uptake.suv import dose_at_reference_bq, suv, suv_factor


def image(value: float, unit: str = "Bq/ml") -> Volume:
    geometry = VolumeGeometry(shape=(2, 2, 2), spacing_mm=(1, 1, 1))
    return Volume(voxels=np.full((2, 2, 2), value, dtype=np.float32), geometry=geometry, unit=unit)


def test_whole_dose_spread_evenly_over_the_body_is_an_uptake_of_one():
    facts = known.acquisition()
    evenly = dose_at_reference_bq(facts) / (1000 * known.WEIGHT_KG)
    # float32 voxels
    assert suv(image(evenly), facts).voxels == pytest.approx(1.0, rel=1e-6)


def test_image_of_uptake_keeps_grid_precision_and_padding():
    volume = replace(image(1000.0), valid=np.zeros((2, 2, 2), dtype=bool))
    made = suv(volume, known.acquisition())
    assert made.unit == "g/ml"
    assert made.voxels.dtype == np.float32
    assert made.geometry is volume.geometry
    assert made.valid is not None
    assert not made.valid.any()


def test_image_that_is_uptake_already_is_not_copied():
    volume = image(2.5, unit="g/ml")
    assert np.shares_memory(suv(volume, known.acquisition()).voxels, volume.voxels)


def test_unit_of_the_voxels_as_read_goes_before_the_header():
    facts = known.acquisition()
    assert suv_factor(facts, image_unit="kBq/ml") == pytest.approx(1000 * suv_factor(facts, image_unit="Bq/ml"))
    assert suv_factor(facts, image_unit="{arbitrary}") == suv_factor(facts)


def test_counts_that_are_only_proportional_are_refused():
    facts = replace(known.acquisition(), units="PROPCNTS", stored_unit_factor=None)
    with pytest.raises(Undefined) as refused:
        suv(image(1.0, unit="{counts}"), facts)
    assert refused.value.code == "quantify.suv-unit-unusable"


def test_ct_has_no_uptake():
    facts = CtAcquisition(modality="CT", device=Device(), series_uid="1")
    with pytest.raises(Undefined) as refused:
        suv_factor(facts)
    assert refused.value.code == "quantify.suv-of-no-pet"


@given(st.floats(1e6, 1e9), st.floats(3.0, 300.0), st.floats(0, 6 * 3600))
def test_uptake_grows_with_weight_and_falls_with_what_is_left_of_the_dose(dose_bq, weight_kg, elapsed_s):
    base = known.acquisition()
    assert base.injected_at is not None
    at = base.injected_at + timedelta(seconds=elapsed_s)
    facts = replace(base, injected_dose_bq=dose_bq, weight_kg=weight_kg, decay_reference_at=at)
    factor = suv_factor(facts)
    assert suv_factor(replace(facts, weight_kg=2 * weight_kg)) == pytest.approx(2 * factor)
    assert suv_factor(replace(facts, injected_dose_bq=2 * dose_bq)) == pytest.approx(factor / 2)
    later = replace(facts, decay_reference_at=at + timedelta(seconds=known.HALF_LIFE_S))
    assert suv_factor(later) == pytest.approx(2 * factor, rel=1e-9)  # microseconds of a datetime


def test_uptake_image_is_a_derived_input_of_a_case():
    methods = Methods.of("bingcheng.quantify")
    case = Case(methods, {k: v for k, v in known.uniform_cube().items() if k != "lesion"}, modality="PT")
    made = case["suv"]
    assert isinstance(made, Volume)
    assert float(made.voxels.max()) == pytest.approx(5.0, rel=1e-6)
    assert case["suv"] is made
