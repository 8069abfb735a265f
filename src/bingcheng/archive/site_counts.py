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


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthCount:
    """The exams of one month under one spelling of a hospital's name, by how they met the protocols.

    Parameters
    ----------
    month : ``2026-03``; empty for exams without a date.
    passed, failed, unknown : exams that met, broke, or left open what is required.
    unjudged : exams that no protocol applies to.
    """

    site: str
    month: str
    passed: int = 0
    failed: int = 0
    unknown: int = 0
    unjudged: int = 0

    @property
    def outcomes(self) -> Outcomes:
        """The same, by outcome; only those that occur."""
        counted = ((Outcome.PASS, self.passed), (Outcome.FAIL, self.failed), (Outcome.UNKNOWN, self.unknown))
        return Counter({outcome: count for outcome, count in (*counted, (None, self.unjudged)) if count})


def month_counts(connection: Connection) -> tuple[MonthCount, ...]:
    """Of every hospital that the exams name, in the order of their names, then of months."""
    exam = schema.exam.c
    met = (exam.failed > 0, exam.unknown > 0, exam.passed > 0)
    group = (exam.site, extract("year", exam.performed_at), extract("month", exam.performed_at), *met)
    found: dict[tuple[str, str], Outcomes] = {}
    for site, year, month, failed, unknown, passed, count in connection.execute(
        select(*group, func.count()).group_by(*group)
    ):
        named = UNDATED if year is None else f"{int(year):04d}-{int(month):02d}"
        counted = found.setdefault((site, named), Counter())
        counted[outcome_of(failed, unknown, passed)] += int(count)
    return tuple(
        MonthCount(
            site=site,
            month=month,
            passed=counted[Outcome.PASS],
            failed=counted[Outcome.FAIL],
            unknown=counted[Outcome.UNKNOWN],
            unjudged=counted[None],
        )
        for (site, month), counted in sorted(found.items())
    )


def outcome_of(failed: int, unknown: int, passed: int) -> Outcome | None:
    """How an exam met the protocols, from how many required criteria it broke and left open, and how many it met."""
    if failed:
        return Outcome.FAIL
    if unknown:
        return Outcome.UNKNOWN
    return Outcome.PASS if passed else None
