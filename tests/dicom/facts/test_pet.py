# ruff: noqa: DTZ001 - a header's times are local to its scanner and have no zone
from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmwrite
from pydicom.dataset import Dataset

from bingcheng.core.codes import Code
from bingcheng.core.errors import BingchengError, Undefined
from bingcheng.dicom.facts.acquired import acquisition
from bingcheng.dicom.facts.pet_times import mean_rate_delay_s
from bingcheng.dicom.facts.radionuclide import radionuclide_of
from bingcheng.quantify.uptake.suv import suv_factor

HALF_LIFE_S = 6586.2
DOSE_BQ = 370e6
WEIGHT_KG = 70.0


def tracer(**attributes: object) -> Dataset:
    item = Dataset()
    item.RadionuclideTotalDose = "370000000"
    item.RadionuclideHalfLife = "6586.2"
    item.RadiopharmaceuticalStartTime = "090000"
    item.RadiopharmaceuticalStartDateTime = "20240105090000"
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "C-111A1", "SRT", "^18^Fluorine"
    item.RadionuclideCodeSequence = [code]
    for keyword, value in attributes.items():
        if value is None:
            delattr(item, keyword)
        else:
            setattr(item, keyword, value)
    return item


def header(**attributes: object) -> Dataset:
    dataset = Dataset()
    dataset.Modality, dataset.Units, dataset.DecayCorrection = "PT", "BQML", "START"
    dataset.CorrectedImage = ["DECY", "ATTN", "SCAT", "NORM", "DTIM", "RAN"]
    dataset.SeriesType = ["WHOLE BODY", "IMAGE"]
    dataset.SeriesDate = dataset.AcquisitionDate = dataset.StudyDate = "20240105"
    dataset.SeriesTime = dataset.AcquisitionTime = "100000"
    dataset.FrameReferenceTime, dataset.ActualFrameDuration = "0", "120000"
    dataset.PatientWeight = "70"
    dataset.RadiopharmaceuticalInformationSequence = [tracer()]
    for keyword, value in attributes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


@pytest.fixture
def facts_of(stored, image_series):
    def facts(*datasets: Dataset, **attributes: object):
        made = datasets or (header(**attributes),)
        return acquisition(image_series([stored(one, name=f"{i}.dcm") for i, one in enumerate(made)]))

    return facts


def expected(elapsed_s: float) -> float:
    return 1000 * WEIGHT_KG / (DOSE_BQ * 0.5 ** (elapsed_s / HALF_LIFE_S))


def codes(facts) -> list[str]:
    return [code for code, _ in facts.contradictions]


def test_scan_an_hour_after_injection(facts_of):
    facts = facts_of()
    assert facts.uptake_s == 3600
    assert facts.decay_reference_at == datetime(2024, 1, 5, 10)
    assert suv_factor(facts) == pytest.approx(expected(3600), rel=1e-12)
    assert facts.radionuclide == "F-18"
    assert facts.attenuation_corrected
    assert codes(facts) == []


def test_correction_to_the_injection_takes_the_whole_dose(facts_of):
    facts = facts_of(DecayCorrection="ADMIN")
    assert facts.decay_reference_at == facts.injected_at
    assert suv_factor(facts) == pytest.approx(expected(0), rel=1e-12)


def test_injection_without_a_date_before_midnight(facts_of):
    item = tracer(RadiopharmaceuticalStartDateTime=None, RadiopharmaceuticalStartTime="233000")
    facts = facts_of(SeriesTime="003000", AcquisitionTime="003000", RadiopharmaceuticalInformationSequence=[item])
    assert facts.injected_at == datetime(2024, 1, 4, 23, 30)
    assert suv_factor(facts) == pytest.approx(expected(3600), rel=1e-12)
    assert codes(facts) == ["injection-before-midnight"]


@pytest.mark.parametrize("day", ["20240106", "20231231", "19600101"])
def test_injection_date_shifted_by_deidentification_is_mended_by_its_time_of_day(facts_of, day):
    item = tracer(RadiopharmaceuticalStartDateTime=f"{day}090000")
    facts = facts_of(RadiopharmaceuticalInformationSequence=[item])
    assert facts.injected_at == datetime(2024, 1, 5, 9)
    assert codes(facts) == ["injection-date-shifted"]
    assert suv_factor(facts) == pytest.approx(expected(3600), rel=1e-12)


