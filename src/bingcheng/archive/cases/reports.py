"""Comments that readers report to the moderators of a case, until one of them hides the comment or lets it stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from bingcheng.archive.cases import tables
from bingcheng.archive.cases.discussion import comment_of, said_words
from bingcheng.archive.cases.problems import WRONG_STEP
from bingcheng.core.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What somebody reported: which comment of which case, and why. It is open until a moderator settles it."""

    case: int
    comment: int
    person: int
    at: datetime
    because: str


def report(connection: Connection, case: int, number: int, *, person: int, because: str, now: datetime) -> None:
    """Report a comment; the same person reports it once.

    Raises
    ------
    InputError
        ``archive.no-words``, ``archive.not-found``; ``archive.case-wrong-step``: it is one's own, is shown no longer,
        or was reported by the same person.
    """
    known, words = comment_of(connection, case, number), said_words(because)
    table = tables.case_comment_report
    mine = select(table.c.comment).where(table.c.comment == number, table.c.person == person)
    if not known.shown or known.person == person or connection.scalar(mine) is not None:
        raise InputError(WRONG_STEP)
    connection.execute(insert(table), {"comment": number, "person": person, "at": now, "because": words})


def settle(connection: Connection, number: int, now: datetime) -> None:
    """Let the reports of a comment be open no longer."""
    table = tables.case_comment_report
    mine = (table.c.comment == number, table.c.settled_at.is_(None))
    connection.execute(update(table).where(*mine).values(settled_at=now))


def open_reports(connection: Connection, *, hospital: int | None = None, case: int | None = None) -> tuple[Report, ...]:
    """What is reported and not settled of the cases of a hospital, or of one case, the earliest first."""
    said, told, about = tables.case_comment.c, tables.case_comment_report.c, tables.shared_case.c
    query = (
        select(said.case_id, told.comment, told.person, told.at, told.because)
        .select_from(tables.case_comment_report)
        .join(tables.case_comment, said.id == told.comment)
        .join(tables.shared_case, about.id == said.case_id)
        # A comment that its author took back meanwhile asks nobody for anything.
        .where(told.settled_at.is_(None), said.deleted_at.is_(None), said.hidden_at.is_(None))
    )
    query = query.where(about.hospital == hospital) if case is None else query.where(said.case_id == case)
    return tuple(
        Report(case=row.case_id, comment=row.comment, person=row.person, at=row.at, because=row.because)
        for row in connection.execute(query.order_by(told.at, told.comment, told.person))
    )
