"""The table of radiomics features: its columns, and how an assessment becomes its rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bingcheng.core.measurement import NoValue
from bingcheng.outputs.assessment import Assessment
from bingcheng.outputs.radiomics.feature_set import FeatureCohort, FeatureKind, FeatureSet
from bingcheng.outputs.radiomics.grade import grade_of
from bingcheng.outputs.table import (
    DEVICE,
    EXAM_COLUMNS,
    LESION,
    OWNER,
    REASON_CODE,
    REMEDY,
    SERIES_UID,
    UNIT,
    Column,
    Kind,
    Row,
    Table,
    column,
    exam_cells,
)


def _rows(assessment: Assessment) -> Iterator[Row]:
    """Each feature of each lesion; a lesion without features has one row that says why."""
    graded = {cohort.kind: cohort for cohort in assessment.radiomics}
    for exam in assessment.exams:
        for series in exam.series:
            for lesion in series.lesions:
                place = (series.uid, series.modality, series.device, lesion.lesion, lesion.label)
                for found in lesion.radiomics:
                    for cells in _of_set(found, graded):
                        yield (*exam_cells(exam), *place, found.kind.image_type, *cells)


def _of_set(found: FeatureSet, graded: Mapping[FeatureKind, FeatureCohort]) -> Iterator[Row]:
    provenance = found.provenance
    made = (
        found.kind.digest,
        found.voxels or None,
        f"{provenance.package} {provenance.version}",
        provenance.revision,
    )
    if found.refused is not None:
        yield (*(None,) * 12, *_reason(found.refused), *made)
    cohort = graded.get(found.kind)
    for one in found.features():
        yield (
            one.tag,
            one.label,
            one.family,
            one.ibsi,
            one.value,
            one.unit,
            one.standard_uncertainty,
            one.expanded_uncertainty,
            *grade_of(cohort, one.tag).cells,
            *_reason(one.no_value),
            *made,
        )


def _reason(none: NoValue | None) -> Row:
    return (None,) * 4 if none is None else (none.code, none.reason, none.owner.value, none.remedy)


RADIOMICS = Table(
    name="radiomics",
    description="Every radiomics feature of every lesion, or why there is no value; empty unless asked for",
    columns=(
        *EXAM_COLUMNS,
        SERIES_UID,
        column("modality", Kind.TEXT, "DICOM modality"),
        DEVICE,
        LESION,
        column("lesion_label", Kind.TEXT, "The lesion as shown"),
        column("image_type", Kind.TEXT, "The image itself (original), or the filter that it went through"),
        column("feature", Kind.TEXT, "Tag in the IBSI's reference tables, with the aggregation"),
        Column(name="feature_label", kind=Kind.TEXT, description="Name in the IBSI reference manual", translated=True),
        column("family", Kind.TEXT, "Feature family"),
        column("ibsi", Kind.TEXT, "Identifier in the IBSI reference manual, with that of the aggregation"),
        column("value", Kind.NUMBER, "The value; empty if there is none", "{unit}"),
        UNIT,
        column("standard_uncertainty", Kind.NUMBER, "Standard uncertainty (k = 1)", "{unit}"),
        column("expanded_uncertainty", Kind.NUMBER, "Expanded uncertainty (k = 2, about 95 %)", "{unit}"),
        column("grade", Kind.TEXT, "Robustness over the workspace's lesions; empty if it can't be told"),
        column("icc", Kind.NUMBER, "Intraclass correlation behind the grade", "1"),
        column("icc_low", Kind.NUMBER, "Lower end of its 95 % interval", "1"),
        column("icc_high", Kind.NUMBER, "Upper end of its 95 % interval", "1"),
        REASON_CODE,
        column("reason", Kind.TEXT, "Why there is no value"),
        OWNER,
        REMEDY,
        column("settings", Kind.TEXT, "Digest of the settings"),
        column("voxels", Kind.COUNT, "Voxels of the lesion after interpolation", "1"),
        column("software", Kind.TEXT, "Package and version that measured"),
        column("revision", Kind.COUNT, "Revision of the features", "1"),
    ),
    rows=_rows,
)
