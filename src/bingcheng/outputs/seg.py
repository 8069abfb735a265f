"""DICOM segmentations (PS3.3 A.51) of lesions, on the slices that they were drawn on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import highdicom
import numpy as np
import pydicom.config
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

import bingcheng
from bingcheng.core.codes import Code
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.dicom.exam import VolumeFrames
from bingcheng.image.region import Region
from bingcheng.outputs.codes import MORPHOLOGICALLY_ABNORMAL, NEOPLASM
from bingcheng.outputs.colours import of_lesion, rgb
from bingcheng.outputs.source_images import as_in_the_images, concept, frame_count, save, source_datasets

NOTHING_TO_SEGMENT = Problem(
    code="outputs.nothing-to-segment",
    says="the region '{label}' holds no voxel, so no segmentation can be written",
    remedy="Draw the region again on this series.",
    owner=Owner.RADIOLOGIST,
)
OTHER_GRID = Problem(
    code="outputs.region-on-other-grid",
    says="the region '{label}' lies on another grid than the images it should be written for",
    remedy="Resample the region onto the series, or name the series that it was drawn on.",
    owner=Owner.DEVELOPER,
)

MANUFACTURER = "The Bingcheng developers"
PRODUCT = "Bingcheng"
SERIES_NUMBER = 9701
MANUAL = "manual"
CATEGORIES = (
    ("cid7196", Code("309825002", "SCT", "Spatial and Relational Concept")),
    ("cid7194", MORPHOLOGICALLY_ABNORMAL),
    ("cid7192", Code("91723000", "SCT", "Anatomical Structure")),
    ("cid7191", Code("85756007", "SCT", "Tissue")),
    ("cid7197", Code("91720002", "SCT", "Body Substance")),
    ("cid7198", Code("105590001", "SCT", "Substance")),
    ("cid7193", Code("260787004", "SCT", "Physical object")),
    ("cid7195", Code("246464006", "SCT", "Function")),
)
"""The types of segments (PS3.16 CID 7151) by their context group, and the category of each group (CID 7150).

Background is also listed among lesions, which it is not; so its own group comes first."""
NAME_LETTERS = 64
"""What a SegmentAlgorithmName holds (PS3.5 6.2, LO)."""
SEMI_AUTOMATIC = re.compile(r"semi-?automatic\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentationReference:
    """Where a written segmentation is, and which segment is which lesion.

    Parameters
    ----------
    path : the file.
    study_uid, series_uid, sop_class_uid, sop_instance_uid : of the written object.
    segments : segment number by tracking UID (by label, for a region that is not tracked).
    """

    path: Path
    study_uid: str
    series_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    segments: Mapping[str, int]


@as_in_the_images()
def write_seg(
    path: Path,
    regions: Sequence[Region],
    frames: VolumeFrames,
    *,
    description: str = "Lesions",
    category: Code = MORPHOLOGICALLY_ABNORMAL,
    written_at: datetime | None = None,
) -> SegmentationReference:
    """Write `regions` as one binary segmentation, a segment each, for the images in `frames`.

    Patient and study are those of the images, so that the object can go back into the same archive. UIDs follow from
    the images, the regions and `written_at`: the same call gives the same object again.

    Parameters
    ----------
    path : where to write; the file appears whole or not at all.
    regions : at least one, none empty, all on the grid of `frames`; a voxel belongs if at least half of it does.
        `label` becomes label and tracking identifier, `tracking_uid` the tracking UID, `code` the segment type
        (neoplasm unless given), from which its category follows if the standard lists that type, `method` how it was
        made: "manual", "semi-automatic ..." or an algorithm's name.
    frames : the slices of one volume; of a multi-frame object only the volume's frames are marked.
    description : description of the new series.
    category : coded category of segments whose type is not in the standard's lists.
    written_at : date and time of content, now unless given.

    Raises
    ------
    InputError
        ``outputs.nothing-to-segment``, ``outputs.region-on-other-grid``, ``dicom.unreadable``.
    """
    for region in regions:
        if region.empty:
            raise InputError(NOTHING_TO_SEGMENT, label=region.label)
        if not region.grid.same_grid(frames.geometry):
            raise InputError(OTHER_GRID, label=region.label)
    low = min(region.start[0] for region in regions)
    high = max(region.start[0] + region.mask.shape[0] for region in regions)
    sources = _drawn_on(frames, range(low, high))
    moment = written_at or datetime.now().astimezone()
    entropy = _fingerprint(frames, regions, moment)
    written = highdicom.seg.Segmentation(
        source_images=sources,
        pixel_array=_stack(regions, frames, low, high),
        segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[_described(number, region, category) for number, region in enumerate(regions, start=1)],
        series_instance_uid=generate_uid(entropy_srcs=[*entropy, "seg-series"]),
        series_number=SERIES_NUMBER,
        sop_instance_uid=generate_uid(entropy_srcs=[*entropy, "seg"]),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=PRODUCT,
        software_versions=bingcheng.__version__,
        device_serial_number=bingcheng.__version__,
        content_label="LESIONS",
        content_description=description[:64],
        series_description=description[:64],
        transfer_syntax_uid=ExplicitVRLittleEndian,
    )
    _restore_frame_numbers(written, [frames.frames[z].frame + 1 for z in range(low, high)])
    save(written, path, moment)
    return SegmentationReference(
        path=path,
        study_uid=str(written.StudyInstanceUID),
        series_uid=str(written.SeriesInstanceUID),
        sop_class_uid=str(written.SOPClassUID),
        sop_instance_uid=str(written.SOPInstanceUID),
        segments=MappingProxyType({key_of(region): number for number, region in enumerate(regions, start=1)}),
    )


def key_of(region: Region) -> str:
    """What a region is looked up by in `SegmentationReference.segments`."""
    return region.tracking_uid or region.label


def tracked(region: Region, study_uid: str, name: str) -> Region:
    """`region` with a tracking UID: its own if that is one, else one that follows from the study and the lesion's name.

    A lesion that came without, as from an RTSTRUCT, is the same lesion in all reports and segmentations of its exam.
    """
    own = region.tracking_uid
    if own and UID(own, validation_mode=pydicom.config.IGNORE).is_valid:
        return region
    return replace(region, tracking_uid=generate_uid(entropy_srcs=[study_uid, name, "lesion"]))


def _drawn_on(frames: VolumeFrames, slices: range) -> list[Dataset]:
    """The images of some slices: one dataset each, or one multi-frame dataset cut down to the frames of these slices.

    A multi-frame object may hold each position several times (b-values, phases), which highdicom refuses; and a lesion
    needs a few of its frames only.
    """
    sources, _ = source_datasets(frames, slices)
    if len(sources) == 1 and frame_count(sources[0]) > 1:
        whole = sources[0]
        cut = Dataset(whole)
        cut.file_meta = whole.file_meta
        cut.PerFrameFunctionalGroupsSequence = [
            whole.PerFrameFunctionalGroupsSequence[frames.frames[z].frame] for z in slices
        ]
        cut.NumberOfFrames = len(slices)
        return [cut]
    return sources


def _restore_frame_numbers(written: Dataset, numbers: Sequence[int]) -> None:
    """Make references to frames of the cut-down object name the frames of the whole one (counted from 1)."""
    images = {
        id(image): image  # segments that share a slice share the reference too
        for group in written.PerFrameFunctionalGroupsSequence
        for derivation in group.get("DerivationImageSequence", ())
        for image in derivation.SourceImageSequence
        if "ReferencedFrameNumber" in image
    }
    for image in images.values():
        image.ReferencedFrameNumber = numbers[int(image.ReferencedFrameNumber) - 1]


def _stack(regions: Sequence[Region], frames: VolumeFrames, low: int, high: int) -> NDArray[np.uint8]:
    """Masks (slice, row, column, segment) of the slices from `low` to before `high`."""
    _, rows, columns = frames.geometry.shape
    stack = np.zeros((high - low, rows, columns, len(regions)), dtype=np.uint8)
    for number, region in enumerate(regions):
        in_slices, in_rows, in_columns = region.box()
        stack[in_slices.start - low : in_slices.stop - low, in_rows, in_columns, number] = region.inside
    return stack


def category_of(kind: Code) -> Code | None:
    """The category of a type of segment, such as neoplasm or liver; None if the standard doesn't list that type."""
    listed = concept(kind)
    return next((category for group, category in CATEGORIES if listed in getattr(codes, group)), None)


