from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code as DicomCode
from pydicom.uid import generate_uid

from bingcheng.core.codes import Code
from bingcheng.dicom.grouping.sop_classes import RTSTRUCT
from bingcheng.dicom.grouping.volumes import PART
from bingcheng.dicom.masks.placement import PlacedRegion
from bingcheng.dicom.masks.regions import is_lesion, regions
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.nifti import read_regions
from bingcheng.image.region import Region

FRAME = "2.25.500"
SHAPE = (6, 20, 24)
SPACING_MM = (3.0, 1.5, 1.25)
ORIGIN_MM = (-10.0, 20.0, 40.0)


def slices(folder: Path, *, shape=SHAPE, spacing=SPACING_MM, origin=ORIGIN_MM, frame=FRAME, series="2.25.600"):
    """An axial CT volume as files."""
    paths = []
    for z in range(shape[0]):
        image = Dataset()
        image.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
        image.SOPInstanceUID = f"{series}.{z}"
        image.StudyInstanceUID, image.SeriesInstanceUID = "2.25.1", series
        image.FrameOfReferenceUID, image.Modality = frame, "CT"
        image.PatientID, image.PatientName, image.PatientBirthDate, image.PatientSex = "p", "P^Q", "", ""
        image.StudyDate, image.StudyTime, image.StudyID, image.AccessionNumber = "20240101", "120000", "", ""
        image.ReferringPhysicianName = ""
        image.Rows, image.Columns = shape[1:]
        image.PixelSpacing, image.SliceThickness = [spacing[1], spacing[2]], spacing[0]
        image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        image.ImagePositionPatient = [origin[0], origin[1], origin[2] + z * spacing[0]]
        path = folder / f"{series}.{z}.dcm"
        pydicom.dcmwrite(
            path, image, implicit_vr=False, little_endian=True, force_encoding=True, enforce_file_format=False
        )
        paths.append(path)
    return paths


@pytest.fixture
def ct(tmp_path, image_series):
    return image_series(slices(tmp_path))


def datasets(series):
    return [with_meta(pydicom.dcmread(frame.path, force=True)) for frame in series.volumes[0].frames]


def with_meta(dataset):
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    return dataset


def description(
    number=1, label="Tumour", category=codes.SCT.MorphologicallyAbnormalStructure, kind=codes.SCT.Neoplasm, uid=None
):
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=label,
        segmented_property_category=category,
        segmented_property_type=kind,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
        tracking_uid=uid or generate_uid(),
        tracking_id=f"lesion {number}",
    )


def segmentation(images, mask, descriptions, kind=hd.seg.SegmentationTypeValues.BINARY, **more):
    return hd.seg.Segmentation(
        source_images=images,
        pixel_array=mask,
        segmentation_type=kind,
        segment_descriptions=descriptions,
        series_instance_uid=generate_uid(),
        series_number=9,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="m",
        manufacturer_model_name="m",
        software_versions="1",
        device_serial_number="1",
        **more,
    )


def saved(dataset, folder: Path) -> Path:
    path = folder / "object.dcm"
    dataset.save_as(path)
    return path


def box_mask(*box: slice, shape=SHAPE) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    mask[box] = True
    return mask


def full(region: Region) -> np.ndarray:
    whole = np.zeros(region.grid.shape, dtype=region.mask.dtype)
    whole[region.box()] = region.mask
    return whole


BLOCK = box_mask(slice(1, 4), slice(5, 9), slice(7, 15))


# --- DICOM SEG


def test_binary_segment_lands_on_the_voxels_that_were_drawn(ct, tmp_path, object_series):
    uid = generate_uid()
    path = saved(segmentation(datasets(ct), BLOCK, [description(uid=uid)]), tmp_path)
    (placed,) = regions(object_series([path]), [ct]).regions
    assert np.array_equal(full(placed.region), BLOCK)
    assert placed.region.mask.dtype == bool
    assert placed.region.tracking_uid == uid
    assert placed.tracking_id == "lesion 1"
    assert placed.region.method == "manual"
    assert placed.region.code == Code("108369006", "SCT", "Neoplasm")
    assert placed.category is not None
    assert placed.category.value == "49755003"
    assert (placed.series_uid, placed.volume, placed.number) == (ct.uid, 0, 1)
    assert is_lesion(placed)


