"""DICOM SEG: binary, fractional and label map, each segment as a mask with the geometry of its own frames.

Frames are placed by their positions, never by their order: segments may leave out empty slices (PS3.3 C.8.20.2).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pixel_array
from scipy import ndimage

from bingcheng.core.errors import BingchengError, InputError, Owner, Problem
from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.masks.placement import EMPTY_SEGMENT, Drawn, References
from bingcheng.image.geometry import FINEST_MM, LARGEST_MM, Triple, VolumeGeometry
from bingcheng.image.membership import Index, aligned_start, resampled

IRREGULAR_FRAMES = Problem(
    code="dicom.segment-frames-irregular",
    says="the frames of the segmentation don't lie on a regular grid in space",
    remedy="Store the segmentation on the slices of one image series.",
    owner=Owner.VENDOR,
)
BROKEN_SEGMENTATION = Problem(
    code="dicom.segmentation-broken",
    says="the segmentation lacks or contradicts what is needed to place it ({what})",
    remedy="Export it again with a current version of the program that made it.",
    owner=Owner.VENDOR,
)
UNDECLARED_SEGMENT = Problem(
    code="dicom.undeclared-segment",
    says="{count} segments are drawn but not declared, so that nobody knows what they are (first number: {number})",
    remedy="Export the segmentation again with a current version of the program that made it.",
    owner=Owner.VENDOR,
)

STEP_TOLERANCE = 0.1
"""Of the distance between frames: how far one may lie off the grid; scanners round positions to 1e-3 mm or so."""

MOST_STEPS = 10_000
"""No image of a patient has more slices: a number beyond is damaged, and would take all memory that there is."""
LARGEST_MASK_BYTES = 1 << 31
"""Twice what a whole body takes at the finest. Slices on which nothing is drawn cost a file nothing, so that a damaged
position may claim any size."""


def drawn_segments(dataset: Dataset) -> Iterator[Drawn | BingchengError]:
    """Each segment of a SEG object, or why it can't be used.

    Parameters
    ----------
    dataset : with its pixels.

    Raises
    ------
    InputError
        ``dicom.segmentation-broken``, ``dicom.segment-frames-irregular``: nothing of the object can be used.
    """
    header = Tags(dataset)
    frames = _Frames(dataset)
    references = _references(dataset)
    frame_of_reference = header.text("FrameOfReferenceUID")
    boxes = frames.label_boxes() if frames.label_map else None
    declared = [Tags(item) for item in header.items("SegmentSequence")]
    if not declared:
        raise InputError(BROKEN_SEGMENTATION, what="SegmentSequence")
    counted = Counter(segment.number("SegmentNumber") for segment in declared)
    for segment in declared:
        number = segment.number("SegmentNumber")
        if number is None or counted[number] > 1:  # which frames are whose can't be told
            yield InputError(BROKEN_SEGMENTATION, what="SegmentNumber")
            continue
        if frames.label_map and number == 0:  # the background
            continue
        label = segment.text("SegmentLabel") or segment.text("SegmentDescription") or f"segment {int(number)}"
        try:
            found = frames.segment(int(number), boxes)
        except BingchengError as error:
            yield error
            continue
        if found is None:
            yield InputError(EMPTY_SEGMENT, label=label, number=int(number))
            continue
        mask, geometry = found
        geometry = replace(geometry, frame_of_reference_uid=frame_of_reference)
        yield Drawn(
            number=int(number),
            label=label,
            membership=_Membership(mask, geometry),
            points_mm=geometry.to_mm(np.array(list(np.ndindex(2, 2, 2))) * (np.asarray(mask.shape) - 1)),
            frame_of_reference_uid=frame_of_reference,
            source_uid=header.text("SOPInstanceUID") or "",
            references=references,
            tracking_uid=segment.text("TrackingUID"),
            tracking_id=segment.text("TrackingID"),
            code=segment.code("SegmentedPropertyTypeCodeSequence"),
            category=segment.code("SegmentedPropertyCategoryCodeSequence"),
            method=_method(segment),
        )
    drawn = frames.frames_of.keys() if boxes is None else boxes[1].keys()
    stray = drawn - counted.keys()
    if stray:
        yield InputError(UNDECLARED_SEGMENT, count=len(stray), number=min(stray))


class _Membership:
    """A mask on a grid of its own, as membership on any other grid."""

    def __init__(self, mask: NDArray[Any], geometry: VolumeGeometry) -> None:
        self.mask = mask
        self.geometry = geometry

    def __call__(self, grid: VolumeGeometry) -> tuple[NDArray[Any], Index]:
        geometry = self.geometry
        if self.mask.shape[0] == 1:  # one frame does not show the distance to the next: the image's is meant
            geometry = replace(geometry, axes=(grid.axes[0], *geometry.axes[1:]), spacing_mm=(
                grid.spacing_mm[0], *geometry.spacing_mm[1:]
            ))  # fmt: skip
        start = aligned_start(geometry, grid)
        if start is not None:
            return self.mask, start
        return resampled(self.mask, self.geometry, grid)


class _Frames:
    """The frames of a SEG object: their pixels one by one, and where they lie."""

    def __init__(self, dataset: Dataset) -> None:
        header = Tags(dataset)
        self._dataset = dataset
        self._rows, self._columns = (self._whole(header.positive(k), k) for k in ("Rows", "Columns"))
        self._bits = self._whole(header.positive("BitsAllocated"), "BitsAllocated")
        # Bits can't be anything but a binary mask; whole bytes may be a share, a label, or a mask.
        kind = (header.text("SegmentationType") or ("BINARY" if self._bits == 1 else "")).upper()
        if kind not in ("BINARY", "FRACTIONAL", "LABELMAP"):
            raise InputError(BROKEN_SEGMENTATION, what="SegmentationType")
        self.label_map = kind == "LABELMAP"
        self._maximum = (
            self._whole(header.positive("MaximumFractionalValue"), "MaximumFractionalValue")
            if kind == "FRACTIONAL"
            else None
        )
        meta = getattr(dataset, "file_meta", None)
        syntax = getattr(meta, "TransferSyntaxUID", None)
        self._native = syntax is None or not syntax.is_compressed
        self._groups: Sequence[Dataset] = header.items("PerFrameFunctionalGroupsSequence")
        self._shared = next(iter(header.items("SharedFunctionalGroupsSequence")), Dataset())
        if not self._groups:
            raise InputError(BROKEN_SEGMENTATION, what="PerFrameFunctionalGroupsSequence")
        # Without a group for each frame nobody knows where the others lie.
        if header.number("NumberOfFrames") != len(self._groups):
            raise InputError(BROKEN_SEGMENTATION, what="NumberOfFrames")
        if self._bits not in (1, 8, 16):
            raise InputError(BROKEN_SEGMENTATION, what="BitsAllocated")
        if "PixelData" not in dataset:
            raise InputError(BROKEN_SEGMENTATION, what="PixelData")
        self.frames_of = {} if self.label_map else self._by_segment()
        self._place()

    @staticmethod
    def _whole(number: float | None, what: str) -> int:
        if number is None:
            raise InputError(BROKEN_SEGMENTATION, what=what)
        return int(number)

    def _item(self, frame: int, keyword: str) -> Tags:
        """The functional group of a frame, its own or the shared one."""
        own = Tags(self._groups[frame]).items(keyword)
        return Tags(next(iter(own or Tags(self._shared).items(keyword)), Dataset()))

    def _place(self) -> None:
        """Find the regular grid of the frames: `self._geometry` of one frame a step, and each frame's step."""
        count = len(self._groups)
        turn = self._item(0, "PlaneOrientationSequence").numbers("ImageOrientationPatient")
        measures = self._item(0, "PixelMeasuresSequence")
        spacing = measures.numbers("PixelSpacing")
        positions = [self._item(i, "PlanePositionSequence").numbers("ImagePositionPatient") for i in range(count)]
        if len(turn) != 6 or len(spacing) != 2 or min(spacing) <= 0 or any(len(p) != 3 for p in positions):
            raise InputError(BROKEN_SEGMENTATION, what="ImagePositionPatient, ImageOrientationPatient, PixelSpacing")
        along_x, along_y = np.asarray(turn[:3]), np.asarray(turn[3:])
        lengths = np.linalg.norm(along_x), np.linalg.norm(along_y)
        if not np.allclose(lengths, 1.0, atol=1e-2) or abs(along_x @ along_y) > 1e-2:
            raise InputError(BROKEN_SEGMENTATION, what="ImageOrientationPatient")
        normal = np.cross(along_x, along_y)
        where = np.asarray(positions)
        thickness = measures.positive("SpacingBetweenSlices") or measures.positive("SliceThickness") or 1.0
        origin, step, self._steps = _regular(where, normal, thickness)
        length = float(np.linalg.norm(step))
        sizes = (length * float(np.max(self._steps)), self._rows * spacing[0], self._columns * spacing[1])
        if min(length, *spacing) < FINEST_MM or max(sizes) > LARGEST_MM or np.max(self._steps) > MOST_STEPS:
            raise InputError(BROKEN_SEGMENTATION, what="PixelSpacing, ImagePositionPatient")
        self._geometry = VolumeGeometry(
            shape=(int(np.max(self._steps)) + 1, self._rows, self._columns),
            spacing_mm=(length, spacing[0], spacing[1]),
            origin_mm=_triple(origin),
            axes=(_triple(step / length), _triple(along_y), _triple(along_x)),
        )

    def _pixels(self, frame: int) -> NDArray[Any]:
        """One frame (rows, columns) as stored."""
        if not self._native:
            return np.asarray(pixel_array(self._dataset, index=frame))
        stored, size = self._dataset.PixelData, self._rows * self._columns
        if self._bits == 1:  # frames follow each other without padding to a byte (PS3.5 8.1.1)
            first = frame * size
            part = np.frombuffer(stored, dtype=np.uint8)[first // 8 : (first + size + 7) // 8]
            bits = np.unpackbits(part, bitorder="little")[first % 8 : first % 8 + size]
        else:
            kind = np.dtype(f"<u{self._bits // 8}")
            first = frame * size * kind.itemsize
            bits = np.frombuffer(stored[first : first + size * kind.itemsize], dtype=np.uint8)
            bits = bits.view(kind) if bits.size == size * kind.itemsize else bits[:0]
        if bits.size != size:
            raise InputError(BROKEN_SEGMENTATION, what="PixelData")
        return bits.reshape(self._rows, self._columns)

    def label_boxes(self) -> tuple[NDArray[Any], Mapping[int, tuple[slice, slice, slice]]]:
        """A label map's frames in the order of their steps, and the box of each label in it."""
        labels = _room(self._geometry.shape, np.dtype(np.uint8 if self._bits == 8 else np.uint16))
        for frame, step in enumerate(self._steps):
            labels[step] = self._pixels(frame)
        boxes = ndimage.find_objects(labels)
        return labels, {number: box for number, box in enumerate(boxes, start=1) if box is not None}

    def segment(
        self, number: int, label_map: tuple[NDArray[Any], Mapping[int, tuple[slice, slice, slice]]] | None
    ) -> tuple[NDArray[Any], VolumeGeometry] | None:
        """The mask of a segment in its bounding box, and that box; None if it is empty."""
        if label_map is not None:
            labels, boxes = label_map
            return (labels[boxes[number]] == number, self._box(boxes[number])) if number in boxes else None
        frames = self.frames_of.get(number, [])
        bounds = [(self._steps[i], found) for i in frames if (found := _bounds(self._pixels(i))) is not None]
        if not bounds:
            return None
        steps = [int(step) for step, _ in bounds]
        rows = slice(min(b[0] for _, b in bounds), max(b[1] for _, b in bounds))
        columns = slice(min(b[2] for _, b in bounds), max(b[3] for _, b in bounds))
        box = (slice(min(steps), max(steps) + 1), rows, columns)
        shape = tuple(part.stop - part.start for part in box)
        mask = _room(shape, np.dtype(bool if self._maximum is None else np.float32))
        for i in frames:
            if min(steps) <= self._steps[i] <= max(steps):
                pixels = self._pixels(i)[rows, columns]
                into = mask[self._steps[i] - min(steps)]
                np.maximum(
                    into, pixels > 0 if self._maximum is None else pixels / self._maximum, out=into, casting="unsafe"
                )
        if self._maximum is not None and mask.max() > 1:
            raise InputError(BROKEN_SEGMENTATION, what="MaximumFractionalValue")
        return mask, self._box(box)

    def _by_segment(self) -> Mapping[int, list[int]]:
        """The frames of each segment."""
        found: dict[int, list[int]] = {}
        for frame in range(len(self._groups)):
            number = self._item(frame, "SegmentIdentificationSequence").number("ReferencedSegmentNumber")
            if number is not None:
                found.setdefault(int(number), []).append(frame)
        return found

    def _box(self, box: tuple[slice, slice, slice]) -> VolumeGeometry:
        z, y, x = box
        return self._geometry.box((z.start, y.start, x.start), (z.stop - z.start, y.stop - y.start, x.stop - x.start))


def _room(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """An empty mask of that shape, unless no honest one is so large."""
    if math.prod(shape) * dtype.itemsize > LARGEST_MASK_BYTES:
        raise InputError(BROKEN_SEGMENTATION, what="Rows, Columns, ImagePositionPatient")
    return np.zeros(shape, dtype=dtype)


def _regular(
    positions: NDArray[np.float64], normal: NDArray[np.float64], thickness_mm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """The first position along the normal, the step to the next frame (sheared stacks too), each frame's step."""
    along = positions @ normal
    order = np.argsort(along)
    first, last = positions[order[0]], positions[order[-1]]
    gaps = np.diff(along[order])
    gaps = gaps[gaps > 1e-3]
    if not gaps.size:
        return first, normal * thickness_mm, np.zeros(len(positions), dtype=np.int64)
    # Every gap is a whole number of steps; the smallest is one, unless all that was drawn lies further apart.
    length = thickness_mm if _multiples(gaps, thickness_mm) else float(np.min(gaps))
    steps = np.rint((along - along[order[0]]) / length).astype(np.int64)
    step = (last - first) / steps.max()
    off = np.linalg.norm(positions - first - steps[:, None] * step, axis=1)
    if off.max() > STEP_TOLERANCE * float(np.linalg.norm(step)):
        raise InputError(IRREGULAR_FRAMES)
    return first, step, steps


def _multiples(gaps: NDArray[np.float64], length: float) -> bool:
    ratio = gaps / length
    return bool(np.all(np.rint(ratio) >= 1) and np.abs(ratio - np.rint(ratio)).max() < STEP_TOLERANCE)


def _bounds(pixels: NDArray[Any]) -> tuple[int, int, int, int] | None:
    rows = np.flatnonzero(pixels.any(axis=1))
    if not rows.size:
        return None
    columns = np.flatnonzero(pixels.any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _triple(vector: NDArray[np.float64]) -> Triple:
    return float(vector[0]), float(vector[1]), float(vector[2])


def _method(segment: Tags) -> str:
    """How it was drawn: the algorithm's name if there is one, with MANUAL, SEMIAUTOMATIC or AUTOMATIC."""
    kind = (segment.text("SegmentAlgorithmType") or "").lower()
    name = segment.text("SegmentAlgorithmName")
    return f"{kind} ({name})" if kind and name else name or kind


def _references(dataset: Dataset) -> References:
    """The series and instances that the object names, and the source images of its frames."""
    header = Tags(dataset)
    series = [*header.items("ReferencedSeriesSequence")]
    for study in header.items("StudiesContainingOtherReferencedInstancesSequence"):
        series.extend(Tags(study).items("ReferencedSeriesSequence"))
    series_uids = {Tags(item).text("SeriesInstanceUID") for item in series}
    instances = [Tags(i) for item in series for i in Tags(item).items("ReferencedInstanceSequence")]
    for group in (*header.items("SharedFunctionalGroupsSequence"), *header.items("PerFrameFunctionalGroupsSequence")):
        for derivation in Tags(group).items("DerivationImageSequence"):
            instances.extend(Tags(i) for i in Tags(derivation).items("SourceImageSequence"))
    sops = {instance.text("ReferencedSOPInstanceUID") for instance in instances}
    return References(
        series_uids=frozenset(uid for uid in series_uids if uid),
        sop_instance_uids=frozenset(uid for uid in sops if uid),
    )
