"""RTSTRUCT: closed planar contours as the exact part of each voxel that they enclose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from bingcheng.core.codes import Code
from bingcheng.core.errors import BingchengError, InputError, Owner, Problem
from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.masks.placement import EMPTY_SEGMENT, Drawn, References
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.membership import Index, require_room, resampled
from bingcheng.image.polygon import coverage

NOT_CLOSED_PLANAR = Problem(
    code="dicom.contour-not-closed-planar",
    says="'{label}' has a contour of type {kind}, which encloses no area",
    remedy="Draw the region as closed contours on the slices of the image.",
    owner=Owner.RADIOLOGIST,
)
NOT_IN_SLICE_PLANE = Problem(
    code="dicom.contours-not-in-slice-plane",
    says="the contours of '{label}' don't lie in the slices of the image",
    remedy="Draw the region on the slices of the image, or send the reformatted image on which it was drawn.",
    owner=Owner.RADIOLOGIST,
)
BROKEN_CONTOUR = Problem(
    code="dicom.contour-broken",
    says="'{label}' has a contour whose points are no triples of numbers",
    remedy="Export the structure set again.",
    owner=Owner.VENDOR,
)
FAR_AWAY = Problem(
    code="dicom.contour-far-away",
    says="'{label}' has points more than {limit_mm} mm away from the image",
    remedy="Delete the stray contour, or check that the structure set belongs to this image.",
    owner=Owner.RADIOLOGIST,
)

CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
FARTHEST_MM = 1000.0
"""From the image's edge: a region is drawn on an image, not a room away from it."""
SAME_PLANE = 0.05
"""In slices: contours nearer than this to each other lie in one plane."""
FLAT = 0.25
"""In slices: a contour that leaves its plane by more is not drawn in the slices of this image."""
ONE_A_SLICE = (0.75, 1.25)
"""Distance of neighbouring planes, in slices, at which each plane is taken to be the slice nearest to it."""


def drawn_rois(dataset: Dataset) -> Iterator[Drawn | BingchengError]:
    """Each region of a structure set, or why it can't be used."""
    header = Tags(dataset)
    contours = {Tags(item).number("ReferencedROINumber"): item for item in header.items("ROIContourSequence")}
    observations = {
        Tags(item).number("ReferencedROINumber"): Tags(item) for item in header.items("RTROIObservationsSequence")
    }
    references, frames = _references(header)
    for item in header.items("StructureSetROISequence"):
        roi = Tags(item)
        number = roi.number("ROINumber")
        if number is None:
            continue
        observed = observations.get(number, Tags(Dataset()))
        label = roi.text("ROIName") or observed.text("ROIObservationLabel") or f"ROI {int(number)}"
        try:
            outlines, sources = _outlines(contours.get(number), label, int(number))
        except BingchengError as error:
            yield error
            continue
        yield Drawn(
            number=int(number),
            label=label,
            membership=_Membership(outlines, label),
            points_mm=np.concatenate(outlines),
            frame_of_reference_uid=roi.text("ReferencedFrameOfReferenceUID")
            or (next(iter(frames)) if len(frames) == 1 else header.text("FrameOfReferenceUID")),
            source_uid=header.text("SOPInstanceUID") or "",
            references=replace(references, sop_instance_uids=sources or references.sop_instance_uids),
            tracking_uid=observed.text("TrackingUID"),
            tracking_id=observed.text("TrackingID"),
            code=_type_code(observed),
            role=(observed.text("RTROIInterpretedType") or "").upper() or None,
            method=_method(roi),
        )


class _Membership:
    """Closed planar contours as membership on the grid of an image."""

    def __init__(self, outlines: Sequence[NDArray[np.float64]], label: str) -> None:
        self.outlines = outlines
        self.label = label

    def __call__(self, grid: VolumeGeometry) -> tuple[NDArray[Any], Index]:
        indices = [grid.to_index(outline) for outline in self.outlines]
        margin = FARTHEST_MM / np.asarray(grid.spacing_mm)
        if any((index < -margin).any() or (index > np.asarray(grid.shape) + margin).any() for index in indices):
            raise InputError(FAR_AWAY, label=self.label, limit_mm=FARTHEST_MM)
        if any(np.ptp(index[:, 0]) > FLAT for index in indices):
            raise InputError(NOT_IN_SLICE_PLANE, label=self.label)
        heights, planes = _planes(indices)
        distance = float(np.median(np.diff(heights))) if len(heights) > 1 else 1.0
        if ONE_A_SLICE[0] <= distance <= ONE_A_SLICE[1]:
            return _stacked(planes, np.rint(heights).astype(int), grid)
        # Planes further apart or nearer than the slices: each stands for a slab as thick as their distance.
        distance = float(np.min(np.diff(heights))) if len(heights) > 1 else 1.0
        steps = np.rint((heights - heights[0]) / distance).astype(int)
        mask, (z, y, x) = _stacked(planes, steps, grid)
        own = grid.box((0, 0, 0), grid.shape)
        origin = grid.to_mm((heights[0] + z * distance, y, x))
        drawn = replace(
            own,
            shape=(mask.shape[0], mask.shape[1], mask.shape[2]),
            spacing_mm=(grid.spacing_mm[0] * distance, grid.spacing_mm[1], grid.spacing_mm[2]),
            origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
        )
        return resampled(mask, drawn, grid)


