"""Radiomics on the page: a table by family for each lesion, and how many features reach which grade."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bingcheng.core.measurement import NoValue
from bingcheng.core.wording import Text, text
from bingcheng.outputs.assessment import Assessment
from bingcheng.outputs.language import Language
from bingcheng.outputs.radiomics.feature_set import Feature, FeatureCohort, FeatureSet, settings_of
from bingcheng.outputs.radiomics.grade import GRADES, ShownGrade, grade_counts, grade_of, why_not_graded
from bingcheng.outputs.radiomics.units import quantity

FAMILIES: Mapping[str, Text] = MappingProxyType(
    {
        "morphology": text("Shape"),
        "local_intensity": text("Local intensity"),
        "statistics": text("Intensity"),
        "histogram": text("Intensity histogram"),
        "volume_histogram": text("Intensity-volume histogram"),
        "cooccurrence": text("Grey level co-occurrence"),
        "run_length": text("Grey level run length"),
        "size_zone": text("Grey level size zones"),
        "distance_zone": text("Grey level distance zones"),
        "grey_tone_difference": text("Neighbourhood grey tone difference"),
        "grey_level_dependence": text("Neighbouring grey level dependence"),
        "diagnostics": text("Diagnostics"),
        "response map": text("Response maps of filters"),
        "other": text("Other features"),
    }
)
"""The families as people call them, by their names in tables."""
GRADE_STYLES: Mapping[str, str] = MappingProxyType(
    {"excellent": "pass", "good": "pass", "moderate": "open", "poor": "fail", "": "none"}
)
MOST_TABLES = 150
"""With each table some 30 kB of page, more of them would make the page slow; the file of the table holds all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureRow:
    """One feature in words."""

    feature: Feature
    label: str
    value: str
    grade: ShownGrade
    style: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyBlock:
    """The features of one family."""

    title: Text
    rows: tuple[FeatureRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureBlock:
    """The features of one lesion in one image type; `families` is empty if the page holds too many already."""

    view: FeatureSet
    count: int
    families: tuple[FamilyBlock, ...]
    left_out: bool
    refused: NoValue | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortBlock:
    """How many features of one kind reach which grade, with the settings in words."""

    cohort: FeatureCohort
    counts: tuple[tuple[Text, str, int], ...]
    steps: tuple[tuple[Text, Text], ...]
    reason: Text | None


class FeatureBlocks:
    """Makes the tables of features, up to as many as a page can hold."""

    def __init__(self, assessment: Assessment, language: Language, *, most: int = MOST_TABLES) -> None:
        self._cohorts = {one.kind: one for one in assessment.radiomics}
        self._language = language
        self._left = most

    def block(self, found: FeatureSet) -> FeatureBlock:
        """The features of a lesion in one image type."""
        left_out = self._left <= 0 and found.refused is None
        if found.refused is None:
            self._left -= 1
        families = () if left_out or found.refused is not None else tuple(self._families(found))
        return FeatureBlock(
            view=found, count=len(found.tags), families=families, left_out=left_out, refused=found.refused
        )

    def _families(self, found: FeatureSet) -> Iterator[FamilyBlock]:
        grouped: dict[str, list[FeatureRow]] = {}
        cohort = self._cohorts.get(found.kind)
        for feature in found.features():
            grouped.setdefault(feature.family, []).append(self._row(feature, cohort))
        for family, rows in grouped.items():
            yield FamilyBlock(title=FAMILIES.get(family, FAMILIES["other"]), rows=tuple(rows))

    def _row(self, feature: Feature, cohort: FeatureCohort | None) -> FeatureRow:
        grade, value = grade_of(cohort, feature.tag), ""
        if feature.value is not None:
            value = quantity(feature.value, feature.unit, feature.expanded_uncertainty, self._language)
        return FeatureRow(
            feature=feature,
            label=self._language.say(feature.label),
            value=value,
            grade=grade,
            style=GRADE_STYLES[grade.grade],
        )


def cohort_blocks(assessment: Assessment) -> tuple[CohortBlock, ...]:
    """One block a kind of features."""
    return tuple(_cohort(one) for one in assessment.radiomics)


def _cohort(cohort: FeatureCohort) -> CohortBlock:
    settings = settings_of(cohort.settings)
    counts = grade_counts(cohort)
    return CohortBlock(
        cohort=cohort,
        counts=tuple((GRADES[grade], GRADE_STYLES[grade], count) for grade, count in counts.items()),
        steps=() if settings is None else tuple((step.name, step.setting) for step in settings.steps()),
        reason=why_not_graded(cohort),
    )
