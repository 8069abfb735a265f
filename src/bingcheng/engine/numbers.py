"""The numbers of all hospitals, worked out of an assessment."""

from __future__ import annotations

from datetime import datetime

from bingcheng.archive.numbers import CriterionName, Numbers, save_numbers
from bingcheng.archive.workspace import Workspace
from bingcheng.core.finding import Finding
from bingcheng.outputs.assessment import Assessment
from bingcheng.outputs.summary import protocol_of


def keep_numbers(workspace: Workspace, assessment: Assessment, now: datetime) -> None:
    """Keep what an assessment of the whole workspace tells of the hospitals; `now` is UTC."""
    with workspace.writing() as connection:
        save_numbers(connection, numbers_of(assessment, now))


def numbers_of(assessment: Assessment, now: datetime) -> Numbers:
    """What an assessment tells of the hospitals."""
    named: dict[tuple[str, str, str | None], Finding] = {}
    for exam in assessment.exams:
        for finding in exam.findings:
            key = (finding.protocol, finding.criterion, finding.role)
            # What is broken says what to do; what is met does not.
            if key not in named or (named[key].remedy is None and finding.remedy is not None):
                named[key] = finding
    return Numbers(
        made_at=now,
        comparison=assessment.comparison,
        criteria=tuple(
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
        ),
    )
