"""Break-glass: opening one exam in an emergency, for an hour, with a reason, and telling who must know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, insert, or_, select

from bingcheng.archive.authorisation.actor import Actor, glass
from bingcheng.archive.authorisation.role import Role
from bingcheng.archive.codec import storable
from bingcheng.archive.people import tables
from bingcheng.archive.people.notice import notify
from bingcheng.archive.people.person import persons
from bingcheng.archive.people.problems import NO_REASON, TOO_MANY_OPEN
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text

OPEN_FOR = timedelta(hours=1)
SHORTEST_REASON, LONGEST_REASON = 10, 500
MOST_OPEN = 20
"""Exams that one person may have open at once: more than an emergency needs, and too few to carry a list away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenGlass:
    """One exam that somebody opened in an emergency."""

    person: int
    study_uid: str
    reason: str
    at: datetime
    expires_at: datetime


def break_glass(
    connection: Connection, actor: Actor, *, hospital: int, study_uid: str, reason: str, now: datetime
) -> datetime:
    """Open one exam of a hospital for an hour; returns until when. Its administrators are told.

    Whether the actor may is decided before (`Action.BREAK_GLASS`).

    Raises
    ------
    InputError
        ``archive.no-reason``, ``archive.too-many-open``.
    """
    words = " ".join(storable(reason).split())
    if not SHORTEST_REASON <= len(words) <= LONGEST_REASON or actor.person is None:
        raise InputError(NO_REASON)
    opened = {(one.hospital, one.study_uid) for one in connection.execute(_open(actor.person, now))}
    if len(opened) >= MOST_OPEN and (hospital, study_uid) not in opened:
        raise InputError(TOO_MANY_OPEN, count=MOST_OPEN)
    row = {
        "person": actor.person,
        "hospital": hospital,
        "study_uid": study_uid,
        "reason": words,
        "at": now,
        "expires_at": now + OPEN_FOR,
    }
    connection.execute(insert(tables.broken_glass), row)
    says = text("{name} opened an exam in an emergency: {reason}", name=actor.name, reason=words)
    for one in administrators(connection, {hospital, actor.hospital}):
        notify(connection, one, says, link="/admin/audit", now=now)
    return now + OPEN_FOR


def open_glass(connection: Connection, person: int, now: datetime) -> tuple[frozenset[str], datetime | None]:
    """The exams that a person has open in an emergency, and when the first of them closes.

    A hospital that allows it no longer, or is shut, has closed them.
    """
    rows = connection.execute(_open(person, now)).all()
    return frozenset(glass(row.hospital, row.study_uid) for row in rows), min(
        (row.expires_at for row in rows), default=None
    )


def broken(connection: Connection, hospital: int) -> tuple[BrokenGlass, ...]:
    """All exams of a hospital that were ever opened in an emergency, the latest first."""
    table = tables.broken_glass
    rows = connection.execute(select(table).where(table.c.hospital == hospital).order_by(table.c.id.desc()))
    return tuple(
        BrokenGlass(person=row.person, study_uid=row.study_uid, reason=row.reason, at=row.at, expires_at=row.expires_at)
        for row in rows
    )


def _open(person: int, now: datetime) -> Select[Any]:
    table, place, who = tables.broken_glass.c, tables.hospital.c, tables.person.c
    return (
        select(table.hospital, table.study_uid, table.expires_at)
        .join(tables.hospital, place.id == table.hospital)
        .join(tables.person, who.id == table.person)
        .where(
            table.person == person,
            table.expires_at > now,
            place.disabled_at.is_(None),
            or_(place.emergency, who.hospital == table.hospital),
        )
    )


def administrators(connection: Connection, hospitals: Iterable[int | None]) -> tuple[int, ...]:
    """The numbers of the administrators of hospitals whose accounts are open."""
    wanted = set(hospitals) - {None}
    return tuple(
        one.number
        for one in persons(connection)
        if one.hospital in wanted and Role.SITE_ADMIN in one.roles and not one.disabled
    )