def test_segments_that_leave_out_empty_slices_are_placed_by_position(ct, tmp_path, object_series):
    apart = box_mask(slice(1, 2), slice(5, 9), slice(7, 15)) | box_mask(slice(4, 5), slice(2, 4), slice(3, 8))
    path = saved(segmentation(datasets(ct), apart, [description()], omit_empty_frames=True), tmp_path)
    assert int(pydicom.dcmread(path).NumberOfFrames) == 2
    (placed,) = regions(object_series([path]), [ct]).regions
    assert np.array_equal(full(placed.region), apart)


def test_frames_in_any_order_give_the_same_mask(ct, tmp_path, object_series):
    dataset = segmentation(datasets(ct), BLOCK, [description()])
    frames = list(dataset.PerFrameFunctionalGroupsSequence)
    size = SHAPE[1] * SHAPE[2]
    bits = np.unpackbits(np.frombuffer(dataset.PixelData, dtype=np.uint8), bitorder="little")
    kept = [bits[i * size : (i + 1) * size] for i in range(len(frames))]
    dataset.PerFrameFunctionalGroupsSequence = DicomSequence(frames[::-1])
    dataset.PixelData = np.packbits(np.concatenate(kept[::-1]), bitorder="little").tobytes()
    (placed,) = regions(object_series([saved(dataset, tmp_path)]), [ct]).regions
    assert np.array_equal(full(placed.region), BLOCK)


@pytest.mark.parametrize("kind", [hd.seg.SegmentationTypeValues.BINARY, hd.seg.SegmentationTypeValues.LABELMAP])
def test_two_segments_of_one_object_are_two_regions(ct, tmp_path, object_series, kind):
    other = box_mask(slice(2, 5), slice(12, 17), slice(2, 6))
    labels = BLOCK.astype(np.uint8) + 2 * other.astype(np.uint8)
    liver = description(2, "Liver", codes.SCT.AnatomicalStructure, codes.SCT.Liver)
    path = saved(segmentation(datasets(ct), labels, [description(), liver], kind), tmp_path)
    first, second = regions(object_series([path]), [ct]).regions
    assert np.array_equal(full(first.region), BLOCK)
    assert np.array_equal(full(second.region), other)
    assert is_lesion(first)
    assert not is_lesion(second)


def test_fractional_segment_keeps_its_membership(ct, tmp_path, object_series):
    share = np.where(BLOCK, 0.6, 0.0)
    kind = hd.seg.SegmentationTypeValues.FRACTIONAL
    path = saved(segmentation(datasets(ct), share, [description()], kind, max_fractional_value=200), tmp_path)
    (placed,) = regions(object_series([path]), [ct]).regions
    # 0.6 of 200 is a whole number: only float32 rounds.
    assert full(placed.region) == pytest.approx(share, abs=1e-6)


def test_compressed_segment_is_read(ct, tmp_path, object_series):
    kind = hd.seg.SegmentationTypeValues.FRACTIONAL
    syntax = pydicom.uid.RLELossless
    dataset = segmentation(datasets(ct), BLOCK.astype(float), [description()], kind, transfer_syntax_uid=syntax)
    (placed,) = regions(object_series([saved(dataset, tmp_path)]), [ct]).regions
    assert np.array_equal(full(placed.region), BLOCK)


def test_segment_on_a_finer_grid_keeps_its_volume(ct, tmp_path, object_series, image_series):
    fine_shape = (12, 60, 60)
    # A box of 9 x 12 x 10 mm whose faces lie on the faces of the coarse voxels: centre of voxel 0 minus half a voxel.
    corner = tuple(o - s / 2 for o, s in zip(ORIGIN_MM, SPACING_MM[::-1], strict=True))
    fine = (1.5, 0.5, 0.5)
    origin = tuple(c + s / 2 for c, s in zip(corner, fine[::-1], strict=True))
    drawn_on = image_series(slices(tmp_path, shape=fine_shape, spacing=fine, origin=origin, series="2.25.601"))
    mask = box_mask(slice(2, 8), slice(12, 36), slice(10, 30), shape=fine_shape)
    path = saved(segmentation(datasets(drawn_on), mask, [description()]), tmp_path)
    (placed,) = regions(object_series([path]), [ct]).regions
    volume = placed.region.mask.sum(dtype=float) * placed.region.grid.voxel_mm3
    # Interpolation moves membership over the border but, weights summing to one on a grid that divides the other
    # evenly, neither makes nor loses any; the planes do not divide evenly along x (2.5), which costs up to 2 %.
    assert volume == pytest.approx(9 * 12 * 10, rel=0.02)
    centre = np.array([placed.region.grid.to_mm(i) for i in np.argwhere(full(placed.region) > 0.5)]).mean(axis=0)
    expected = drawn_on.volumes[0].geometry.to_mm(np.argwhere(mask).mean(axis=0))
    # Voxels above one half are symmetric about the centre to a fraction of a voxel.
    assert centre == pytest.approx(expected, abs=0.7)


