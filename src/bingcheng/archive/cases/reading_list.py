"""A person's reading list: the cases that somebody keeps to read, those that were read, and what is new.

It is the person's alone, and opens nothing: a case that is no longer given to the hospital stays on it, unseen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Table, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bingcheng.archive.audit.tables import audit_event, audit_study
from bingcheng.archive.cases import tables
from bingcheng.archive.people.tables import person as person_table

MOST = 1000
"""Cases on one list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One case on a list; `read_at` is None while it is still to be read."""

    case: int
    added_at: datetime
    read_at: datetime | None


def keep(connection: Connection, person: int, cases: Iterable[int], now: datetime) -> int:
    """Put cases on a list, to be read; those that were read already stay so. Returns how many were new."""
    table = tables.case_reading
    there = {one.case for one in reading_list(connection, person)}
    wanted = [number for number in dict.fromkeys(cases) if number not in there][: max(0, MOST - len(there))]
    rows = [{"person": person, "case_id": number, "added_at": now} for number in wanted]
    return len(rows) if rows and _added(connection, table, rows) else 0


def set_read(connection: Connection, person: int, case: int, read_at: datetime | None) -> None:
    """Keep that a case on a list was read, or (None) that it is to be read once more."""
    table = tables.case_reading
    mine = (table.c.person == person, table.c.case_id == case)
    connection.execute(update(table).where(*mine).values(read_at=read_at))


def take_off(connection: Connection, person: int, case: int) -> None:
    """Take a case off a list."""
    table = tables.case_reading
    connection.execute(delete(table).where(table.c.person == person, table.c.case_id == case))


def reading_list(connection: Connection, person: int) -> tuple[Kept, ...]:
    """What a person keeps: what is still to be read first, the latest first."""
    table = tables.case_reading.c
    query = select(table.case_id, table.added_at, table.read_at).where(table.person == person)
    order = (table.read_at.is_not(None), table.added_at.desc(), table.case_id.desc())
    return tuple(
        Kept(case=row.case_id, added_at=row.added_at, read_at=row.read_at)
        for row in connection.execute(query.order_by(*order))
    )


def kept(connection: Connection, person: int, case: int) -> Kept | None:
    """How a case stands on a person's list; None if it isn't on it."""
    table = tables.case_reading.c
    query = select(table.added_at, table.read_at).where(table.person == person, table.case_id == case)
    row = connection.execute(query).one_or_none()
    return None if row is None else Kept(case=case, added_at=row.added_at, read_at=row.read_at)


def keep_opened(connection: Connection, person: int, case: int, now: datetime) -> None:
    """Keep that a person opened a case; the first time counts."""
    if case not in opened(connection, person, [case]):
        _added(connection, tables.case_opened, [{"person": person, "case_id": case, "at": now}])


def opened(connection: Connection, person: int, cases: Iterable[int]) -> frozenset[int]:
    """Those of these cases that a person opened before."""
    table = tables.case_opened.c
    query = select(table.case_id).where(table.person == person, table.case_id.in_(list(cases)))
    return frozenset(connection.scalars(query))


def open_from_trail(connection: Connection) -> None:
    """Keep who opened which case, as the audit trail says it: earlier releases kept it nowhere else."""
    exam, study, event = tables.case_exam.c, audit_study.c, audit_event.c
    known = select(person_table.c.id)
    seen = (
        select(event.person, exam.case_id, func.min(event.at))
        .join_from(audit_study, audit_event, study.event == event.id)
        .join(tables.case_exam, exam.study_uid == study.study_uid)
        .where(event.person.in_(known), event.outcome == 0)
        .group_by(event.person, exam.case_id)
    )
    connection.execute(insert(tables.case_opened).from_select(["person", "case_id", "at"], seen))


def _added(connection: Connection, table: Table, rows: list[dict[str, object]]) -> bool:
    """Add rows; False if another request of the same person did in the same instant."""
    try:
        with connection.begin_nested():
            connection.execute(insert(table), rows)
    except IntegrityError:
        return False
    return True
