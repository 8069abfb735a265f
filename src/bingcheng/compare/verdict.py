"""The verdict on one change: published limits, the pair's own uncertainty, and the comparability of the two exams.

The rule, in this order:

1. A value or the order of the exams is missing, or the values come from two revisions of the measure: *unknown*.
2. A condition that breaks comparability differs: *not comparable*, however large the change, with every reason.
3. A condition that had to be known is not: *unknown*.
4. No limit is published that holds for this measure and lesion, or it was not verified: *unknown*.
5. The change lies within the limits, or within the combined expanded uncertainty of the two values (k = 2):
   *within repeatability*. Outside both: *real*.

The uncertainties of both values are combined as if independent (JCGM 100:2008, 5.1.2). Systematic parts that both
exams share (one scanner's calibration) would cancel in the difference; counting them errs towards *within*.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bingcheng.compare.change import Change, Verdict
from bingcheng.compare.comparability import Comparability, Rules
from bingcheng.compare.observation import Observation
from bingcheng.compare.repeatability import Choice, LesionFacts, Limits
from bingcheng.core.finding import Trust
from bingcheng.core.units import unit
from bingcheng.core.wording import Fact, Text, text

INTERVAL_SCALED = frozenset({"[hnsf'U]"})
"""Units whose zero is a convention: a percentage of such a value means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """The limits and rules by which changes are judged."""

    limits: Limits
    rules: Rules

    def change(self, before: Observation, after: Observation, facts: LesionFacts) -> Change:
        """The change from `before` to `after`, judged; `facts` are the lesion's at the earlier exam."""
        modality = modality_of(before)
        comparability = self.compare(before, after)
        choice = self.limits.choose(before.measurement.key, modality, facts)
        limits_percent = _widened(choice, comparability)
        difference, percent = _difference(before, after), percentage(before, after)
        verdict, reasons = _verdict(before, after, comparability, choice, limits_percent)
        return Change(
            before=before,
            after=after,
            difference=difference,
            percent=percent,
            limits_percent=limits_percent,
            verdict=verdict,
            reasons=reasons,
            remedy=_joined(_remedies(verdict, before, after, comparability)),
            source="" if choice.limit is None else choice.limit.citation,
            trust=None if choice.limit is None else choice.limit.trust,
        )

    def compare(self, before: Observation, after: Observation) -> Comparability:
        """What the conditions of the two observations allow."""
        return self.rules.compare(before.measurement.key, modality_of(before), before.conditions, after.conditions)


def modality_of(observation: Observation) -> str:
    """The modality that the observation was made with; empty if it is not recorded."""
    modality = observation.conditions.get("modality")
    return modality if isinstance(modality, str) else ""


def percentage(before: Observation, after: Observation) -> float | None:
    """Change relative to the earlier value in percent; None without both values, from zero, or in an interval unit."""
    earlier, later = before.measurement.value, after.measurement.value
    if earlier is None or later is None or earlier <= 0 or before.measurement.unit in INTERVAL_SCALED:
        return None
    return 100.0 * (later - earlier) / earlier


def combined_uncertainty(before: Observation, after: Observation) -> float | None:
    """Expanded uncertainty (k = 2) of the difference, in the measure's unit; None if either is not known."""
    mine, theirs = before.measurement.standard_uncertainty, after.measurement.standard_uncertainty
    return None if mine is None or theirs is None else 2.0 * math.hypot(mine, theirs)


def _difference(before: Observation, after: Observation) -> float | None:
    earlier, later = before.measurement.value, after.measurement.value
    return None if earlier is None or later is None else later - earlier


def _widened(choice: Choice, comparability: Comparability) -> tuple[float, float] | None:
    if choice.limit is None:
        return None
    extra = comparability.widened_percent
    return max(choice.limit.low_percent - extra, -100.0), choice.limit.high_percent + extra


def _verdict(
    before: Observation,
    after: Observation,
    comparability: Comparability,
    choice: Choice,
    limits_percent: tuple[float, float] | None,
) -> tuple[Verdict, tuple[Text, ...]]:
    unordered = before.performed_at is None or after.performed_at is None
    missing = [*_missing_values(before, after), *([_NO_DATE] if unordered else [])]
    if _redefined(before, after):
        missing.append(_REDEFINED)
    if missing:
        return Verdict.UNKNOWN, (*missing, *comparability.broken, *comparability.unknown)
    if comparability.broken:
        return Verdict.NOT_COMPARABLE, (*comparability.broken, *comparability.unknown, *comparability.noted)
    if comparability.unknown:
        return Verdict.UNKNOWN, (*comparability.unknown, *comparability.noted)
    if limits_percent is None or (choice.limit is not None and choice.limit.trust is Trust.UNVERIFIED):
        return Verdict.UNKNOWN, (*choice.reasons, *comparability.noted)
    verdict, reason = _size_of_change(before, after, limits_percent)
    return verdict, (*reason, *choice.reasons, *comparability.noted)


