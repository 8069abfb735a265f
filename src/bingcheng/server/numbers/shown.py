"""What the pages of numbers are made of: each hospital's counts, criteria and comparison."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from bingcheng.archive.numbers import CriterionName, Numbers, numbers
from bingcheng.archive.people.hospital import folded, hospitals
from bingcheng.archive.site_counts import Outcomes, site_counts
from bingcheng.archive.summaries import CriterionCount, criterion_counts
from bingcheng.compare.homogeneity import SiteRow
from bingcheng.core.finding import Outcome
from bingcheng.core.wording import Text

MOST_FAILURES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionRow:
    """One criterion in one hospital: how often it was met, and what to do where it was not."""

    name: CriterionName | None
    protocol: str
    criterion: str
    level: str
    passed: int
    failed: int
    unknown: int

    @property
    def title(self) -> Text:
        """What people call it."""
        return Text("{identifier}", {"identifier": self.criterion}) if self.name is None else self.name.title

    @property
    def share_percent(self) -> float | None:
        """Of the exams that could be judged, how many met it; None if none could be."""
        judged = self.passed + self.failed
        return 100.0 * self.passed / judged if judged else None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class HospitalNumbers:
    """One hospital, under all spellings of its name.

    Parameters
    ----------
    number : of the hospital; None for a name that nobody has claimed.
    criteria : what is broken most often first.
    """

    number: int | None
    name: str
    months: Mapping[str, Outcomes]
    criteria: tuple[CriterionRow, ...]
    comparison: tuple[SiteRow, ...]
    devices: tuple[str, ...]

    @property
    def outcomes(self) -> Outcomes:
        """Of all months."""
        return sum(self.months.values(), Counter())

    @property
    def exam_count(self) -> int:
        """Exams in all."""
        return self.outcomes.total()


def numbers_of_all(connection: Connection) -> tuple[tuple[HospitalNumbers, ...], Numbers | None]:
    """Every hospital that has exams, and when the comparison was worked out."""
    made = numbers(connection)
    known = {spelling: one for one in hospitals(connection) for spelling in map(folded, one.spellings)}
    names = {} if made is None else {(one.protocol, one.criterion, one.role): one for one in made.criteria}
    sites = site_counts(connection)
    counts: dict[str, list[CriterionCount]] = defaultdict(list)
    for count in criterion_counts(connection):
        counts[count.site].append(count)
    grouped: dict[tuple[int | None, str], list[str]] = defaultdict(list)
    for one in sites:
        hospital = known.get(folded(one.site))
        grouped[(None, one.site) if hospital is None else (hospital.number, hospital.name)].append(one.site)
    months = {one.site: one.months for one in sites}
    rows = () if made is None else made.comparison
    found = [
        HospitalNumbers(
            number=number,
            name=name,
            months=_together(months[site] for site in spelt),
            criteria=_criteria([count for site in spelt for count in counts[site]], names),
            comparison=tuple(replace(row, site=name) for row in rows if row.site in spelt),
            devices=tuple(sorted({row.device for row in rows if row.site in spelt and row.device})),
        )
        for (number, name), spelt in grouped.items()
    ]
    return tuple(sorted(found, key=lambda one: (not one.name, one.name))), made


def _together(months: Iterable[Mapping[str, Outcomes]]) -> dict[str, Outcomes]:
    found: dict[str, Outcomes] = defaultdict(Counter)
    for one in months:
        for month, counted in one.items():
            found[month] += counted
    return dict(sorted(found.items()))


def _criteria(
    counts: Sequence[CriterionCount], names: Mapping[tuple[str, str, str | None], CriterionName]
) -> tuple[CriterionRow, ...]:
    summed: dict[tuple[str, str, str | None, str], Counter[Outcome]] = defaultdict(Counter)
    for one in counts:
        summed[one.protocol, one.criterion, one.role, one.level].update(one.outcomes)
    rows = [
        CriterionRow(
            name=names.get((protocol, criterion, role)),
            protocol=protocol,
            criterion=criterion,
            level=level,
            passed=counted[Outcome.PASS],
            failed=counted[Outcome.FAIL],
            unknown=counted[Outcome.UNKNOWN],
        )
        for (protocol, criterion, role, level), counted in summed.items()
        if counted[Outcome.PASS] or counted[Outcome.FAIL] or counted[Outcome.UNKNOWN]
    ]
    return tuple(sorted(rows, key=lambda row: (-row.failed, -row.unknown, row.protocol, row.criterion)))
