"""What people state about exams: waivers, which series is which, and answers that no header holds.

Statements are kept apart from what is assessed: an exam that is assessed again keeps them. None is ever deleted; one
that is withdrawn says when, so that it can be seen later why an exam was judged as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Connection, func, insert, select, update

from bingcheng.archive import schema
from bingcheng.archive.codec import decoded, encoded, storable
from bingcheng.archive.problems import NO_SUCH_STATEMENT
from bingcheng.core.errors import InputError


class StatementKind(StrEnum):
    """What is stated."""

    WAIVER = "waiver"
    CORRECTION = "correction"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Something that a person of a department stated. Its words are no patient data; the command says so.

    Parameters
    ----------
    by, made_at : who, and when (UTC).
    exam_uid, site, device : for which exam, hospital or scanner; None where it holds for all.
    protocol, subject : a waiver's protocol and criterion, a correction's protocol and role; an answer's attribute.
    signature : of the series that a correction speaks of; the same on every exam of that console protocol.
    fills : of a correction: whether the series is the one, or is not.
    value : of an answer, in the attribute's unit.
    why, until : of a waiver; it holds up to and including that day.
    """

    kind: StatementKind
    by: str
    made_at: datetime
    subject: str
    protocol: str | None = None
    exam_uid: str | None = None
    site: str | None = None
    device: str | None = None
    signature: str | None = None
    fills: bool = True
    value: bool | float | str | tuple[float, ...] | tuple[str, ...] | None = None
    why: str = ""
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A statement in the workspace: its number, and when it was withdrawn if it was."""

    number: int
    statement: Statement
    withdrawn_at: datetime | None = None


def state(connection: Connection, statement: Statement) -> int:
    """Keep `statement`; returns its number. One about the same subject and the same exams takes the earlier's place."""
    table = schema.statement
    for earlier in statements(connection):
        if _about(earlier.statement) == _about(statement):
            connection.execute(update(table).where(table.c.id == earlier.number).values(withdrawn_at=statement.made_at))
    row = {
        "kind": statement.kind.value,
        "exam_uid": statement.exam_uid,
        "site": None if statement.site is None else storable(statement.site),
        "made_at": statement.made_at,
        "record": encoded(statement),
    }
    made = connection.execute(insert(table).returning(table.c.id), row)
    return int(made.scalar_one())


def withdraw(connection: Connection, number: int, at: datetime) -> Statement:
    """Withdraw a statement; returns it.

    Raises
    ------
    InputError
        ``archive.no-such-statement``.
    """
    table = schema.statement
    row = connection.execute(
        select(table.c.record).where(table.c.id == number, table.c.withdrawn_at.is_(None))
    ).one_or_none()
    if row is None:
        count = connection.scalar(select(func.count()).where(table.c.withdrawn_at.is_(None)))
        raise InputError(NO_SUCH_STATEMENT, number=number, count=int(count or 0))
    connection.execute(update(table).where(table.c.id == number).values(withdrawn_at=at))
    return decoded(Statement, row.record)


def statements(connection: Connection, *, withdrawn: bool = False) -> tuple[Kept, ...]:
    """The statements that hold, in the order in which they were made; with `withdrawn` also those that did."""
    table = schema.statement
    query = select(table.c.id, table.c.record, table.c.withdrawn_at).order_by(table.c.id)
    if not withdrawn:
        query = query.where(table.c.withdrawn_at.is_(None))
    return tuple(
        Kept(number=row.id, statement=decoded(Statement, row.record), withdrawn_at=row.withdrawn_at)
        for row in connection.execute(query)
    )


def holding(kept: Iterable[Kept], kind: StatementKind) -> tuple[Statement, ...]:
    """The statements of one kind that are not withdrawn."""
    return tuple(one.statement for one in kept if one.statement.kind is kind and one.withdrawn_at is None)


def _about(statement: Statement) -> tuple[object, ...]:
    return (
        statement.kind,
        statement.protocol,
        statement.subject,
        statement.exam_uid,
        statement.site,
        statement.device,
        statement.signature,
    )
