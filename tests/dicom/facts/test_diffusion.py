"""Directions are counted, computed b-values are told from measured ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from pydicom.dataset import Dataset
from tests.dicom.making import enhanced, image, save, save_series

from bingcheng.dicom.acquisition import MrAcquisition
from bingcheng.dicom.facts.acquired import acquisition
from bingcheng.dicom.grouping.exams import exams
from bingcheng.dicom.index.scan import index

SIEMENS = "SIEMENS MR HEADER"


def read(folder) -> MrAcquisition:
    (exam,) = exams(index([folder])).exams
    (series,) = exam.series
    found = acquisition(series)
    assert isinstance(found, MrAcquisition)
    return found


def sphere(count: int) -> list[tuple[float, float, float]]:
    """Directions spread over half a sphere, all distinct up to their sign."""
    golden = math.pi * (3 - 5**0.5)
    found = []
    for k in range(count):
        z = (k + 0.5) / count
        radius = math.sqrt(1 - z * z)
        found.append((radius * math.cos(golden * k), radius * math.sin(golden * k), z))
    return found


def weigh(dataset: Dataset, b: float, direction: Sequence[float] | None) -> None:
    block = dataset.private_block(0x0019, SIEMENS, create=True)
    block.add_new(0x0C, "IS", int(b))
    if direction is not None:
        block.add_new(0x0E, "FD", list(direction))


def write_classic(folder, weights: Sequence[tuple[float, Sequence[float] | None]], slices: int = 2) -> None:
    for volume, (b, direction) in enumerate(weights):
        for z in range(slices):
            number = volume * slices + z
            dataset = image(
                number, modality="MR", Manufacturer="SIEMENS", ImageType=["ORIGINAL", "PRIMARY", "DIFFUSION"]
            )
            dataset.ImagePositionPatient = [0.0, 0.0, 3.0 * z]
            weigh(dataset, b, direction)
            save(dataset, folder / f"{number}.dcm")


@pytest.mark.parametrize("count", [3, 6, 30])
def test_directions_of_a_classic_series_are_counted_at_its_highest_b_value(tmp_path, count):
    weights = [(0, None), *((500, d) for d in sphere(2)), *((1000, d) for d in sphere(count))]
    write_classic(tmp_path, weights)
    facts = read(tmp_path)
    assert facts.b_values_s_per_mm2 == (0.0, 500.0, 1000.0)
    assert facts.diffusion_directions == count
    assert facts.volume_count == 3 + count
    assert facts.volume_times_s == ()
    assert facts.synthetic_b is False


def test_opposite_and_almost_equal_directions_are_one(tmp_path):
    x, y = np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])
    # 0.005 rad lies within the rounding of headers, 0.05 rad does not.
    near, far = (np.array([math.cos(a), 0.0, math.sin(a)]) for a in (0.005, 0.05))
    write_classic(tmp_path, [(0, None), *((800, d) for d in (x, -x, near, far, y))])
    assert read(tmp_path).diffusion_directions == 3


def test_directions_of_an_enhanced_object_are_counted(tmp_path):
    frames = [{"z": float(z), "b": 0.0} for z in range(2)]
    frames += [{"z": float(z), "b": 800.0, "direction": list(d)} for d in sphere(6) for z in range(2)]
    save(enhanced(frames), tmp_path / "x.dcm")
    facts = read(tmp_path)
    assert (facts.diffusion_directions, facts.volume_count) == (6, 7)


def test_trace_images_tell_no_directions_but_are_measured(tmp_path):
    write_classic(tmp_path, [(50, None), (800, None)])
    facts = read(tmp_path)
    assert (facts.diffusion_directions, facts.synthetic_b) == (None, False)


@pytest.mark.parametrize(
    ("words", "b", "expected"),
    [
        (["DERIVED", "PRIMARY", "DIFFUSION", "CALC_BVALUE", "NORM"], 1400, True),
        (["DERIVED", "PRIMARY", "DIFFUSION", "CALC_BVALUE"], None, True),
        (["DERIVED", "PRIMARY", "CDWI"], 2000, True),
        (["derived", "primary", "synthetic"], 1500, True),
        (["DERIVED", "PRIMARY", "DIFFUSION", "TRACEW"], 800, False),
        (["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"], 800, False),
        (["DERIVED", "PRIMARY", "DIFFUSION", "CALCULATED", "ADC"], 800, None),
        (["DERIVED", "PRIMARY", "DIFFUSION", "ADC"], None, None),
        (["DERIVED", "PRIMARY", "OTHER"], 800, None),
        (["ORIGINAL", "PRIMARY", "M"], None, None),
        (None, 800, None),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
def test_a_computed_b_value_is_told_by_the_image_type(tmp_path, words, b, expected):
    def change(number: int, dataset: Dataset) -> None:
        if b is not None:
            dataset.DiffusionBValue = float(b)

    save_series(tmp_path, 2, change=change, modality="MR", ImageType=words)
    assert read(tmp_path).synthetic_b is expected


def test_a_computed_b_value_is_told_by_its_derivation(tmp_path):
    words = {"ImageType": ["DERIVED", "PRIMARY", "OTHER"], "DerivationDescription": "Calculated b-value 1500"}
    save_series(tmp_path, 2, modality="MR", DiffusionBValue=1500.0, **words)
    assert read(tmp_path).synthetic_b is True


def test_one_computed_volume_among_measured_ones_is_enough(tmp_path):
    for number, (b, kind) in enumerate([(50, "TRACEW"), (800, "TRACEW"), (1400, "CALC_BVALUE")]):
        for z in range(2):
            words = ["DERIVED", "PRIMARY", "DIFFUSION", kind]
            dataset = image(2 * number + z, modality="MR", ImageType=words, DiffusionBValue=float(b))
            dataset.ImagePositionPatient = [0.0, 0.0, 3.0 * z]
            save(dataset, tmp_path / f"{number}{z}.dcm")
    facts = read(tmp_path)
    assert facts.b_values_s_per_mm2 == (50.0, 800.0, 1400.0)
    assert facts.synthetic_b is True
