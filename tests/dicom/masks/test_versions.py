"""Of several contents under one UID, what none contradicts is used, and the rest is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from bingcheng.dicom.exam import FrameSource, Series, VolumeFrames
from bingcheng.dicom.grouping.sop_classes import RTSTRUCT
from bingcheng.dicom.masks.regions import Masks, regions
from bingcheng.image.geometry import VolumeGeometry

FRAME = "2.25.500"


def image(uid: str, frame: str = FRAME) -> Series:
    """An axial image of ten slices of 1 mm."""
    geometry = VolumeGeometry(shape=(10, 30, 30), spacing_mm=(1.0, 1.0, 1.0), frame_of_reference_uid=frame)
    sops = tuple(f"{uid}.{z}" for z in range(10))
    frames = tuple(FrameSource(path=Path(f"{uid}-{z}")) for z in range(10))
    return Series(
        uid=uid,
        modality="CT",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        number=None,
        description=None,
        volumes=(VolumeFrames(frames=frames, geometry=geometry, sop_instance_uids=sops),),
        sources=frames,
        sop_instance_uids=sops,
        frame_of_reference_uid=frame,
    )


def version(path: Path, series: str, **squares: tuple[float, float]) -> FrameSource:
    """A structure set on a series: by label a square in slices 3 and 4, from its lower to its upper corner."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = RTSTRUCT, "2.25.1", "RTSTRUCT"
    frame, study, referenced = Dataset(), Dataset(), Dataset()
    referenced.SeriesInstanceUID = series
    study.RTReferencedSeriesSequence = [referenced]
    frame.FrameOfReferenceUID, frame.RTReferencedStudySequence = FRAME, [study]
    dataset.ReferencedFrameOfReferenceSequence = [frame]
    dataset.StructureSetROISequence, dataset.ROIContourSequence = [], []
    for number, (label, (low, high)) in enumerate(squares.items(), start=1):
        roi, drawn = Dataset(), Dataset()
        roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = number, label, FRAME
        drawn.ReferencedROINumber, drawn.ContourSequence = number, []
        for z in (3, 4):
            contour = Dataset()
            contour.ContourGeometricType = "CLOSED_PLANAR"
            corners = [(low, low, z), (high, low, z), (high, high, z), (low, high, z)]
            contour.ContourData = [f"{value:.3f}" for value in np.ravel(corners)]
            drawn.ContourSequence.append(contour)
        dataset.StructureSetROISequence.append(roi)
        dataset.ROIContourSequence.append(drawn)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, implicit_vr=False, little_endian=True)
    return FrameSource(path=path)


def masks(sources: list[FrameSource], *images: Series) -> Masks:
    source: Any = {"volumes": (), "sources": tuple(sources), "sop_instance_uids": ("2.25.1",) * len(sources)}
    drawn = Series(uid="2.25.2", modality="RTSTRUCT", sop_class_uid=RTSTRUCT, number=None, description=None, **source)
    return regions(drawn, images)


def found(made: Masks) -> list[tuple[str, str]]:
    return sorted((placed.series_uid, placed.region.label) for placed in made.regions)


def told(made: Masks) -> list[tuple[str, str]]:
    return [(refusal.code, str(refusal.reason.facts.get("label", ""))) for refusal in made.refusals]


def test_what_is_the_same_in_all_is_used_once_and_the_files_are_named(tmp_path: Path) -> None:
    one = version(tmp_path / "a" / "rs.dcm", "2.25.6", GTV=(5, 9), liver=(12, 20))
    other = version(tmp_path / "b" / "rs.dcm", "2.25.6", tumour=(5, 9), liver=(12, 20.0004))
    made = masks([one, other], image("2.25.6"))
    assert found(made) == [("2.25.6", "GTV"), ("2.25.6", "liver")]
    (note,) = made.refusals
    assert (note.code, note.subject, note.series_uid) == ("dicom.mask-versions", "2.25.1", "2.25.2")
    assert note.reason.facts == {"count": 2, "one": "a/rs.dcm", "other": "b/rs.dcm"}


def test_a_region_that_was_changed_is_left_out_by_name_and_the_others_go_on(tmp_path: Path) -> None:
    one = version(tmp_path / "1", "2.25.6", GTV=(5, 9), node=(12, 20))
    other = version(tmp_path / "2", "2.25.6", GTV=(5, 10), node=(12, 20))
    made = masks([one, other], image("2.25.6"))
    assert found(made) == [("2.25.6", "node")]
    assert told(made) == [("dicom.mask-versions", ""), ("dicom.mask-versions-disagree", "GTV")]


def test_a_region_that_only_one_has_is_left_out_for_it_may_have_been_deleted(tmp_path: Path) -> None:
    one = version(tmp_path / "1", "2.25.6", GTV=(5, 9))
    other = version(tmp_path / "2", "2.25.6", GTV=(5, 9), node=(12, 20))
    made = masks([one, other], image("2.25.6"))
    assert found(made) == [("2.25.6", "GTV")]
    assert told(made) == [("dicom.mask-versions", ""), ("dicom.mask-versions-disagree", "node")]


def test_versions_drawn_on_two_images_contradict_each_other_about_neither(tmp_path: Path) -> None:
    one = version(tmp_path / "1", "2.25.6", GTV=(5, 9))
    other = version(tmp_path / "2", "2.25.7", GTV=(5, 10), node=(12, 20))
    made = masks([one, other], image("2.25.6"), image("2.25.7"))
    assert found(made) == [("2.25.6", "GTV"), ("2.25.7", "GTV"), ("2.25.7", "node")]
    assert told(made) == [("dicom.mask-versions", "")]


def test_a_version_that_was_drawn_on_an_absent_image_adds_nothing_to_another_one(tmp_path: Path) -> None:
    # Placed by its frame of reference alone, it speaks of an image that another version names.
    one = version(tmp_path / "1", "2.25.6", GTV=(5, 9))
    other = version(tmp_path / "2", "2.25.99", mass=(5, 9), node=(12, 20))
    made = masks([other, one], image("2.25.6"))
    assert found(made) == [("2.25.6", "GTV")]
    assert told(made) == [("dicom.mask-versions", ""), ("dicom.mask-versions-disagree", "node")]


def test_two_equal_regions_of_one_file_are_two(tmp_path: Path) -> None:
    made = masks([version(tmp_path / str(k), "2.25.6", GTV=(5, 9), PTV=(5, 9)) for k in (1, 2)], image("2.25.6"))
    assert found(made) == [("2.25.6", "GTV"), ("2.25.6", "PTV")]


@pytest.mark.parametrize("files", [2, 3])
def test_a_fault_that_all_have_is_told_once(tmp_path: Path, files: int) -> None:
    made = masks([version(tmp_path / str(k), "2.25.6", GTV=(5, 9)) for k in range(files)], image("2.25.8", "2.25.501"))
    assert told(made) == [("dicom.mask-versions", ""), ("dicom.other-frame-of-reference", "GTV")]