def test_segment_of_another_frame_of_reference_is_refused_by_name(ct, tmp_path, object_series):
    dataset = segmentation(datasets(ct), BLOCK, [description()])
    moved = replace(
        ct,
        frame_of_reference_uid="2.25.999",
        volumes=tuple(replace(v, geometry=replace(v.geometry, frame_of_reference_uid="2.25.999")) for v in ct.volumes),
    )
    masks = regions(object_series([saved(dataset, tmp_path)]), [moved])
    assert masks.regions == ()
    assert [refusal.code for refusal in masks.refusals] == ["dicom.other-frame-of-reference"]


def test_segment_without_a_referenced_image_here_goes_by_frame_of_reference(ct, tmp_path, object_series):
    dataset = segmentation(datasets(ct), BLOCK, [description()])
    renamed = replace(ct, uid="2.25.3", volumes=tuple(replace(v, sop_instance_uids=()) for v in ct.volumes))
    (placed,) = regions(object_series([saved(dataset, tmp_path)]), [renamed]).regions
    assert placed.series_uid == "2.25.3"
    assert np.array_equal(full(placed.region), BLOCK)


def test_segment_without_any_image_is_refused_by_name(ct, tmp_path, object_series):
    masks = regions(object_series([saved(segmentation(datasets(ct), BLOCK, [description()]), tmp_path)]), [])
    assert [refusal.code for refusal in masks.refusals] == ["dicom.segmented-image-absent"]


def test_empty_segment_is_refused_and_the_other_one_goes_on(ct, tmp_path, object_series):
    labels = BLOCK.astype(np.uint8)
    path = saved(segmentation(datasets(ct), labels, [description(), description(2, "Second")]), tmp_path)
    masks = regions(object_series([path]), [ct])
    assert len(masks.regions) == 1
    assert [refusal.code for refusal in masks.refusals] == ["dicom.empty-segment"]
    assert "Second" in str(masks.refusals[0].reason)


def test_volumes_of_one_grid_get_the_region_once(ct, tmp_path, object_series):
    path = saved(segmentation(datasets(ct), BLOCK, [description()]), tmp_path)
    twice = replace(ct, volumes=(ct.volumes[0], ct.volumes[0]))
    assert [placed.volume for placed in regions(object_series([path]), [twice]).regions] == [0]


def test_region_that_leaves_the_image_is_kept_and_the_loss_is_named(ct, tmp_path, object_series):
    path = saved(segmentation(datasets(ct), BLOCK, [description()]), tmp_path)
    volume = ct.volumes[0]
    half = replace(volume, geometry=volume.geometry.box((0, 0, 0), (2, 20, 24)))
    masks = regions(object_series([path]), [replace(ct, volumes=(half,))])
    assert full(masks.regions[0].region).sum() == 1 * 4 * 8
    assert [refusal.code for refusal in masks.refusals] == ["dicom.region-leaves-image"]


def number_twice(dataset):
    dataset.SegmentSequence[1].SegmentNumber = 1
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber = 1


def fewer_places_than_frames(dataset):
    dataset.PerFrameFunctionalGroupsSequence = dataset.PerFrameFunctionalGroupsSequence[:-1]


def no_segments(dataset):
    dataset.SegmentSequence = []


def no_type(dataset):
    del dataset.SegmentationType


def larger_than_its_maximum(dataset):
    dataset.MaximumFractionalValue = 100


