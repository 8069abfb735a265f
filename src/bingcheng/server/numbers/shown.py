"""What the pages of numbers are made of: each hospital's counts, criteria, comparison and doses."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from bingcheng.archive.numbers import CriterionName, DoseRow, Numbers, numbers
from bingcheng.archive.people.hospital import Hospital, hospitals
from bingcheng.archive.people.spelling import folded
from bingcheng.archive.site_counts import MonthCount, Outcomes, month_counts
from bingcheng.archive.summaries import CriterionCount, criterion_counts
from bingcheng.compare.dose_verdict import DoseVerdict
from bingcheng.compare.homogeneity import SiteRow
from bingcheng.core.finding import Outcome
from bingcheng.core.wording import Text

MOST_FAILURES = 5
VERDICTS = (DoseVerdict.ABOVE, DoseVerdict.LOW, DoseVerdict.USUAL, DoseVerdict.UNKNOWN)
"""In the order in which doses are listed: what asks for something first."""
Key = tuple[str, str, str | None]
"""Protocol, criterion and role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionRow:
    """One criterion in one hospital: in how many exams it was met, and what to do where it was not."""

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
    def count(self) -> int:
        """Exams that it was asked of."""
        return self.passed + self.failed + self.unknown

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
    doses : what is above its reference level first, then what is unusually low.
    ct_exams, ct_stated : exams of CT, and how many of them state a dose.
    """

    number: int | None
    name: str
    months: Mapping[str, Outcomes]
    criteria: tuple[CriterionRow, ...]
    comparison: tuple[SiteRow, ...]
    devices: tuple[str, ...]
    doses: tuple[DoseRow, ...] = ()
    ct_exams: int = 0
    ct_stated: int = 0

    @property
    def outcomes(self) -> Outcomes:
        """Of all months."""
        return sum(self.months.values(), Counter())

    @property
    def exam_count(self) -> int:
        """Exams in all."""
        return self.outcomes.total()


class _Sources:
    """What was worked out last; counts that it lacks, as an earlier release did not keep them, are made now."""

    def __init__(self, connection: Connection) -> None:
        made = numbers(connection)
        months = None if made is None else made.months
        counts = None if made is None else made.counts
        self.made = made
        self.months: Sequence[MonthCount] = month_counts(connection) if months is None else months
        self.counts: Sequence[CriterionCount] = criterion_counts(connection) if counts is None else counts

    def sites(self) -> list[str]:
        """The names of hospitals as exams write them."""
        return list(dict.fromkeys(one.site for one in self.months))

    def of(self, number: int | None, name: str, spelt: Iterable[str]) -> HospitalNumbers:
        """The numbers of the exams that name one of `spelt`."""
        mine, made = frozenset(spelt), self.made
        names = {} if made is None else {(one.protocol, one.criterion, one.role): one for one in made.criteria}
        rows = () if made is None else tuple(row for row in made.comparison if row.site in mine)
        doses = () if made is None else tuple(row for row in made.doses if row.site in mine)
        dosed = () if made is None else tuple(one for one in made.dose_counts if one.site in mine)
        return HospitalNumbers(
            number=number,
            name=name,
            months=_together(one for one in self.months if one.site in mine),
            criteria=_criteria([count for count in self.counts if count.site in mine], names),
            comparison=tuple(replace(row, site=name) for row in rows),
            devices=tuple(sorted({row.device for row in rows if row.device})),
            doses=tuple(sorted((replace(row, site=name) for row in doses), key=_urgency)),
            ct_exams=sum(one.exams for one in dosed),
            ct_stated=sum(one.stated for one in dosed),
        )


def numbers_of_all(connection: Connection) -> tuple[tuple[HospitalNumbers, ...], Numbers | None]:
    """Every hospital that has exams, those that nobody claimed too, and when the numbers were worked out."""
    sources = _Sources(connection)
    known = {spelling: one for one in hospitals(connection) for spelling in map(folded, one.spellings)}
    grouped: dict[tuple[int | None, str], list[str]] = defaultdict(list)
    for site in sources.sites():
        hospital = known.get(folded(site))
        grouped[(None, site) if hospital is None else (hospital.number, hospital.name)].append(site)
    found = [sources.of(number, name, spelt) for (number, name), spelt in grouped.items()]
    return tuple(sorted(found, key=lambda one: (not one.name, one.name))), sources.made


def numbers_of_hospital(connection: Connection, whose: Hospital) -> tuple[HospitalNumbers | None, Numbers | None]:
    """One hospital, None if it has no exam; and when the numbers were worked out."""
    sources = _Sources(connection)
    spellings = frozenset(map(folded, whose.spellings))
    spelt = [site for site in sources.sites() if folded(site) in spellings]
    return (sources.of(whose.number, whose.name, spelt) if spelt else None), sources.made


def _together(counts: Iterable[MonthCount]) -> dict[str, Outcomes]:
    found: dict[str, Outcomes] = defaultdict(Counter)
    for one in counts:
        found[one.month] += one.outcomes
    return dict(sorted(found.items()))


def _urgency(row: DoseRow) -> int:
    return VERDICTS.index(row.verdict)


def _criteria(counts: Sequence[CriterionCount], names: Mapping[Key, CriterionName]) -> tuple[CriterionRow, ...]:
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
