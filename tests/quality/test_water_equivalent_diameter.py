"""Water-equivalent diameter and what is made of it."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Volume
from bingcheng.quality.known_objects import ct_dose, cylinder, hollow_cylinder, radius_mm

REFERENCE = Path(__file__).parent.parent / "reference" / "quality.csv"


def changed(volume, **parts):
    return Volume(**{"voxels": volume.voxels, "geometry": volume.geometry, "unit": volume.unit} | parts)


@pytest.mark.parametrize("noise_hu", [0.0, 30.0])
@pytest.mark.parametrize("diameter_cm", [16.0, 20.0, 30.0, 34.0])
def test_a_water_cylinder_is_equivalent_to_itself(measured, diameter_cm, noise_hu):
    volume = cylinder(diameter_mm=10.0 * diameter_cm, blur_mm=0.8, noise_hu=noise_hu, shape=(3, 512, 512))
    found = measured("water_equivalent_diameter", volume=volume)
    # 0.03 %: 1 of 3,000; the sum over pixels of a blurred disc is its area up to the sampling of its border.
    assert found.value == pytest.approx(diameter_cm, rel=3e-4)
    assert found.unit == "cm"


@given(hu=st.floats(-150.0, 300.0))
@settings(max_examples=10, deadline=None)
def test_denser_matter_counts_for_more(measured, hu):
    found = measured("water_equivalent_diameter", volume=cylinder(diameter_mm=180.0, hu=hu, shape=(2, 300, 300)))
    assert found.value == pytest.approx(18.0 * np.sqrt(1.0 + hu / 1000.0), rel=1e-3)


@pytest.mark.parametrize("lung_hu", [-700.0, -850.0])
def test_lungs_count_with_their_density(measured, lung_hu):
    volume = hollow_cylinder(diameter_mm=200.0, inner_mm=150.0, inner_hu=lung_hu)
    expected = 20.0 * np.sqrt(1.0 + lung_hu / 1000.0 * 0.75**2)
    assert measured("water_equivalent_diameter", volume=volume).value == pytest.approx(expected, rel=1e-3)


def test_the_table_hardly_counts_and_the_uncertainty_says_how_much(measured, trunk):
    bare = measured("water_equivalent_diameter", volume=trunk(table=False))
    lying = measured("water_equivalent_diameter", volume=trunk(table=True))
    area = np.pi * (150 * 105 - 0.1 * 148 * 103 + 0.15 * 132 * 88 - 2 * 0.9 * 44 * 58 + 0.25 * 17 * 17)
    assert bare.value == pytest.approx(0.2 * np.sqrt(area / np.pi), rel=1e-3)
    # The plate, 2 mm of -200 HU, touches the back over some 10 cm: 1.6 cm2 of 400.
    assert lying.value == pytest.approx(bare.value, rel=0.005)
    assert lying.standard_uncertainty > bare.standard_uncertainty


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_quarter_turns_change_nothing(measured, trunk, turns):
    volume = trunk(noise_hu=10.0, table=False)
    turned = changed(volume, voxels=np.ascontiguousarray(np.rot90(volume.voxels, turns, axes=(1, 2))))
    first, second = (measured("water_equivalent_diameter", volume=v).value for v in (volume, turned))
    assert second == pytest.approx(first, rel=1e-4)


def test_a_cut_patient_has_no_diameter(measured):
    volume = cylinder(diameter_mm=200.0, shape=(3, 256, 256))
    found = measured("water_equivalent_diameter", volume=volume)
    assert found.value is None
    assert found.no_value.code == "quality.body-truncated"


@pytest.mark.parametrize("padding_hu", [-2000.0, -3024.0, -1024.0])
def test_a_reconstruction_circle_that_cuts_is_noticed(measured, padding_hu):
    whole = cylinder(diameter_mm=230.0, noise_hu=10.0, centre_mm=(40.0, 0.0), shape=(3, 320, 320))
    outside = radius_mm(whole.geometry) > 120.0
    filled = np.where(outside, np.float32(padding_hu), whole.voxels)
    assert measured("water_equivalent_diameter", volume=changed(whole, voxels=filled)).value is None
    valid = np.broadcast_to(~outside, filled.shape)
    marked = changed(whole, voxels=np.where(outside, np.float32(-1000.0), whole.voxels), valid=valid)
    assert measured("water_equivalent_diameter", volume=marked).no_value.code == "quality.body-truncated"


def test_a_reconstruction_circle_that_does_not_cut_is_harmless(measured):
    whole = cylinder(diameter_mm=200.0, noise_hu=10.0, shape=(3, 320, 320))
    filled = np.where(radius_mm(whole.geometry) > 120.0, np.float32(-2000.0), whole.voxels)
    assert measured("water_equivalent_diameter", volume=changed(whole, voxels=filled)).value == pytest.approx(
        20.0, rel=1e-3
    )


def test_cut_slices_are_left_out_as_long_as_most_are_whole(measured):
    whole = cylinder(diameter_mm=200.0, shape=(5, 320, 320))
    moved = np.array(whole.voxels)
    moved[:2] = np.roll(moved[:2], 80, axis=2)
    moved[:2, :, :80] = -1000.0
    assert measured("water_equivalent_diameter", volume=changed(whole, voxels=moved)).value == pytest.approx(
        20.0, rel=1e-3
    )


def test_slices_that_are_not_axial_have_no_section(measured):
    plain = cylinder(diameter_mm=200.0)
    geometry = VolumeGeometry(
        shape=plain.geometry.shape,
        spacing_mm=plain.geometry.spacing_mm,
        axes=((0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (1.0, 0.0, 0.0)),
    )
    found = measured("water_equivalent_diameter", volume=changed(plain, geometry=geometry))
    assert found.no_value.code == "quality.not-axial"


def rows():
    with REFERENCE.open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["measure"] == "size_specific_dose_estimate"]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["case"])
def test_doses_are_those_of_the_reports(measured, row):
    words = row["case"].split(", ")
    volume = cylinder(diameter_mm=10.0 * float(words[2].split()[1]), shape=(3, 420, 420))
    acquisition = ct_dose(
        ctdi_vol_mgy=float(words[0].split()[0]),
        phantom_cm=float(words[1].split()[0]),
        body_part="HEAD" if "head" in words else "ABDOMEN",
    )
    found = measured("size_specific_dose_estimate", volume=volume, acquisition=acquisition)
    assert found.value == pytest.approx(float(row["expect"]), rel=float(row["rtol"]))
    assert found.unit == row["unit"]


@pytest.mark.parametrize(
    ("ctdi", "phantom", "code"),
    [
        (None, 32.0, "quality.no-ctdi"),
        (0.0, 32.0, "quality.no-ctdi"),
        (9.0, None, "quality.no-ctdi-phantom"),
        (9.0, 10.0, "quality.no-ctdi-phantom"),
    ],
)
def test_a_dose_is_never_guessed(measured, ctdi, phantom, code):
    acquisition = ct_dose(ctdi_vol_mgy=ctdi, phantom_cm=phantom)
    found = measured("size_specific_dose_estimate", volume=cylinder(diameter_mm=200.0), acquisition=acquisition)
    assert (found.value, found.no_value.code) == (None, code)


def test_the_dose_is_proportional_to_ctdi(measured):
    small, large = (
        measured(
            "size_specific_dose_estimate",
            volume=cylinder(diameter_mm=200.0),
            acquisition=ct_dose(ctdi_vol_mgy=mgy, phantom_cm=32.0),
        )
        for mgy in (5.0, 15.0)
    )
    assert large.value == pytest.approx(3.0 * small.value)
    assert large.standard_uncertainty == pytest.approx(3.0 * small.standard_uncertainty)