def test_injection_days_before_the_scan_is_kept_for_a_long_lived_nuclide(facts_of):
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "X", "SRT", "^89^Zirconium"
    item = tracer(
        RadiopharmaceuticalStartDateTime="20240101090000",
        RadionuclideHalfLife="282240",
        RadionuclideCodeSequence=[code],
    )
    facts = facts_of(RadiopharmaceuticalInformationSequence=[item])
    assert facts.uptake_s == timedelta(days=4, hours=1).total_seconds()
    assert facts.radionuclide == "Zr-89"
    assert suv_factor(facts) > 0


def test_injection_during_a_dynamic_scan_is_no_injection_of_the_day_before(facts_of):
    item = tracer(RadiopharmaceuticalStartDateTime=None, RadiopharmaceuticalStartTime="100030")
    facts = facts_of(RadiopharmaceuticalInformationSequence=[item])
    assert facts.uptake_s == -30
    with pytest.raises(Undefined) as refused:
        suv_factor(facts)
    assert refused.value.code == "quantify.suv-injection-after-scan"


def test_reprocessed_series_takes_ge_private_scan_time(facts_of):
    dataset = header(SeriesTime="153000", Manufacturer="GE MEDICAL SYSTEMS", AcquisitionTime="100300")
    dataset.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", "20240105100000.00")
    facts = facts_of(dataset)
    assert facts.decay_reference_at == datetime(2024, 1, 5, 10)
    assert suv_factor(facts) == pytest.approx(expected(3600), rel=1e-12)


def test_private_scan_time_with_a_shifted_date_keeps_its_time_of_day(facts_of):
    dataset = header(SeriesTime="153000", Manufacturer="GE MEDICAL SYSTEMS")
    dataset.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", "19991231100000.00")
    facts = facts_of(dataset)
    assert facts.decay_reference_at == datetime(2024, 1, 5, 10)
    assert "private-scan-date-shifted" in codes(facts)


def test_reprocessed_siemens_series_takes_its_decay_correction_time(facts_of):
    dataset = header(SeriesTime="153000", Manufacturer="SIEMENS", AcquisitionTime="100300")
    dataset.private_block(0x0071, "SIEMENS MED PT", create=True).add_new(0x22, "DT", "20240105100000.000000")
    assert facts_of(dataset).decay_reference_at == datetime(2024, 1, 5, 10)


def test_reprocessed_series_without_private_time_is_calculated_from_the_earliest_frame(facts_of):
    delay = mean_rate_delay_s(120, HALF_LIFE_S)
    frames = [
        header(
            SeriesTime="153000",
            Manufacturer="Philips",
            AcquisitionTime=f"10{2 * bed:02d}00",
            FrameReferenceTime=f"{1000 * (120 * bed + delay):.6f}",
        )
        for bed in (2, 0, 1)
    ]
    facts = facts_of(*frames)
    assert facts.decay_reference_at is not None
    # Reference times are written to 1e-6 ms.
    assert abs(facts.decay_reference_at - datetime(2024, 1, 5, 10)) < timedelta(microseconds=10)
    assert codes(facts) == ["series-time-after-acquisition"]
    assert facts.started_at == datetime(2024, 1, 5, 10)


def test_reprocessed_ge_series_without_private_time_counts_from_the_frame_start(facts_of):
    dataset = header(SeriesTime="153000", Manufacturer="GE", AcquisitionTime="100300", FrameReferenceTime="180000")
    assert facts_of(dataset).decay_reference_at == datetime(2024, 1, 5, 10)


def test_series_time_before_the_first_acquisition_is_the_reference(facts_of):
    facts = facts_of(SeriesTime="100000", AcquisitionTime="101000")
    assert facts.decay_reference_at == datetime(2024, 1, 5, 10)
    assert facts.started_at == datetime(2024, 1, 5, 10, 10)


def test_mean_count_rate_lies_a_little_before_the_middle_of_a_frame():
    # Siemens writes 59.936854672596 s into the frame reference time of a frame of 120 s of F-18.
    assert mean_rate_delay_s(120, 6586.2) == pytest.approx(59.936854672596, abs=1e-9)
    assert mean_rate_delay_s(180, 6586.2) == pytest.approx(89.857923249282, abs=1e-9)
    assert mean_rate_delay_s(1e-6, 6586.2) == pytest.approx(5e-7)


@pytest.mark.parametrize(
    ("written", "bq", "noted"),
    [("370000000", 370e6, None), ("370", 370e6, "dose-in-megabecquerel"), ("10", None, "dose-unit-ambiguous"),
     ("370000", 370e3, None), ("5000", None, "dose-unit-ambiguous"), ("0", None, None), (None, None, None)],
)  # fmt: skip
def test_dose_in_megabecquerel_is_corrected_only_where_nothing_else_is_plausible(facts_of, written, bq, noted):
    facts = facts_of(RadiopharmaceuticalInformationSequence=[tracer(RadionuclideTotalDose=written)])
    assert facts.injected_dose_bq == bq
    assert codes(facts) == ([noted] if noted else [])


