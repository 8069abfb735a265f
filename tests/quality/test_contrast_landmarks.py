"""Vessels and organs that tell the contrast phase: found where they are, refused where they are not."""

import numpy as np
import pytest
import SimpleITK

from bingcheng.core.errors import Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.phantoms.abdomen import Build, enhanced_abdomen
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quality.contrast_landmarks import contrast_landmarks
from bingcheng.quality.enhanced_cases import truth
from bingcheng.quality.spinal_canal import spinal_canal
from bingcheng.quality.upright_grid import upright_grid

GRID = {"spacing_mm": (5.0, 2.5, 2.5), "noise_hu": 12.0}


def landmarks(volume, segments=None):
    grid = upright_grid(volume)
    return contrast_landmarks(grid, spinal_canal(grid), segments or {})


def aorta_hu(volume):
    return float(np.median(landmarks(volume).aorta.hu))


def reoriented(volume, flips):
    """The same patient, stored from the other sides."""
    geometry, axes = volume.geometry, [np.array(axis) for axis in volume.geometry.axes]
    origin = np.array(geometry.origin_mm)
    for axis in np.flatnonzero(flips):
        origin += axes[axis] * geometry.spacing_mm[axis] * (geometry.shape[axis] - 1)
        axes[axis] = -axes[axis]
    turned = VolumeGeometry(
        shape=geometry.shape, spacing_mm=geometry.spacing_mm, origin_mm=tuple(origin), axes=tuple(map(tuple, axes))
    )
    return Volume(voxels=np.flip(volume.voxels, np.flatnonzero(flips).tolist()), geometry=turned, unit=volume.unit)


@pytest.mark.parametrize("phase", ["precontrast", "portal_venous"])
@pytest.mark.parametrize(
    "build",
    [
        Build(),
        Build(scale=0.82, fat_mm=6.0, aorta_mm=14.0),
        Build(scale=1.15, fat_mm=35.0, aorta_mm=30.0, arms=True),
        Build(marrow_hu=85.0, table=False),
        Build(screws=True),
    ],
    ids=["typical", "small", "large", "osteoporotic", "screws"],
)
def test_the_aorta_is_found_in_every_phase_and_build(phase, build):
    volume = enhanced_abdomen(truth(phase), build=build, field_mm=480.0, levels_mm=(-60.0, 100.0), **GRID)
    # 12 HU of noise over some 30 blocks of each of 30 planes leave below 1 HU; partial volume takes 2 more.
    assert aorta_hu(volume) == pytest.approx(truth(phase)["aorta"], abs=4.0)


@pytest.mark.parametrize("flips", [(False, True, True), (True, True, True)])
def test_it_does_not_matter_how_the_image_is_stored(flips):
    volume = enhanced_abdomen(truth("late_arterial"), levels_mm=(-60.0, 100.0), **GRID)
    assert aorta_hu(reoriented(volume, flips)) == pytest.approx(aorta_hu(volume), abs=1e-3)


def test_a_mirrored_patient_has_no_aorta_on_the_left():
    # Left and right exchanged in the voxels alone: what lies left of the spine is now the vena cava.
    volume = enhanced_abdomen(truth("early_arterial"), levels_mm=(-60.0, 100.0), **GRID)
    wrong = Volume(voxels=volume.voxels[:, :, ::-1], geometry=volume.geometry, unit=volume.unit)
    found = landmarks(wrong).aorta
    assert isinstance(found, Undefined) or float(np.median(found.line.x)) > 0


@pytest.mark.parametrize("spacing_mm", [(1.0, 0.9, 0.9), (2.5, 1.6, 1.6), (10.0, 1.6, 1.6)])
def test_slices_may_be_thin_or_thick(spacing_mm):
    tissue = truth("portal_venous")
    volume = enhanced_abdomen(tissue, levels_mm=(-30.0, 30.0), spacing_mm=spacing_mm, noise_hu=12.0)
    assert aorta_hu(volume) == pytest.approx(tissue["aorta"], abs=4.0)


def test_noise_of_40_hu_is_endured():
    tissue = truth("portal_venous")
    volume = enhanced_abdomen(tissue, levels_mm=(-60.0, 100.0), spacing_mm=(3.0, 1.6, 1.6), noise_hu=40.0)
    assert aorta_hu(volume) == pytest.approx(tissue["aorta"], abs=8.0)


