"""Segmentations are conformant, lie where the lesion lies, and go back into the archive they came from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.uid import UID

from bingcheng.core.codes import Code
from bingcheng.core.errors import InputError
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.outputs.seg import tracked, write_seg

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def read(path):
    return hd.seg.segread(path)


def voxels(seg, region: Region, number: int):
    """The segment's mask on the volume's grid, placed by positions rather than by frame order."""
    full = np.zeros(region.grid.shape, dtype=bool)
    for index, item in enumerate(seg.PerFrameFunctionalGroupsSequence):
        identification = item.get("SegmentIdentificationSequence") or seg.SharedFunctionalGroupsSequence[0].get(
            "SegmentIdentificationSequence"
        )
        if identification[0].ReferencedSegmentNumber != number:
            continue
        z, y, x = region.grid.to_index(item.PlanePositionSequence[0].ImagePositionPatient)
        assert (y, x) == pytest.approx((0, 0), abs=1e-6)
        full[round(z)] = seg.pixel_array.reshape(-1, *region.grid.shape[1:])[index] > 0
    return full


def full(region: Region):
    mask = np.zeros(region.grid.shape, dtype=bool)
    mask[region.box()] = region.inside
    return mask


def test_the_segment_lies_where_the_lesion_lies(source, lesion, tmp_path):
    write_seg(tmp_path / "seg.dcm", [lesion], source.frames, written_at=AT)
    assert np.array_equal(voxels(read(tmp_path / "seg.dcm"), lesion, 1), full(lesion))


def test_two_lesions_become_two_segments_that_keep_their_own_voxels(source, lesion, second_lesion, tmp_path):
    reference = write_seg(tmp_path / "seg.dcm", [lesion, second_lesion], source.frames, written_at=AT)
    seg = read(tmp_path / "seg.dcm")
    assert np.array_equal(voxels(seg, lesion, 1), full(lesion))
    assert np.array_equal(voxels(seg, second_lesion, 2), full(second_lesion))
    assert reference.segments == {lesion.tracking_uid: 1, second_lesion.tracking_uid: 2}


def test_overlapping_lesions_both_stay_whole(source, lesion, tmp_path):
    inner = Region.of(full(lesion) & (np.arange(32) < 10), lesion.grid, label="Core", tracking_uid="1.2.3")
    write_seg(tmp_path / "seg.dcm", [lesion, inner], source.frames, written_at=AT)
    seg = read(tmp_path / "seg.dcm")
    assert np.array_equal(voxels(seg, lesion, 1), full(lesion))
    assert np.array_equal(voxels(seg, inner, 2), full(inner))


def test_it_is_conformant(source, lesion, second_lesion, tmp_path, complaints):
    write_seg(tmp_path / "seg.dcm", [lesion, second_lesion], source.frames, written_at=AT)
    write_seg(tmp_path / "one.dcm", [lesion], source.frames, written_at=AT)
    assert complaints(tmp_path / "seg.dcm") == []
    assert complaints(tmp_path / "one.dcm") == []


def test_it_belongs_to_the_same_patient_and_study_as_the_images(source, lesion, tmp_path):
    reference = write_seg(tmp_path / "seg.dcm", [lesion], source.frames, written_at=AT)
    image, seg = pydicom.dcmread(source.frames.frames[0].path), read(tmp_path / "seg.dcm")
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "AccessionNumber", "FrameOfReferenceUID"):
        assert seg[keyword].value == image[keyword].value, keyword
    assert seg.SeriesInstanceUID != image.SeriesInstanceUID
    assert (reference.study_uid, reference.sop_instance_uid) == (seg.StudyInstanceUID, seg.SOPInstanceUID)


def test_images_that_lost_their_identity_can_be_segmented_too(bare_source, lesion, tmp_path, complaints):
    write_seg(tmp_path / "seg.dcm", [lesion], bare_source.frames, written_at=AT)
    assert complaints(tmp_path / "seg.dcm") == []


def test_codes_tracking_and_method_are_written(source, lesion, second_lesion, tmp_path):
    liver = replace(second_lesion, label="Liver metastasis", code=Code("94381002", "SCT", "Metastasis to liver"))
    write_seg(tmp_path / "seg.dcm", [lesion, liver], source.frames, written_at=AT)
    first, second = read(tmp_path / "seg.dcm").SegmentSequence
    assert first.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "49755003"
    assert first.SegmentedPropertyTypeCodeSequence[0].CodeValue == "108369006"
    assert (first.TrackingUID, first.TrackingID) == (lesion.tracking_uid, "Lesion A")
    assert (first.SegmentAlgorithmType, "SegmentAlgorithmName" in first) == ("MANUAL", False)
    assert second.SegmentedPropertyTypeCodeSequence[0].CodeValue == "94381002"
    assert second.SegmentAlgorithmType == "SEMIAUTOMATIC"
    assert second.SegmentAlgorithmName == "threshold 41 %"
    assert second.SegmentDescription == "semi-automatic threshold 41 %"


CATEGORIES = (
    (None, "49755003"),
    (Code("4147007", "SCT", "Mass"), "49755003"),
    (Code("M-80000", "SRT", "Neoplasm"), "49755003"),  # as older objects write it
    (Code("10200004", "SCT", "Liver"), "91723000"),
    (Code("55603005", "SCT", "Adipose tissue"), "85756007"),
    (Code("125040", "DCM", "Background"), "309825002"),
    (Code("own", "99OWN", "Anything"), "49755003"),
)


def test_each_segment_has_the_category_of_its_type(source, lesion, tmp_path, complaints):
    coded = [
        replace(lesion, code=code, label=f"Lesion {number}", tracking_uid=f"1.2.{number}")
        for number, (code, _) in enumerate(CATEGORIES)
    ]
    write_seg(tmp_path / "seg.dcm", coded, source.frames, written_at=AT)
    segments = read(tmp_path / "seg.dcm").SegmentSequence
    written = [one.SegmentedPropertyCategoryCodeSequence[0].CodeValue for one in segments]
    assert written == [category for _, category in CATEGORIES]
    assert complaints(tmp_path / "seg.dcm") == []


def test_a_sex_that_the_standard_does_not_know_is_not_repeated(own_source, lesion, tmp_path, complaints):
    for sex in ("0", "W", "UNKNOWN"):
        for frame in {one.path for one in own_source.frames.frames}:
            dataset = pydicom.dcmread(frame)
            dataset.PatientSex = sex
            dataset.save_as(frame)
        write_seg(tmp_path / "seg.dcm", [lesion], own_source.frames, written_at=AT)
        assert pydicom.dcmread(tmp_path / "seg.dcm").PatientSex == ""
        assert complaints(tmp_path / "seg.dcm") == []


def test_a_named_algorithm_is_automatic(source, lesion, tmp_path):
    write_seg(tmp_path / "seg.dcm", [replace(lesion, method="nnU-Net 2.4 lung")], source.frames, written_at=AT)
    assert read(tmp_path / "seg.dcm").SegmentSequence[0].SegmentAlgorithmType == "AUTOMATIC"


def test_each_frame_names_the_image_it_was_drawn_on(source, lesion, tmp_path):
    write_seg(tmp_path / "seg.dcm", [lesion], source.frames, written_at=AT)
    for item in read(tmp_path / "seg.dcm").PerFrameFunctionalGroupsSequence:
        z = round(float(lesion.grid.to_index(item.PlanePositionSequence[0].ImagePositionPatient)[0]))
        image = item.DerivationImageSequence[0].SourceImageSequence[0]
        assert image.ReferencedSOPInstanceUID == source.frames.sop_instance_uids[z]
        if source.kind == "enhanced":
            assert image.ReferencedFrameNumber == source.frames.frames[z].frame + 1


def test_a_voxel_belongs_if_half_of_it_does(source, lesion, tmp_path):
    partial = replace(lesion, mask=np.where(lesion.inside, 0.5, 0.49).astype(np.float32))
    write_seg(tmp_path / "seg.dcm", [partial], source.frames, written_at=AT)
    assert np.array_equal(voxels(read(tmp_path / "seg.dcm"), lesion, 1), full(lesion))


def test_the_same_call_gives_the_same_object(source, lesion, tmp_path):
    for name in ("a.dcm", "b.dcm"):
        write_seg(tmp_path / name, [lesion], source.frames, written_at=AT)
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()


def test_another_contour_is_another_object(source, lesion, second_lesion, tmp_path):
    first = write_seg(tmp_path / "a.dcm", [lesion], source.frames, written_at=AT)
    second = write_seg(tmp_path / "b.dcm", [second_lesion], source.frames, written_at=AT)
    assert first.sop_instance_uid != second.sop_instance_uid


def test_an_empty_region_is_refused_by_name(source, lesion, tmp_path):
    with pytest.raises(InputError, match="nothing-to-segment"):
        write_seg(tmp_path / "seg.dcm", [replace(lesion, mask=np.zeros((1, 1, 1), dtype=bool))], source.frames)
    assert not (tmp_path / "seg.dcm").exists()


def test_a_region_of_another_grid_is_refused_by_name(source, lesion, tmp_path):
    moved = replace(lesion, grid=replace(lesion.grid, origin_mm=(0.0, 0.0, 0.0)))
    with pytest.raises(InputError, match="region-on-other-grid"):
        write_seg(tmp_path / "seg.dcm", [moved], source.frames)


def test_a_folder_that_cannot_be_written_to_is_named_and_leaves_nothing(source, lesion, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot-write"):
        write_seg(tmp_path / "file" / "seg.dcm", [lesion], source.frames)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]


def region_of(tracking_uid):
    grid = VolumeGeometry(shape=(2, 2, 2), spacing_mm=(1.0, 1.0, 1.0))
    return Region.of(np.ones((2, 2, 2), dtype=bool), grid, label="GTV-1", tracking_uid=tracking_uid)


@pytest.mark.parametrize("missing", [None, "", "GTV-1"])
def test_a_lesion_that_is_not_tracked_gets_one_uid_in_its_exam(missing):
    given = tracked(region_of(missing), "1.2.3", "GTV-1").tracking_uid
    assert UID(given).is_valid
    assert given == tracked(region_of(None), "1.2.3", "GTV-1").tracking_uid
    assert given != tracked(region_of(None), "1.2.4", "GTV-1").tracking_uid
    assert given != tracked(region_of(None), "1.2.3", "GTV-1 #2").tracking_uid


def test_a_lesion_that_is_tracked_keeps_its_uid():
    assert tracked(region_of("2.25.7"), "1.2.3", "GTV-1").tracking_uid == "2.25.7"


def test_a_long_method_is_named_without_its_parameters_and_described_with_them(source, lesion, tmp_path):
    method = f"semi-automatic pet_x(a={'9' * 60})/2; edited: grown_by"
    write_seg(tmp_path / "seg.dcm", [replace(lesion, method=method)], source.frames, written_at=AT)
    (segment,) = read(tmp_path / "seg.dcm").SegmentSequence
    assert segment.SegmentAlgorithmName == "pet_x/2"
    assert segment.SegmentDescription == method