def _planes(
    indices: Sequence[NDArray[np.float64]],
) -> tuple[NDArray[np.float64], list[list[NDArray[np.float64]]]]:
    """The heights (in slices) of the planes, in order, and the outlines (row, column) in each."""
    means = np.array([index[:, 0].mean() for index in indices])
    heights: list[float] = []
    planes: list[list[NDArray[np.float64]]] = []
    for which in np.argsort(means, kind="stable"):
        if not heights or means[which] - heights[-1] > SAME_PLANE:
            heights.append(float(means[which]))
            planes.append([])
        planes[-1].append(indices[which][:, 1:])
    return np.array(heights), planes


def _stacked(
    planes: Sequence[Sequence[NDArray[np.float64]]], slices: NDArray[np.int64], grid: VolumeGeometry
) -> tuple[NDArray[np.float32], Index]:
    """The planes' coverage, each at its slice; of two planes at one slice a pixel has the larger."""
    corners = np.concatenate([outline for plane in planes for outline in plane])
    require_room([int(side) + 2 for side in (np.ptp(slices), *np.ptp(corners, axis=0))], grid)
    filled = [coverage(plane) for plane in planes]
    used = [(mask, start, k) for (mask, start), k in zip(filled, slices, strict=True) if mask.size]
    if not used:
        return np.zeros((0, 0, 0), dtype=np.float32), (0, 0, 0)
    low = [min(int(k) for _, _, k in used), *(min(start[axis] for _, start, _ in used) for axis in (0, 1))]
    high = [
        max(int(k) for _, _, k in used) + 1,
        *(max(start[axis] + mask.shape[axis] for mask, start, _ in used) for axis in (0, 1)),
    ]
    total = np.zeros(np.subtract(high, low), dtype=np.float32)
    for mask, (row, column), k in used:
        rows, columns = mask.shape
        into = total[k - low[0], row - low[1] : row - low[1] + rows, column - low[2] : column - low[2] + columns]
        np.maximum(into, mask, out=into)
    return total, (low[0], low[1], low[2])


def _outlines(item: Dataset | None, label: str, number: int) -> tuple[list[NDArray[np.float64]], frozenset[str]]:
    """The closed outlines (n, 3) of a region in mm LPS, and the instances on which they were drawn."""
    contours = Tags(item).items("ContourSequence") if item is not None else ()
    outlines: list[NDArray[np.float64]] = []
    sources: set[str | None] = set()
    for each in contours:
        contour = Tags(each)
        kind = contour.text("ContourGeometricType") or "unknown"
        if kind.upper() not in CLOSED:
            raise InputError(NOT_CLOSED_PLANAR, label=label, kind=kind)
        points = contour.decimals("ContourData")
        if not points.size or points.size % 3:
            raise InputError(BROKEN_CONTOUR, label=label)
        outlines.append(points.reshape(-1, 3))
        sources.update(Tags(i).text("ReferencedSOPInstanceUID") for i in contour.items("ContourImageSequence"))
    if not any(len(outline) >= 3 for outline in outlines):
        raise InputError(EMPTY_SEGMENT, label=label, number=number)
    return [outline for outline in outlines if len(outline) >= 3], frozenset(uid for uid in sources if uid)


def _references(header: Tags) -> tuple[References, frozenset[str]]:
    """The series and instances that the structure set names, and its frames of reference."""
    series: set[str | None] = set()
    sops: set[str | None] = set()
    frames: set[str | None] = set()
    for frame in header.items("ReferencedFrameOfReferenceSequence"):
        frames.add(Tags(frame).text("FrameOfReferenceUID"))
        for study in Tags(frame).items("RTReferencedStudySequence"):
            for one in Tags(study).items("RTReferencedSeriesSequence"):
                series.add(Tags(one).text("SeriesInstanceUID"))
                sops.update(Tags(i).text("ReferencedSOPInstanceUID") for i in Tags(one).items("ContourImageSequence"))
    references = References(
        series_uids=frozenset(uid for uid in series if uid), sop_instance_uids=frozenset(uid for uid in sops if uid)
    )
    return references, frozenset(uid for uid in frames if uid)


def _type_code(observed: Tags) -> Code | None:
    return observed.code("RTROIIdentificationCodeSequence")


def _method(roi: Tags) -> str:
    kind = (roi.text("ROIGenerationAlgorithm") or "").lower()
    name = roi.text("ROIGenerationDescription")
    return f"{kind} ({name})" if kind and name else name or kind
