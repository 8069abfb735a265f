"""Times of phases, ends of acquisitions and injections: from each vendor's clock, never a guess."""
# ruff: noqa: DTZ001 - a header's times are local to its scanner and have no zone

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from tests.dicom.making import enhanced, image, save, save_series

from bingcheng.dicom.acquisition import Acquisition
from bingcheng.dicom.facts.acquired import acquisition
from bingcheng.dicom.grouping.exams import exams
from bingcheng.dicom.index.scan import index

Change = Callable[[int, int, Dataset], None]
START = datetime(2024, 3, 1, 10, 0)


def read(folder: Path) -> Acquisition:
    (exam,) = exams(index([folder])).exams
    (series,) = exam.series
    return acquisition(series)


def write_phases(folder: Path, count: int, change: Change, *, slices: int = 3, modality: str = "MR") -> None:
    """`count` phases at the same places; without `change` nothing but the instance number tells them apart."""
    for phase in range(count):
        for z in range(slices):
            number = phase * slices + z
            dataset = image(number, modality=modality, AcquisitionTime="100000")
            dataset.ImagePositionPatient = [0.0, 0.0, 3.0 * z]
            dataset.AcquisitionNumber = 1
            change(phase, z, dataset)
            save(dataset, folder / f"{number:03d}.dcm")


def clock(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).strftime("%H%M%S.%f")


TIMES = (0.0, 12.5, 25.0, 40.0)


def by_trigger(phase: int, _z: int, dataset: Dataset) -> None:
    dataset.TriggerTime = str(1000 * TIMES[phase])


def by_trigger_and_position(phase: int, z: int, dataset: Dataset) -> None:
    by_trigger(phase, z, dataset)
    dataset.TemporalPositionIdentifier = phase + 1


def by_acquisition_time(phase: int, _z: int, dataset: Dataset) -> None:
    dataset.AcquisitionTime = clock(TIMES[phase])


def by_number_and_time(phase: int, z: int, dataset: Dataset) -> None:
    by_acquisition_time(phase, z, dataset)
    dataset.AcquisitionNumber = phase + 1


def by_slice_times(phase: int, z: int, dataset: Dataset) -> None:
    dataset.AcquisitionTime = clock(TIMES[phase] + 0.2 * z)
    dataset.TemporalPositionIdentifier = phase + 1


def by_content_time(phase: int, _z: int, dataset: Dataset) -> None:
    dataset.TemporalPositionIdentifier = phase + 1
    dataset.ContentTime, dataset.ContentDate = clock(TIMES[phase]), "20240301"


@pytest.mark.parametrize(
    "change",
    [by_trigger, by_trigger_and_position, by_acquisition_time, by_number_and_time, by_slice_times, by_content_time],
)
def test_phases_have_their_times_by_whichever_clock_tells_them(tmp_path, change):
    write_phases(tmp_path, 4, change)
    facts = read(tmp_path)
    assert facts.volume_times_s == pytest.approx(TIMES)
    # The middle of 12.5, 12.5 and 15 s.
    assert facts.temporal_resolution_s == pytest.approx(12.5)
    assert facts.volume_count == 4
    assert facts.contradictions == ()


@pytest.mark.parametrize(("written", "noted"), [("12500", False), ("12.5", False), ("13000", False), ("4000", True)])
def test_a_declared_step_that_the_phases_do_not_have_is_noted_and_not_believed(tmp_path, written, noted):
    def change(phase: int, z: int, dataset: Dataset) -> None:
        by_slice_times(phase, z, dataset)
        dataset.TemporalResolution = written

    write_phases(tmp_path, 4, change)
    facts = read(tmp_path)
    assert facts.temporal_resolution_s == pytest.approx(12.5)
    assert [code for code, _ in facts.contradictions] == (["temporal-resolution-contradicts-times"] if noted else [])


def test_phases_one_second_apart_are_no_mere_ranks(tmp_path):
    def change(phase: int, _z: int, dataset: Dataset) -> None:
        dataset.TemporalPositionIdentifier, dataset.AcquisitionTime = phase + 1, clock(float(phase))

    write_phases(tmp_path, 3, change)
    assert read(tmp_path).volume_times_s == (0.0, 1.0, 2.0)


