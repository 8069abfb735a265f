"""Real images: values that a physicist would believe, or the reason why there is none.

The images are read with SimpleITK and pydicom directly: this floor knows no DICOM.
"""

import csv
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Stack, Volume
from bingcheng.quality.body import body
from bingcheng.quality.known_objects import grid, magnitude_series
from bingcheng.quality.liver_cov import liver_cov
from bingcheng.quality.liver_sphere import liver_sphere
from bingcheng.quality.liver_suv_mean import liver_suv_mean
from bingcheng.quality.magnitude import air_noise, blocks, tissue

REFERENCE = Path(__file__).parent.parent / "reference" / "quality.csv"


def series(folder, unit):
    reader = SimpleITK.ImageSeriesReader()
    reader.SetGlobalWarningDisplay(False)
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    direction = np.array(image.GetDirection()).reshape(3, 3)
    return Volume(
        voxels=SimpleITK.GetArrayFromImage(image).astype(np.float32),
        geometry=VolumeGeometry(
            shape=image.GetSize()[::-1],
            spacing_mm=image.GetSpacing()[::-1],
            origin_mm=image.GetOrigin(),
            axes=tuple(tuple(direction[:, k]) for k in (2, 1, 0)),
        ),
        unit=unit,
    )


@pytest.fixture(scope="module")
def lung_ct(reference_data):
    return series(reference_data / "01_ibsi1/ibsi_1_ct_radiomics_phantom/dicom/image", "[hnsf'U]")


@pytest.fixture(scope="module")
def thigh_ct(reference_data):
    return series(reference_data / "06_sts001/ibsi_validation_STS_001/CT/image", "[hnsf'U]")


def test_a_lung_cancer_ct(measured, lung_ct):
    noise = measured("noise", volume=lung_ct)
    # Muscle and liver of this standard-dose CT, by hand: SD 18 to 24 HU in discs of 1 cm.
    assert 17.0 < noise.value < 25.0
    assert noise.standard_uncertainty < 1.5
    # A standard body kernel: published 0.30 +- 0.02 (soft) and 0.42 +- 0.03 (hard) per mm.
    assert 0.25 < measured("edge_resolution", volume=lung_ct).value < 0.40


def test_a_ct_that_was_cropped_has_no_diameter(measured, lung_ct, thigh_ct):
    for volume in (lung_ct, thigh_ct):
        found = measured("water_equivalent_diameter", volume=volume)
        assert (found.value, found.no_value.code) == (None, "quality.body-truncated")


def test_the_ct_of_a_pet_ct_on_its_table(measured, thigh_ct):
    region = body(thigh_ct)
    covered = np.zeros(thigh_ct.geometry.shape, dtype=bool)
    covered[region.box()] = region.inside
    # The table top lies 162 pixels down and lower: nothing of it is taken for the patient on the lowest slices.
    assert not covered[:20, 175:].any()
    assert 15.0 < measured("noise", volume=thigh_ct).value < 35.0
    # The low-dose CT of a PET/CT with its smooth kernel.
    assert 0.15 < measured("edge_resolution", volume=thigh_ct).value < 0.30


def acr(folder):
    files = sorted((pydicom.dcmread(path) for path in folder.glob("*.dcm")), key=lambda d: float(d.SliceLocation))
    voxels = np.stack([d.pixel_array.astype(np.float32) for d in files])
    spacing = (float(files[0].SliceThickness), *map(float, files[0].PixelSpacing))
    return Volume(voxels=voxels, geometry=grid(voxels.shape, spacing), unit="{arbitrary}"), *files[0].ImageType


