"""The true uptake of a PET scan in each vendor's habit of writing times, and after what archives do to them.

The truth: an injection 61.5 minutes before the first of three beds of 2 minutes. Tolerance: half a minute, the step in
which protocols are judged.
"""
# ruff: noqa: DTZ001 - a header's times are local to its scanner and have no zone

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from tests.dicom.making import image, save

from bingcheng.dicom.acquisition import PetAcquisition
from bingcheng.dicom.facts.acquired import acquisition
from bingcheng.dicom.facts.pet_times import mean_rate_delay_s
from bingcheng.dicom.grouping.exams import exams
from bingcheng.dicom.index.scan import index

UPTAKE = timedelta(minutes=61, seconds=30)
HALF_LIFE_S = 6586.2
BED_S, MOVE_S = 120.0, 4.0
HALF_A_MINUTE = 30.0
DAY, MIDNIGHT = datetime(2024, 3, 1, 10, 15, 20), datetime(2024, 3, 1, 0, 20, 40)
DURING = datetime(2024, 3, 1, 23, 57, 30)
Habit = Callable[[Dataset, datetime, int], None]


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%d%H%M%S.%f")


def day(moment: datetime) -> str:
    return moment.strftime("%Y%m%d")


def clock(moment: datetime) -> str:
    return moment.strftime("%H%M%S.%f")


def slice_of(start: datetime, bed: int, number: int) -> Dataset:
    """A slice as all vendors would write it; `bed` counts in the order of acquisition."""
    begun = start + timedelta(seconds=bed * (BED_S + MOVE_S))
    dataset = image(number, modality="PT")
    dataset.StudyDate, dataset.StudyTime = day(start - UPTAKE), clock(start - UPTAKE)
    dataset.SeriesDate, dataset.SeriesTime = day(start), clock(start)
    dataset.AcquisitionDate, dataset.AcquisitionTime = day(begun), clock(begun)
    dataset.DecayCorrection, dataset.ActualFrameDuration = "START", str(int(1000 * BED_S))
    dataset.FrameReferenceTime = f"{1000 * (bed * (BED_S + MOVE_S) + mean_rate_delay_s(BED_S, HALF_LIFE_S)):.4f}"
    item, code = Dataset(), Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "C-111A1", "SRT", "^18^Fluorine"
    item.RadionuclideCodeSequence, item.RadionuclideHalfLife = [code], str(HALF_LIFE_S)
    item.RadionuclideTotalDose, item.Radiopharmaceutical = "250000000", "FDG"
    item.RadiopharmaceuticalStartTime = clock(start - UPTAKE)
    item.RadiopharmaceuticalStartDateTime = stamp(start - UPTAKE)
    dataset.RadiopharmaceuticalInformationSequence = [item]
    return dataset


def injection(dataset: Dataset) -> Dataset:
    found: Dataset = dataset.RadiopharmaceuticalInformationSequence[0]
    return found


def siemens(dataset: Dataset, start: datetime, bed: int) -> None:
    del bed
    dataset.Manufacturer = "SIEMENS"
    dataset.private_block(0x0071, "SIEMENS MED PT", create=True).add_new(0x22, "DT", stamp(start))


def ge(dataset: Dataset, start: datetime, bed: int) -> None:
    dataset.Manufacturer = "GE MEDICAL SYSTEMS"
    dataset.FrameReferenceTime = str(1000 * bed * (BED_S + MOVE_S))
    dataset.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", stamp(start))


def philips(dataset: Dataset, start: datetime, bed: int) -> None:
    del bed
    dataset.Manufacturer = "Philips Medical Systems"
    dataset.Units = "CNTS"
    block = dataset.private_block(0x7053, "Philips PET Private Group", create=True)
    block.add_new(0x00, "DS", "0.0004")
    block.add_new(0x09, "DS", "1.5")
    # Philips writes the injection to the nearest minute: half a minute is the most that is lost.
    rounded = start - UPTAKE + timedelta(seconds=30)
    injection(dataset).RadiopharmaceuticalStartTime = rounded.strftime("%H%M00")
    injection(dataset).RadiopharmaceuticalStartDateTime = rounded.strftime("%Y%m%d%H%M00")


def uih(dataset: Dataset, start: datetime, bed: int) -> None:
    del start, bed
    dataset.Manufacturer = "UIH"
    del injection(dataset).RadiopharmaceuticalStartTime


def canon(dataset: Dataset, start: datetime, bed: int) -> None:
    del start, bed
    dataset.Manufacturer = "CANON_MEC"
    del injection(dataset).RadiopharmaceuticalStartDateTime


HABITS: dict[str, Habit] = {"Siemens": siemens, "GE": ge, "Philips": philips, "UIH": uih, "Canon": canon}


def uptake(folder: Path, habit: Habit, start: datetime, change: Callable[[Dataset], None]) -> PetAcquisition:
    """The facts of three beds of two slices, the last bed at the feet's end acquired first."""
    for number in range(6):
        bed = 2 - number // 2
        dataset = slice_of(start, bed, number)
        habit(dataset, start, bed)
        change(dataset)
        save(dataset, folder / f"{number}.dcm")
    (exam,) = exams(index([folder])).exams
    (series,) = exam.series
    found = acquisition(series)
    assert isinstance(found, PetAcquisition)
    return found


def as_written(dataset: Dataset) -> None:
    del dataset


def processed_again(dataset: Dataset) -> None:
    dataset.SeriesDate, dataset.SeriesTime = "20240302", "153000"


def without_acquisition_dates(dataset: Dataset) -> None:
    del dataset.AcquisitionDate


def shifted_but_for_the_injection(dataset: Dataset) -> None:
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate"):
        written = dataset[keyword].value
        moment = datetime(int(written[:4]), int(written[4:6]), int(written[6:]))
        setattr(dataset, keyword, day(moment - timedelta(days=4012)))


