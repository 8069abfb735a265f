# ruff: noqa: DTZ001 - a header's times are local to its scanner and have no zone
from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from bingcheng.core.errors import InputError
from bingcheng.dicom.acquisition import CtAcquisition, MrAcquisition
from bingcheng.dicom.facts.acquired import acquisition
from bingcheng.image.geometry import VolumeGeometry


@pytest.fixture
def facts_of(stored, image_series):
    """The facts of a series of one slice with these attributes."""

    def facts(modality: str, dataset: Dataset | None = None, **attributes: object):
        return acquisition(image_series([stored(dataset, Modality=modality, **attributes)]))

    return facts


def item(**attributes: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def test_empty_header_gives_facts_of_which_all_are_unknown(facts_of):
    facts = facts_of("CT")
    assert isinstance(facts, CtAcquisition)
    assert (facts.kvp_kv, facts.weight_kg, facts.device.vendor, facts.started_at) == (None, None, None, None)
    assert facts.contradictions == ()


def test_ct_facts_of_a_classic_header(facts_of):
    phantom = item(CodeValue="113691", CodingSchemeDesignator="DCM", CodeMeaning="IEC Body Dosimetry Phantom")
    facts = facts_of(
        "CT",
        Manufacturer="SIEMENS",
        KVP="120",
        XRayTubeCurrent="210",
        Exposure="105",
        RevolutionTime=0.5,
        SpiralPitchFactor=0.8,
        TotalCollimationWidth=38.4,
        SingleCollimationWidth=0.6,
        ConvolutionKernel=["Br40d", "3"],
        CTDIvol=7.5,
        CTDIPhantomTypeCodeSequence=[phantom],
        GantryDetectorTilt="0",
        ExposureModulationType="XYZ_EC",
        SliceThickness="1.5",
        AcquisitionDate="20240105",
        AcquisitionTime="101500",
        ContrastBolusAgent="Iohexol",
        ContrastBolusStartTime="101400",
        PatientPosition="HFS",
    )
    assert (facts.kvp_kv, facts.tube_current_ma, facts.exposure_mas, facts.rotation_time_s) == (120, 210, 105, 0.5)
    assert (facts.pitch, facts.total_collimation_mm, facts.single_collimation_mm) == (0.8, 38.4, 0.6)
    assert (facts.convolution_kernel, facts.iterative) == ("Br40d", "ADMIRE 3")
    assert (facts.ctdi_vol_mgy, facts.ctdi_phantom_cm, facts.gantry_tilt_deg) == (7.5, 32.0, 0.0)
    assert facts.device.vendor == "SIEMENS"
    assert facts.contrast_agent == "Iohexol"
    assert facts.contrast_started_at == datetime(2024, 1, 5, 10, 14)
    assert facts.started_at == datetime(2024, 1, 5, 10, 15)


def test_exposure_in_microampere_seconds_is_converted(facts_of):
    assert facts_of("CT", ExposureInuAs="104500").exposure_mas == 104.5


def test_enhanced_ct_facts_are_found_in_functional_groups(facts_of):
    shared = Dataset()
    shared.PixelMeasuresSequence = [item(SliceThickness=1.25, PixelSpacing=[0.7, 0.7])]
    shared.CTExposureSequence = [item(XRayTubeCurrentInmA=150.0, ExposureInmAs=75.0, CTDIvol=5.0)]
    shared.CTXRayDetailsSequence = [item(KVP="100")]
    shared.CTReconstructionSequence = [item(ConvolutionKernel="SOFT")]
    facts = facts_of("CT", SharedFunctionalGroupsSequence=[shared], PerFrameFunctionalGroupsSequence=[Dataset()])
    assert (facts.slice_thickness_mm, facts.pixel_spacing_mm) == (1.25, (0.7, 0.7))
    assert (facts.kvp_kv, facts.tube_current_ma, facts.exposure_mas, facts.ctdi_vol_mgy) == (100, 150, 75, 5)
    assert facts.convolution_kernel == "SOFT"


def test_interval_comes_from_the_positions_along_the_normal_also_of_a_tilted_stack(stored, image_series):
    paths = [
        stored(
            name=f"{z}.dcm",
            Modality="CT",
            SliceThickness="5",
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
            ImagePositionPatient=[0, 1.0 * z, 3.0 * z],
        )
        for z in range(4)
    ]
    facts = acquisition(image_series(paths))
    assert facts.reconstruction_interval_mm == pytest.approx(3.0)
    assert facts.slice_thickness_mm == 5.0
    assert facts.slice_count == 4


@pytest.mark.parametrize(
    ("written", "tesla", "noted"),
    [("1.5", 1.5, None), ("15000", 1.5, "field-strength-in-gauss"), ("30000", 3.0, "field-strength-in-gauss"),
     ("55", None, "field-strength-impossible"), ("0", None, None)],
)  # fmt: skip
def test_field_strength_in_gauss_is_corrected_and_recorded(facts_of, written, tesla, noted):
    facts = facts_of("MR", MagneticFieldStrength=written)
    assert facts.field_strength_t == tesla
    assert [code for code, _ in facts.contradictions] == ([noted] if noted else [])


@pytest.mark.parametrize(
    ("keyword", "field"),
    [
        ("RepetitionTime", "repetition_time_ms"),
        ("EchoTime", "echo_times_ms"),
        ("InversionTime", "inversion_time_ms"),
        ("FlipAngle", "flip_angle_deg"),
        ("SliceThickness", "slice_thickness_mm"),
        ("NumberOfAverages", "averages"),
        ("PixelBandwidth", "pixel_bandwidth_hz"),
        ("TemporalResolution", "temporal_resolution_s"),
        ("MagneticFieldStrength", "field_strength_t"),
        ("PatientWeight", "weight_kg"),
    ],
)
@pytest.mark.parametrize("written", ["-5", "0"])
def test_a_number_that_must_be_above_zero_and_is_not_is_unknown(facts_of, keyword, field, written):
    assert getattr(facts_of("MR", **{keyword: written}), field) in (None, ())


@pytest.mark.parametrize(("written", "kind"), [("SURFACE", "SURFACE"), ("multicoil", "MULTICOIL"), ("HEAD", None)])
@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
def test_the_kind_of_coil_is_one_of_the_standards_terms(facts_of, written, kind):
    assert facts_of("MR", ReceiveCoilType=written).receive_coil_type == kind


@pytest.mark.parametrize(("written", "kept"), [("FLUID_ATTENUATED", "FLUID_ATTENUATED"), ("UNKNOWN", None), ("", None)])
def test_an_unknown_contrast_is_none(facts_of, written, kept):
    assert facts_of("MR", AcquisitionContrast=written).acquisition_contrast == kept


def test_mr_facts_of_a_classic_header(facts_of):
    facts = facts_of(
        "MR",
        RepetitionTime="4200",
        EchoTime="62",
        FlipAngle="90",
        AcquisitionMatrix=[0, 160, 128, 0],
        InPlanePhaseEncodingDirection="COL",
        PercentPhaseFieldOfView="80",
        NumberOfAverages="4",
        PixelBandwidth="1500",
        EchoTrainLength="64",
        ScanningSequence=["EP", "SE"],
        SequenceName="ep_b800#1",
    )
    assert isinstance(facts, MrAcquisition)
    assert (facts.repetition_time_ms, facts.echo_times_ms, facts.flip_angle_deg) == (4200, (62,), 90)
    assert (facts.acquisition_matrix, facts.phase_direction) == ((160, 128), "COL")
    assert (facts.averages, facts.pixel_bandwidth_hz, facts.echo_train_length) == (4, 1500, 64)
    assert facts.scanning_sequence == ("EP", "SE")
    assert facts.b_values_s_per_mm2 == (800,)


def test_keys_of_the_volumes_give_all_b_values_and_the_time_between_phases(stored, image_series):
    series = image_series([stored(Modality="MR", EchoTime="62")])
    volumes = tuple(replace(series.volumes[0], key=(("b_value", b),)) for b in (800.0, 0.0, 400.0))
    assert acquisition(replace(series, volumes=volumes)).b_values_s_per_mm2 == (0.0, 400.0, 800.0)
    phases = tuple(replace(series.volumes[0], key=(("time", t),)) for t in (0.0, 9.0, 18.5))
    assert acquisition(replace(series, volumes=phases)).temporal_resolution_s == pytest.approx(9.25)


def test_lone_zero_is_no_diffusion_weighting(facts_of):
    assert facts_of("MR", DiffusionBValue=0.0).b_values_s_per_mm2 == ()
    assert facts_of("MR", DiffusionBValue=50.0).b_values_s_per_mm2 == (50.0,)


@pytest.mark.parametrize(
    ("written", "seconds", "noted"), [("5500", 5.5, False), ("5.5", None, True), ("", None, False)]
)
def test_temporal_resolution_of_doubtful_unit_is_unknown_and_recorded(facts_of, written, seconds, noted):
    facts = facts_of("MR", TemporalResolution=written)
    assert facts.temporal_resolution_s == seconds
    assert bool(facts.contradictions) == noted


@pytest.mark.parametrize(
    ("written", "kg", "noted"),
    [("72.5", 72.5, None), ("3.2", 3.2, None), ("0", None, None), ("", None, None), ("72500", 72.5, "weight-in-grams"),
     ("700", None, "weight-impossible")],
)  # fmt: skip
def test_weight_in_grams_is_corrected_and_nonsense_is_unknown(facts_of, written, kg, noted):
    facts = facts_of("CT", PatientWeight=written)
    assert facts.weight_kg == kg
    assert [code for code, _ in facts.contradictions] == ([noted] if noted else [])


@pytest.mark.parametrize(
    ("written", "metres"), [("1.75", 1.75), ("175", 1.75), ("1750", 1.75), ("0", None), ("9", None)]
)
def test_height_in_centimetres_is_corrected(facts_of, written, metres):
    assert facts_of("CT", PatientSize=written).height_m == metres


@pytest.mark.parametrize(
    ("written", "years"), [("061Y", 61), ("018M", 1.5), ("026W", 26 * 7 / 365.25), ("000D", 0), ("", None)]
)
def test_age_strings_are_read_in_their_unit(facts_of, written, years):
    assert facts_of("CT", PatientAge=written).age_a == (pytest.approx(years) if years is not None else None)


def test_age_comes_from_birth_and_study_dates_if_it_is_not_written(facts_of):
    assert facts_of("CT", PatientBirthDate="19640101", StudyDate="20240101").age_a == pytest.approx(60, abs=0.01)


def test_facts_hold_no_identity(facts_of):
    facts = facts_of(
        "CT", PatientName="Doe^Jane", PatientID="MRN-4711", PatientBirthDate="19640101", StudyDate="20240101"
    )
    assert all(secret not in repr(facts) for secret in ("Doe", "MRN-4711", "19640101"))


def test_lossy_compression_is_known_from_the_header(facts_of):
    assert facts_of("CT", LossyImageCompression="01").lossy
    assert not facts_of("CT", LossyImageCompression="00").lossy


def test_series_of_another_modality_has_the_facts_that_all_have(facts_of):
    facts = facts_of("US", Manufacturer="Philips")
    assert facts.modality == "US"
    assert facts.device.vendor == "PHILIPS"


def test_file_that_went_away_is_refused_by_name(stored, image_series):
    path = stored(Modality="CT")
    series = image_series([path])
    path.unlink()
    with pytest.raises(InputError) as refused:
        acquisition(series)
    assert refused.value.code == "dicom.unreadable"


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm"])
def test_pydicom_test_images_give_facts_without_a_traceback(name, image_series):
    path = Path(get_testdata_file(name))
    header = pydicom.dcmread(path, stop_before_pixels=True)
    facts = acquisition(image_series([path]))
    assert facts.slice_thickness_mm == pytest.approx(float(header.SliceThickness))
    assert isinstance(facts, CtAcquisition | MrAcquisition)


def test_enhanced_mr_of_the_reference_data_has_its_b_value_and_thickness(reference_data, image_series):
    files = (p for p in sorted((reference_data / "08_mr_phantoms").rglob("*")) if p.is_file())
    found = []
    for path in files:
        header = pydicom.dcmread(path, force=True, stop_before_pixels=True)
        if header.get("SOPClassUID") != "1.2.840.10008.5.1.4.1.1.4.1":
            continue
        series = image_series([path])
        shape = (int(header.NumberOfFrames), int(header.Rows), int(header.Columns))
        geometry = VolumeGeometry(shape=shape, spacing_mm=series.volumes[0].geometry.spacing_mm)
        found.append(acquisition(replace(series, volumes=(replace(series.volumes[0], geometry=geometry),))))
    assert found
    for facts in found:
        assert isinstance(facts, MrAcquisition)
        assert facts.slice_thickness_mm is not None
        assert facts.repetition_time_ms is not None
        assert facts.field_strength_t in (pytest.approx(1.5, abs=0.1), pytest.approx(3.0, abs=0.2))


def test_the_injection_of_contrast_is_read_from_the_top_of_a_classic_header(facts_of):
    facts = facts_of(
        "CT", ContrastBolusVolume="95", ContrastFlowRate=["3.5", "2"], ContrastBolusIngredientConcentration="350"
    )
    # Flow rates stand in the order of the injection's phases; the first one is the bolus.
    assert (facts.contrast_volume_ml, facts.contrast_flow_ml_per_s) == (95.0, 3.5)
    assert facts.contrast_concentration_mg_per_ml == 350.0


def test_the_injection_of_contrast_is_read_beside_the_agent_of_an_enhanced_header(facts_of):
    profile = item(ContrastBolusVolume="14", ContrastFlowRate="2")
    agent = item(ContrastBolusIngredientConcentration="604.7", ContrastAdministrationProfileSequence=[profile])
    facts = facts_of("MR", ContrastBolusAgentSequence=[agent])
    assert (facts.contrast_volume_ml, facts.contrast_flow_ml_per_s) == (14.0, 2.0)
    assert facts.contrast_concentration_mg_per_ml == 604.7


def test_a_volume_of_zero_is_an_unknown_one(facts_of):
    assert facts_of("CT", ContrastBolusVolume="0").contrast_volume_ml is None


def test_coil_and_acceleration_are_read_from_classic_and_enhanced_headers(facts_of):
    classic = facts_of("MR", ReceiveCoilName="BODY 18", ParallelReductionFactorInPlane=2.0)
    enhanced = facts_of(
        "MR",
        SharedFunctionalGroupsSequence=[
            item(
                MRReceiveCoilSequence=[item(ReceiveCoilName="BODY 18")],
                MRModifierSequence=[item(ParallelReductionFactorInPlane=2.0)],
            )
        ],
    )
    for facts in (classic, enhanced):
        assert (facts.receive_coil, facts.parallel_reduction_factor) == ("BODY 18", 2.0)
