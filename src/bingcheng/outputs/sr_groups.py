"""The measurement groups of a structured report: a lesion's axes on a slice, and its measurements over the volume."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import highdicom
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from bingcheng.core.codes import Code
from bingcheng.core.measurement import Measurement
from bingcheng.dicom.exam import VolumeFrames
from bingcheng.outputs.codes import (
    COMMENT,
    LONG_AXIS_SRT,
    LOWER_UNCERTAINTY,
    NEOPLASM,
    SHORT_AXIS_SRT,
    UPPER_UNCERTAINTY,
    coded,
    private,
    unit_code,
)
from bingcheng.outputs.radiomics.feature_set import FeatureSet
from bingcheng.outputs.seg import SegmentationReference
from bingcheng.outputs.source_images import concept, frame_count
from bingcheng.quantify.size.diameter import Chord, DiameterLine

BIDIRECTIONAL = "Cornerstone3DTools@^0.1.0:Bidirectional"
"""Tracking identifier by which the OHIF viewer knows which of its tools draws the two lines."""
LONGEST_DIAMETER, SHORT_AXIS = "longest_diameter", "short_axis"
LONGEST_TEXT = 64
"""The characters that fit into a short text of a content item in common archives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedLesion:
    """One lesion in one series, as it is reported.

    Parameters
    ----------
    label : what it is called; never patient data.
    tracking_uid : the same at other time points and in the segmentation.
    measurements : all of them; those without a value are left out of the report.
    axis : longest diameter and short axis as lines, None if they were not measured.
    site : where it lies, coded, if known.
    radiomics : its features, which go into a report of their own; one entry an image type.
    """

    label: str
    tracking_uid: str
    measurements: tuple[Measurement, ...]
    axis: DiameterLine | None = None
    site: Code | None = None
    radiomics: tuple[FeatureSet, ...] = ()


def diameter_group(
    lesion: ReportedLesion, frames: VolumeFrames, image: Dataset, published: Mapping[str, Code] | None
) -> highdicom.sr.MeasurementsAndQualitativeEvaluations:
    """The lesion's long and short axis, each with its line on the slice (TID 1501 with SCOORD polylines).

    The older SRT codes are used because they are the ones that viewers look for. Nothing but its line hangs below an
    axis: the OHIF viewer (3.12) takes one that has anything else below it for a value without coordinates, and stops
    with an error. After the axes the other values stand once more, bare: OHIF lists a value without coordinates only
    if nothing at all hangs below it. Uncertainties and algorithms, of the axes too, stand in `volume_group`.

    The tracking identifier is the name of the viewer's tool, so the lesion's own name stands as a comment, which is
    what OHIF shows beside the lines; TID 1501 is open to further content.
    """
    assert lesion.axis is not None
    frame = _frame_number(frames, lesion.axis.slice_index, image)
    lines = [_line(LONG_AXIS_SRT, lesion, LONGEST_DIAMETER, lesion.axis.long_axis, frames, image, frame)]
    if lesion.axis.short_axis is not None:
        lines.append(_line(SHORT_AXIS_SRT, lesion, SHORT_AXIS, lesion.axis.short_axis, frames, image, frame))
    group = highdicom.sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=highdicom.sr.TrackingIdentifier(uid=lesion.tracking_uid, identifier=BIDIRECTIONAL),
        finding_type=concept(NEOPLASM),
        finding_sites=_sites(lesion),
        measurements=[*lines, *(_bare(m, published) for m in _beside_the_axes(lesion))],
    )
    if lesion.label:
        group[0].ContentSequence.append(
            highdicom.sr.TextContentItem(
                name=concept(COMMENT),
                value=lesion.label[:LONGEST_TEXT],
                relationship_type=highdicom.sr.RelationshipTypeValues.CONTAINS,
            )
        )
    return group


def volume_group(
    lesion: ReportedLesion, seg: SegmentationReference, series_uid: str, published: Mapping[str, Code] | None
) -> highdicom.sr.VolumetricROIMeasurementsAndQualitativeEvaluations | None:
    """All measurements that have a value, with uncertainty and algorithm, over the lesion's segment (TID 1411).

    None if no measurement has a value.
    """
    measured = [m for m in lesion.measurements if m.value is not None]
    if not measured:
        return None
    return segment_group(lesion, seg, series_uid, [_measurement(m, published) for m in measured])


def segment_group(
    lesion: ReportedLesion,
    seg: SegmentationReference,
    series_uid: str,
    measurements: list[highdicom.sr.Measurement],
    algorithm: highdicom.sr.AlgorithmIdentification | None = None,
) -> highdicom.sr.VolumetricROIMeasurementsAndQualitativeEvaluations:
    """Measurements over a lesion's segment (TID 1411); `algorithm` is what made all of them."""
    # The reference is built by hand: highdicom 0.28 looks for the segment of each frame in the per-frame groups, but
    # writes it into the shared group when there is one segment only.
    segment = highdicom.sr.ReferencedSegment(
        sop_class_uid=seg.sop_class_uid,
        sop_instance_uid=seg.sop_instance_uid,
        segment_number=seg.segments[lesion.tracking_uid],
        source_series=highdicom.sr.SourceSeriesForSegmentation(series_uid),
    )
    return highdicom.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=highdicom.sr.TrackingIdentifier(
            uid=lesion.tracking_uid, identifier=lesion.label[:LONGEST_TEXT] or lesion.tracking_uid
        ),
        referenced_segment=segment,
        finding_type=concept(NEOPLASM),
        finding_sites=_sites(lesion),
        algorithm_id=algorithm,
        measurements=measurements,
    )