def injection_shifted(dataset: Dataset) -> None:
    item = injection(dataset)
    if "RadiopharmaceuticalStartDateTime" in item:
        item.RadiopharmaceuticalStartDateTime = "19991231" + item.RadiopharmaceuticalStartDateTime[8:]


def injection_by_time_alone(dataset: Dataset) -> None:
    item = injection(dataset)
    if "RadiopharmaceuticalStartDateTime" in item:
        item.RadiopharmaceuticalStartTime = item.RadiopharmaceuticalStartDateTime[8:]
        del item.RadiopharmaceuticalStartDateTime


CHANGES = (
    as_written,
    processed_again,
    without_acquisition_dates,
    shifted_but_for_the_injection,
    injection_shifted,
    injection_by_time_alone,
)


@pytest.mark.parametrize("start", [DAY, MIDNIGHT, DURING], ids=["by day", "injected before midnight", "over midnight"])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("vendor", HABITS)
def test_uptake_is_true_within_half_a_minute(tmp_path, vendor, change, start):
    facts = uptake(tmp_path, HABITS[vendor], start, change)
    assert facts.uptake_s is not None
    assert facts.uptake_s == pytest.approx(UPTAKE.total_seconds(), abs=HALF_A_MINUTE)
    assert facts.tracer == "FDG"


def without_acquisition_times(dataset: Dataset) -> None:
    del dataset.AcquisitionDate, dataset.AcquisitionTime


def reprocessed_without_times(dataset: Dataset) -> None:
    without_acquisition_times(dataset)
    dataset.SeriesTime = "153000"


@pytest.mark.parametrize("vendor", ["Siemens", "GE"])
def test_a_private_scan_time_stands_in_for_removed_acquisition_times(tmp_path, vendor):
    facts = uptake(tmp_path, HABITS[vendor], DAY, reprocessed_without_times)
    assert facts.uptake_s == pytest.approx(UPTAKE.total_seconds(), abs=HALF_A_MINUTE)
    assert facts.decay_reference_at == DAY
    assert "scan-start-from-private-time" in {code for code, _ in facts.contradictions}


@pytest.mark.parametrize("vendor", ["Siemens", "GE"])
def test_a_private_scan_time_on_another_day_keeps_its_time_of_day(tmp_path, vendor):
    def change(dataset: Dataset) -> None:
        reprocessed_without_times(dataset)
        for keyword in ("StudyDate", "SeriesDate"):
            setattr(dataset, keyword, "20100305")

    facts = uptake(tmp_path, HABITS[vendor], DAY, change)
    assert facts.started_at == datetime(2010, 3, 5, 10, 15, 20)
    assert facts.uptake_s == pytest.approx(UPTAKE.total_seconds(), abs=HALF_A_MINUTE)


@pytest.mark.parametrize("vendor", ["Philips", "UIH", "Canon"])
def test_the_time_of_the_series_is_the_last_resort_and_noted(tmp_path, vendor):
    facts = uptake(tmp_path, HABITS[vendor], DAY, without_acquisition_times)
    assert facts.uptake_s == pytest.approx(UPTAKE.total_seconds(), abs=HALF_A_MINUTE)
    assert "scan-start-from-series-time" in {code for code, _ in facts.contradictions}


def told(tmp_path: Path, name: str, code: tuple[str, str, str] | None, nuclide: str) -> PetAcquisition:
    def change(dataset: Dataset) -> None:
        item = injection(dataset)
        item.Radiopharmaceutical = name
        item.RadionuclideCodeSequence[0].CodeMeaning = nuclide
        del item.RadionuclideHalfLife
        if code is not None:
            coded = Dataset()
            coded.CodeValue, coded.CodingSchemeDesignator, coded.CodeMeaning = code
            item.RadiopharmaceuticalCodeSequence = [coded]

    return uptake(tmp_path, siemens, DAY, change)


FDG_CODE = ("C-B1031", "SRT", "Fluorodeoxyglucose F^18^")


@pytest.mark.parametrize(
    ("name", "code", "nuclide", "tracer", "noted"),
    [
        ("", FDG_CODE, "^18^Fluorine", "FDG", None),
        ("", ("C-B1031", "99SDM", "FDG"), "^18^Fluorine", "FDG", None),
        ("", ("35321007", "SCT", "x"), "^18^Fluorine", "FDG", None),
        ("", ("126758", "DCM", "PSMA-1007 F^18^"), "^18^Fluorine", "PSMA-1007", None),
        ("", ("C118961", "NCIt", "PSMA-11 Ga^68^"), "^68^Gallium", "PSMA-11", None),
        ("", ("C2713594", "UMLS", "Edotreotide Ga^68^"), "^68^Gallium", "DOTATOC", None),
        ("", ("X1", "99LOCAL", "68Ga-DOTATATE"), "^68^Gallium", "DOTATATE", None),
        ("Solution", FDG_CODE, "^18^Fluorine", "FDG", None),
        ("PSMA", None, "^68^Gallium", None, None),
        ("PSMA-1007", FDG_CODE, "^18^Fluorine", None, "tracer-told-as-several"),
        ("FDG", None, "^68^Gallium", None, "tracer-contradicts-radionuclide"),
        ("Choline", None, "^11^Carbon", "CHOLINE", None),
        ("Choline", None, "^18^Fluorine", "CHOLINE", None),
    ],
)
def test_the_tracer_is_told_by_code_or_by_a_name_that_fits_its_label(tmp_path, name, code, nuclide, tracer, noted):
    facts = told(tmp_path, name, code, nuclide)
    assert facts.tracer == tracer
    assert noted is None or noted in {code for code, _ in facts.contradictions}
