"""Fingerprints and conditions: equal exactly when the settings are known and agree."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bingcheng.dicom.acquisition import Acquisition, Device
from bingcheng.protocol.fingerprints import conditions, device, reconstruction


def test_the_serial_number_itself_never_shows(make):
    shown = device(make.ct(device=Device(vendor="GE", model="Revolution", serial_number="HOSPITAL-77")))
    assert shown.startswith("GE Revolution #")
    assert "77" not in shown.split("#")[0]
    assert "HOSPITAL" not in shown


def test_scanners_without_serial_number_are_not_taken_for_one(make):
    assert device(make.ct(device=Device(vendor="GE", model="Revolution"))) is None


def test_an_update_of_the_software_does_not_make_another_scanner(make):
    series = make.ct()
    assert device(series) == device(replace(series, device=replace(series.device, software_versions=("VB30",))))


@pytest.mark.parametrize("missing", ["reconstruction_method", "iterations", "subsets", "filter", "pixel_spacing_mm"])
def test_a_pet_reconstruction_with_an_unknown_setting_has_no_fingerprint(make, missing):
    assert reconstruction(make.pet()) is not None
    assert reconstruction(make.pet(**{missing: None})) is None


def test_iterations_inside_the_name_of_the_method_are_read(make):
    named = make.pet(reconstruction_method="PSF+TOF 3i21s", iterations=None, subsets=None)
    assert reconstruction(named) is not None
    assert reconstruction(named) != reconstruction(replace(named, reconstruction_method="PSF+TOF 4i21s"))


def test_a_filtered_back_projection_has_no_iterations_to_know(make):
    assert reconstruction(make.pet(reconstruction_method="FBP", iterations=None, subsets=None)) is not None


@pytest.mark.parametrize("change", [{"convolution_kernel": "B70f"}, {"slice_thickness_mm": 5.0}, {"kvp_kv": 100.0}])
def test_another_setting_is_another_ct_fingerprint(make, change):
    assert reconstruction(make.ct(**change)) != reconstruction(make.ct())


def test_the_zoom_of_a_ct_follows_the_patient_and_is_no_other_reconstruction(make):
    assert reconstruction(make.ct(pixel_spacing_mm=(0.6, 0.6))) == reconstruction(make.ct())


def test_rounding_of_headers_is_no_other_reconstruction(make):
    assert reconstruction(make.ct(slice_thickness_mm=2.50001)) == reconstruction(make.ct(slice_thickness_mm=2.5))
    assert reconstruction(make.dwi(field_strength_t=1.494)) == reconstruction(make.dwi(field_strength_t=1.5))
    assert reconstruction(make.dwi(field_strength_t=2.89)) == reconstruction(make.dwi(field_strength_t=3.0))


def test_the_order_of_b_values_is_no_other_acquisition(make):
    assert reconstruction(make.dwi(b_values_s_per_mm2=(900.0, 50.0))) == reconstruction(make.dwi())


def test_conditions_name_what_repeatability_depends_on(make):
    assert conditions(make.pet(started_at=make.start + timedelta(minutes=95)))["uptake_min"] == 95.0
    assert conditions(make.ct())["kernel"] == "B30f"
    assert conditions(make.ct())["voxel_mm3"] == pytest.approx(0.75 * 0.75 * 2.5)
    diffusion = conditions(make.dwi())
    assert diffusion["b_values_s_per_mm2"] == (50.0, 900.0)
    assert diffusion["field_strength_t"] == 1.5
    assert diffusion["echo_time_ms"] == 70.0


def test_another_iodinated_agent_is_no_other_condition_but_another_mr_agent_is(make):
    assert conditions(make.ct(contrast_agent="Iohexol"))["contrast"] == "given"
    assert conditions(make.ct(contrast_agent=None))["contrast"] is None
    assert conditions(make.dwi(contrast_agent="Gadoxetate "))["contrast"] == "gadoxetate"


def test_conditions_of_a_silent_header_are_none_and_never_a_guess():
    bare = Acquisition(modality="MR", device=Device(), series_uid="1")
    assert {name for name, value in conditions(bare).items() if value is not None} == {"modality"}


def test_what_is_known_of_an_unknown_reconstruction_is_told_apart(make):
    silent = make.pet(iterations=None, subsets=None)
    assert conditions(silent)["reconstruction"] is None
    known = conditions(silent)["reconstruction_known"]
    assert known == conditions(make.pet(iterations=None, subsets=None))["reconstruction_known"]
    assert known != conditions(make.pet(iterations=None, subsets=None, filter="none"))["reconstruction_known"]


def test_an_uptake_before_the_injection_is_no_condition(make):
    assert conditions(make.pet(started_at=make.start - timedelta(minutes=1)))["uptake_min"] is None
