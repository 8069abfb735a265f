"""Comments that readers report to the moderators of a case, until one of them hides the comment or lets it stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, insert, null, select, update

from bingcheng.archive.cases import tables
from bingcheng.archive.cases.discussion import comment_of, said_words
from bingcheng.archive.cases.earlier_comments import settle_found
from bingcheng.archive.cases.problems import WRONG_STEP
from bingcheng.archive.codec import decoded
from bingcheng.core.errors import InputError
from bingcheng.core.wording import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was reported: which comment of which case, and why. It is open until a moderator settles it.

    Parameters
    ----------
    person : None where the program found it among comments that were written before comments were searched.
    at : when it was reported; of what was found, when the comment was written.
    because : in the person's words; a sentence where it was found.
    """

    case: int
    comment: int
    person: int | None
    at: datetime
    because: str | Text


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
    settle_found(connection, number, now)


def open_reports(connection: Connection, *, hospital: int | None = None, case: int | None = None) -> tuple[Report, ...]:
    """What is reported and not settled of the cases of a hospital, or of one case, the earliest first."""
    by_people, by_search = tables.case_comment_report, tables.case_comment_found
    found = [
        Report(
            case=row.case_id,
            comment=row.comment,
            person=row.person,
            at=row.at,
            because=row.because if row.person is not None else decoded(Text, row.because),
        )
        for told, person in ((by_people, by_people.c.person), (by_search, null()))
        for row in connection.execute(_open(told, person, hospital, case))
    ]
    return tuple(sorted(found, key=lambda one: (one.at, one.comment, one.person or 0)))


def _open(told: Table, person: ColumnElement[Any], hospital: int | None, case: int | None) -> Select[Any]:
    said, about = tables.case_comment.c, tables.shared_case.c
    query = (
        select(said.case_id, told.c.comment, person.label("person"), told.c.at, told.c.because)
        .select_from(told)
        .join(tables.case_comment, said.id == told.c.comment)
        .join(tables.shared_case, about.id == said.case_id)
        # A comment that its author took back meanwhile asks nobody for anything.
        .where(told.c.settled_at.is_(None), said.deleted_at.is_(None), said.hidden_at.is_(None))
    )
    return query.where(about.hospital == hospital) if case is None else query.where(said.case_id == case)
