"""Exams, series and volumes are made by what the headers say of space and identity, not by file order or numbers."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import compress
from pydicom.uid import RLELossless
from tests.dicom.making import ROWS, enhanced, image, put_pixels, save, save_series, stored

from bingcheng.dicom.exam import Series
from bingcheng.dicom.grouping.exams import Grouping, exams
from bingcheng.dicom.grouping.sop_classes import RTSTRUCT
from bingcheng.dicom.index.scan import index


def grouped(*paths: Path) -> Grouping:
    return exams(index(paths))


def only_series(found: Grouping) -> Series:
    (exam,) = found.exams
    (series,) = exam.series
    return series


def codes(found: Grouping) -> list[str]:
    return [refusal.code for refusal in found.refusals]


def test_slices_are_sorted_by_position_not_by_number_or_name(tmp_path: Path) -> None:
    def backwards(number: int, dataset: Dataset) -> None:
        dataset.InstanceNumber = 100 - number

    save_series(tmp_path, 5, change=backwards)
    series = only_series(grouped(tmp_path))
    (volume,) = series.volumes
    assert [uid.split(".")[-1] for uid in volume.sop_instance_uids] == ["1", "2", "3", "4", "5"]
    assert volume.geometry.shape == (5, 6, 5)
    assert volume.geometry.spacing_mm == (2.5, 0.5, 0.75)
    assert volume.geometry.origin_mm == (-10.0, -20.0, 0.0)
    assert volume.geometry.axes == ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
    assert volume.key == ()
    assert len(series.sources) == 5


def test_acquisition_times_span_all_instances(tmp_path: Path) -> None:
    save_series(tmp_path, 3)
    series = only_series(grouped(tmp_path))
    assert series.first_acquired_at == datetime(2024, 3, 1, 10, 0, 0)  # noqa: DTZ001
    assert series.last_acquired_at == datetime(2024, 3, 1, 10, 0, 2)  # noqa: DTZ001


@pytest.mark.parametrize("orientation", [[1, 0, 0, 0, 0, -1], [0, 1, 0, 0, 0, -1], [0.6, 0.8, 0, 0, 0, -1]])
def test_voxels_lie_where_the_header_says_in_every_orientation(tmp_path: Path, orientation: list[float]) -> None:
    normal = np.cross(orientation[:3], orientation[3:])

    def turn(number: int, dataset: Dataset) -> None:
        dataset.ImageOrientationPatient = orientation
        dataset.ImagePositionPatient = [float(p) for p in np.array([3.0, 4.0, 5.0]) - 2.0 * number * normal]

    save_series(tmp_path, 4, change=turn)
    (volume,) = only_series(grouped(tmp_path)).volumes
    # PS3.3 C.7.6.2.1.1, equation C.7.6.2.1-1: column index along the row direction, row index along the column one.
    first = np.array([3.0, 4.0, 5.0]) - 2.0 * 3 * normal
    expected = first + np.array(orientation[:3]) * 0.75 * 4 + np.array(orientation[3:]) * 0.5 * 2 + normal * 2.0
    np.testing.assert_allclose(volume.geometry.to_mm((1, 2, 4)), expected, atol=1e-9)


def test_a_tilted_gantry_makes_sheared_axes(tmp_path: Path) -> None:
    tilt = np.deg2rad(20)

    def lean(number: int, dataset: Dataset) -> None:
        dataset.ImageOrientationPatient = [1, 0, 0, 0, float(np.cos(tilt)), float(np.sin(tilt))]
        dataset.ImagePositionPatient = [0, 0, 3.0 * number]

    save_series(tmp_path, 6, change=lean)
    (volume,) = only_series(grouped(tmp_path)).volumes
    np.testing.assert_allclose(volume.geometry.axes[0], (0, 0, 1), atol=1e-9)
    np.testing.assert_allclose(volume.geometry.to_mm((5, 0, 0)), (0, 0, 15), atol=1e-9)
    # The table moves 3 mm, of which cos(20 deg) is across the slices.
    assert volume.geometry.voxel_mm3 == pytest.approx(3.0 * np.cos(tilt) * 0.5 * 0.75)


def depths(series: Series) -> list[list[float]]:
    """Where the slices of each volume lie, by its own grid, in mm."""
    return [
        [float(volume.geometry.to_mm((z, 0, 0))[2]) for z in range(volume.geometry.shape[0])]
        for volume in series.volumes
    ]


def test_a_missing_slice_is_named_with_its_place_and_divides_the_volume(tmp_path: Path) -> None:
    paths = save_series(tmp_path, 8)
    paths[3].unlink()
    found = grouped(tmp_path)
    (refusal,) = found.refusals
    assert refusal.code == "dicom.missing-slice"
    assert refusal.reason.facts == {"count": 1, "expected": 8, "where_mm": 7.5}
    series = only_series(found)
    assert [volume.key for volume in series.volumes] == [(("part", 1.0),), (("part", 2.0),)]
    # The longest part stands first, for it stands for the series.
    assert depths(series) == [[10.0, 12.5, 15.0, 17.5], [0.0, 2.5, 5.0]]
    assert series.volumes[0].sop_instance_uids[0].endswith(".5")


def test_a_slice_between_two_gaps_is_in_no_part(tmp_path: Path) -> None:
    paths = save_series(tmp_path, 9)
    paths[3].unlink()
    paths[5].write_bytes(paths[5].read_bytes()[:-9])
    found = grouped(tmp_path)
    assert codes(found) == ["dicom.unusable-slice"]
    assert depths(only_series(found)) == [[0.0, 2.5, 5.0], [15.0, 17.5, 20.0]]


def test_uneven_slices_with_a_damaged_one_are_no_parts(tmp_path: Path) -> None:
    def uneven(number: int, dataset: Dataset) -> None:
        dataset.ImagePositionPatient = [0, 0, [0.0, 2.5, 5.0, 8.7, 11.2][number]]

    paths = save_series(tmp_path, 5, change=uneven)
    paths[1].write_bytes(paths[1].read_bytes()[:-9])
    assert only_series(grouped(tmp_path)).volumes == ()


def test_a_missing_slice_among_three_is_found(tmp_path: Path) -> None:
    paths = save_series(tmp_path, 4)
    paths[1].unlink()
    assert codes(grouped(tmp_path)) == ["dicom.missing-slice"]


def test_a_damaged_slice_leaves_the_others_as_a_part(tmp_path: Path) -> None:
    paths = save_series(tmp_path, 4)
    paths[3].write_bytes(paths[3].read_bytes()[:-9])
    found = grouped(tmp_path)
    # A part and not a whole volume: a lesion may reach over the slice that was lost at the end.
    assert [volume.key for volume in only_series(found).volumes] == [(("part", 1.0),)]
    assert codes(found) == ["dicom.unusable-slice"]


def test_uneven_slices_are_refused(tmp_path: Path) -> None:
    def uneven(number: int, dataset: Dataset) -> None:
        dataset.ImagePositionPatient = [0, 0, [0.0, 2.5, 5.0, 8.7, 11.2][number]]

    save_series(tmp_path, 5, change=uneven)
    assert codes(grouped(tmp_path)) == ["dicom.irregular-spacing"]


def test_rounded_positions_are_even(tmp_path: Path) -> None:
    def rounded(number: int, dataset: Dataset) -> None:
        dataset.ImagePositionPatient = [0, 0, round(number * 0.6249, 2)]

    save_series(tmp_path, 30, change=rounded)
    (volume,) = only_series(grouped(tmp_path)).volumes
    assert volume.geometry.spacing_mm[0] == pytest.approx(0.6249, abs=0.005 / 29)  # half a unit of the last decimal


def test_a_copy_is_used_once_and_noted(tmp_path: Path) -> None:
    paths = save_series(tmp_path, 3)
    for number, path in enumerate(paths):
        shutil.copy(path, tmp_path / f"copy{number}")
    found = grouped(tmp_path)
    assert only_series(found).volumes[0].geometry.shape[0] == 3
    assert [(refusal.code, refusal.count) for refusal in found.refusals] == [("dicom.copy", 3)]


def test_a_copy_in_another_lossless_encoding_is_a_copy(tmp_path: Path) -> None:
    save(image(0), tmp_path / "a")
    packed = image(0)
    compress(packed, RLELossless, generate_instance_uid=False)
    save(packed, tmp_path / "b")
    assert codes(grouped(tmp_path)) == ["dicom.copy"]


@pytest.mark.parametrize("difference", ["pixels", "slope"])
def test_one_uid_with_two_contents_is_refused_and_neither_used(tmp_path: Path, difference: str) -> None:
    save_series(tmp_path, 3)
    other = image(1, RescaleSlope=2) if difference == "slope" else image(1)
    if difference == "pixels":
        put_pixels(other, stored(9))
    save(other, tmp_path / "other")
    found = grouped(tmp_path)
    # The two other slices lie 5 mm apart: without the second refusal they would pass for a complete volume.
    assert codes(found) == ["dicom.duplicate-uid", "dicom.unusable-slice"]
    assert only_series(found).volumes == ()
    said = found.refusals[0].reason.facts
    assert said["what"] == {"pixels": "PixelData", "slope": "RescaleSlope"}[difference]
    assert {said["one"], said["other"]} == {"007.dcm", "other"}


def structure_set(folder: Path, name: str, **changed: object) -> Path:
    """An object that draws regions, as far as grouping looks at it."""
    kind = {"Modality": "RTSTRUCT", "SOPClassUID": RTSTRUCT, "PixelData": None, "Rows": None}
    return save(image(0, series=5, **kind, **changed), folder / name)


def test_versions_of_a_structure_set_are_kept_for_their_regions_to_be_compared(tmp_path: Path) -> None:
    for label in ("ONE", "TWO"):
        structure_set(tmp_path, label, StructureSetLabel=label)
    shutil.copy(tmp_path / "ONE", tmp_path / "copy")
    found = grouped(tmp_path)
    assert codes(found) == ["dicom.copy"]
    assert [source.path.name for source in only_series(found).sources] == ["ONE", "TWO"]


def test_one_structure_set_in_two_series_is_refused(tmp_path: Path) -> None:
    structure_set(tmp_path, "one")
    structure_set(tmp_path, "two", SeriesInstanceUID="1.2.3")
    found = grouped(tmp_path)
    assert codes(found) == ["dicom.duplicate-uid", "dicom.duplicate-uid"]
    assert {str(refusal.reason.facts["what"]) for refusal in found.refusals} == {"SeriesInstanceUID"}
    assert found.exams == ()


def test_one_uid_with_two_contents_that_are_no_images_is_refused(tmp_path: Path) -> None:
    save_series(tmp_path, 2)
    for text in ("ONE", "TWO"):
        changed = {"Modality": "SR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.67", "PixelData": None, "Rows": None}
        save(image(0, series=5, ContentLabel=text, **changed), tmp_path / text)
    found = grouped(tmp_path)
    assert codes(found) == ["dicom.duplicate-uid"]
    assert [series.modality for series in found.exams[0].series] == ["CT"]


def test_contradictions_of_one_kind_are_told_once_a_series(tmp_path: Path) -> None:
    save_series(tmp_path / "a", 5)
    save_series(tmp_path / "b", 5, RescaleSlope=2)
    (contradiction, unusable) = grouped(tmp_path).refusals
    assert (contradiction.code, contradiction.count) == ("dicom.duplicate-uid", 5)
    assert unusable.reason.facts == {"count": 5, "expected": 5}


def test_one_image_in_two_series_is_lost_to_both(tmp_path: Path) -> None:
    save_series(tmp_path / "a", 4)
    save(image(1, SeriesInstanceUID="1.2.3"), tmp_path / "b" / "x")
    found = grouped(tmp_path)
    assert codes(found) == [
        "dicom.duplicate-uid",
        "dicom.duplicate-uid",
        "dicom.unusable-slice",
        "dicom.unusable-slice",
    ]
    moved, first = found.exams[0].series  # by their UIDs
    assert depths(first) == [[5.0, 7.5]]
    assert moved.volumes == ()


def test_two_patients_in_one_study_are_both_left_out(tmp_path: Path) -> None:
    save_series(tmp_path / "a", 2)
    save_series(tmp_path / "b", 2, series=2, PatientID="P2")
    save_series(tmp_path / "c", 2, study=2)
    found = grouped(tmp_path)
    assert len(found.exams) == 1
    (refusal,) = found.refusals
    assert (refusal.code, refusal.kind) == ("dicom.mixed-patients", "exam")
    assert "P1" not in str(refusal.reason)


@pytest.mark.parametrize("changes", [{"PatientID": ""}, {"PatientName": "SOMEONE A"}, {"IssuerOfPatientID": "H"}])
def test_one_patient_written_in_two_ways_is_one(tmp_path: Path, changes: dict[str, str]) -> None:
    save_series(tmp_path / "a", 2)
    save_series(tmp_path / "b", 2, series=2, **changes)
    found = grouped(tmp_path)
    assert found.refusals == ()
    assert found.exams[0].patient.patient_id == "P1"


def test_one_identifier_for_two_people_is_two_patients(tmp_path: Path) -> None:
    save_series(tmp_path / "a", 2)
    save_series(tmp_path / "b", 2, series=2, PatientName="Other^B", PatientBirthDate="19800101")
    assert codes(grouped(tmp_path)) == ["dicom.mixed-patients"]


@pytest.mark.parametrize(
    ("keyword", "code"),
    [
        ("PixelSpacing", "dicom.missing-spacing"),
        ("ImagePositionPatient", "dicom.missing-position"),
        ("ImageOrientationPatient", "dicom.missing-position"),
    ],
)
def test_absent_geometry_is_refused_by_name(tmp_path: Path, keyword: str, code: str) -> None:
    save_series(tmp_path / "a", 3, **{keyword: None})
    save_series(tmp_path / "b", 3, series=2)
    found = grouped(tmp_path)
    assert codes(found) == [code]
    assert [len(series.volumes) for series in found.exams[0].series] == [0, 1]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "dicom.bad-orientation"),
        ({"PixelSpacing": [0, 0.5]}, "dicom.bad-spacing"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]}, "dicom.mosaic"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "dicom.colour"),
    ],
)
def test_what_makes_no_volume_is_refused_by_name(tmp_path: Path, changes: dict[str, object], code: str) -> None:
    save_series(tmp_path, 3, **changes)
    found = grouped(tmp_path)
    assert codes(found) == [code]
    assert only_series(found).volumes == ()


def test_a_single_slice_needs_its_thickness(tmp_path: Path) -> None:
    save(image(0), tmp_path / "a" / "x")
    assert only_series(grouped(tmp_path / "a")).volumes[0].geometry.spacing_mm[0] == 2.5
    save(image(0, SliceThickness=None), tmp_path / "b" / "x")
    assert codes(grouped(tmp_path / "b")) == ["dicom.unknown-thickness"]


def test_localisers_and_screenshots_make_no_volume(tmp_path: Path) -> None:
    save_series(tmp_path / "scout", 2, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    save_series(tmp_path / "axial", 3, series=2)
    scout, axial = grouped(tmp_path).exams[0].series
    assert (scout.localiser, scout.volumes) == (True, ())
    assert (axial.localiser, len(axial.volumes)) == (False, 1)


def test_a_scout_within_a_series_is_left_out_of_its_volume(tmp_path: Path) -> None:
    save_series(tmp_path, 3)
    save(image(60, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]), tmp_path / "scout")
    series = only_series(grouped(tmp_path))
    assert not series.localiser
    assert series.volumes[0].geometry.shape[0] == 3


def test_objects_without_slices_are_kept_as_series(tmp_path: Path) -> None:
    save_series(tmp_path, 2)
    dose = image(0, series=5, Modality="SR", SOPClassUID="1.2.840.10008.5.1.4.1.1.88.67", PixelData=None, Rows=None)
    save(dose, tmp_path / "report")
    found = grouped(tmp_path)
    assert found.refusals == ()
    report = found.exams[0].series[-1]
    assert (report.modality, report.volumes, len(report.sources)) == ("SR", (), 1)


def test_mixed_orientations_make_one_volume_each(tmp_path: Path) -> None:
    save_series(tmp_path / "axial", 3)

    def sagittal(number: int, dataset: Dataset) -> None:
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
        dataset.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
        dataset.ImagePositionPatient = [2.0 * number, 0, 0]

    save_series(tmp_path / "sagittal", 4, change=sagittal)
    shapes = [volume.geometry.shape[0] for volume in only_series(grouped(tmp_path)).volumes]
    assert sorted(shapes) == [3, 4]


def repeated(tmp_path: Path, settings: list[dict[str, object]], slices: int = 3) -> Series:
    """A series in which each slice occurs once with each of `settings`."""
    for at, changes in enumerate(settings):
        for number in range(slices):
            dataset = image(number, modality="MR", **changes)
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{at}.{number}"
            dataset.InstanceNumber = number * len(settings) + at + 1
            save(dataset, tmp_path / f"{at}-{number}")
    found = grouped(tmp_path)
    assert found.refusals == ()
    return only_series(found)


def test_echoes_are_volumes(tmp_path: Path) -> None:
    series = repeated(tmp_path, [{"EchoTime": 9.2}, {"EchoTime": 4.6}])
    assert [volume.key for volume in series.volumes] == [(("echo_time", 4.6),), (("echo_time", 9.2),)]
    assert [volume.geometry.shape[0] for volume in series.volumes] == [3, 3]


def test_b_values_and_their_directions_are_volumes(tmp_path: Path) -> None:
    directions = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    settings: list[dict[str, object]] = [{"DiffusionBValue": 0.0}]
    settings += [{"DiffusionBValue": 800.0, "DiffusionGradientOrientation": direction} for direction in directions]
    series = repeated(tmp_path, settings)
    assert [volume.key for volume in series.volumes] == [
        (("b_value", 0.0),),
        (("b_value", 800.0), ("direction", 1.0)),
        (("b_value", 800.0), ("direction", 2.0)),
        (("b_value", 800.0), ("direction", 3.0)),
    ]


def test_time_points_are_volumes_with_their_times(tmp_path: Path) -> None:
    settings = [{"TemporalPositionIdentifier": at + 1, "AcquisitionTime": f"1000{at * 7:02d}"} for at in range(3)]
    series = repeated(tmp_path, settings)  # type: ignore[arg-type]
    assert [volume.key for volume in series.volumes] == [(("time", 0.0),), (("time", 7.0),), (("time", 14.0),)]


def test_time_points_that_nothing_but_their_times_tells_apart_are_volumes(tmp_path: Path) -> None:
    # Every slice has a time of its own: no value of it is shared by a whole volume.
    for at in range(2):
        for number in range(3):
            dataset = image(number, modality="MR", AcquisitionTime=f"1000{10 * at + number:02d}")
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{at}.{number}"
            save(dataset, tmp_path / f"{at}-{number}")
    series = only_series(grouped(tmp_path))
    assert [volume.key for volume in series.volumes] == [(("time", 0.0),), (("time", 10.0),)]
    assert series.volumes[1].sop_instance_uids == ("1.2.3.1.0", "1.2.3.1.1", "1.2.3.1.2")


def test_phases_of_different_extent_are_volumes(tmp_path: Path) -> None:
    for acquisition, numbers in ((1, range(2, 5)), (2, range(8))):
        for number in numbers:
            dataset = image(number, AcquisitionNumber=acquisition)
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{acquisition}.{number}"
            save(dataset, tmp_path / f"{acquisition}-{number}")
    series = only_series(grouped(tmp_path))
    assert [(volume.key, volume.geometry.shape[0]) for volume in series.volumes] == [
        ((("acquisition", 1.0),), 3),
        ((("acquisition", 2.0),), 8),
    ]


def test_a_b_value_that_lacks_its_last_slice_is_refused(tmp_path: Path) -> None:
    repeated(tmp_path, [{"DiffusionBValue": 0.0}, {"DiffusionBValue": 800.0}], slices=4)
    (tmp_path / "1-3").unlink()
    found = grouped(tmp_path)
    assert codes(found) == ["dicom.missing-slice"]
    assert [volume.key for volume in only_series(found).volumes] == [(("b_value", 0.0),)]


def test_magnitude_comes_before_phase(tmp_path: Path) -> None:
    settings = [{"ImageType": ["ORIGINAL", "PRIMARY", kind, "ND"]} for kind in ("P", "M")]
    series = repeated(tmp_path, settings)  # type: ignore[arg-type]
    assert [volume.key for volume in series.volumes] == [(("component", 0.0),), (("component", 1.0),)]
    assert series.volumes[0].sop_instance_uids[0] == "1.2.3.1.0"


def test_slices_that_nothing_tells_apart_are_refused(tmp_path: Path) -> None:
    save_series(tmp_path, 3)
    extra = image(1)
    extra.SOPInstanceUID = extra.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    save(extra, tmp_path / "extra")
    assert codes(grouped(tmp_path)) == ["dicom.overlapping-slices"]


def test_frames_of_an_enhanced_object_are_sorted_and_divided(tmp_path: Path) -> None:
    frames = [{"z": z, "b": b} for z in (5.0, 0.0, 2.5) for b in (800.0, 0.0)]
    save(enhanced(frames), tmp_path / "x")
    low, high = only_series(grouped(tmp_path)).volumes
    assert low.key == (("b_value", 0.0),)
    assert [source.frame for source in low.frames] == [3, 5, 1]
    assert [source.frame for source in high.frames] == [2, 4, 0]
    assert low.geometry.shape == (3, ROWS, 5)
    assert low.geometry.spacing_mm == (2.5, 0.5, 0.75)


def test_a_shared_fact_holds_for_every_frame(tmp_path: Path) -> None:
    def tilt(groups: Dataset) -> None:
        groups.PlaneOrientationSequence[0].ImageOrientationPatient = [0, 1, 0, 0, 0, -1]

    save(enhanced([{"z": 0.0}], shared=tilt), tmp_path / "x")
    (volume,) = only_series(grouped(tmp_path)).volumes
    assert volume.geometry.axes[0] == (-1.0, 0.0, 0.0)
    assert volume.geometry.spacing_mm[0] == 2.5


@pytest.mark.parametrize("groups", [None, 1])
def test_frames_without_their_places_are_refused(tmp_path: Path, groups: int | None) -> None:
    dataset = enhanced([{"z": 0.0}, {"z": 2.5}])
    if groups is None:
        del dataset.PerFrameFunctionalGroupsSequence
    else:
        dataset.PerFrameFunctionalGroupsSequence = dataset.PerFrameFunctionalGroupsSequence[:groups]
    save(dataset, tmp_path / "x")
    assert codes(grouped(tmp_path)) == ["dicom.frames-without-geometry"]


def test_slices_of_two_frames_of_reference_are_two_volumes(tmp_path: Path) -> None:
    def moved(number: int, dataset: Dataset) -> None:
        dataset.FrameOfReferenceUID = f"1.2.3.{number // 3}"

    save_series(tmp_path, 6, change=moved)
    volumes = only_series(grouped(tmp_path)).volumes
    assert [volume.geometry.shape[0] for volume in volumes] == [3, 3]
    assert {volume.geometry.frame_of_reference_uid for volume in volumes} == {"1.2.3.0", "1.2.3.1"}
