"""How many exams of each hospital met the protocols, by month; counts alone, of no patient."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, extract, func, select

from bingcheng.archive import schema
from bingcheng.core.finding import Outcome

UNDATED = ""
Outcomes = Counter[Outcome | None]
"""Exams by how they met the protocols; None for those that none applies to."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SiteCount:
    """The exams of one spelling of a hospital's name, in all and by month (``2026-03``; empty for undated ones)."""

    site: str
    months: dict[str, Outcomes]

    @property
    def outcomes(self) -> Outcomes:
        """Over all months."""
        return sum(self.months.values(), Counter())


def site_counts(connection: Connection) -> tuple[SiteCount, ...]:
    """Of every hospital that the exams name, in the order of their names."""
    exam = schema.exam.c
    met = (exam.failed > 0, exam.unknown > 0, exam.passed > 0)
    group = (exam.site, extract("year", exam.performed_at), extract("month", exam.performed_at), *met)
    found: dict[str, dict[str, Outcomes]] = {}
    for site, year, month, failed, unknown, passed, count in connection.execute(
        select(*group, func.count()).group_by(*group)
    ):
        named = UNDATED if year is None else f"{int(year):04d}-{int(month):02d}"
        counted = found.setdefault(site, {}).setdefault(named, Counter())
        counted[outcome_of(failed, unknown, passed)] += int(count)
    return tuple(SiteCount(site=site, months=dict(sorted(found[site].items()))) for site in sorted(found))


def outcome_of(failed: int, unknown: int, passed: int) -> Outcome | None:
    """How an exam met the protocols, from how many required criteria it broke and left open, and how many it met."""
    if failed:
        return Outcome.FAIL
    if unknown:
        return Outcome.UNKNOWN
    return Outcome.PASS if passed else None
