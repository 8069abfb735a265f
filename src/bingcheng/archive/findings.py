"""The stored findings of one exam, and which exams were judged from what."""

from __future__ import annotations

from sqlalchemy import Connection, select

from bingcheng.archive import schema
from bingcheng.archive.codec import decoded
from bingcheng.core.finding import Finding


def judged_from(connection: Connection, exam_uid: str | None = None) -> dict[str, str]:
    """Of every exam that was judged, or of one alone, by its UID, the digest of what it was judged from."""
    exam = schema.exam.c
    query = select(exam.uid, exam.judged).where(exam.judged.is_not(None))
    rows = connection.execute(query.order_by(exam.uid) if exam_uid is None else query.where(exam.uid == exam_uid))
    return {row.uid: row.judged for row in rows}


def findings_of(connection: Connection, exam_uid: str) -> tuple[Finding, ...]:
    """The findings on one exam, in the order in which they were made.

    Raises
    ------
    InputError
        ``archive.damaged-row``.
    """
    finding = schema.finding.c
    query = select(finding.record).where(finding.exam_uid == exam_uid).order_by(finding.id)
    return tuple(decoded(Finding, record) for record in connection.scalars(query))
