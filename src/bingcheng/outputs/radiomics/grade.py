"""What a feature's robustness is called, on every surface."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bingcheng.core.measurement import NoValue
from bingcheng.core.wording import Text, text
from bingcheng.outputs.radiomics.feature_set import FeatureCohort

GRADES: Mapping[str, Text] = MappingProxyType(
    {
        "excellent": text("excellent"),
        "good": text("good"),
        "moderate": text("moderate"),
        "poor": text("poor"),
        "": text("not graded"),
    }
)
"""The grades from the best to the worst, and none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownGrade:
    """The grade of one feature.

    Parameters
    ----------
    grade : ``excellent``, ``good``, ``moderate`` or ``poor``; empty if it can't be told, which `reason` explains.
    icc, low, high : intraclass correlation and its 95 % interval; None without a grade.
    """

    grade: str = ""
    icc: float | None = None
    low: float | None = None
    high: float | None = None
    reason: Text | None = None

    @property
    def words(self) -> Text:
        """The grade for people."""
        return GRADES[self.grade]

    @property
    def cells(self) -> tuple[str | None, float | None, float | None, float | None]:
        """The grade for tables."""
        return self.grade or None, self.icc, self.low, self.high


def grade_of(cohort: FeatureCohort | None, tag: str) -> ShownGrade:
    """How robust a feature is over the lesions of its cohort."""
    found = None if cohort is None else cohort.reliability.get(tag)
    if found is None:
        return ShownGrade()
    if isinstance(found, NoValue):
        return ShownGrade(reason=found.reason)
    return ShownGrade(grade=found.grade.value, icc=found.icc, low=found.low, high=found.high)


def grade_counts(cohort: FeatureCohort) -> Mapping[str, int]:
    """How many features reach each grade, from the best on; grades that none reaches are left out."""
    counted = Counter(grade_of(cohort, tag).grade for tag in cohort.reliability)
    return {grade: counted[grade] for grade in GRADES if counted[grade]}


def why_not_graded(cohort: FeatureCohort) -> Text | None:
    """Why no feature is graded, by what most of them say; None if one is."""
    shown = [grade_of(cohort, tag) for tag in cohort.reliability]
    if any(one.grade for one in shown):
        return None
    counted = Counter(str(one.reason) for one in shown if one.reason is not None)
    most = counted.most_common(1)[0][0] if counted else None
    return next((one.reason for one in shown if one.reason is not None and str(one.reason) == most), None)
