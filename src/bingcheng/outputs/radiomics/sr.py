"""Radiomics features as a structured report of their own (PS3.16 TID 1500), beside that of the measurements.

Each lesion has one group an image type over its segment (TID 1411), under the tracking UID of its measurements. A
feature is named by its identifier in the IBSI reference manual, which PS3.16 knows as the coding scheme ``IBSI``; the
aggregation of a texture feature, without which two values would have one name, is its measurement method. Values come
with their expanded uncertainty (k = 2, TID 310). Settings and version stand once a group. The report of the
measurements stays as small as viewers and readers like it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import highdicom
from pydicom.sr import codedict

from bingcheng.core.codes import Code
from bingcheng.dicom.exam import VolumeFrames
from bingcheng.outputs.codes import PRIVATE_SCHEME, unit_code
from bingcheng.outputs.radiomics.feature_set import Feature, FeatureSet
from bingcheng.outputs.seg import SegmentationReference
from bingcheng.outputs.source_images import as_in_the_images, concept, source_datasets
from bingcheng.outputs.sr import save_groups
from bingcheng.outputs.sr_groups import ReportedLesion, add_uncertainty, segment_group, storable_number

SERIES_NUMBER = 9703
IBSI = "IBSI"
LONGEST_MEANING = 64
METHODS: Mapping[str, str] = MappingProxyType(
    {
        "BTW3": "by slice, averaged over directions and slices",
        "SUJT": "by slice, directions merged, averaged over slices",
        "JJUI": "by slice, slices merged, averaged over directions",
        "ZW7Z": "by slice, directions and slices merged",
        "ITBB": "in the volume, averaged over directions",
        "IAZD": "in the volume, directions merged",
        "8QNN": "by slice, averaged over slices",
        "62GR": "by slice, slices merged",
        "KOBO": "in the volume",
    }
)
"""The aggregations by their identifiers in the IBSI reference manual."""


@as_in_the_images()
def write_radiomics_sr(
    path: Path,
    lesions: Sequence[ReportedLesion],
    frames: VolumeFrames,
    seg: SegmentationReference,
    *,
    written_at: datetime | None = None,
) -> str | None:
    """Write the features of the lesions of one series; returns the SOP Instance UID, None if there is none to write.

    Parameters are those of `bingcheng.outputs.sr.write_sr`.

    Raises
    ------
    InputError
        ``dicom.unreadable``, ``outputs.cannot-write``.
    """
    found = [(lesion, one) for lesion in lesions for one in lesion.radiomics if any(v is not None for v in one.values)]
    if not found:
        return None
    sources, _ = source_datasets(frames, [0])
    series_uid = str(sources[0].SeriesInstanceUID)
    meanings = published()
    groups = [
        segment_group(lesion, seg, series_uid, list(_measurements(one.features(), meanings)), _algorithm(one))
        for lesion, one in found
    ]
    facts = [(lesion.label, lesion.tracking_uid, one.kind, one.values) for lesion, one in found]
    fingerprint = hashlib.sha256(repr(facts).encode()).hexdigest()
    return save_groups(
        path,
        groups,
        sources,
        seg,
        fingerprint,
        "Radiomics features",
        series_number=SERIES_NUMBER,
        written_at=written_at,
    )


def published() -> dict[str, str]:
    """The meaning of each identifier of the IBSI that PS3.16 lists (CID 7467, 7468, 7475 to 7479, 7500, 7501)."""
    return {code.value: code.meaning for code in codedict.codes.IBSI.concepts.values()}


def feature_code(feature: Feature, meanings: Mapping[str, str]) -> Code:
    """The concept of a feature: the IBSI's identifier, with PS3.16's words for it where that lists it."""
    identifier = feature.ibsi.partition(":")[0]
    if not identifier:
        return Code(feature.tag, PRIVATE_SCHEME, feature.label[:LONGEST_MEANING])
    return Code(identifier, IBSI, meanings.get(identifier, feature.label)[:LONGEST_MEANING])


def _measurements(features: Iterable[Feature], meanings: Mapping[str, str]) -> Iterable[highdicom.sr.Measurement]:
    for feature in features:
        if feature.value is None:
            continue
        aggregation = feature.ibsi.partition(":")[2]
        unit = unit_code(feature.unit)
        item = highdicom.sr.Measurement(
            name=concept(feature_code(feature, meanings)),
            value=storable_number(feature.value),
            unit=concept(unit),
            method=concept(Code(aggregation, IBSI, METHODS[aggregation])) if aggregation in METHODS else None,
        )
        add_uncertainty(item, feature.expanded_uncertainty, unit)
        yield item


def _algorithm(found: FeatureSet) -> highdicom.sr.AlgorithmIdentification:
    provenance = found.provenance
    settings = {"image_type": found.kind.image_type, "settings": found.kind.digest, **found.settings}
    return highdicom.sr.AlgorithmIdentification(
        name=f"{provenance.package}.{provenance.measure}",
        version=f"{provenance.version} (revision {provenance.revision})",
        parameters=[f"{name}={json.dumps(value, sort_keys=True)}" for name, value in settings.items()],
    )
