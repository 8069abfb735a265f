"""The numbers of all hospitals, worked out of an assessment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bingcheng.archive.numbers import CriterionName, DoseCount, DoseRow, Numbers, numbers, save_numbers
from bingcheng.archive.site_counts import MonthCount, month_counts
from bingcheng.archive.standing import save_standing
from bingcheng.archive.summaries import CriterionCount, criterion_counts, peer_table
from bingcheng.archive.workspace import Workspace
from bingcheng.compare.dose_judgement import JudgedSite
from bingcheng.compare.dose_overview import DoseOverview
from bingcheng.compare.dose_reference import ReferenceLevel
from bingcheng.core.finding import Finding
from bingcheng.outputs.assessment import Assessment
from bingcheng.outputs.summary import protocol_of


def keep_numbers(workspace: Workspace, assessment: Assessment, now: datetime) -> None:
    """Keep what an assessment of the whole workspace tells of the hospitals; `now` is UTC."""
    # Counted outside the transaction that keeps them: nothing else can be written while it lasts.
    with workspace.reading() as connection:
        months, counts, peers = month_counts(connection), criterion_counts(connection), peer_table(connection)
    made = numbers_of(assessment, now, months=months, counts=counts)
    with workspace.writing() as connection:
        save_numbers(connection, made)
        save_standing(connection, peers)


def recount(workspace: Workspace) -> None:
    """Count anew how exams met the protocols, after they were judged again without being measured again."""
    with workspace.reading() as connection:
        made = numbers(connection)
        months, counts, peers = month_counts(connection), criterion_counts(connection), peer_table(connection)
    if made is not None:
        with workspace.writing() as connection:
            save_numbers(connection, replace(made, months=months, counts=counts))
            save_standing(connection, peers)


def numbers_of(
    assessment: Assessment,
    now: datetime,
    *,
    months: Sequence[MonthCount] | None = None,
    counts: Sequence[CriterionCount] | None = None,
) -> Numbers:
    """What an assessment tells of the hospitals.

    Parameters
    ----------
    months, counts : how its exams met the protocols, as the database counts them.
    """
    return Numbers(
        made_at=now,
        comparison=assessment.comparison,
        criteria=_criteria(assessment),
        months=None if months is None else tuple(months),
        counts=None if counts is None else tuple(counts),
        doses=() if assessment.dose is None else _doses(assessment.dose),
        dose_counts=() if assessment.dose is None else _dose_counts(assessment.dose),
        levels=() if assessment.dose is None else assessment.dose.levels,
    )


def _criteria(assessment: Assessment) -> tuple[CriterionName, ...]:
    named: dict[tuple[str, str, str | None], Finding] = {}
    for exam in assessment.exams:
        for finding in exam.findings:
            key = (finding.protocol, finding.criterion, finding.role)
            # What is broken says what to do; what is met does not.
            if key not in named or (named[key].remedy is None and finding.remedy is not None):
                named[key] = finding
    return tuple(
        CriterionName(
            protocol=protocol,
            criterion=criterion,
            role=role,
            title=finding.title,
            protocol_title=protocol_of(finding),
            remedy=finding.remedy,
        )
        for (protocol, criterion, role), finding in sorted(
            named.items(), key=lambda item: tuple(part or "" for part in item[0])
        )
    )


def _doses(overview: DoseOverview) -> tuple[DoseRow, ...]:
    levels = {_group(level): level for level in overview.levels}
    return tuple(
        DoseRow(
            site=one.site,
            procedure=one.procedure.label,
            phantom_cm=one.phantom_cm,
            band=None if one.band is None else one.band.label,
            quantity=one.quantity,
            count=one.count,
            median=one.median,
            reference=one.reference,
            low=one.low,
            verdict=one.verdict,
            sentence=one.sentence,
            provisional=one.whose is None and levels[_of(one)].provisional,
            whose=one.whose,
            remedy=one.remedy,
            owner=one.owner,
        )
        for one in overview.sites
    )


def _group(level: ReferenceLevel) -> tuple[object, ...]:
    group = level.group
    return group.procedure, group.phantom_cm, group.band, group.quantity


def _of(one: JudgedSite) -> tuple[object, ...]:
    return one.procedure, one.phantom_cm, one.band, one.quantity


def _dose_counts(overview: DoseOverview) -> tuple[DoseCount, ...]:
    exams: dict[str, set[str]] = defaultdict(set)
    stated: dict[str, set[str]] = defaultdict(set)
    for one in overview.exams:
        exams[one.record.site].add(one.record.exam_uid)
        if one.record.values:
            stated[one.record.site].add(one.record.exam_uid)
    return tuple(
        DoseCount(site=site, exams=len(uids), stated=len(stated[site])) for site, uids in sorted(exams.items())
    )