@pytest.mark.parametrize(
    ("written", "seconds", "noted"),
    [("6588", 6588, None), ("109.77", 6586.2, "half-life-in-minutes"), ("1.8295", 6586.2, "half-life-in-hours"),
     (None, 6586.2, "half-life-from-nuclide"), ("4057.7", None, "half-life-contradicts-nuclide")],
)  # fmt: skip
def test_half_life_is_checked_against_the_nuclide(facts_of, written, seconds, noted):
    facts = facts_of(RadiopharmaceuticalInformationSequence=[tracer(RadionuclideHalfLife=written)])
    assert facts.half_life_s == (pytest.approx(seconds, rel=1e-4) if seconds else None)
    assert codes(facts) == ([noted] if noted else [])


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"CorrectedImage": ["DECY", "SCAT"]}, "quantify.suv-not-attenuation-corrected"),
        ({"CorrectedImage": None}, "quantify.suv-attenuation-unknown"),
        ({"CorrectedImage": ["ATTN"]}, "quantify.suv-decay-correction-not-listed"),
        ({"DecayCorrection": "NONE"}, "quantify.suv-not-decay-corrected"),
        ({"DecayCorrection": None}, "quantify.suv-decay-unknown"),
        ({"PatientWeight": "0"}, "quantify.suv-no-weight"),
        ({"PatientWeight": None}, "quantify.suv-no-weight"),
        ({"Units": "PROPCPS"}, "quantify.suv-unit-unusable"),
        ({"Units": "CNTS"}, "quantify.suv-unit-unusable"),
        ({"Units": None}, "quantify.suv-unit-unknown"),
        ({"SeriesType": ["WHOLE BODY", "REPROJECTION"]}, "quantify.suv-of-reprojection"),
        ({"Units": "GML", "SUVType": "LBM"}, "quantify.suv-other-normalisation"),
        ({"RadiopharmaceuticalInformationSequence": None}, "quantify.suv-no-dose"),
        ({"RadiopharmaceuticalInformationSequence": [tracer(RadionuclideTotalDose="0")]}, "quantify.suv-no-dose"),
        (
            {
                "RadiopharmaceuticalInformationSequence": [
                    tracer(RadionuclideHalfLife=None, RadionuclideCodeSequence=None)
                ]
            },
            "quantify.suv-no-half-life",
        ),
        (
            {
                "RadiopharmaceuticalInformationSequence": [
                    tracer(RadiopharmaceuticalStartTime=None, RadiopharmaceuticalStartDateTime=None)
                ]
            },
            "quantify.suv-no-times",
        ),
        (
            {"RadiopharmaceuticalInformationSequence": [tracer(RadiopharmaceuticalStartDateTime="20240104100500")]},
            "quantify.suv-uptake-absurd",
        ),
    ],
)
def test_each_missing_or_contradictory_fact_refuses_by_its_own_name(facts_of, attributes, code):
    with pytest.raises(Undefined) as refused:
        suv_factor(facts_of(**attributes))
    assert refused.value.code == code


def test_contradiction_between_decay_correction_and_corrected_image_is_recorded(facts_of):
    assert codes(facts_of(DecayCorrection="NONE")) == ["decay-correction-contradicts-corrected-image"]


def test_philips_counts_take_the_private_factor_to_suv_before_the_one_to_activity(facts_of):
    dataset = header(Units="CNTS", Manufacturer="Philips")
    block = dataset.private_block(0x7053, "Philips PET Private Group", create=True)
    block.add_new(0x09, "DS", "1.5")
    assert suv_factor(facts_of(dataset)) == pytest.approx(1.5 * expected(3600))
    block.add_new(0x00, "DS", "0.000551")
    assert suv_factor(facts_of(dataset)) == 0.000551


def test_private_factors_of_an_image_in_becquerel_stay_unused(facts_of):
    dataset = header(Manufacturer="Philips")
    block = dataset.private_block(0x7053, "Philips PET Private Group", create=True)
    block.add_new(0x00, "DS", "0.003515736")
    block.add_new(0x09, "DS", "4.709921")
    facts = facts_of(dataset)
    assert (facts.suv_factor, facts.stored_unit_factor) == (None, 1.0)
    assert suv_factor(facts) == pytest.approx(expected(3600))


