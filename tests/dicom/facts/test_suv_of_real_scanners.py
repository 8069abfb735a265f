"""SUV from real headers and images of several vendors, against values that other programs and people give."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence

from bingcheng.core.errors import Undefined
from bingcheng.dicom.acquisition import PetAcquisition
from bingcheng.dicom.facts.acquired import acquisition
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.uptake.lesion_uptake import suv_max, suv_peak
from bingcheng.quantify.uptake.suv import suv, suv_factor

REFERENCE = Path(__file__).parents[2] / "reference"
TRACER = (
    "RadionuclideTotalDose",
    "RadionuclideHalfLife",
    "RadiopharmaceuticalStartTime",
    "RadiopharmaceuticalStartDateTime",
)
PHILIPS = {"SUVScaleFactor": 0x00, "ActivityConcentrationScaleFactor": 0x09}


def rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def seconds_of_day(hhmmss: str) -> int:
    return 3600 * int(hhmmss[:2]) + 60 * int(hhmmss[2:4]) + int(hhmmss[4:])


def header_of(entry: dict[str, object]) -> Dataset:
    """The dataset of one instance of the metadata files, whose keys are keywords of one flat level."""
    dataset, tracer = Dataset(), Dataset()
    for keyword, value in entry.items():
        if keyword == "PhilipsPETPrivateGroup":
            for name, text in value.items():
                block = dataset.private_block(0x7053, "Philips PET Private Group", create=True)
                block.add_new(PHILIPS[name], "DS", text.strip())
        else:
            setattr(tracer if keyword in TRACER else dataset, keyword, value)
    dataset.RadiopharmaceuticalInformationSequence = DicomSequence([tracer])
    dataset.Modality = "PT"
    return dataset


def pet_volume(series) -> Volume:
    slices = [pydicom.dcmread(frame.path) for frame in series.volumes[0].frames]
    voxels = np.stack([s.pixel_array * float(s.RescaleSlope) + float(s.RescaleIntercept) for s in slices])
    unit = {"BQML": "Bq/ml", "GML": "g/ml"}[slices[0].Units]
    return Volume(voxels=voxels.astype(np.float32), geometry=series.volumes[0].geometry, unit=unit)


@pytest.mark.parametrize("row", rows("suv_vendor_headers.csv"), ids=lambda row: row["file"])
def test_factor_agrees_with_the_other_program_on_each_header(row, reference_data, stored, image_series):
    entries = json.loads((reference_data / "05_suv" / "metadata" / row["file"]).read_text())
    paths = [stored(header_of(entry), name=f"{i}.dcm") for i, entry in enumerate(entries)]
    facts = acquisition(image_series(paths))
    # Header times are written to a microsecond: over 1e4 s that is 1e-10 of the decay exponent.
    assert suv_factor(facts) == pytest.approx(float(row["expect"]), rel=1e-8)


@pytest.mark.parametrize("row", rows("suv_vendor_slices.csv"), ids=lambda row: row["file"].split("/")[-1])
def test_each_real_slice_gives_the_value_its_header_implies_or_a_named_refusal(row, reference_data, image_series):
    path = reference_data / "05_suv" / "vendor_slices" / row["file"]
    facts = acquisition(image_series([path]))
    assert isinstance(facts, PetAcquisition)
    if row["outcome"] != "value":
        with pytest.raises(Undefined) as refused:
            suv_factor(facts)
        assert refused.value.code == row["outcome"]
        return
    if row["private_factor"]:
        assert suv_factor(facts) == float(row["private_factor"])
        return
    header = pydicom.dcmread(path, stop_before_pixels=True)
    tracer = header.RadiopharmaceuticalInformationSequence[0]
    elapsed = seconds_of_day(row["reference"]) - seconds_of_day(row["injected"])
    left = float(tracer.RadionuclideTotalDose) * 0.5 ** (elapsed / float(tracer.RadionuclideHalfLife))
    # The table leaves out fractions of a second: 1 s is at most 1.8e-4 of the decay at half-lives above 1 h.
    assert suv_factor(facts) == pytest.approx(1000 * float(header.PatientWeight) / left, rel=2e-4)


def test_every_real_slice_stands_in_the_table(reference_data):
    folder = reference_data / "05_suv" / "vendor_slices"
    found = {f"{path.parent.name}/{path.name}" for path in folder.glob("*/*.dcm")}
    assert found == {row["file"] for row in rows("suv_vendor_slices.csv")}


def test_philips_own_factor_agrees_with_ours_where_its_times_are_whole(reference_data, image_series):
    path = next((reference_data / "05_suv" / "vendor_slices" / "philips").glob("cc_tumor*"))
    header = pydicom.dcmread(path, stop_before_pixels=True)
    own = float(header[0x7053, 0x1000].value) / float(header[0x7053, 0x1009].value)
    # Philips writes times to the minute (30 s are 0.3 %) and its factor to four digits (0.03 %).
    assert suv_factor(acquisition(image_series([path]))) == pytest.approx(own, rel=6e-3)


def test_qiba_reference_object_has_its_published_uptake(reference_data, image_series):
    path = reference_data / "05_suv" / "qiba_dro" / "female_slice_040"
    series = image_series([path])
    image = suv(pet_volume(series), acquisition(series)).voxels
    # Published to two decimals.
    assert float(image.max()) == pytest.approx(4.11, abs=0.005)
    assert float(image.min()) == pytest.approx(-0.11, abs=0.005)
    values, counts = np.unique(np.round(image[image != 0], 2), return_counts=True)
    common = set(values[np.argsort(counts)[-2:]].tolist())
    assert any(value == pytest.approx(1.0, abs=0.005) for value in common)
    assert np.count_nonzero(np.abs(image - 4.0) < 0.005) > 50


@pytest.fixture(scope="module")
def sarcoma(reference_data, image_series):
    folder = reference_data / "06_sts001"
    raw = image_series(sorted((folder / "raw_FDG_PET" / "image").glob("*.dcm")))
    other = image_series(sorted((folder / "ibsi_validation_STS_001" / "PET" / "image").glob("*.dcm")))
    return raw, suv(pet_volume(raw), acquisition(raw)), other, pet_volume(other)


def test_raw_sarcoma_scan_agrees_with_the_suv_that_other_software_stored(sarcoma):
    raw, ours, other, theirs = sarcoma
    start = np.rint(raw.volumes[0].geometry.to_index(theirs.geometry.origin_mm)).astype(int)
    box = tuple(slice(s, s + n) for s, n in zip(start, theirs.geometry.shape, strict=True))
    slopes = [float(pydicom.dcmread(frame.path, stop_before_pixels=True).RescaleSlope) for frame in other.sources]
    step = np.array(slopes)[:, None, None]
    difference = np.abs(ours.voxels[box].astype(float) - theirs.voxels.astype(float))
    # Theirs is cut off to a step of each slice's own rescale slope; beyond that 1e-6 of the value remains.
    assert np.all(difference <= step + 1e-6 * np.abs(theirs.voxels))
    assert float(ours.voxels[box].max()) == pytest.approx(float(theirs.voxels.max()), rel=1e-6)


def test_stored_suv_of_other_software_is_taken_as_it_is(sarcoma):
    _, _, other, theirs = sarcoma
    assert suv_factor(acquisition(other)) == 1.0
    assert float(theirs.voxels.max()) == pytest.approx(25.412, abs=5e-4)


def test_peak_of_the_sarcoma_lies_below_its_maximum_and_above_its_mean(sarcoma):
    _, ours, _, _ = sarcoma
    lesion = Region.of(ours.voxels > 10, ours.geometry, label="hot")
    assert 10 < suv_peak(ours, lesion) < suv_max(ours, lesion)
