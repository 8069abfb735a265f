"""Findings summed up by the database: how a hospital, a scanner or an exam stands among the others."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, func, select

from bingcheng.archive import schema
from bingcheng.core.finding import Finding, Outcome, Peers

BETWEEN = "\x1f"
"""Stands between the UIDs of a group; no UID holds it."""
_WORST_FIRST = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.WAIVED, Outcome.PASS)
CriterionKey = tuple[str, str, str | None]
"""Protocol, criterion and role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionCount:
    """In how many exams one criterion came to each outcome in one hospital."""

    site: str
    protocol: str
    criterion: str
    role: str | None
    level: str
    outcomes: Mapping[Outcome, int]

    @property
    def judged(self) -> int:
        """In how many it passed, failed or was waived."""
        return sum(self.outcomes.get(one, 0) for one in (Outcome.PASS, Outcome.FAIL, Outcome.WAIVED))


def criterion_counts(connection: Connection, *, protocol: str | None = None) -> tuple[CriterionCount, ...]:
    """The outcomes of every criterion in every hospital; of one protocol if it is named.

    Exams are counted, each once by the worst of its series: six slices that are too thick are one exam.
    """
    finding, exam = schema.finding.c, schema.exam.c
    sites = {row.uid: row.site for row in connection.execute(select(exam.uid, exam.site))}
    # In the order of the index, so that the groups come as it is read; a join with the hospitals would sort all rows.
    group = (finding.protocol, finding.criterion, finding.role, finding.outcome, finding.level)
    query = select(*group, func.aggregate_strings(finding.exam_uid, BETWEEN)).group_by(*group).order_by(*group)
    if protocol is not None:
        query = query.where(finding.protocol == protocol)
    counted: dict[tuple[str, str, str, str | None, str], dict[Outcome, int]] = defaultdict(dict)
    for key, rows in groupby(connection.execute(query), key=lambda row: tuple(row[:3])):
        known: dict[str, set[str]] = defaultdict(set)
        for *_, outcome, level, exams in sorted(rows, key=_severity):
            here = set(exams.split(BETWEEN)) - known[level]
            known[level] |= here
            for site, count in Counter(map(sites.__getitem__, here)).items():
                counted[site, *key, level][Outcome(outcome)] = count
    return tuple(
        CriterionCount(site=key[0], protocol=key[1], criterion=key[2], role=key[3], level=key[4], outcomes=outcomes)
        for key, outcomes in sorted(counted.items(), key=lambda item: tuple(part or "" for part in item[0]))
    )


def _severity(row: Row[Any]) -> int:
    return _WORST_FIRST.index(Outcome(row.outcome)) if Outcome(row.outcome) in _WORST_FIRST else len(_WORST_FIRST)


@dataclass(frozen=True, slots=True, eq=False)
class PeerTable:
    """For each criterion, how all exams of the workspace met it."""

    distances: Mapping[CriterionKey, NDArray[np.float64]]
    """Ascending distances beyond the limit of those that have one."""
    met: Mapping[CriterionKey, int]
    judged: Mapping[CriterionKey, int]

    def peers(self, finding: Finding) -> Peers | None:
        """How `finding`, one of the workspace's own, stands among the others; None without any."""
        key = (finding.protocol, finding.criterion, finding.role)
        if finding.outcome not in (Outcome.PASS, Outcome.FAIL, Outcome.WAIVED):
            return None
        others = self.judged.get(key, 0) - 1
        if others < 1:
            return None
        met = self.met.get(key, 0) - (finding.outcome is Outcome.PASS)
        return Peers(count=others, met=met, percentile=self._percentile(key, finding.distance))

    def _percentile(self, key: CriterionKey, distance: float | None) -> float | None:
        found = self.distances.get(key)
        if distance is None or found is None or len(found) < 2:
            return None
        nearer = int(np.searchsorted(found, distance, side="left"))
        up_to = int(np.searchsorted(found, distance, side="right"))
        farther, tied = len(found) - up_to, up_to - nearer - 1
        return 100.0 * (farther + 0.5 * tied) / (len(found) - 1)


def peer_table(connection: Connection) -> PeerTable:
    """How all stored exams met each criterion."""
    finding = schema.finding.c
    judged_outcomes = [one.value for one in (Outcome.PASS, Outcome.FAIL, Outcome.WAIVED)]
    group = (finding.protocol, finding.criterion, finding.role, finding.outcome)
    # Two questions in the order of one index: how long each group is, and one long column of distances to be cut.
    groups = select(*group, func.count(), func.count(finding.distance)).group_by(*group).order_by(*group)
    column = select(finding.distance).where(finding.distance.is_not(None)).order_by(*group)
    judged_only = finding.outcome.in_(judged_outcomes)
    everything = np.asarray(connection.scalars(column.where(judged_only)).all(), dtype=np.float64)
    distances: dict[CriterionKey, list[NDArray[np.float64]]] = defaultdict(list)
    met: dict[CriterionKey, int] = defaultdict(int)
    judged: dict[CriterionKey, int] = defaultdict(int)
    start = 0
    for protocol, criterion, role, outcome, count, measured in connection.execute(groups.where(judged_only)):
        key = (protocol, criterion, role)
        judged[key] += count
        met[key] += count if outcome == Outcome.PASS.value else 0
        if measured:
            distances[key].append(everything[start : start + measured])
            start += measured
    return PeerTable(
        distances={key: np.sort(np.concatenate(found)) for key, found in distances.items()},
        met=dict(met),
        judged=dict(judged),
    )
