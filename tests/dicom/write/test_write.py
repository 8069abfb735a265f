"""Written series: conformant, true to the voxels, and in each vendor's habits."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pydicom
import pytest
import SimpleITK

from bingcheng.core.errors import InputError
from bingcheng.dicom.acquisition import CtAcquisition, Device, MrAcquisition, PetAcquisition
from bingcheng.dicom.exam import Patient
from bingcheng.dicom.write.ct import write_ct, write_localiser
from bingcheng.dicom.write.enhanced_mr import write_enhanced_mr
from bingcheng.dicom.write.header import StudyHeader, decimal, uid_of
from bingcheng.dicom.write.mr import write_mr
from bingcheng.dicom.write.pet import write_pet
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Stack, Volume

VENDORS = ("SIEMENS", "GE", "PHILIPS", "UIH", "CANON")
AT = datetime.fromisoformat("2026-03-01T09:30:15.250")
OBLIQUE = ((0.0, -0.6, 0.8), (0.0, 0.8, 0.6), (1.0, 0.0, 0.0))
GRID = VolumeGeometry(shape=(3, 24, 20), spacing_mm=(2.5, 0.9, 1.1), origin_mm=(-17.25, -11.5, 5.125))
STUDY = StudyHeader(
    uid=uid_of("study"),
    patient=Patient(patient_id="T1", name="Zhang^San=张^三", birth_date="19600101", issuer="TEST"),
    performed_at=AT,
    description="Test",
    accession_number="A1",
)


def voxels(scale: float = 1.0, offset: float = 100.0) -> np.ndarray:
    return (np.random.default_rng(1).normal(offset, 20, GRID.shape) * scale).astype(np.float32)


def volume(scale: float = 1.0, geometry: VolumeGeometry = GRID, unit: str = "1") -> Volume:
    return Volume(voxels=voxels(scale), geometry=geometry, unit=unit)


def shared(vendor: str) -> dict[str, object]:
    return {
        "device": Device(vendor=vendor, manufacturer=vendor, model="M", serial_number="1", software_versions=("a",)),
        "started_at": AT,
        "sex": "F",
        "weight_kg": 60.0,
        "height_m": 1.6,
        "age_a": 66.0,
        "patient_position": "HFS",
        "body_part": "ABDOMEN",
        "series_description": "S",
    }


def ct(vendor: str) -> CtAcquisition:
    return CtAcquisition(
        modality="CT",
        series_uid=uid_of("ct", vendor),
        image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
        contrast_agent="Iohexol",
        contrast_started_at=AT - timedelta(seconds=70),
        kvp_kv=120.0,
        tube_current_ma=200.0,
        exposure_mas=120.0,
        rotation_time_s=0.5,
        pitch=0.9,
        total_collimation_mm=40.0,
        single_collimation_mm=0.625,
        convolution_kernel="Br40d\\3",
        ctdi_vol_mgy=9.1,
        ctdi_phantom_cm=32.0,
        slice_thickness_mm=2.5,
        reconstruction_diameter_mm=400.0,
        **shared(vendor),
    )


def pet(vendor: str) -> PetAcquisition:
    return PetAcquisition(
        modality="PT",
        series_uid=uid_of("pt", vendor),
        image_type=("ORIGINAL", "PRIMARY"),
        units="CNTS" if vendor == "PHILIPS" else "BQML",
        stored_unit_factor=1.37,
        suv_factor=0.0003,
        corrections=("DECY", "ATTN", "SCAT", "DTIM", "RAN", "NORM"),
        attenuation_corrected=True,
        decay_correction="START",
        injected_dose_bq=3e8,
        injected_at=AT - timedelta(hours=1),
        decay_reference_at=AT,
        half_life_s=6586.2,
        frame_duration_s=120.0,
        reconstruction_method="OSEM",
        **shared(vendor),
    )


def mr(vendor: str) -> MrAcquisition:
    return MrAcquisition(
        modality="MR",
        series_uid=uid_of("mr", vendor),
        image_type=("ORIGINAL", "PRIMARY", "OTHER"),
        field_strength_t=3.0,
        repetition_time_ms=6000.0,
        echo_times_ms=(60.0,),
        flip_angle_deg=90.0,
        scanning_sequence=("EP",),
        sequence_variant=("SK",),
        acquisition_type="2D",
        acquisition_matrix=(128, 96),
        phase_direction="COL",
        averages=4.0,
        pixel_bandwidth_hz=1500.0,
        echo_train_length=64,
        **shared(vendor),
    )


def stack() -> Stack:
    return Stack(volumes=(volume(2.0), volume(1.0)), axis="b_value", values=(0.0, 800.0), unit="s/mm2")


@pytest.mark.parametrize("vendor", VENDORS)
def test_one_file_of_each_kind_and_vendor_passes_dciodvfy(vendor, tmp_path, complaints):
    files = [
        write_ct(volume(), ct(vendor), STUDY, tmp_path / "ct", series_number=1)[0],
        write_pet(volume(50.0), pet(vendor), STUDY, tmp_path / "pt", series_number=2)[0],
        write_mr(stack(), mr(vendor), STUDY, tmp_path / "mr", series_number=3)[-1],
        write_mr(volume(), mr(vendor), STUDY, tmp_path / "t2", series_number=4)[0],
        write_enhanced_mr(stack(), mr(vendor), STUDY, tmp_path / "emr", series_number=5),
    ]
    assert {str(path): complaints(path) for path in files} == {str(path): [] for path in files}


def dynamic() -> Stack:
    return Stack(volumes=(volume(1.0), volume(1.5), volume(2.0)), axis="time", values=(0.0, 9.5, 19.0), unit="s")


def fully(vendor: str) -> MrAcquisition:
    """Facts in all the fields that MR writers can write."""
    return replace(
        mr(vendor),
        scan_options=("FC", "PFP", "SP"),
        scanning_sequence=("SE", "IR"),
        sequence_variant=("SK", "OSP", "MTC"),
        inversion_time_ms=220.0,
        contrast_agent="Gadobutrol",
        contrast_started_at=AT - timedelta(seconds=40),
        contrast_stopped_at=AT - timedelta(seconds=33),
        contrast_volume_ml=7.5,
        contrast_flow_ml_per_s=1.5,
        contrast_concentration_mg_per_ml=604.7,
        parallel_reduction_factor=2.0,
        percent_phase_fov=80.0,
        receive_coil="Body 18",
        receive_coil_type="MULTICOIL",
        acquisition_contrast="STIR",
        fat_suppression="INVERSION",
        acquisition_duration_s=186.0,
    )


@pytest.mark.parametrize("vendor", ["GE", "PHILIPS"])
def test_what_the_enhanced_fields_say_passes_dciodvfy_in_classic_and_enhanced_objects(vendor, tmp_path, complaints):
    full = fully(vendor)
    spectral = replace(mr(vendor), fat_suppression="SPECTRAL", scanning_sequence=("GR",), sequence_variant=("SS", "SP"))
    files = [
        write_mr(volume(), full, STUDY, tmp_path / "classic", series_number=1)[0],
        write_enhanced_mr(volume(), full, STUDY, tmp_path / "enhanced", series_number=2),
        write_mr(dynamic(), spectral, STUDY, tmp_path / "phases", series_number=3)[-1],
        write_enhanced_mr(dynamic(), spectral, STUDY, tmp_path / "enhanced phases", series_number=4),
        write_ct(
            volume(),
            replace(ct(vendor), scan_options=("HELIX",), contrast_volume_ml=90.0),
            STUDY,
            tmp_path / "ct",
            series_number=5,
        )[0],
    ]
    found = {path.parent.name: complaints(path) for path in files}
    if vendor == "GE":  # whose trigger times of phases break the rule that they belong to the heart
        (broken,) = found.pop("phases")
        assert "TriggerTime" in broken
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_phases_have_their_times_where_the_vendor_puts_them(tmp_path):
    siemens = pydicom.dcmread(write_mr(dynamic(), mr("SIEMENS"), STUDY, tmp_path / "s", series_number=1)[-1])
    ge = pydicom.dcmread(write_mr(dynamic(), mr("GE"), STUDY, tmp_path / "g", series_number=1)[-1])
    assert (siemens.TemporalPositionIdentifier, siemens.NumberOfTemporalPositions) == (3, 3)
    assert (siemens.AcquisitionTime, ge.AcquisitionTime) == ("093034.250000", "093015.250000")
    assert (float(ge.TriggerTime), "TriggerTime" in siemens) == (19000.0, False)


def test_an_exam_of_which_little_is_known_is_conformant_too(tmp_path, complaints):
    facts = CtAcquisition(modality="CT", device=Device(), series_uid=uid_of("bare"), started_at=AT)
    facts = replace(facts, image_type=("ORIGINAL", "PRIMARY", "AXIAL"), patient_position="HFS")
    path = write_ct(volume(), facts, STUDY, tmp_path, series_number=1)[0]
    assert complaints(path) == []
    assert "PatientWeight" not in pydicom.dcmread(path)


def test_the_validator_that_all_written_objects_must_pass_does_complain(tmp_path, complaints):
    path = write_ct(volume(), ct(VENDORS[0]), STUDY, tmp_path, series_number=1)[0]
    dataset = pydicom.dcmread(path)
    del dataset.ImagePositionPatient
    dataset.save_as(path)
    assert any("ImagePositionPatient" in line for line in complaints(path))


@pytest.mark.parametrize("axes", [GRID.axes, OBLIQUE])
def test_simpleitk_reads_a_ct_where_and_as_it_was(axes, tmp_path):
    grid = replace(GRID, axes=axes)
    write_ct(volume(geometry=grid), ct("SIEMENS"), STUDY, tmp_path, series_number=1)
    names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path))
    image = SimpleITK.ReadImage(names)
    array = SimpleITK.GetArrayFromImage(image)
    if image.GetDirection()[8] < 0 or not np.allclose(image.TransformIndexToPhysicalPoint((0, 0, 0)), grid.origin_mm):
        pytest.fail("the first slice is not where it was put")
    # values are rounded to 1 HU
    assert np.abs(array - voxels()).max() <= 0.5 + 1e-4
    assert image.GetSpacing() == pytest.approx((1.1, 0.9, 2.5), abs=1e-6)
    assert image.TransformIndexToPhysicalPoint((3, 4, 2)) == pytest.approx(tuple(grid.to_mm((2, 4, 3))), abs=1e-4)


def test_ge_stores_signed_values_and_pads_the_corners(tmp_path):
    written = pydicom.dcmread(write_ct(volume(), ct("GE"), STUDY, tmp_path, series_number=1)[1])
    assert written.PixelRepresentation == 1
    assert written.PixelPaddingValue == -2000
    pixels = written.pixel_array
    assert pixels[0, 0] == -2000
    middle = pixels[12, 10] * float(written.RescaleSlope) + float(written.RescaleIntercept)
    assert middle == pytest.approx(voxels()[1, 12, 10], abs=0.5)


def test_voxels_that_are_not_valid_become_padding(tmp_path):
    valid = np.ones(GRID.shape, dtype=bool)
    valid[0, 0, 0] = False
    image = Volume(voxels=voxels(), geometry=GRID, unit="[hnsf'U]", valid=valid)
    written = pydicom.dcmread(write_ct(image, ct("UIH"), STUDY, tmp_path, series_number=1)[0])
    assert written.pixel_array[0, 0] == written.PixelPaddingValue == 0
    assert written.pixel_array[0, 1] > 0


def test_pet_values_come_back_in_bq_per_ml_and_never_below_zero(tmp_path):
    low = Volume(voxels=voxels(50.0) - np.float32(4900.0), geometry=GRID, unit="Bq/ml")
    for path, slab in zip(write_pet(low, pet("UIH"), STUDY, tmp_path, series_number=1), low.voxels, strict=True):
        written = pydicom.dcmread(path)
        values = written.pixel_array * float(written.RescaleSlope)
        # half a step of the slice's own slope
        assert np.abs(values - np.maximum(slab, 0)).max() <= 0.51 * float(written.RescaleSlope)


def test_philips_pet_stores_counts_with_private_factors(tmp_path):
    written = [pydicom.dcmread(p) for p in write_pet(volume(50.0), pet("PHILIPS"), STUDY, tmp_path, series_number=1)]
    assert {str(one.Units) for one in written} == {"CNTS"}
    assert len({float(one.RescaleSlope) for one in written}) == 1
    private = written[0].private_block(0x7053, "Philips PET Private Group")
    assert float(private[0x09].value) == 1.37
    assert float(private[0x00].value) == 0.0003
    counts = written[2].pixel_array * float(written[2].RescaleSlope)
    assert np.allclose(counts * 1.37, voxels(50.0)[2], atol=float(written[0].RescaleSlope))


def test_decay_factor_and_frame_reference_time_follow_the_half_life(tmp_path):
    written = pydicom.dcmread(write_pet(volume(50.0), pet("SIEMENS"), STUDY, tmp_path, series_number=1)[0])
    constant = np.log(2) / 6586.2
    mean_rate = (1 - np.exp(-constant * 120.0)) / (constant * 120.0)
    assert float(written.DecayFactor) == pytest.approx(1 / mean_rate, rel=1e-9)
    assert np.exp(-constant * float(written.FrameReferenceTime) / 1e3) == pytest.approx(mean_rate, rel=1e-9)
    assert written.private_block(0x0071, "SIEMENS MED PT")[0x22].value.startswith("20260301093015")


@pytest.mark.parametrize(
    ("vendor", "group", "creator", "element", "expect"),
    [
        ("GE", 0x0043, "GEMS_PARM_01", 0x39, [1000000800, 8, 0, 0]),
        ("PHILIPS", 0x2001, "Philips Imaging DD 001", 0x03, 800.0),
        ("SIEMENS", 0x0019, "SIEMENS MR HEADER", 0x0C, 800),
        ("UIH", 0x0065, "Image Private Header", 0x09, 800.0),
    ],
)
def test_b_values_stand_where_each_vendor_puts_them(vendor, group, creator, element, expect, tmp_path):
    paths = write_mr(stack(), mr(vendor), STUDY, tmp_path, series_number=1)
    assert len(paths) == 6
    last = pydicom.dcmread(paths[-1])
    assert last.private_block(group, creator)[element].value == expect
    assert "DiffusionBValue" not in last


def test_other_vendors_use_the_standard_b_value(tmp_path):
    assert pydicom.dcmread(write_mr(stack(), mr("CANON"), STUDY, tmp_path, series_number=1)[-1]).DiffusionBValue == 800


def test_an_enhanced_object_holds_all_frames_with_their_place_and_b_value(tmp_path):
    written = pydicom.dcmread(write_enhanced_mr(stack(), mr("PHILIPS"), STUDY, tmp_path, series_number=1))
    frames = written.PerFrameFunctionalGroupsSequence
    assert written.pixel_array.shape == (6, 24, 20)
    assert [f.MRDiffusionSequence[0].DiffusionBValue for f in frames] == [0.0] * 3 + [800.0] * 3
    assert frames[4].PlanePositionSequence[0].ImagePositionPatient == pytest.approx(list(GRID.to_mm((1, 0, 0))))
    assert np.abs(written.pixel_array[4] - voxels(1.0)[1]).max() <= 0.5 + 1e-4


def test_a_localiser_says_so(tmp_path):
    flat = Volume(voxels=voxels()[:1], geometry=replace(GRID, shape=(1, 24, 20)), unit="[hnsf'U]")
    written = pydicom.dcmread(write_localiser(flat, ct("CANON"), STUDY, tmp_path, series_number=1))
    assert "LOCALIZER" in written.ImageType


def test_the_same_call_gives_the_same_bytes(tmp_path):
    first, second = (
        [p.read_bytes() for p in write_ct(volume(), ct("GE"), STUDY, tmp_path / name, series_number=1)]
        for name in ("a", "b")
    )
    assert first == second


def test_what_cannot_be_written_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"dicom\.no-start-time"):
        write_ct(volume(), replace(ct("GE"), started_at=None), STUDY, tmp_path, series_number=1)
    with pytest.raises(InputError, match=r"dicom\.value-out-of-range"):
        write_mr(volume(1000.0), mr("GE"), STUDY, tmp_path, series_number=1)
    with pytest.raises(InputError, match=r"dicom\.no-counts-factor"):
        write_pet(volume(), replace(pet("PHILIPS"), stored_unit_factor=None), STUDY, tmp_path, series_number=1)
    echoes = Stack(volumes=(volume(), volume()), axis="echo_time", values=(2.0, 4.0), unit="ms")
    with pytest.raises(InputError, match=r"dicom\.not-a-diffusion-stack"):
        write_mr(echoes, mr("GE"), STUDY, tmp_path, series_number=1)


def test_decimal_strings_fit_into_sixteen_characters():
    for value in (1 / 3, -1 / 3e7, 123456789012345.0, 1e-30, -2.0e22 / 3):
        assert len(decimal(value)) <= 16
        assert float(decimal(value)) == pytest.approx(value, rel=1e-6)


def test_uids_are_valid_and_depend_on_every_name():
    uids = {uid_of("a", "b"), uid_of("ab"), uid_of("b", "a"), uid_of("a")}
    assert len(uids) == 4
    assert all(pydicom.uid.UID(uid).is_valid and len(uid) <= 64 for uid in uids)