def test_ranks_without_a_clock_are_no_times(tmp_path):
    def change(phase: int, _z: int, dataset: Dataset) -> None:
        dataset.TemporalPositionIdentifier = phase + 1

    write_phases(tmp_path, 3, change)
    facts = read(tmp_path)
    assert (facts.volume_count, facts.volume_times_s, facts.temporal_resolution_s) == (3, (), None)


@pytest.mark.parametrize("position", [True, False])
def test_moments_of_one_heartbeat_are_no_dynamic_phases(tmp_path, position):
    def change(phase: int, _z: int, dataset: Dataset) -> None:
        dataset.TriggerTime = str(40.0 * phase)
        if position:
            dataset.TemporalPositionIdentifier = phase + 1

    write_phases(tmp_path, 4, change)
    facts = read(tmp_path)
    assert (facts.volume_count, facts.volume_times_s, facts.temporal_resolution_s) == (4, (), None)


@pytest.mark.parametrize("gated", [{"ScanOptions": "CG"}, {"ScanOptions": ["FC", "PPG"]}])
def test_trigger_delays_of_a_gated_scan_are_no_dynamic_phases_however_long(tmp_path, gated):
    def change(phase: int, z: int, dataset: Dataset) -> None:
        by_trigger(phase, z, dataset)
        for keyword, value in gated.items():
            setattr(dataset, keyword, value)

    write_phases(tmp_path, 4, change)
    assert read(tmp_path).volume_times_s == ()


def test_negative_trigger_delays_are_no_times(tmp_path):
    def change(phase: int, _z: int, dataset: Dataset) -> None:
        dataset.TriggerTime = str(9000.0 * (phase - 1))

    write_phases(tmp_path, 3, change)
    assert read(tmp_path).volume_times_s == ()


def test_phases_of_breathing_in_ct_are_no_dynamic_phases(tmp_path):
    write_phases(tmp_path, 4, by_trigger, modality="CT")
    assert read(tmp_path).volume_times_s == ()


