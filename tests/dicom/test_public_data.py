"""Public exams: each folder gives the exams, series and volumes that looking at it by hand gives, and the same voxels
as other readers (pydicom, and the sets' own notes)."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813 - the name it goes by

from bingcheng.core.errors import BingchengError
from bingcheng.dicom.exam import Series
from bingcheng.dicom.grouping.exams import Grouping, exams
from bingcheng.dicom.index.scan import index
from bingcheng.dicom.pixels.read import read_stack, read_volume


def grouped(folder: Path) -> Grouping:
    found = index([folder])
    grouping = exams(found)
    return Grouping(exams=grouping.exams, refusals=(*found.refusals, *grouping.refusals))


def described(grouping: Grouping, description: str) -> Series:
    (series,) = (s for exam in grouping.exams for s in exam.series if s.description == description)
    return series


FOLDERS = {
    # folder: (exams, series, volumes, codes of refusals)
    "01_ibsi1/ibsi_1_ct_radiomics_phantom/dicom": (1, 2, 1, []),
    "05_suv": (31, 31, 28, []),
    # Two structure sets have one UID: that of the cropped exam was edited from the original's without a new one. Both
    # are kept, in one series: they were drawn on two images.
    "06_sts001": (1, 7, 4, []),
    "07_dce_breast": (1, 4, 5, []),
    "08_mr_phantoms": (6, 11, 21, []),
    "10_deid_protocol/pseudo_phi_mr": (1, 1, 1, []),
}


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_is_grouped_as_it_is(reference_data: Path, folder: str) -> None:
    grouping = grouped(reference_data / folder)
    series = [s for exam in grouping.exams for s in exam.series]
    volumes = [volume for s in series for volume in s.volumes]
    codes = [refusal.code for refusal in grouping.refusals]
    assert (len(grouping.exams), len(series), len(volumes), codes) == FOLDERS[folder]


@pytest.mark.parametrize("folder", FOLDERS)
def test_voxels_are_those_that_pydicom_decodes(reference_data: Path, folder: str) -> None:
    for exam in grouped(reference_data / folder).exams:
        for series in exam.series:
            for frames in series.volumes:
                volume = read_volume(frames)
                for z in {0, len(frames.frames) // 2, len(frames.frames) - 1}:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")  # these headers break many small rules
                        dataset = pydicom.dcmread(frames.frames[z].path)
                        slope, intercept = dataset.get("RescaleSlope", 1), dataset.get("RescaleIntercept", 0)
                        expected = dataset.pixel_array * float(slope) + float(intercept)
                    # One rounding to float32 of the product.
                    np.testing.assert_allclose(volume.voxels[z], expected, rtol=2**-23, atol=1e-6)


def test_the_ibsi_phantom_lies_where_its_description_says(reference_data: Path) -> None:
    grouping = grouped(reference_data / "01_ibsi1/ibsi_1_ct_radiomics_phantom/dicom")
    (volume,) = (v for s in grouping.exams[0].series for v in s.volumes)
    assert volume.geometry.shape == (60, 201, 204)
    np.testing.assert_allclose(volume.geometry.spacing_mm, (3.0, 0.977, 0.977), atol=1e-3)
    assert read_volume(volume).unit == "[hnsf'U]"


def test_the_sarcomas_pet_is_read_in_its_units(reference_data: Path) -> None:
    grouping = grouped(reference_data / "06_sts001")
    suv = read_volume(described(grouping, "IBSI_1_STS_001_PET_image").volumes[0])
    assert suv.unit == "g/ml"
    assert float(suv.voxels.max()) == pytest.approx(25.412, abs=5e-4)  # as published with the set, to three decimals
    raw = read_volume(described(grouping, "PET AC").volumes[0])
    assert (raw.unit, raw.geometry.shape) == ("Bq/ml", (267, 128, 128))


def test_the_three_time_points_of_the_breast_exam_are_told_apart(reference_data: Path) -> None:
    series = described(grouped(reference_data / "07_dce_breast"), "Sagittal-IR_3DFGRE")
    # Acquisition times were removed; content times are 10:25:51, 10:32:38 and 10:38:32.
    assert [volume.key for volume in series.volumes] == [(("time", 0.0),), (("time", 407.0),), (("time", 761.0),)]
    stack = read_stack(series, "time")
    assert (stack.geometry.shape, stack.unit) == ((60, 256, 256), "s")


def test_the_diffusion_phantom_is_a_stack_whose_decay_is_the_scanners(reference_data: Path) -> None:
    grouping = grouped(reference_data / "08_mr_phantoms/dwi")
    (diffusion,) = (s for exam in grouping.exams for s in exam.series if len(s.volumes) > 1)
    stack = read_stack(diffusion, "b_value")
    assert stack.values == tuple(float(b) for b in range(0, 1001, 100))
    (adc_map,) = (s for exam in grouping.exams for s in exam.series if len(s.volumes) == 1)
    scanner = read_volume(adc_map.volumes[0]).voxels.astype(float)
    signal = np.stack([volume.voxels for volume in stack.volumes]).astype(float)
    inside = (scanner > 500) & (signal[-1] > 20)
    decay = -np.polyfit(stack.values, np.log(signal[:, inside]), 1)[0] * 1e6
    # A log-linear fit and the scanner's fit of integers above 20 agree within a few percent in the median.
    assert float(np.median(decay / scanner[inside])) == pytest.approx(1.0, abs=0.04)


def test_every_vendors_pet_slice_is_a_value_or_a_named_refusal(reference_data: Path) -> None:
    units, projections = [], 0
    for exam in grouped(reference_data / "05_suv/vendor_slices").exams:
        for series in exam.series:
            projections += series.localiser
            for frames in series.volumes:
                try:
                    units.append(read_volume(frames).unit)
                except BingchengError as error:
                    units.append(error.code)
    # Three of the thirty are projections (MIP), which have no place in depth.
    assert projections == 3
    assert {unit: units.count(unit) for unit in set(units)} == {"Bq/ml": 19, "{counts}": 7, "g/ml": 1}


@pytest.mark.parametrize(
    ("folder", "description"),
    [
        ("06_sts001/raw_FDG_PET", "PET AC"),
        ("06_sts001/ibsi_validation_STS_001/MR_T1", "IBSI_1_STS_001_MR_T1_image"),
        ("07_dce_breast/UCSF-BR-06/image_dce_ser", "Sagittal-IR_3DFGRE: SER"),
        ("08_mr_phantoms/acr/PhilipsAchieva", "ACR-T1"),
        ("10_deid_protocol/pseudo_phi_mr", "LIVER-PELVIS/HASTE_AXIAL_P"),
    ],
)
def test_voxels_lie_where_simpleitk_puts_them(reference_data: Path, folder: str, description: str) -> None:
    (frames,) = described(grouped(reference_data / folder), description).volumes
    volume = read_volume(frames)
    other = sitk.ReadImage([str(source.path) for source in frames.frames])
    voxels = sitk.GetArrayFromImage(other)
    # The Philips files also have a real-world value mapping; its slope is that of their rescale.
    np.testing.assert_allclose(volume.voxels, voxels, rtol=1e-6, atol=1e-3)
    for z, y, x in ((0, 0, 0), (len(frames.frames) - 1, 3, 5)):
        place = other.TransformIndexToPhysicalPoint((x, y, z))
        # SimpleITK takes the spacing from two neighbouring slices, whose positions are rounded.
        np.testing.assert_allclose(volume.geometry.to_mm((z, y, x)), place, atol=0.05)
