"""Numbers of hospitals as the province is told them: what rests on fewer than five exams could point at a patient.

A count of one to four stands as ``<5``; rows that rest on fewer exams are left out; and where a single count of a
hospital is hidden, so is the sum that would give it away. It is the rule by which numbers cross to other installations
(`bingcheng.archive.pairing.numbers`). A hospital's own people see their own numbers whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bingcheng.archive.numbers import DoseRow
from bingcheng.archive.pairing.numbers import LEAST_CELL, cell
from bingcheng.archive.site_counts import UNDATED, Outcomes
from bingcheng.compare.homogeneity import SiteRow
from bingcheng.core.finding import Outcome
from bingcheng.core.wording import Text, text
from bingcheng.server.numbers.shown import MOST_FAILURES, CriterionRow, HospitalNumbers

FEW = f"<{LEAST_CELL}"
"""Stands for a count of one to four."""
ORDER = (Outcome.PASS, Outcome.UNKNOWN, Outcome.FAIL, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldHospital:
    """One hospital as the province sees it.

    Parameters
    ----------
    exams : how many there are, as exactly as may be told.
    outcomes : by how they met the protocols, in `ORDER`; only those that occur.
    counts : the same as numbers, to be drawn; None where one of them is not told.
    failures : what is broken most often, and in how many exams.
    comparison, doses : what rests on enough exams.
    """

    name: str
    exams: Text
    outcomes: tuple[tuple[Outcome | None, str], ...]
    counts: Outcomes | None
    failures: tuple[tuple[Text, str], ...]
    devices: tuple[str, ...]
    comparison: tuple[SiteRow, ...]
    doses: tuple[DoseRow, ...]

    @property
    def flagged(self) -> tuple[SiteRow, ...]:
        """The measures in which it stands out."""
        return tuple(row for row in self.comparison if row.flagged)


def told(count: int) -> str:
    """A count in words."""
    return FEW if cell(count) is None else str(count)


def told_hospital(one: HospitalNumbers) -> ToldHospital:
    """What may be told of a hospital."""
    few = one.exam_count < LEAST_CELL
    counted = tuple((outcome, one.outcomes[outcome]) for outcome in ORDER if one.outcomes[outcome])
    hidden = any(cell(count) is None for _, count in counted)
    failures = () if few else tuple(_failures(one.criteria))
    return ToldHospital(
        name=one.name,
        exams=_exams(one.exam_count, [count for _, count in counted]),
        outcomes=() if few else tuple((outcome, told(count)) for outcome, count in counted),
        counts=None if few or hidden else one.outcomes,
        failures=failures,
        devices=one.devices,
        comparison=() if few else tuple(row for row in one.comparison if row.count >= LEAST_CELL),
        doses=() if few else tuple(row for row in one.doses if row.count >= LEAST_CELL),
    )


def told_criteria(one: HospitalNumbers) -> Iterator[tuple[CriterionRow, tuple[str, str, str]]]:
    """Each criterion that was asked of enough exams, with how many met it, broke it and left it open."""
    for row in one.criteria if one.exam_count >= LEAST_CELL else ():
        if row.count >= LEAST_CELL:
            yield row, (told(row.passed), told(row.failed), told(row.unknown))


def told_months(one: HospitalNumbers) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each month with enough exams, and how many came to each outcome of `ORDER`."""
    for month, counted in one.months.items():
        if month != UNDATED and counted.total() >= LEAST_CELL:
            yield month, tuple(told(counted[outcome]) for outcome in ORDER)


def _exams(total: int, counts: Sequence[int]) -> Text:
    hidden = [count for count in counts if cell(count) is None]
    if total < LEAST_CELL:
        return text("fewer than {count} exams", count=LEAST_CELL)
    if len(hidden) == 1:
        # With the exact sum anybody could work out the one count that is not told.
        return text("more than {count} exams", count=total - hidden[0])
    return text("{count} exams", count=total)


def _failures(rows: Sequence[CriterionRow]) -> Iterator[tuple[Text, str]]:
    broken = [row for row in rows if row.failed and row.count >= LEAST_CELL]
    yield from ((row.title, told(row.failed)) for row in broken[:MOST_FAILURES])
