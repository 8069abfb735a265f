"""Whether a tumour's change between two exams is real, within repeatability, or not comparable, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bingcheng.compare.observation import Observation
from bingcheng.core.finding import Trust
from bingcheng.core.wording import Text


class Verdict(StrEnum):
    """What can be said of a change."""

    REAL = "real"
    WITHIN_REPEATABILITY = "within repeatability"
    NOT_COMPARABLE = "not comparable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The change of one measure of one lesion between two exams.

    Parameters
    ----------
    before, after : the two observations, in order of time.
    difference : after minus before, in the measure's unit; None if either has no value.
    percent : relative to before.
    limits_percent : (low, high): outside of it a change is real with 95 % confidence, when comparable.
    verdict, reasons : the judgement and each reason for it.
    remedy : what to do to make the pair comparable, None if it is.
    source : who published the limits.
    trust : how far that source was verified; None without limits.
    """

    before: Observation
    after: Observation
    difference: float | None
    percent: float | None
    limits_percent: tuple[float, float] | None
    verdict: Verdict
    reasons: tuple[Text, ...]
    remedy: Text | None
    source: str
    trust: Trust | None = None
