"""Notices inside the application: what somebody should know, with a link to where it is."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from bingcheng.archive.codec import storable
from bingcheng.archive.people import tables
from bingcheng.archive.people.person import LARGEST_NUMBER
from bingcheng.core.wording import Text

MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One notice; `link` is a path on this server, empty without one."""

    number: int
    at: datetime
    says: Text
    link: str
    read: bool


def notify(connection: Connection, person: int, says: Text, *, now: datetime, link: str = "") -> None:
    """Tell a person something. The words are no patient data."""
    notify_all(connection, [person], says, now=now, link=link)


def notify_all(connection: Connection, people: Iterable[int], says: Text, *, now: datetime, link: str = "") -> None:
    """Tell each of some people the same. The words are no patient data."""
    words = storable(json.dumps(says.as_json(), ensure_ascii=False))
    rows = [{"person": person, "at": now, "says": words, "link": link} for person in people]
    if rows:
        connection.execute(insert(tables.notice), rows)


def unread(connection: Connection, person: int) -> int:
    """How many notices a person has not read."""
    table = tables.notice.c
    query = select(func.count()).where(table.person == person, table.read_at.is_(None))
    return int(connection.scalar(query) or 0)


def notices(connection: Connection, person: int) -> tuple[Notice, ...]:
    """The latest notices of a person, the latest first."""
    table = tables.notice
    rows = connection.execute(select(table).where(table.c.person == person).order_by(table.c.id.desc()).limit(MOST))
    return tuple(
        Notice(
            number=row.id,
            at=row.at,
            says=Text.from_json(json.loads(row.says)),
            link=row.link,
            read=row.read_at is not None,
        )
        for row in rows
    )


def open_notice(connection: Connection, person: int, number: int, now: datetime) -> str | None:
    """Where a notice leads, which counts as read from then on; None if the person has no such notice."""
    if not 0 < number <= LARGEST_NUMBER:
        return None
    table = tables.notice
    mine = (table.c.id == number, table.c.person == person)
    connection.execute(update(table).where(*mine, table.c.read_at.is_(None)).values(read_at=now))
    found: str | None = connection.scalar(select(table.c.link).where(*mine))
    return found


def read_notices(connection: Connection, person: int, now: datetime) -> None:
    """Keep that a person has read all notices."""
    table = tables.notice
    connection.execute(update(table).where(table.c.person == person, table.c.read_at.is_(None)).values(read_at=now))