@pytest.mark.parametrize("phase", ["late_arterial", "portal_venous", "nephrographic"])
def test_kidneys_and_liver_are_found_when_they_are_enhanced(phase):
    tissue = truth(phase)
    found = landmarks(enhanced_abdomen(tissue, **GRID))
    assert found.kidneys.cortex == pytest.approx(tissue["cortex"], abs=10.0)
    assert found.kidneys.medulla == pytest.approx(tissue["medulla"], abs=8.0)
    assert found.liver.hu == pytest.approx(tissue["liver"], abs=4.0)


@pytest.mark.parametrize("phase", ["late_arterial", "portal_venous"])
def test_the_portal_vein_is_found_where_it_is_brighter_than_the_liver(phase):
    tissue = truth(phase)
    found = landmarks(enhanced_abdomen(tissue, levels_mm=(20.0, 150.0), **GRID))
    # It is 15 mm wide: the 5 mm slice through its leaning trunk takes some of its contrast.
    assert float(np.median(found.portal_vein.hu)) == pytest.approx(tissue["portal vein"], abs=10.0)


def test_urine_with_contrast_is_seen_in_the_excretory_phase_only():
    seen = {
        phase: landmarks(enhanced_abdomen(truth(phase), **GRID)).kidneys.excreted_ml
        for phase in ("portal_venous", "excretory")
    }
    assert seen["excretory"] > 0.5
    assert seen["portal_venous"] == 0.0


def test_a_chest_has_an_aorta_and_no_kidneys():
    found = landmarks(enhanced_abdomen(truth("late_arterial"), levels_mm=(130.0, 330.0), **GRID))
    assert float(np.median(found.aorta.hu)) == pytest.approx(truth("late_arterial")["aorta"], abs=4.0)
    assert found.kidneys.code == "quality.no-kidney"
    assert found.portal_vein.code in {"quality.no-liver", "quality.no-portal-vein"}


def test_a_portal_vein_as_bright_as_the_liver_is_a_reason_and_not_a_value():
    found = landmarks(enhanced_abdomen(truth("precontrast"), **GRID))
    assert found.portal_vein.code == "quality.no-portal-vein"


def test_a_given_liver_is_used():
    tissue = truth("portal_venous")
    volume = enhanced_abdomen(tissue, levels_mm=(-60.0, 100.0), **GRID)
    full = np.zeros(volume.geometry.shape, dtype=bool)
    z, y, x = np.rint(volume.geometry.to_index((104.0, 42.0, 80.0))).astype(int)
    full[z - 3 : z + 4, y - 6 : y + 7, x - 5 : x + 6] = True  # in the spleen, to tell that it is this one
    given = Region.of(full, volume.geometry, label="liver")
    assert landmarks(volume, {"liver": given}).liver.hu == pytest.approx(tissue["spleen"], abs=4.0)


def test_water_has_no_spine():
    voxels = np.full((30, 160, 160), -1000.0, dtype=np.float32)
    voxels[:, 30:130, 20:140] = 0.0
    volume = Volume(
        voxels=voxels, geometry=VolumeGeometry(shape=voxels.shape, spacing_mm=(5.0, 2.5, 2.5)), unit="[hnsf'U]"
    )
    with pytest.raises(Undefined) as caught:
        landmarks(volume)
    assert caught.value.code == "quality.no-spine"


def real(folder):
    """A CT of one folder."""
    reader = SimpleITK.ImageSeriesReader()
    reader.SetGlobalWarningDisplay(False)
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    direction = np.array(image.GetDirection()).reshape(3, 3)
    geometry = VolumeGeometry(
        shape=image.GetSize()[::-1],
        spacing_mm=image.GetSpacing()[::-1],
        origin_mm=image.GetOrigin(),
        axes=tuple(tuple(direction[:, k]) for k in (2, 1, 0)),
    )
    return Volume(voxels=SimpleITK.GetArrayFromImage(image).astype(np.float32), geometry=geometry, unit="[hnsf'U]")


def test_the_right_half_of_a_real_chest(reference_data):
    found = landmarks(real(reference_data / "01_ibsi1/ibsi_1_ct_radiomics_phantom/dicom/image"))
    # The image is cropped through the spine: the aorta lies outside and must not be made up.
    assert found.aorta.code == "quality.no-aorta"
    # The upper pole of the right kidney, the liver and its vessels are in it; read by eye in the images.
    assert 150.0 < found.kidneys.cortex < 190.0
    assert 65.0 < found.liver.hu < 80.0
    assert 95.0 < float(np.median(found.portal_vein.hu)) < 130.0


def test_a_real_thigh_has_no_spine(reference_data):
    with pytest.raises(Undefined) as caught:
        landmarks(real(reference_data / "06_sts001/ibsi_validation_STS_001/CT/image"))
    assert caught.value.code == "quality.no-spine"
