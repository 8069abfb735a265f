"""Quantities: what they are, what they do without their facts, and how a hospital adds one."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta
from types import ModuleType

import pytest
from tests.each import each

from bingcheng.core.catalogue import Catalogue
from bingcheng.core.wording import Text, text
from bingcheng.dicom.acquisition import Acquisition, CtAcquisition, Device, MrAcquisition, PetAcquisition
from bingcheng.protocol.attributes import About, Attribute, ExamFacts, attribute, attributes

BARE = [kind(modality=m, device=Device(), series_uid="1") for kind, m in (
    (CtAcquisition, "CT"), (MrAcquisition, "MR"), (PetAcquisition, "PT"), (Acquisition, "US"))]  # fmt: skip
ATTRIBUTES = [(key, (key,)) for key in attributes().keys()]  # noqa: SIM118 - a catalogue goes through its items


def read(key, acquisition, *others, before=None):
    return attributes()[key].read(ExamFacts(acquisitions=(acquisition, *others)), acquisition, before)


def test_without_facts_a_quantity_says_why_it_is_unknown_and_who_can_supply_it():
    def holds(key):
        for bare in BARE:
            reading = read(key, bare, before=bare)
            if reading.value is None:
                assert isinstance(reading.why, Text)
                assert isinstance(reading.supply, Text)
                assert reading.owner is not None
            else:
                # Some things are known of any series: its modality, and that an exam of one series holds no other.
                assert key in {
                    "Modality",
                    "derived.exam_has_pet",
                    "derived.attenuation_ct",
                    "derived.modality_and_body_part",
                    "derived.same_device",
                }

    each(ATTRIBUTES, holds)


def test_a_quantity_of_another_modality_is_unknown_rather_than_an_error(make):
    def holds(key):
        for series in (make.ct(), make.pet(), make.dwi()):
            reading = read(key, series, before=make.ct())
            if attributes()[key].modalities and series.modality not in attributes()[key].modalities:
                assert reading.value is None

    each(ATTRIBUTES, holds)


def test_the_gap_comes_from_positions_and_is_negative_where_slices_overlap(make):
    assert read("derived.slice_gap", make.ct(slice_thickness_mm=5.0, reconstruction_interval_mm=2.5)).value == -2.5
    declared_only = make.ct(reconstruction_interval_mm=None, spacing_between_slices_mm=5.0)
    assert read("derived.slice_gap", declared_only).value is None


def test_the_acquired_pixel_is_not_the_interpolated_one(make):
    # A T2 series shown at 0.27 mm over 140 mm, acquired with 304 x 234: 0.46 mm by 0.60 mm.
    series = make.dwi(
        rows=512,
        columns=512,
        pixel_spacing_mm=(140.0 / 512, 140.0 / 512),
        acquisition_matrix=(304, 234),
        phase_direction="ROW",
    )
    assert read("derived.acq_pixel_freq", series).value == pytest.approx(140.0 / 304)
    assert read("derived.acq_pixel_phase", series).value == pytest.approx(140.0 / 234)
    turned = replace(series, phase_direction=None)
    assert read("derived.acq_pixel_freq", turned).value is None


def test_a_rectangular_field_follows_the_phase_direction(make):
    # 400 mm across (frequency) by 300 mm down (phase): 75 % phase field.
    series = make.dwi(
        rows=192,
        columns=256,
        pixel_spacing_mm=(300.0 / 192, 400.0 / 256),
        acquisition_matrix=(256, 150),
        phase_direction="COL",
        percent_phase_fov=75.0,
    )
    assert read("derived.acq_pixel_freq", series).value == pytest.approx(400.0 / 256)
    assert read("derived.acq_pixel_phase", series).value == pytest.approx(2.0)
    assert read("derived.acq_pixel_phase", replace(series, percent_phase_fov=None)).value == pytest.approx(2.0)


def test_uptake_before_the_injection_is_refused_with_the_minutes(make):
    reading = read("derived.uptake_min", make.pet(started_at=make.start - timedelta(minutes=12)))
    assert reading.value is None
    assert "12 min" in str(reading.why)


@pytest.mark.parametrize(
    ("delay_s", "phase"),
    [(-30, "precontrast"), (35, "late_arterial"), (70, "portal_venous"), (180, "delayed"), (50, None), (105, None)],
)
def test_the_phase_follows_from_the_delay_or_stays_open(make, delay_s, phase):
    series = make.ct(contrast_started_at=make.start, started_at=make.start + timedelta(seconds=delay_s))
    assert read("derived.contrast_phase", series).value == phase


def test_contradicting_injection_times_leave_other_series_without_a_delay(make):
    first = make.ct(contrast_started_at=make.start)
    second = make.ct(contrast_started_at=make.start + timedelta(minutes=5), series_uid="2")
    silent = make.ct(series_uid="3", started_at=make.start + timedelta(minutes=6))
    assert read("derived.contrast_delay_s", silent, first).value == 360.0
    assert read("derived.contrast_delay_s", silent, first, second).value is None


def test_several_echo_times_are_ambiguous(make):
    reading = read("EchoTime", make.dwi(echo_times_ms=(2.3, 4.6)))
    assert reading.value is None
    assert "2 echo times" in str(reading.why)


@pytest.mark.parametrize(
    ("name", "nuclide", "tracer"),
    [
        ("FDG -- fluorodeoxyglucose", "^18^Fluorine", "FDG"),
        ("Fluorodeoxyglucose F^18^", None, "FDG"),
        ("F18-FDG", "F-18", "FDG"),
        ("PSMA-1007", "^18^Fluorine", "other"),
        (None, "^68^Gallium", "other"),
        (None, "^18^Fluorine", None),
        ("F-18", "^18^Fluorine", None),
        ("Solution", None, None),
        (None, None, None),
    ],
)
def test_the_tracer_is_told_by_its_name_or_stays_open(make, name, nuclide, tracer):
    assert read("derived.tracer", make.pet(radiopharmaceutical=name, radionuclide=nuclide)).value == tracer


def test_counts_are_quantitative_only_with_the_private_factor(make):
    assert read("Units", make.pet(units="CNTS")).value == "CNTS"
    assert read("Units", make.pet(units="CNTS", suv_factor=0.002)).value == "CNTS+private_factor"


def test_a_long_series_does_not_tell_its_slices_per_station(make):
    assert read("derived.slices_per_station", make.dwi(slice_count=50)).value == 50.0
    assert "1000 mm" in str(read("derived.slices_per_station", make.dwi(slice_count=200)).why)


def test_relative_dose_difference_refers_to_the_baseline(make):
    reading = read("derived.dose_delta_rel", make.pet(injected_dose_bq=300e6), before=make.pet(injected_dose_bq=250e6))
    assert reading.value == pytest.approx(0.2)


def test_one_file_adds_a_quantity():
    module = ModuleType("hospital_quantities")
    sys.modules[module.__name__] = module
    try:

        @attribute("derived.pixel_ratio", label=text("pixel ratio"))
        def pixel_ratio(acquisition: Acquisition) -> float | None:
            pixel_mm = acquisition.pixel_spacing_mm
            return None if pixel_mm is None else pixel_mm[0] / pixel_mm[1]

        pixel_ratio.__module__ = module.__name__
        module.pixel_ratio = pixel_ratio
        found = Catalogue.of(Attribute, module.__name__)
    finally:
        del sys.modules[module.__name__]
    assert found.keys() == ("derived.pixel_ratio",)
    assert found["derived.pixel_ratio"].about is About.SERIES
    series = CtAcquisition(modality="CT", device=Device(), series_uid="1", pixel_spacing_mm=(2.0, 1.0))
    assert found["derived.pixel_ratio"].read(ExamFacts(acquisitions=(series,)), series).value == 2.0


def test_every_quantity_that_lies_outside_of_headers_says_so():
    for one in attributes():
        assert (one.about is About.OUTSIDE) == (one.key.split(".")[0] in {"image", "phantom", "clinical", "site"})
