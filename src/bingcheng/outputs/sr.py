"""Structured reports of lesion measurements (PS3.16 TID 1500), which viewers open as measurements.

Each lesion gives up to two groups with one tracking UID, the one its segment has: its long and short axis as lines on
the slice (TID 1501), and its other measurements over the volume, which point at the segment (TID 1411). A lesion
without axes has no place on an image, and viewers can list its values but not draw them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import highdicom
from highdicom.sr import ComprehensiveSR
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

import bingcheng
from bingcheng.core.codes import Code
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.dicom.exam import VolumeFrames
from bingcheng.outputs.codes import ANY_PROCEDURE, PROCEDURES
from bingcheng.outputs.seg import MANUFACTURER, PRODUCT, SegmentationReference
from bingcheng.outputs.source_images import as_in_the_images, concept, save, source_datasets
from bingcheng.outputs.sr_groups import ReportedLesion, diameter_group, volume_group

NOTHING_TO_REPORT = Problem(
    code="outputs.nothing-to-report",
    says="no lesion has a value to report for this series",
    remedy="See the reasons given with the measurements; without any value there is no report to write.",
    owner=Owner.RADIOLOGIST,
)

SERIES_NUMBER = 9702
IMAGING_MEASUREMENTS = "126010"
"""Code value of the container of all measurement groups (PS3.16 TID 1500)."""

Group = (
    highdicom.sr.MeasurementsAndQualitativeEvaluations | highdicom.sr.VolumetricROIMeasurementsAndQualitativeEvaluations
)


@as_in_the_images()
def write_sr(
    path: Path,
    lesions: Sequence[ReportedLesion],
    frames: VolumeFrames,
    seg: SegmentationReference,
    *,
    description: str = "Lesion measurements",
    published: Mapping[str, Code] | None = None,
    written_at: datetime | None = None,
) -> str:
    """Write the measurements of `lesions` in one series; returns the SOP Instance UID.

    Patient and study are those of the images. Values come with their expanded uncertainty (k = 2) as the range of
    upper and lower measurement uncertainty (TID 310), in the value's unit, and with the algorithm that made them.
    A measurement without a value is left out: viewers do not read the qualifier that would carry its reason.

    Parameters
    ----------
    path : where to write; the file appears whole or not at all.
    lesions : measured on the volume of `frames`; each has a segment in `seg`.
    frames : the slices of the volume.
    seg : the segmentation of the same lesions, as `write_seg` returned it.
    description : description of the new series.
    published : codes of further measures, by measurement key.
    written_at : date and time of content, now unless given.

    Raises
    ------
    InputError
        ``outputs.nothing-to-report``, ``dicom.unreadable``.
    """
    marked = sorted({lesion.axis.slice_index for lesion in lesions if lesion.axis is not None})
    sources, planes = source_datasets(frames, marked or [0])
    groups: list[Group] = []
    for lesion in lesions:
        if lesion.axis is not None:
            plane = planes[lesion.axis.slice_index]
            groups.append(diameter_group(lesion, frames, sources[plane if len(sources) > 1 else 0], published))
        if volume := volume_group(lesion, seg, str(sources[0].SeriesInstanceUID), published):
            groups.append(volume)
    if not groups:
        raise InputError(NOTHING_TO_REPORT)
    return save_groups(path, groups, sources, seg, _fingerprint(lesions), description, written_at=written_at)


def save_groups(
    path: Path,
    groups: Sequence[Group],
    sources: Sequence[Dataset],
    seg: SegmentationReference,
    fingerprint: str,
    description: str,
    *,
    series_number: int = SERIES_NUMBER,
    written_at: datetime | None = None,
) -> str:
    """Write measurement groups as a report; returns the SOP Instance UID.

    Parameters
    ----------
    sources : the images that were measured, or one of them.
    fingerprint : of the content; the UIDs follow from it, the segmentation and the date.
    """
    moment = written_at or datetime.now().astimezone()
    entropy = [seg.sop_instance_uid, fingerprint, moment.isoformat()]
    (root,) = _report(groups, sources)
    whole = root.ContentSequence
    # The groups come after highdicom has done its work: it copies and searches all content several times. What it takes
    # from there is the check that all images that are referred to are in the evidence, which they are.
    root.ContentSequence = [item for item in whole if item.name.value != IMAGING_MEASUREMENTS]
    written = ComprehensiveSR(
        evidence=[*sources, _evidence(seg)],
        content=root,
        series_instance_uid=generate_uid(entropy_srcs=[*entropy, "sr-series"]),
        series_number=series_number,
        sop_instance_uid=generate_uid(entropy_srcs=[*entropy, "sr"]),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=PRODUCT,
        software_versions=bingcheng.__version__,
        series_description=description[:64],
        is_complete=True,
        is_verified=False,
    )
    written.ContentSequence = whole
    save(written, path, moment)
    return str(written.SOPInstanceUID)


def _report(groups: Sequence[Group], sources: Sequence[Dataset]) -> highdicom.sr.MeasurementReport:
    device = highdicom.sr.DeviceObserverIdentifyingAttributes(
        uid=generate_uid(entropy_srcs=[PRODUCT, bingcheng.__version__]),
        name=PRODUCT,
        manufacturer_name=MANUFACTURER,
        model_name=f"{PRODUCT} {bingcheng.__version__}",
    )
    observer = highdicom.sr.ObserverContext(
        observer_type=highdicom.sr.CodedConcept("121007", "DCM", "Device"),
        observer_identifying_attributes=device,
    )
    report = highdicom.sr.MeasurementReport(
        observation_context=highdicom.sr.ObservationContext(observer_device_context=observer),
        procedure_reported=concept(PROCEDURES.get(str(sources[0].Modality), ANY_PROCEDURE)),
        imaging_measurements=list(groups),
    )
    content = report[0].ContentSequence
    measurements = next(n for n, item in enumerate(content) if item.name.value == IMAGING_MEASUREMENTS)
    content.insert(measurements, _image_library(sources))
    return report


def _image_library(sources: Sequence[Dataset]) -> highdicom.sr.ContainerContentItem:
    """The images that are referred to (TID 1600); OHIF before 3.13 stops at a report without such a list.

    Built by hand, because highdicom 0.28 looks for the spacing at the top level, where enhanced images have none.
    """
    contains = highdicom.sr.RelationshipTypeValues.CONTAINS
    library = highdicom.sr.ContainerContentItem(
        name=concept(Code("111028", "DCM", "Image Library")), template_id="1600", relationship_type=contains
    )
    group = highdicom.sr.ContainerContentItem(
        name=concept(Code("126200", "DCM", "Image Library Group")), relationship_type=contains
    )
    group.ContentSequence = highdicom.sr.ContentSequence(
        [
            highdicom.sr.ImageContentItem(
                name=concept(Code("260753009", "SCT", "Source")),
                referenced_sop_class_uid=str(source.SOPClassUID),
                referenced_sop_instance_uid=str(source.SOPInstanceUID),
                relationship_type=contains,
            )
            for source in sources
        ]
    )
    library.ContentSequence = highdicom.sr.ContentSequence([group])
    return library


def _evidence(seg: SegmentationReference) -> Dataset:
    """As much of the segmentation as a reference to it needs."""
    evidence = Dataset()
    evidence.StudyInstanceUID = seg.study_uid
    evidence.SeriesInstanceUID = seg.series_uid
    evidence.SOPClassUID = seg.sop_class_uid
    evidence.SOPInstanceUID = seg.sop_instance_uid
    return evidence


def _fingerprint(lesions: Sequence[ReportedLesion]) -> str:
    facts = [
        (
            lesion.label,
            lesion.tracking_uid,
            lesion.axis,
            [(m.key, m.value, m.standard_uncertainty) for m in lesion.measurements],
        )
        for lesion in lesions
    ]
    return hashlib.sha256(repr(facts).encode()).hexdigest()