def half_the_pixels(dataset):
    dataset.PixelData = dataset.PixelData[: len(dataset.PixelData) // 2]


def no_pixels(dataset):
    del dataset.PixelData


def odd_bits(dataset):
    dataset.BitsAllocated = 7


def shared(dataset):
    return dataset.SharedFunctionalGroupsSequence[0]


def skewed(dataset):
    shared(dataset).PlaneOrientationSequence[0].ImageOrientationPatient = [1, 0, 0, 1, 0, 0]


def as_fine_as_atoms(dataset):
    shared(dataset).PixelMeasuresSequence[0].PixelSpacing = [1e-9, 1]


def as_large_as_a_planet(dataset):
    shared(dataset).PixelMeasuresSequence[0].PixelSpacing = [1e9, 1]


def a_frame_on_the_moon(dataset):
    dataset.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0].ImagePositionPatient = [0, 0, 3e11]


BROKEN = "dicom.segmentation-broken"


@pytest.mark.parametrize(
    ("spoil", "whats", "left"),
    [
        (number_twice, {"SegmentNumber"}, []),
        (fewer_places_than_frames, {"NumberOfFrames"}, []),
        (no_segments, {"SegmentSequence"}, []),
        (no_type, {"SegmentationType"}, []),
        (larger_than_its_maximum, {"MaximumFractionalValue"}, []),
        # Frames go segment by segment: those of the first are in the first half.
        (half_the_pixels, {"PixelData"}, ["First"]),
        (no_pixels, {"PixelData"}, []),
        (odd_bits, {"BitsAllocated"}, []),
        (skewed, {"ImageOrientationPatient"}, []),
        (as_fine_as_atoms, {"PixelSpacing, ImagePositionPatient"}, []),
        (as_large_as_a_planet, {"PixelSpacing, ImagePositionPatient"}, []),
        (a_frame_on_the_moon, {"PixelSpacing, ImagePositionPatient"}, []),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_segmentation_that_contradicts_itself_is_refused_by_what_is_wrong(
    ct, tmp_path, object_series, spoil, whats, left
):
    other = box_mask(slice(1, 4), slice(12, 17), slice(2, 6))
    shares = np.stack([BLOCK, other], axis=-1) * 0.7
    kind = hd.seg.SegmentationTypeValues.FRACTIONAL
    dataset = segmentation(datasets(ct), shares, [description(1, "First"), description(2, "Second")], kind)
    spoil(dataset)
    masks = regions(object_series([saved(dataset, tmp_path)]), [ct])
    assert [placed.region.label for placed in masks.regions] == left
    assert {refusal.code for refusal in masks.refusals} == {BROKEN}
    assert {refusal.reason.facts["what"] for refusal in masks.refusals} == whats


@pytest.mark.parametrize("kind", [hd.seg.SegmentationTypeValues.BINARY, hd.seg.SegmentationTypeValues.LABELMAP])
def test_a_segment_that_nobody_declared_is_named(ct, tmp_path, object_series, kind):
    labels = BLOCK.astype(np.uint8) + 2 * box_mask(slice(2, 5), slice(12, 17), slice(2, 6)).astype(np.uint8)
    dataset = segmentation(datasets(ct), labels, [description(1, "First"), description(2, "Second")], kind)
    dataset.SegmentSequence = [item for item in dataset.SegmentSequence if item.SegmentNumber != 2]
    masks = regions(object_series([saved(dataset, tmp_path)]), [ct])
    assert [placed.region.label for placed in masks.regions] == ["First"]
    (refusal,) = masks.refusals
    assert (refusal.code, dict(refusal.reason.facts)) == ("dicom.undeclared-segment", {"count": 1, "number": 2})


def in_parts(ct, *lost):
    """The series with the slices `lost` gone: its parts, the longest first, as grouping makes them."""
    (volume,) = ct.volumes
    stretches, kept = [[]], [z for z in range(SHAPE[0]) if z not in lost]
    for z in range(SHAPE[0]):
        stretches[-1].append(z) if z in kept else stretches.append([])
    parts = []
    for stretch in sorted((one for one in stretches if one), key=len, reverse=True):
        first, last = stretch[0], stretch[-1] + 1
        parts.append(
            replace(
                volume,
                key=((PART, len(parts) + 1.0),),
                frames=volume.frames[first:last],
                sop_instance_uids=volume.sop_instance_uids[first:last],
                geometry=volume.geometry.box((first, 0, 0), (last - first, *SHAPE[1:])),
            )
        )
    return replace(ct, volumes=tuple(parts))


def other_image_of_the_frame(folder, image_series):
    return image_series(slices(folder, shape=(20, 30, 30), origin=(-12.0, 18.0, 30.0), series="2.25.602"))


@pytest.mark.parametrize(("lost", "volume", "start"), [((4,), 0, 1), ((0,), 0, 0), ((5,), 0, 1), ((0, 4), 0, 0)])
def test_a_lesion_that_no_gap_touches_is_placed_on_its_part(ct, tmp_path, object_series, lost, volume, start):
    path = saved(segmentation(datasets(ct), BLOCK, [description()]), tmp_path)
    masks = regions(object_series([path]), [in_parts(ct, *lost)])
    assert masks.refusals == ()
    (placed,) = masks.regions
    assert (placed.volume, placed.region.start) == (volume, (start, 5, 7))
    assert placed.region.inside.sum() == BLOCK.sum()
    # Where it lies in the patient has nothing to do with the parts.
    assert placed.region.geometry.to_mm((0, 0, 0)) == pytest.approx(ct.volumes[0].geometry.to_mm((1, 5, 7)))


@pytest.mark.parametrize("lost", [(2,), (1,), (3,), (1, 2, 3)])
def test_a_lesion_that_a_gap_touches_is_refused_and_the_others_go_on(ct, tmp_path, object_series, image_series, lost):
    labels = BLOCK.astype(np.uint8) + 2 * box_mask(slice(4, 6), slice(0, 2), slice(0, 2)).astype(np.uint8)
    second = description(2, "Second")
    path = saved(segmentation(datasets(ct), labels, [description(1, "First"), second]), tmp_path)
    images = [in_parts(ct, *lost), other_image_of_the_frame(tmp_path, image_series)]
    masks = regions(object_series([path]), images)
    assert [placed.region.label for placed in masks.regions] == ["Second"]
    (refusal,) = masks.refusals
    assert refusal.code == "dicom.region-on-gap"
    assert refusal.reason.facts["label"] == "First"


def test_a_contour_on_nothing_but_a_lost_slice_is_placed_nowhere_else(ct, tmp_path, object_series, image_series):
    outline = ("CLOSED_PLANAR", rectangle(-5.0, 5.0, 25.0, 31.0, plane(2)))
    path = structure_set(("GTV", "GTV", [outline]), folder=tmp_path, drawn_on=["2.25.600.2"])
    images = [in_parts(ct, 2), other_image_of_the_frame(tmp_path, image_series)]
    masks = regions(object_series([path]), images)
    assert masks.regions == ()
    assert [refusal.code for refusal in masks.refusals] == ["dicom.region-on-gap"]


@pytest.fixture(scope="module")
def sound(tmp_path_factory, image_series, object_series):
    folder = tmp_path_factory.mktemp("sound")
    ct = image_series(slices(folder))
    path = saved(segmentation(datasets(ct), BLOCK, [description()]), folder)
    return ct, object_series([path]), path


@settings(max_examples=60, deadline=None)
@given(st.integers(132, 10_000), st.binary(min_size=1, max_size=4))
@pytest.mark.filterwarnings("ignore")  # pydicom warns of what is garbled; that nothing is raised is the point
def test_damaged_object_gives_masks_or_refusals_and_never_raises(sound, at, garbage):
    ct, source, path = sound
    stored = bytearray(path.read_bytes())
    at %= len(stored)
    stored[at : at + len(garbage)] = garbage
    damaged = path.with_name("damaged.dcm")
    damaged.write_bytes(stored)
    masks = regions(replace(source, sources=(replace(source.sources[0], path=damaged),)), [ct])
    assert len(masks.regions) + len(masks.refusals) <= 2


# --- RTSTRUCT


def structure_set(*rois, frame=FRAME, series="2.25.600", folder: Path, drawn_on=()) -> Path:
    """Each ROI is (name, interpreted type, [(geometric type, points (n, 3) in mm)])."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = RTSTRUCT, generate_uid()
    dataset.SeriesInstanceUID, dataset.Modality = "2.25.700", "RTSTRUCT"
    reference, study, referenced = Dataset(), Dataset(), Dataset()
    referenced.SeriesInstanceUID = series
    study.RTReferencedSeriesSequence = [referenced]
    reference.FrameOfReferenceUID, reference.RTReferencedStudySequence = frame, [study]
    dataset.ReferencedFrameOfReferenceSequence = [reference]
    structures, contours, observations = [], [], []
    for number, (name, kind, outlines) in enumerate(rois, start=1):
        structure, contour, observed = Dataset(), Dataset(), Dataset()
        structure.ROINumber, structure.ROIName, structure.ReferencedFrameOfReferenceUID = number, name, frame
        structure.ROIGenerationAlgorithm = "MANUAL"
        contour.ReferencedROINumber, contour.ContourSequence = number, []
        for geometric, points in outlines:
            item = Dataset()
            item.ContourGeometricType, item.NumberOfContourPoints = geometric, len(points)
            item.ContourImageSequence = [Dataset() for _ in drawn_on]
            for source, drawn in zip(item.ContourImageSequence, drawn_on, strict=True):
                source.ReferencedSOPInstanceUID = drawn
            item.ContourData = [f"{value:.4f}" for value in np.ravel(points)]
            contour.ContourSequence.append(item)
        observed.ReferencedROINumber, observed.RTROIInterpretedType = number, kind
        structures.append(structure)
        contours.append(contour)
        observations.append(observed)
    dataset.StructureSetROISequence = structures
    dataset.ROIContourSequence = contours
    dataset.RTROIObservationsSequence = observations
    path = folder / "rt.dcm"
    pydicom.dcmwrite(path, dataset, implicit_vr=False, little_endian=True, enforce_file_format=False)
    return path


def rectangle(x0, x1, y0, y1, z):
    return np.array([(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)], dtype=float)


def plane(k):
    return ORIGIN_MM[2] + 3.0 * k


def test_contour_covers_exactly_the_part_of_each_pixel_that_it_encloses(ct, tmp_path, object_series):
    # 10 x 6 mm: borders cut pixels of 1.25 x 1.5 mm in part.
    outlines = [("CLOSED_PLANAR", rectangle(-5.0, 5.0, 25.0, 31.0, plane(k))) for k in (1, 2)]
    (placed,) = regions(object_series([structure_set(("GTV", "GTV", outlines), folder=tmp_path)]), [ct]).regions
    volume = placed.region.mask.sum(dtype=float) * placed.region.grid.voxel_mm3
    assert volume == pytest.approx(10 * 6 * 2 * 3.0, rel=1e-6)  # float32 sums of exact parts
    assert placed.region.mask.shape[0] == 2
    assert placed.region.start[0] == 1
    assert placed.role == "GTV"
    assert is_lesion(placed)
    assert placed.region.method == "manual"


def test_hole_by_a_second_contour_and_by_a_keyhole_enclose_the_same(ct, tmp_path, object_series):
    outer, inner = rectangle(-5, 7, 24, 36, plane(2)), rectangle(-1, 3, 28, 32, plane(2))
    keyhole = np.concatenate([outer[:1], inner[[0, 3, 2, 1, 0]], outer[[0, 1, 2, 3]]])
    two = ("two", "", [("CLOSED_PLANAR", outer), ("CLOSED_PLANAR", inner)])
    one = ("one", "", [("CLOSED_PLANAR", keyhole)])
    exclusive = ("xor", "", [("CLOSEDPLANAR_XOR", outer), ("CLOSEDPLANAR_XOR", inner)])
    path = structure_set(two, one, exclusive, folder=tmp_path)
    masks = [full(placed.region) for placed in regions(object_series([path]), [ct]).regions]
    area = 12 * 12 - 4 * 4
    for mask in masks:
        assert mask.sum(dtype=float) * 1.5 * 1.25 == pytest.approx(area, rel=1e-6)
        assert mask == pytest.approx(masks[0], abs=1e-6)


def test_contour_is_taken_to_the_slice_within_half_the_spacing(ct, tmp_path, object_series):
    outline = rectangle(-5, 5, 25, 31, plane(2) + 1.4)
    path = structure_set(("GTV", "", [("CLOSED_PLANAR", outline)]), folder=tmp_path)
    (placed,) = regions(object_series([path]), [ct]).regions
    assert placed.region.start[0] == 2


def test_contours_on_every_second_slice_fill_the_slices_between(ct, tmp_path, object_series):
    outlines = [("CLOSED_PLANAR", rectangle(-5, 5, 25, 31, plane(k))) for k in (1, 3)]
    (placed,) = regions(object_series([structure_set(("GTV", "", outlines), folder=tmp_path)]), [ct]).regions
    volume = placed.region.mask.sum(dtype=float) * placed.region.grid.voxel_mm3
    # Each plane stands for a slab of 6 mm; trilinear weights between planes sum to one.
    assert volume == pytest.approx(10 * 6 * 2 * 6.0, rel=1e-5)
    assert full(placed.region)[2].max() == pytest.approx(1.0, abs=1e-6)


def test_contours_finer_than_the_slices_keep_their_volume(ct, tmp_path, object_series):
    outlines = [("CLOSED_PLANAR", rectangle(-5, 5, 25, 31, plane(1) - 1 + 1.0 * k)) for k in range(9)]
    (placed,) = regions(object_series([structure_set(("GTV", "", outlines), folder=tmp_path)]), [ct]).regions
    volume = placed.region.mask.sum(dtype=float) * placed.region.grid.voxel_mm3
    assert volume == pytest.approx(10 * 6 * 9 * 1.0, rel=1e-5)  # three planes make one slice of 3 mm


@pytest.mark.parametrize("kind", ["POINT", "OPEN_PLANAR", "OPEN_NONPLANAR"])
def test_other_kinds_of_contour_are_refused_by_name_and_the_rest_goes_on(ct, tmp_path, object_series, kind):
    good = ("GTV", "GTV", [("CLOSED_PLANAR", rectangle(-5, 5, 25, 31, plane(2)))])
    other = ("marks", "MARKER", [(kind, rectangle(-5, 5, 25, 31, plane(2)))])
    masks = regions(object_series([structure_set(other, good, folder=tmp_path)]), [ct])
    assert [placed.region.label for placed in masks.regions] == ["GTV"]
    assert [refusal.code for refusal in masks.refusals] == ["dicom.contour-not-closed-planar"]


def test_contour_across_the_slices_is_refused_by_name(ct, tmp_path, object_series):
    coronal = np.array([(-5, 25, plane(0)), (5, 25, plane(0)), (5, 25, plane(4)), (-5, 25, plane(4))])
    masks = regions(object_series([structure_set(("GTV", "", [("CLOSED_PLANAR", coronal)]), folder=tmp_path)]), [ct])
    assert [refusal.code for refusal in masks.refusals] == ["dicom.contours-not-in-slice-plane"]


def test_roi_of_another_frame_of_reference_or_without_contours_is_refused_by_name(ct, tmp_path, object_series):
    outline = [("CLOSED_PLANAR", rectangle(-5, 5, 25, 31, plane(2)))]
    path = structure_set(("GTV", "", outline), ("nothing", "", []), frame="2.25.9", folder=tmp_path)
    masks = regions(object_series([path]), [ct])
    assert sorted(refusal.code for refusal in masks.refusals) == [
        "dicom.empty-segment",
        "dicom.other-frame-of-reference",
    ]


def test_roi_far_outside_the_image_is_refused_by_name(ct, tmp_path, object_series):
    outline = [("CLOSED_PLANAR", rectangle(500, 510, 25, 31, plane(2)))]
    masks = regions(object_series([structure_set(("GTV", "", outline), folder=tmp_path)]), [ct])
    assert [refusal.code for refusal in masks.refusals] == ["dicom.region-outside-image"]


def test_refusals_carry_no_path(ct, tmp_path, object_series):
    masks = regions(object_series([structure_set(("nothing", "", []), folder=tmp_path)]), [ct])
    assert all(str(tmp_path) not in f"{refusal.subject} {refusal.reason}" for refusal in masks.refusals)


def test_text_file_is_refused_by_name(ct, tmp_path, object_series):
    path = tmp_path / "notes.dcm"
    path.write_text("no image")
    source = replace(
        object_series([structure_set(("n", "", []), folder=tmp_path)]), sources=(replace(ct.sources[0], path=path),)
    )
    assert len(regions(source, [ct]).refusals) == 1


# --- which are lesions


def region(label: str, code: Code | None = None) -> Region:
    grid = VolumeGeometry(shape=(1, 1, 1), spacing_mm=(1, 1, 1))
    return Region.of(np.ones((1, 1, 1), dtype=bool), grid, label=label, code=code)


@pytest.mark.parametrize(
    "label", ["GTV-1", "gtv_mass", "Lesion 3", "liver tumor", "tumour", "肿瘤", "肝转移瘤", "病灶2", "右肺结节"]
)
def test_labels_of_lesions_are_known_in_english_and_chinese(label):
    assert is_lesion(region(label))


@pytest.mark.parametrize(
    "label", ["Liver", "肝脏", "PTV", "GTV_Edema", "瘤周水肿", "peritumoral", "Heart", "background", "segment 1"]
)
def test_labels_of_other_regions_are_no_lesions(label):
    assert not is_lesion(region(label))


def test_codes_decide_before_the_label():
    liver = PlacedRegion(
        series_uid="1",
        volume=0,
        number=1,
        region=region("tumour bed"),
        category=Code("123037004", "SCT", "Anatomical Structure"),
    )
    nodule = region("S1", Code("27925004", "SCT", "Nodule"))
    planning = PlacedRegion(series_uid="1", volume=0, number=1, region=region("tumour"), role="PTV")
    assert not is_lesion(liver)
    assert is_lesion(nodule)
    assert not is_lesion(planning)


def test_older_snomed_codes_mean_the_same():
    assert is_lesion(region("S1", Code("M-80003", "SRT", "Neoplasm, Primary")))
    assert DicomCode("M-80003", "SRT", "Neoplasm, Primary") == DicomCode("86049000", "SCT", "Neoplasm, Primary")


# --- against masks that other programs made


def test_ibsi_lung_phantom_agrees_with_its_nifti_mask(reference_data, image_series, object_series):
    folder = reference_data / "01_ibsi1" / "ibsi_1_ct_radiomics_phantom"
    series = image_series(sorted((folder / "dicom" / "image").glob("*")))
    (placed,) = regions(object_series(sorted((folder / "dicom" / "mask").glob("*"))), [series]).regions
    (theirs,) = read_regions(folder / "nifti" / "mask" / "mask.nii.gz", label="GTV-1")
    ours, other = full(placed.region) >= 0.5, full(theirs)
    assert other.sum() == 125256  # IBSI's published voxel count
    # The two rules (half of the pixel; its centre) can differ only where the outline passes: 2 in 1000 here.
    assert 2 * np.count_nonzero(ours & other) / (ours.sum() + other.sum()) > 0.999
    assert full(placed.region).sum(dtype=float) == pytest.approx(125256, rel=1e-3)


@pytest.mark.parametrize("modality", ["PET", "CT", "MR_T1"])
def test_sarcoma_has_the_same_volume_on_every_grid(reference_data, image_series, object_series, modality):
    folder = reference_data / "06_sts001" / "ibsi_validation_STS_001" / modality
    series = image_series(sorted((folder / "image").glob("*.dcm")))
    (placed,) = regions(object_series(sorted((folder / "mask").glob("*.dcm"))), [series]).regions
    volume_ml = placed.region.mask.sum(dtype=float) * placed.region.grid.voxel_mm3 / 1000
    # The same outlines on pixels of 4.7 and 0.98 mm: areas are exact, positions are rounded to 1e-4 mm or so.
    assert volume_ml == pytest.approx(365.18, rel=1e-4)
    assert is_lesion(placed)


@pytest.mark.parametrize("stray", [rectangle(-5.0, 5.0, 25.0, 31.0, 1e7), rectangle(-1e8, 1e8, 25.0, 31.0, 43.0)])
def test_a_stray_contour_far_away_is_named_and_takes_no_memory(ct, tmp_path, object_series, stray):
    drawn = rectangle(-5.0, 5.0, 25.0, 31.0, plane(2))
    good, bad = [("CLOSED_PLANAR", drawn)], [("CLOSED_PLANAR", drawn), ("CLOSED_PLANAR", stray)]
    path = structure_set(("GTV", "GTV", bad), ("node", "GTV", good), folder=tmp_path)
    masks = regions(object_series([path]), [ct])
    assert [placed.region.label for placed in masks.regions] == ["node"]
    assert [refusal.code for refusal in masks.refusals] == ["dicom.contour-far-away"]
