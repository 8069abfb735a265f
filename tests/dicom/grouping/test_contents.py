"""Two files are one object when nothing that bears on an image or a number differs, and only then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from tests.dicom.making import image, save, save_series

from bingcheng.dicom.exam import Exam
from bingcheng.dicom.grouping.contents import content, differences
from bingcheng.dicom.grouping.exams import Grouping, exams
from bingcheng.dicom.index.scan import index

Change = Callable[[Dataset], None]


def grouped(folder: Path) -> Grouping:
    return exams(index([folder]))


def told_apart(folder: Path, one: Dataset, other: Dataset) -> tuple[str, ...]:
    found = []
    for dataset, name in ((one, "one"), (other, "other")):
        save(dataset, folder / name)
        (header,) = index([folder / name]).headers
        found.append(content(header))
    assert found[0] is not None
    assert found[1] is not None
    assert differences(found[0], found[1]) == differences(found[1], found[0])
    return differences(found[0], found[1])


def private(group: int, creator: str, value: str) -> Change:
    def add(dataset: Dataset) -> None:
        dataset.private_block(group, creator, create=True).add_new(0x10, "LO", value)

    return add


@pytest.mark.parametrize(
    "changed",
    [
        {"StudyDescription": "corrected"},
        {"SeriesDescription": "corrected"},
        {"AccessionNumber": "77"},
        {"PatientName": "Corrected^Name"},
        {"PatientBirthDate": "19500102"},
        {"InstitutionName": "Renamed hospital"},
        {"InstanceCreationDate": "20250101"},
        {"WindowCenter": 40, "WindowWidth": 400},
        {"SpecificCharacterSet": "ISO_IR 192"},
        {"PatientID": ""},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_archives_correct_makes_no_other_object(tmp_path: Path, changed: dict[str, Any]) -> None:
    first = image(0, StudyDescription="as sent", SeriesDescription="as sent", InstitutionName="Hospital")
    assert told_apart(tmp_path, first, image(0, **changed)) == ()


@pytest.mark.parametrize(
    "changed",
    [
        {"PatientWeight": 81},
        {"ImagePositionPatient": [-10.0, -20.0, 2.5]},
        {"PixelSpacing": [0.5, 0.76]},
        {"FrameOfReferenceUID": "1.2.3"},
        {"AcquisitionTime": "100001"},
        {"StudyDate": "20240302"},
        {"ConvolutionKernel": "B60f"},
        {"RescaleIntercept": -1000},
        {"PixelRepresentation": 0},
        {"ImageComments": "b=1500(0.445,0.000,0.895)"},
        {"PatientID": "P2"},
        {"SeriesInstanceUID": "1.2.3"},
        {"StudyInstanceUID": "1.2.3"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_numbers_depend_on_makes_another_object(tmp_path: Path, changed: dict[str, Any]) -> None:
    first = image(0, PatientWeight=80, ConvolutionKernel="B30f", ImageComments="b=0")
    other = image(0, **{"PatientWeight": 80, "ConvolutionKernel": "B30f", "ImageComments": "b=0", **changed})
    assert told_apart(tmp_path, first, other) == (next(iter(changed)),)


def test_numbers_are_the_same_however_they_are_written(tmp_path: Path) -> None:
    first = image(0, PatientWeight="80", SliceThickness="2.5")
    assert told_apart(tmp_path, first, image(0, PatientWeight="80.00", SliceThickness="2.500000")) == ()


def test_a_value_that_one_has_lost_contradicts_nothing(tmp_path: Path) -> None:
    tracer = Dataset()
    tracer.RadionuclideTotalDose = 3e8
    tracer.Radiopharmaceutical = "FDG"
    poorer = Dataset()
    poorer.RadionuclideTotalDose = 3e8
    one = image(0, modality="PT", RadiopharmaceuticalInformationSequence=[tracer], PatientWeight=80)
    assert told_apart(tmp_path, one, image(0, modality="PT", RadiopharmaceuticalInformationSequence=[poorer])) == ()
    poorer.RadionuclideTotalDose = 4e8
    other = image(0, modality="PT", RadiopharmaceuticalInformationSequence=[poorer])
    assert told_apart(tmp_path, one, other) == ("RadiopharmaceuticalInformationSequence",)


@pytest.mark.parametrize(
    ("creator", "counts"),
    [("CTP", False), ("AGFA PACS Archive Mirroring 1.0", False), ("SIEMENS MED PT", True), ("GEMS_PARM_01", True)],
)
def test_private_elements_count_if_a_scanner_wrote_them(tmp_path: Path, creator: str, counts: bool) -> None:
    one, other, without = image(0), image(0), image(0)
    private(0x0071, creator, "one")(one)
    private(0x0071, creator, "other")(other)
    assert bool(told_apart(tmp_path, one, other)) == counts
    assert told_apart(tmp_path, one, without) == ()


def only_exam(folder: Path) -> tuple[Exam, list[str]]:
    found = grouped(folder)
    (exam,) = found.exams
    return exam, [refusal.code for refusal in found.refusals]


def test_of_copies_the_one_that_says_most_is_used(tmp_path: Path) -> None:
    save_series(tmp_path / "a", 3)
    save_series(tmp_path / "b", 3, PatientWeight=80, Manufacturer="SIEMENS")
    exam, codes = only_exam(tmp_path)
    assert codes == ["dicom.copy"]
    assert {source.path.parent.name for source in exam.series[0].sources} == {"b"}


def test_a_copy_without_the_patients_identity_is_a_copy(tmp_path: Path) -> None:
    save_series(tmp_path / "a", 3, PatientWeight=80)
    save_series(tmp_path / "b", 3, PatientID="ANON-7", PatientName="ANON", PatientIdentityRemoved="YES")
    exam, codes = only_exam(tmp_path)
    assert codes == ["dicom.copy"]
    assert exam.patient.patient_id == "P1"
    assert exam.series[0].volumes[0].geometry.shape[0] == 3


def test_one_image_of_two_patients_is_refused_with_its_exam(tmp_path: Path) -> None:
    save_series(tmp_path / "a", 3)
    save_series(tmp_path / "b", 3, PatientID="P2")
    found = grouped(tmp_path)
    assert found.exams == ()
    assert [refusal.code for refusal in found.refusals] == ["dicom.mixed-patients"]


def test_a_copy_that_was_cut_off_takes_nothing_from_the_whole_one(tmp_path: Path) -> None:
    paths = save_series(tmp_path / "a", 3)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "cut").write_bytes(paths[1].read_bytes()[:-9])
    exam, codes = only_exam(tmp_path)
    assert codes == []  # the scan has refused it by its name
    assert exam.series[0].volumes[0].geometry.shape[0] == 3