_NO_DATE = text("The date of an exam is not known, so it can't be said which came first.")


_REDEFINED = text("The two values come from different revisions of the measure.")


def _redefined(before: Observation, after: Observation) -> bool:
    mine, theirs = before.measurement, after.measurement
    return (mine.provenance.revision, mine.unit) != (theirs.provenance.revision, theirs.unit)


def _missing_values(before: Observation, after: Observation) -> tuple[Text, ...]:
    reasons: list[Text] = []
    if before.measurement.value is None:
        reason = before.measurement.no_value.reason if before.measurement.no_value else _NOT_SAID
        reasons.append(text("There is no value from the earlier exam: {reason}.", reason=reason))
    if after.measurement.value is None:
        reason = after.measurement.no_value.reason if after.measurement.no_value else _NOT_SAID
        reasons.append(text("There is no value from the later exam: {reason}.", reason=reason))
    return tuple(reasons)


_NOT_SAID = text("no reason was recorded")


def _size_of_change(
    before: Observation, after: Observation, limits_percent: tuple[float, float]
) -> tuple[Verdict, tuple[Text, ...]]:
    percent = percentage(before, after)
    if percent is None:
        return Verdict.UNKNOWN, (
            text("The earlier value is zero or has no natural zero: no percentage can be formed."),
        )
    low, high = limits_percent
    if low <= percent <= high:
        reason = text(
            "The change of {percent} % lies between the limits of {low} % and +{high} % that repeated exams of an"
            " unchanged lesion show.",
            percent=round(percent, 1),
            low=low,
            high=high,
        )
        return Verdict.WITHIN_REPEATABILITY, (reason,)
    return _beyond_limits(before, after, percent, low if percent < 0 else high)


def _beyond_limits(
    before: Observation, after: Observation, percent: float, limit: float
) -> tuple[Verdict, tuple[Text, ...]]:
    uncertainty, difference = combined_uncertainty(before, after), _difference(before, after)
    assert difference is not None
    beyond = text(
        "The change of {percent} % lies beyond the limit of {limit} %.", percent=round(percent, 1), limit=limit
    )
    if uncertainty is None:
        return Verdict.UNKNOWN, (
            beyond,
            text("The uncertainty of a value is not known, so the change can't be tested."),
        )
    digits = 1 - math.floor(math.log10(uncertainty)) if uncertainty > 0.0 else 3
    facts: dict[str, Fact | Text] = {
        "difference": round(abs(difference), digits),
        "uncertainty": round(uncertainty, digits),
        "unit": unit(before.measurement.unit).symbol,
    }
    if abs(difference) <= uncertainty:
        return Verdict.WITHIN_REPEATABILITY, (
            beyond,
            text(
                "But {difference} {unit} does not exceed the combined uncertainty of both values,"
                " {uncertainty} {unit}.",
                **facts,
            ),
        )
    return Verdict.REAL, (
        beyond,
        text("And {difference} {unit} exceeds the combined uncertainty of both values, {uncertainty} {unit}.", **facts),
    )


def _remedies(
    verdict: Verdict, before: Observation, after: Observation, comparability: Comparability
) -> tuple[Text, ...]:
    if verdict is Verdict.NOT_COMPARABLE:
        return comparability.remedies
    if verdict is not Verdict.UNKNOWN:
        return ()
    without = [o.measurement.no_value.remedy for o in (before, after) if o.measurement.no_value is not None]
    if _redefined(before, after):
        without.append(text("Assess both exams again with the same version of this program."))
    if comparability.unknown:
        without.append(
            text("Export the series as the scanner wrote it; if its header lacks this too, ask the vendor to write it.")
        )
    return (*dict.fromkeys(without), *comparability.remedies)


def _joined(sentences: tuple[Text, ...]) -> Text | None:
    if not sentences:
        return None
    joined = sentences[0]
    for sentence in sentences[1:]:
        joined = text("{first} {second}", first=joined, second=sentence)
    return joined
