"""How robust radiomics features are over all lesions of a workspace that were measured in the same way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bingcheng.archive.records import ExamRecord
from bingcheng.core.errors import Undefined
from bingcheng.core.measurement import NoValue
from bingcheng.outputs.radiomics.feature_set import FeatureCohort, FeatureKind, FeatureSet

Lesion = tuple[str, str]
"""The person's pseudonym, and the lesion's identifier."""


def cohorts(records: Iterable[ExamRecord], people: Mapping[str, str]) -> tuple[FeatureCohort, ...]:
    """One cohort a kind of features.

    A lesion that was imaged several times counts once, by its first image: its values resemble each other, and counted
    as different lesions they would make every feature look less able to tell lesions apart than it is.

    Parameters
    ----------
    records : exams, each person's in order of time.
    people : pseudonym of each exam's patient, by the exam's UID.
    """
    members: dict[FeatureKind, dict[Lesion, FeatureSet]] = {}
    for record in records:
        for lesion in (lesion for series in record.series for lesion in series.lesions):
            for found in (one for one in lesion.radiomics if one.refused is None):
                members.setdefault(found.kind, {}).setdefault((people[record.uid], lesion.lesion), found)
    ordered = sorted(members, key=lambda kind: (kind.modality, kind.image_type, kind.digest, kind.standardisation))
    return tuple(_cohort(kind, tuple(members[kind].values())) for kind in ordered)


def _cohort(kind: FeatureKind, lesions: Sequence[FeatureSet]) -> FeatureCohort:
    from bingcheng.compare.reliability import Reliability, reliability  # noqa: PLC0415 - loads SciPy, and few exams have features

    pairs: dict[str, list[tuple[float, float]]] = {tag: [] for one in lesions for tag in one.tags}
    for one in lesions:
        for tag, value, spread in zip(one.tags, one.values, one.standard_uncertainties, strict=True):
            if value is not None and spread is not None:
                pairs[tag].append((value, spread))
    repetitions = min(one.repetitions for one in lesions)
    graded: dict[str, Reliability | NoValue] = {}
    for tag, known in pairs.items():
        try:
            graded[tag] = reliability([v for v, _ in known], [u for _, u in known], repetitions=repetitions)
        except Undefined as reason:
            graded[tag] = NoValue.of(reason)
    return FeatureCohort(kind=kind, settings=lesions[0].settings, lesions=len(lesions), reliability=graded)