def _beside_the_axes(lesion: ReportedLesion) -> list[Measurement]:
    """The measurements that have a value and are not drawn as lines."""
    drawn = {LONGEST_DIAMETER, SHORT_AXIS} if lesion.axis is not None else set()
    return [m for m in lesion.measurements if m.value is not None and m.key not in drawn]


def _bare(measurement: Measurement, published: Mapping[str, Code] | None) -> highdicom.sr.Measurement:
    """Name, value and unit alone; what only a derivation tells apart (SUV maximum, mean, peak) is named by its key."""
    assert measurement.value is not None
    what = coded(measurement, published)
    return highdicom.sr.Measurement(
        name=concept(what.concept if what.derivation is None else private(measurement)),
        value=storable_number(measurement.value),
        unit=concept(unit_code(measurement.unit)),
    )


def _sites(lesion: ReportedLesion) -> list[highdicom.sr.FindingSite] | None:
    return None if lesion.site is None else [highdicom.sr.FindingSite(anatomic_location=concept(lesion.site))]


def _measurement(measurement: Measurement, published: Mapping[str, Code] | None) -> highdicom.sr.Measurement:
    assert measurement.value is not None
    what = coded(measurement, published)
    item = highdicom.sr.Measurement(
        name=concept(what.concept),
        value=storable_number(measurement.value),
        unit=concept(unit_code(measurement.unit)),
        derivation=None if what.derivation is None else concept(what.derivation),
        algorithm_id=_algorithm(measurement),
    )
    add_uncertainty(item, measurement.expanded_uncertainty, unit_code(measurement.unit))
    return item


def _line(
    code: Code,
    lesion: ReportedLesion,
    key: str,
    chord: Chord,
    frames: VolumeFrames,
    image: Dataset,
    frame: int | None,
) -> highdicom.sr.Measurement:
    measured = next((m for m in lesion.measurements if m.key == key and m.value is not None), None)
    return highdicom.sr.Measurement(
        name=concept(code),
        value=storable_number(chord.length_mm if measured is None or measured.value is None else measured.value),
        unit=concept(unit_code("mm")),
        referenced_coordinates=[
            highdicom.sr.CoordinatesForMeasurement(
                graphic_type=highdicom.sr.GraphicTypeValues.POLYLINE,
                graphic_data=_on_image(chord, frames),
                source_image=highdicom.sr.SourceImageForRegion(
                    referenced_sop_class_uid=str(image.SOPClassUID),
                    referenced_sop_instance_uid=str(image.SOPInstanceUID),
                    referenced_frame_numbers=None if frame is None else [frame],
                ),
            )
        ],
    )


def _on_image(chord: Chord, frames: VolumeFrames) -> NDArray[np.float64]:
    """The ends of a line as (column, row), where the image's outer corner is (0, 0) (PS3.3 C.18.6.1.1)."""
    index = frames.geometry.to_index(np.asarray((chord.start_mm, chord.end_mm)))
    on_image: NDArray[np.float64] = index[:, [2, 1]] + 0.5  # from voxel centres to the corner of the image
    return np.maximum(on_image, 0.0)


def _frame_number(frames: VolumeFrames, z: int, image: Dataset) -> int | None:
    return frames.frames[z].frame + 1 if frame_count(image) > 1 else None


def _algorithm(measurement: Measurement) -> highdicom.sr.AlgorithmIdentification:
    provenance = measurement.provenance
    settings = [f"{name}={_setting(value)}" for name, value in sorted(provenance.parameters.items())]
    return highdicom.sr.AlgorithmIdentification(
        name=f"{provenance.package}.{provenance.measure}",
        version=f"{provenance.version} (revision {provenance.revision})",
        parameters=settings or None,
    )


def _setting(value: object) -> str:
    """A setting as text: JSON, but a text as it stands."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=dict)


def add_uncertainty(item: highdicom.sr.Measurement, expanded: float | None, unit: Code) -> None:
    """Add the expanded uncertainty (k = 2) as TID 310 has it, in the unit of the value, before the algorithm's rows."""
    if expanded is None:
        return
    content = item[0].ContentSequence if "ContentSequence" in item[0] else highdicom.sr.ContentSequence()
    for code in (UPPER_UNCERTAINTY, LOWER_UNCERTAINTY):
        content.append(
            highdicom.sr.NumContentItem(
                name=concept(code),
                value=storable_number(expanded),
                unit=concept(unit),
                relationship_type=highdicom.sr.RelationshipTypeValues.HAS_PROPERTIES,
            )
        )
    item[0].ContentSequence = content


def storable_number(value: float) -> float:
    """The value with as many digits as a decimal string of 16 characters holds (PS3.5 6.2, VR DS)."""
    return float(f"{value:.10g}")