def _described(number: int, region: Region, category: Code) -> highdicom.seg.SegmentDescription:
    described = highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=region.label[:64],
        segmented_property_category=concept(category_of(region.code or NEOPLASM) or category),
        segmented_property_type=concept(region.code or NEOPLASM),
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
        tracking_uid=region.tracking_uid,
        tracking_id=region.label if region.tracking_uid else None,
        # Viewers complain of a segment without a colour, and give all of them the same.
        display_color=highdicom.color.CIELabColor.from_rgb(*rgb(of_lesion(number - 1))),
    )
    method = region.method.strip()
    if method.casefold() not in ("", MANUAL):
        # PS3.3 C.8.20.2: a name is required unless manual; the family of an algorithm known by name only is not
        # known, so the identification sequence, which demands one, is left out.
        semi = SEMI_AUTOMATIC.match(method)
        name = method[semi.end() :].strip(" ():") if semi else method
        described.SegmentAlgorithmType = "SEMIAUTOMATIC" if semi else "AUTOMATIC"
        # A name holds 64 letters (LO), too few for many parameters; the description (ST) has them all.
        described.SegmentAlgorithmName = _named(name or method)
        described.SegmentDescription = method[:1024]
    return described


def _named(method: str) -> str:
    """A method in 64 letters: at need without parameters, as ``key/revision`` of ``key(parameters)/revision; …``."""
    if len(method) <= NAME_LETTERS:
        return method
    key, opened, rest = method.partition(";")[0].partition("(")
    return (f"{key}/{rest.rpartition('/')[2]}" if opened and "/" in rest else method)[:NAME_LETTERS]


def _fingerprint(frames: VolumeFrames, regions: Sequence[Region], moment: datetime) -> list[str]:
    digest = hashlib.sha256()
    for region in regions:
        digest.update(repr((region.label, region.tracking_uid, region.start, region.mask.shape)).encode())
        digest.update(np.packbits(region.inside).tobytes())
    return [*dict.fromkeys(frames.sop_instance_uids), repr(frames.key), digest.hexdigest(), moment.isoformat()]
