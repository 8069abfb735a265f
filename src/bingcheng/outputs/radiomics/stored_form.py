"""Radiomics features in the JSON of an assessment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bingcheng.core.measurement import NoValue
from bingcheng.core.wording import Text
from bingcheng.outputs.radiomics.feature_set import FeatureCohort, FeatureKind, FeatureSet, settings_of
from bingcheng.outputs.radiomics.grade import grade_counts, grade_of

Json = dict[str, Any]
Say = Callable[[Text | str], str]


def features_as_json(found: FeatureSet, say: Say) -> Json:
    """The features of one lesion in one image type; settings and grades stand with the cohort."""
    parts = {kind: dict(zip(found.tags, values, strict=True)) for kind, values in found.components.items()}
    return {
        **_kind(found.kind),
        "voxels": found.voxels,
        "counted": found.counted,
        "repetitions": found.repetitions,
        "no_value": _no_value(found.refused, say),
        "features": [
            {
                "feature": one.tag,
                "label": say(one.label),
                "family": one.family,
                "ibsi": one.ibsi,
                "unit": one.unit,
                "value": one.value,
                "standard_uncertainty": one.standard_uncertainty,
                "components": {kind: values[one.tag] for kind, values in parts.items()},
                "no_value": _no_value(one.no_value, say),
            }
            for one in found.features()
        ],
        "provenance": {
            "measure": found.provenance.measure,
            "revision": found.provenance.revision,
            "version": found.provenance.version,
            "inputs": list(found.provenance.inputs),
        },
    }


def cohort_as_json(cohort: FeatureCohort, say: Say) -> Json:
    """How robust each feature is over the lesions of a cohort, and its settings."""
    settings = settings_of(cohort.settings)
    graded = {tag: grade_of(cohort, tag) for tag in cohort.reliability}
    return {
        **_kind(cohort.kind),
        "lesions": cohort.lesions,
        "settings": dict(cohort.settings),
        "steps": []
        if settings is None
        else [{"name": say(s.name), "setting": say(s.setting), "ibsi": s.ibsi} for s in settings.steps()],
        "counts": {grade or "unknown": count for grade, count in grade_counts(cohort).items()},
        "grades": {
            tag: {
                "grade": one.grade or "unknown",
                "icc": one.icc,
                "low": one.low,
                "high": one.high,
                "reason": None if one.reason is None else say(one.reason),
            }
            for tag, one in graded.items()
        },
    }


def _kind(kind: FeatureKind) -> Mapping[str, str]:
    return {
        "modality": kind.modality,
        "image_type": kind.image_type,
        "settings_digest": kind.digest,
        "standardisation": kind.standardisation,
    }


def _no_value(none: NoValue | None, say: Say) -> Json | None:
    if none is None:
        return None
    return {"code": none.code, "reason": say(none.reason), "remedy": say(none.remedy), "owner": none.owner.value}