def test_reconstruction_is_told_from_its_name(facts_of):
    facts = facts_of(Manufacturer="SIEMENS", ReconstructionMethod="PSF+TOF 2i21s", ConvolutionKernel="XYZ Gauss5.00")
    assert (facts.iterations, facts.subsets, facts.time_of_flight, facts.point_spread_function) == (2, 21, True, True)
    assert (facts.filter, facts.frame_duration_s) == ("XYZ Gauss5.00", 120)


@pytest.mark.parametrize(("unit", "value", "expect"), [("mg/dl", "99", 5.495), ("mmol/l", "5.5", 5.5)])
def test_blood_glucose_of_the_acquisition_context(facts_of, unit, value, expect):
    entry, concept, units = Dataset(), Dataset(), Dataset()
    concept.CodeValue, concept.CodingSchemeDesignator, concept.CodeMeaning = "2339-0", "LN", "Glucose [Mass/volume]"
    units.CodeValue, units.CodingSchemeDesignator, units.CodeMeaning = unit, "UCUM", unit
    entry.ConceptNameCodeSequence, entry.MeasurementUnitsCodeSequence = [concept], [units]
    entry.NumericValue = value
    # 180.156 g/mol
    assert facts_of(AcquisitionContextSequence=[entry]).glucose_mmol_per_l == pytest.approx(expect, abs=1e-3)


def test_enhanced_pet_says_its_decay_reference_outright(facts_of):
    dataset = header(CorrectedImage=None, DecayCorrection=None, Units=None)
    dataset.AttenuationCorrected, dataset.DecayCorrected = "YES", "YES"
    dataset.DecayCorrectionDateTime = "20240105095500"
    unit, mapping, shared = Dataset(), Dataset(), Dataset()
    unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "Bq/ml", "UCUM", "Becquerels/milliliter"
    mapping.MeasurementUnitsCodeSequence = [unit]
    shared.RealWorldValueMappingSequence = [mapping]
    dataset.SharedFunctionalGroupsSequence = [shared]
    facts = facts_of(dataset)
    assert (facts.units, facts.attenuation_corrected, facts.decay_correction) == ("BQML", True, "START")
    assert suv_factor(facts) == pytest.approx(expected(55 * 60))


@pytest.mark.parametrize(
    ("meaning", "nuclide"),
    [("^18^Fluorine", "F-18"), ("18F", "F-18"), ("F-18", "F-18"), ("Fluorine F^18^", "F-18"), ("^68^Gallium", "Ga-68"),
     ("13N", "N-13"), ("^19^Fluorine", None), ("FDG", None), ("", None)],
)  # fmt: skip
def test_nuclides_are_read_from_the_meanings_of_codes(meaning, nuclide):
    assert radionuclide_of(Code("X", "SRT", meaning)) == nuclide


@pytest.fixture(scope="module")
def sound(tmp_path_factory, image_series):
    path = tmp_path_factory.mktemp("pet") / "sound.dcm"
    dataset = header(SeriesTime="153000", Manufacturer="GE MEDICAL SYSTEMS", ReconstructionMethod="VPFX")
    dataset.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", "20240105100000.00")
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.SeriesInstanceUID = (
        "1.2.840.10008.5.1.4.1.1.128",
        "2.25.1",
        "2.25.2",
    )
    dataset.Rows = dataset.Columns = 4
    dcmwrite(path, dataset, implicit_vr=False, little_endian=True)
    return path, image_series([path])


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=6))
@pytest.mark.filterwarnings("ignore")  # pydicom warns of what is garbled; that nothing is raised is the point
def test_damaged_header_gives_facts_or_is_refused_by_name(sound, at, garbage):
    path, series = sound
    stored = bytearray(path.read_bytes())
    at %= len(stored)
    stored[at : at + len(garbage)] = garbage
    damaged = path.with_name("damaged.dcm")
    damaged.write_bytes(stored)
    frame = replace(series.sources[0], path=damaged)
    volume = replace(series.volumes[0], frames=(frame,))
    with suppress(BingchengError):
        facts = acquisition(replace(series, sources=(frame,), volumes=(volume,)))
        assert suv_factor(facts) > 0


@pytest.mark.parametrize("value", ["1e300", "-1e300", "1e15"])
def test_absurd_frame_reference_time_does_not_move_the_reference(facts_of, value):
    facts = facts_of(SeriesTime="153000", FrameReferenceTime=value)
    assert facts.decay_reference_at == datetime(2024, 1, 5, 10)
