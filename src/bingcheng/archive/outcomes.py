"""What the criteria of one protocol came to in all stored exams, as rows: for whoever moves a limit."""

from __future__ import annotations

from sqlalchemy import Connection, select

from bingcheng.archive import schema
from bingcheng.core.finding import Outcome
from bingcheng.protocol.authoring.what_if import CameTo


def outcomes(connection: Connection, protocol: str) -> tuple[CameTo, ...]:
    """The findings by the protocol of that identifier, without their sentences; none if no exam was judged by it."""
    finding, exam = schema.finding.c, schema.exam.c
    query = (
        select(
            finding.exam_uid,
            exam.site,
            finding.criterion,
            finding.role,
            finding.outcome,
            finding.value,
            finding.distance,
        )
        .join(schema.exam, exam.uid == finding.exam_uid)
        .where(finding.protocol == protocol)
        .order_by(finding.id)
    )
    return tuple(
        CameTo(
            exam=uid,
            site=site,
            criterion=criterion,
            role=role,
            outcome=Outcome(outcome),
            value=value,
            distance=distance,
        )
        for uid, site, criterion, role, outcome, value, distance in connection.execute(query)
    )
