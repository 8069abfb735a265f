"""The audit trail: a chain of events in which each row seals all before it.

Whoever changes, removes or inserts a row breaks the chain from there on, unless all later rows are made anew; to notice
that too, and rows cut off at the end, keep `head` somewhere else from time to time (an export holds it).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, bindparam, delete, exists, func, insert, select
from sqlalchemy.sql import ColumnElement

from bingcheng.archive import prepared
from bingcheng.archive.audit import tables
from bingcheng.archive.audit.event import AuditEvent
from bingcheng.archive.audit.problems import BROKEN_CHAIN
from bingcheng.archive.codec import decoded, encoded, storable
from bingcheng.core.errors import InputError

if TYPE_CHECKING:
    from bingcheng.archive.workspace import Workspace

GENESIS = "0" * 64
"""What stands before the first event."""
AT_ONCE = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An event with its place in the chain."""

    number: int
    event: AuditEvent
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which events somebody asks for; None leaves a thing open.

    Parameters
    ----------
    hospital : events about that hospital's data and people, or by its people; see `of_installation`.
    of_installation : events that are about no hospital and by nobody of one, only.
    since, until : UTC; `until` is not included.
    """

    hospital: int | None = None
    of_installation: bool = False
    since: datetime | None = None
    until: datetime | None = None
    person: int | None = None
    login: str | None = None
    study_uid: str | None = None
    code: str | None = None
    failed: bool = False


def record(connection: Connection, event: AuditEvent) -> int:
    """Add an event to the trail; returns its number. Within a transaction of a writer, so that the chain stays one."""
    number, previous = head(connection)
    written = encoded(event)
    row = {"id": number + 1, **_searched(event), "record": written, "digest": _sealed(previous, written)}
    prepared.each(connection, _NEW, [row])
    studies = [{"event": number + 1, "study_uid": uid} for uid in dict.fromkeys(event.studies)]
    if studies:
        prepared.each(connection, _NEW_STUDY, studies)
    return number + 1


def head(connection: Connection) -> tuple[int, str]:
    """Number and digest of the last event."""
    last = prepared.first(connection, _LAST, {}) or prepared.first(connection, _BEGINNING, {})
    return (0, GENESIS) if last is None else (int(last[0]), str(last[1]))


_NEW = insert(tables.audit_event).values(
    {column.name: bindparam(column.name, type_=column.type) for column in tables.audit_event.c}
)
_NEW_STUDY = insert(tables.audit_study).values(
    {column.name: bindparam(column.name, type_=column.type) for column in tables.audit_study.c}
)
_LAST = select(tables.audit_event.c.id, tables.audit_event.c.digest).where(
    tables.audit_event.c.id == select(func.max(tables.audit_event.c.id)).scalar_subquery()
)
_BEGINNING = select(tables.audit_start.c.event, tables.audit_start.c.digest)


def verify(connection: Connection) -> int:
    """How many events the trail holds, if none was changed.

    Raises
    ------
    InputError
        ``archive.broken-audit``.
    """
    table, start = tables.audit_event.c, tables.audit_start.c
    begin = connection.execute(select(start.event, start.digest)).one_or_none()
    number, digest = (0, GENESIS) if begin is None else (int(begin[0]), str(begin[1]))
    count = 0
    query = select(tables.audit_event).order_by(table.id).execution_options(yield_per=AT_ONCE)
    for rows in connection.execute(query).partitions(AT_ONCE):
        studies = _studies(connection, rows[0].id, rows[-1].id)
        for row in rows:
            number += 1
            digest = _sealed(digest, row.record)
            if row.id != number or row.digest != digest or not _agrees(row, studies.get(row.id, set())):
                raise InputError(BROKEN_CHAIN, number=number)
            count += 1
    return count


def events(
    connection: Connection, asked: Asked, *, limit: int | None = None, before: int | None = None
) -> Iterator[Recorded]:
    """Events that were asked for, the latest first; `before` the event of that number."""
    table = tables.audit_event.c
    query = _where(select(table.id, table.record, table.digest), asked).order_by(table.id.desc())
    if before is not None:
        query = query.where(table.id < before)
    if limit is not None:
        query = query.limit(limit)
    for row in connection.execute(query.execution_options(yield_per=AT_ONCE)):
        yield Recorded(number=row.id, event=decoded(AuditEvent, row.record), digest=row.digest)


def events_in_pieces(
    workspace: Workspace, asked: Asked, *, limit: int | None = None, before: int | None = None
) -> Iterator[Recorded]:
    """The same, read piece by piece: however slowly they are taken, no transaction stays open meanwhile."""
    left = limit
    while left is None or left > 0:
        wanted = AT_ONCE if left is None else min(AT_ONCE, left)
        with workspace.reading() as connection:
            piece = list(events(connection, asked, limit=wanted, before=before))
        yield from piece
        if len(piece) < wanted:
            return
        before, left = piece[-1].number, None if left is None else left - wanted


def count_events(connection: Connection, asked: Asked) -> int:
    """How many events were asked for."""
    query = _where(select(func.count()).select_from(tables.audit_event), asked)
    return int(connection.scalar(query) or 0)


def forget_before(connection: Connection, moment: datetime) -> int:
    """Remove events from before `moment`, as the rules on how long they are kept demand; returns how many.

    Only a whole beginning of the chain is removed, and where it goes on from is kept.
    """
    table, start = tables.audit_event, tables.audit_start
    first_kept = connection.scalar(select(func.min(table.c.id)).where(table.c.at >= moment))
    old = select(table.c.id, table.c.digest, table.c.at).order_by(table.c.id.desc()).limit(1)
    last = connection.execute(old if first_kept is None else old.where(table.c.id < first_kept)).one_or_none()
    if last is None:
        return 0
    connection.execute(delete(start))
    connection.execute(insert(start), {"event": last.id, "digest": last.digest, "at": last.at})
    connection.execute(delete(tables.audit_study).where(tables.audit_study.c.event <= last.id))
    return connection.execute(delete(table).where(table.c.id <= last.id)).rowcount


def record_all(connection: Connection, several: Iterable[AuditEvent]) -> None:
    """Add events in their order."""
    for event in several:
        record(connection, event)


def _where(query: Select[Any], asked: Asked) -> Select[Any]:
    table, study = tables.audit_event.c, tables.audit_study.c
    conditions: list[ColumnElement[bool]] = []
    if asked.hospital is not None:
        conditions.append((table.hospital == asked.hospital) | (table.actor_hospital == asked.hospital))
    if asked.of_installation:
        conditions.append(table.hospital.is_(None) & table.actor_hospital.is_(None))
    equal = ((table.login, asked.login), (table.code, asked.code))
    conditions.extend(column == storable(value) for column, value in equal if value is not None)
    if asked.person is not None:
        conditions.append(table.person == asked.person)
    if asked.since is not None:
        conditions.append(table.at >= asked.since)
    if asked.until is not None:
        conditions.append(table.at < asked.until)
    if asked.failed:
        conditions.append(table.outcome != 0)
    if asked.study_uid is not None:
        conditions.append(exists().where((study.event == table.id) & (study.study_uid == storable(asked.study_uid))))
    return query.where(*conditions)


def _sealed(previous: str, written: str) -> str:
    return hashlib.sha256(f"{previous}\n{written}".encode()).hexdigest()


def _studies(connection: Connection, first: int, last: int) -> dict[int, set[str]]:
    """By which studies the events from `first` to `last` are found."""
    table, found = tables.audit_study.c, dict[int, set[str]]()
    query = select(table.event, table.study_uid).where(table.event >= first, table.event <= last)
    for number, uid in connection.execute(query):
        found.setdefault(number, set()).add(uid)
    return found


def _agrees(row: object, studies: set[str]) -> bool:
    """Whether what is searched says what the sealed record says: an event that no search finds is as if removed."""
    fields = row._mapping  # type: ignore[attr-defined]  # noqa: SLF001 - the public name of a row's columns
    event = decoded(AuditEvent, fields["record"])
    return studies == set(event.studies) and all(fields[name] == value for name, value in _searched(event).items())


def _searched(event: AuditEvent) -> dict[str, object]:
    """What an event is found by, beside the sealed record: the columns of its row."""
    return {
        "at": event.at,
        "hospital": event.hospital,
        "actor_hospital": event.actor_hospital,
        "person": event.person,
        "login": storable(event.login)[:64],
        "code": event.code.value,
        "outcome": int(event.outcome),
    }