@pytest.mark.parametrize("vendor", ["GE", "Siemens"])
def test_the_noise_of_acr_phantoms_is_that_of_their_corners(reference_data, measured, vendor):
    volume, *kind = acr(reference_data / "08_mr_phantoms/acr" / vendor)
    found = blocks(volume)
    noise = air_noise(found, tissue(found))
    middle, size = volume.voxels[len(volume.voxels) // 2], volume.voxels.shape[1]
    sides = (slice(size // 16, size // 16 + size // 12), slice(-size // 16 - size // 12, -size // 16))
    corners = [middle[rows, columns].std() for rows in sides for columns in sides]
    # The SD in air is 0.655 (one channel) to 0.707 (many) of sigma; corners of 400 voxels and more agree within 10 %.
    assert noise.sigma == pytest.approx(np.mean(corners) / 0.68, rel=0.12)
    ratio = measured("snr_air", **magnitude_series(volume, *kind))
    assert 40.0 < ratio.value < 600.0
    assert ratio.standard_uncertainty < 0.05 * ratio.value


def test_a_scanner_that_masks_the_air_is_noticed(reference_data, measured):
    found = measured("snr_air", **magnitude_series(*acr(reference_data / "08_mr_phantoms/acr/PhilipsAchieva")))
    assert (found.value, found.no_value.code) == (None, "quality.background-masked")


def test_a_whole_body_pet_shows_its_liver(reference_data):
    raw = series(reference_data / "06_sts001/raw_FDG_PET/image", "Bq/ml")
    suv = series(reference_data / "06_sts001/ibsi_validation_STS_001/PET/image", "g/ml")
    # The SUV image was cropped from the raw one by other software: their ratio is the SUV factor.
    z, y, x = np.round(raw.geometry.to_index(suv.geometry.to_mm((0, 0, 0)))).astype(int)
    depth, height, width = suv.voxels.shape
    same = raw.voxels[z : z + depth, y : y + height, x : x + width]
    factor = np.float32(float((same * suv.voxels).sum(dtype=float)) / float((same**2).sum(dtype=float)))
    whole = Volume(voxels=raw.voxels * factor, geometry=raw.geometry, unit="g/ml")
    sphere = liver_sphere(whole, {})
    with REFERENCE.open(encoding="utf-8") as file:
        (row,) = [row for row in csv.DictReader(file) if row["measure"] == "liver_suv_mean"]
    assert liver_suv_mean(sphere).value == pytest.approx(float(row["expect"]), abs=float(row["atol"]))
    assert 8.0 < liver_cov(sphere).value < 25.0
    # Looked at: the sphere lies in the middle of the right lobe, below the dome, on the patient's right.
    assert -90.0 < sphere.centre_mm[0] < -40.0


def test_a_cropped_pet_shows_none(reference_data, measured):
    suv = series(reference_data / "06_sts001/ibsi_validation_STS_001/PET/image", "g/ml")
    with pytest.raises(Exception, match="liver-not-found"):
        liver_sphere(suv, {})


def test_a_diffusion_phantom_loses_signal_with_b(reference_data, measured):
    by_b = {}
    for path in (reference_data / "08_mr_phantoms/dwi/DIFFUSION_PHASE").glob("*.dcm"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = pydicom.dcmread(path)
        (frame,) = data.PerFrameFunctionalGroupsSequence
        by_b[float(frame.MRDiffusionSequence[0].DiffusionBValue)] = data.pixel_array[None].astype(np.float32)
    values = tuple(sorted(by_b))
    geometry = grid(by_b[0.0].shape, (5.0, 1.0, 1.0))
    volumes = tuple(Volume(voxels=by_b[b], geometry=geometry, unit="{arbitrary}") for b in values)
    stack = Stack(volumes=volumes, axis="b_value", values=values, unit="s/mm2")
    series = magnitude_series(volumes[0], *data.ImageType)
    lowest = measured("snr_air", **series)
    highest = measured("snr_highest_b", **series, diffusion=stack)
    # The phantom's medium ADC takes the median signal to about a quarter or less between b = 0 and 1000.
    assert 5.0 < highest.value < 0.4 * lowest.value


@pytest.mark.parametrize(
    "folder", ["08_mr_phantoms/dwi/DIFFUSION_PHASE_ADC", "07_dce_breast/UCSF-BR-06/image_dce_pe1"], ids=["ADC", "PE1"]
)
def test_maps_that_were_computed_have_no_noise_in_air(reference_data, measured, folder):
    data = pydicom.dcmread(min((reference_data / folder).glob("*.dcm")))
    voxels = np.atleast_3d(data.pixel_array.astype(np.float32)).reshape(1, data.Rows, data.Columns)
    volume = Volume(voxels=voxels, geometry=grid(voxels.shape, (5.0, 1.0, 1.0)), unit="{arbitrary}")
    found = measured("snr_air", **magnitude_series(volume, *data.ImageType))
    assert (found.value, found.no_value.code) == (None, "quality.air-not-measured")