def test_echoes_of_each_phase_count_once(tmp_path):
    def change(phase: int, z: int, dataset: Dataset) -> None:
        by_slice_times(phase // 2, z, dataset)
        dataset.EchoTime = (1.2, 2.4)[phase % 2]

    write_phases(tmp_path, 8, change)
    facts = read(tmp_path)
    assert facts.volume_count == 8
    assert facts.volume_times_s == pytest.approx(TIMES)


def test_repeated_diffusion_is_not_dynamic(tmp_path):
    def change(phase: int, z: int, dataset: Dataset) -> None:
        by_number_and_time(phase, z, dataset)
        dataset.DiffusionBValue = (50.0, 800.0)[phase % 2]

    write_phases(tmp_path, 4, change)
    assert read(tmp_path).volume_times_s == ()


def test_a_single_volume_has_no_phases(tmp_path):
    save_series(tmp_path, 3, modality="MR")
    facts = read(tmp_path)
    assert (facts.volume_count, facts.volume_times_s) == (1, ())


# ---- ends


def private(dataset: Dataset, group: int, creator: str, element: int, vr: str, value: object) -> None:
    dataset.private_block(group, creator, create=True).add_new(element, vr, value)


DURATIONS = {
    "public": ({"AcquisitionDuration": 95.0}, None, 95.0),
    "GE": ({"Manufacturer": "GE MEDICAL SYSTEMS"}, (0x0019, "GEMS_ACQU_01", 0x5A, "FL", 95e6), 95.0),
    "Philips": ({"Manufacturer": "Philips"}, (0x2005, "Philips MR Imaging DD 001", 0x33, "FL", 95.0), 95.0),
    "Siemens": ({"Manufacturer": "SIEMENS"}, (0x0051, "SIEMENS MR HEADER", 0x0A, "LO", "TA 01:35"), 95.0),
    "Siemens, an hour": ({"Manufacturer": "SIEMENS"}, (0x0051, "SIEMENS MR HEADER", 0x0A, "LO", "TA 1:00:05"), 3605.0),
    "Siemens, seconds": ({"Manufacturer": "SIEMENS"}, (0x0051, "SIEMENS MR HEADER", 0x0A, "LO", "TA 23.5"), 23.5),
    "Siemens, repeated": ({"Manufacturer": "SIEMENS"}, (0x0051, "SIEMENS MR HEADER", 0x0A, "LO", "TA 01:35*4"), None),
    "in milliseconds": ({"AcquisitionDuration": 95000.0}, None, 95.0),
    "negative": ({"AcquisitionDuration": -95.0}, None, None),
    "absurd": ({"AcquisitionDuration": 1e9}, None, None),
    "none": ({}, None, None),
}


@pytest.mark.parametrize("who", DURATIONS)
def test_a_run_ends_when_its_duration_is_over_and_not_known_without(tmp_path, who):
    attributes, element, seconds = DURATIONS[who]

    def change(number: int, dataset: Dataset) -> None:
        dataset.AcquisitionTime = clock(0.1 * number)
        if element is not None:
            private(dataset, *element)

    save_series(tmp_path, 3, change=change, modality="MR", **attributes)
    facts = read(tmp_path)
    assert facts.acquisition_duration_s == (pytest.approx(seconds) if seconds is not None else None)
    assert facts.ended_at == (START + timedelta(seconds=seconds) if seconds is not None else None)
    noted = {"in milliseconds": "acquisition-duration-in-milliseconds", "absurd": "acquisition-duration-impossible"}
    assert [code for code, _ in facts.contradictions] == ([noted[who]] if who in noted else [])


@pytest.mark.parametrize(("written_s", "ends_s"), [(60.0, 60.0), (14.0, 40.0 + 14.0), (55.0, 55.0)])
def test_the_duration_of_a_phase_counts_from_the_last_phase_and_that_of_a_run_from_the_first(
    tmp_path, written_s, ends_s
):
    def change(phase: int, z: int, dataset: Dataset) -> None:
        by_slice_times(phase, z, dataset)
        dataset.AcquisitionTime = clock(TIMES[phase])
        dataset.AcquisitionDuration = written_s

    write_phases(tmp_path, 4, change)
    assert read(tmp_path).ended_at == START + timedelta(seconds=ends_s)


def test_classic_ct_has_no_end(tmp_path):
    save_series(tmp_path, 3, RevolutionTime=0.5)
    assert read(tmp_path).ended_at is None


@pytest.mark.parametrize("upwards", [True, False])
def test_a_pet_scan_ends_with_its_last_bed_which_has_its_own_duration(tmp_path, upwards):
    beds = [(0, 120), (125, 120), (250, 240)]

    def change(number: int, dataset: Dataset) -> None:
        bed = number // 2 if upwards else 2 - number // 2
        dataset.AcquisitionTime = clock(beds[bed][0])
        dataset.ActualFrameDuration = str(1000 * beds[bed][1])

    save_series(tmp_path, 6, change=change, modality="PT")
    facts = read(tmp_path)
    assert facts.started_at == START
    assert facts.ended_at == START + timedelta(seconds=250 + 240)


def test_an_enhanced_object_without_a_run_ends_with_its_last_frame(tmp_path):
    dataset = enhanced([{"z": float(z)} for z in range(3)])
    for number, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        content = Dataset()
        content.FrameAcquisitionDateTime = f"20240301100{number}00"
        content.FrameAcquisitionDuration = 30000.0
        frame.FrameContentSequence = [content]
    save(dataset, tmp_path / "x.dcm")
    assert read(tmp_path).ended_at == START + timedelta(minutes=2, seconds=30)


# ---- injection


def contrast(tmp_path: Path, **attributes: object) -> Acquisition:
    save_series(tmp_path, 2, modality="MR", ContrastBolusAgent="Gadobutrol", **attributes)
    return read(tmp_path)


def test_start_and_stop_of_the_injection_are_on_the_day_of_the_scan(tmp_path):
    facts = contrast(tmp_path, ContrastBolusStartTime="095920", ContrastBolusStopTime="095927.5")
    assert facts.contrast_started_at == START - timedelta(seconds=40)
    assert facts.contrast_stopped_at == START - timedelta(seconds=32.5)


def test_a_stop_before_the_start_is_unknown_and_noted(tmp_path):
    facts = contrast(tmp_path, ContrastBolusStartTime="095920", ContrastBolusStopTime="095910")
    assert facts.contrast_started_at is not None
    assert facts.contrast_stopped_at is None
    assert facts.contradictions == (("contrast-stop-before-start", "10 s"),)


def test_a_dummy_time_far_from_the_scan_is_unknown_and_noted(tmp_path):
    facts = contrast(tmp_path, ContrastBolusStartTime="000000")
    assert facts.contrast_started_at is None
    assert [code for code, _ in facts.contradictions] == ["contrast-time-implausible"]


def test_injection_before_and_scan_after_midnight_lie_a_minute_apart(tmp_path):
    def change(_number: int, dataset: Dataset) -> None:
        dataset.AcquisitionTime = "000010"

    save_series(tmp_path, 2, change=change, modality="MR", ContrastBolusStartTime="235930")
    facts = read(tmp_path)
    assert facts.contrast_started_at is not None
    assert facts.started_at - facts.contrast_started_at == timedelta(seconds=40)


def test_times_of_an_enhanced_injection_stand_in_its_profile(tmp_path):
    dataset, agent, profile = enhanced([{"z": 0.0}, {"z": 1.0}]), Dataset(), Dataset()
    profile.ContrastBolusStartTime, profile.ContrastBolusStopTime = "095920", "095930"
    agent.ContrastAdministrationProfileSequence = [profile]
    dataset.ContrastBolusAgentSequence = [agent]
    save(dataset, tmp_path / "x.dcm")
    facts = read(tmp_path)
    assert facts.contrast_started_at == START - timedelta(seconds=40)
    assert facts.contrast_stopped_at == START - timedelta(seconds=30)


# ---- dates


def test_an_acquisition_years_from_its_study_is_noted(tmp_path):
    save_series(tmp_path, 2, modality="MR", StudyDate="20190301")
    facts = read(tmp_path)
    assert [code for code, _ in facts.contradictions] == ["acquisition-date-contradicts-study-date"]
    assert "2019" not in repr(facts.contradictions)


def stripped(_number: int, dataset: Dataset) -> None:
    keep = {"SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "PixelSpacing"}
    keep |= {"ImagePositionPatient", "ImageOrientationPatient", "Rows", "Columns", "SamplesPerPixel", "PixelData"}
    keep |= {"PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"}
    for element in list(dataset):
        if element.keyword not in keep:
            del dataset[element.tag]


@pytest.mark.parametrize("modality", ["CT", "MR", "PT"])
def test_a_header_stripped_to_its_geometry_gives_its_place_and_nothing_else(tmp_path, modality):
    save_series(tmp_path, 3, change=stripped, modality=modality)
    facts = read(tmp_path)
    geometric = {
        "modality",
        "device",
        "series_uid",
        "rows",
        "columns",
        "pixel_spacing_mm",
        "slice_count",
        "volume_count",
    }
    geometric |= {"slice_normal", "first_slice_mm", "centre_mm", "reconstruction_interval_mm", "lossy"}
    names = set(type(facts).__dataclass_fields__) - geometric
    assert {name: getattr(facts, name) for name in names if getattr(facts, name) not in (None, ())} == {}
    assert facts.first_slice_mm == pytest.approx(0.0)
    assert facts.reconstruction_interval_mm == pytest.approx(2.5)


def numbered(values: Sequence[str]) -> Callable[[int, Dataset], None]:
    def change(number: int, dataset: Dataset) -> None:
        dataset.AcquisitionTime = values[number]
        del dataset.AcquisitionDate

    return change


@pytest.mark.parametrize(
    ("series_time", "times", "started"),
    [
        ("235500", ["235500", "235900", "000300"], datetime(2024, 3, 1, 23, 55)),
        ("001000", ["235500", "235900", "000300"], datetime(2024, 2, 29, 23, 55)),
        ("153000", ["100000", "100400", "100800"], datetime(2024, 3, 1, 10, 0)),
        ("153000", ["020000", "020400", "020800"], datetime(2024, 3, 1, 2, 0)),
    ],
)
def test_acquisitions_without_a_date_lie_on_the_right_side_of_midnight(tmp_path, series_time, times, started):
    save_series(tmp_path, 3, change=numbered(times), modality="PT", SeriesTime=series_time)
    assert read(tmp_path).started_at == started
