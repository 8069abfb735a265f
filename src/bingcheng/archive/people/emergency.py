"""Break-glass: opening one exam in an emergency, for an hour, with a reason, and telling who must know."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, or_, select

from bingcheng.archive.authorisation.actor import Actor, glass
from bingcheng.archive.authorisation.role import Role
from bingcheng.archive.codec import storable
from bingcheng.archive.people import tables
from bingcheng.archive.people.notice import notify_all
from bingcheng.archive.people.person import persons
from bingcheng.archive.people.problems import NO_REASON, TOO_MANY_OPEN, TOO_MANY_TRIES
from bingcheng.core.errors import InputError, RefusedError
from bingcheng.core.wording import text

OPEN_FOR = timedelta(hours=1)
SHORTEST_REASON, LONGEST_REASON = 10, 500
MOST_OPEN = 20
"""Exams that one person may have open at once: more than an emergency needs, and too few to carry a list away."""
TRIES_KEPT = timedelta(hours=1)
MOST_TRIES = 10
"""Times that one person may look for exams within `TRIES_KEPT`, whatever is found: too few to guess a number by."""


REMEMBERED = timedelta(days=1)
"""How long somebody who opens a link again is told that it was open, and not that there is no such thing."""
TRAIL = "/admin/audit"
"""Where administrators read what was done."""


class TriedBy(StrEnum):
    """By what an exam is looked for."""

    PATIENT = "patient"
    UID = "uid"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenGlass:
    """One exam that somebody opened in an emergency."""

    person: int
    hospital: int
    study_uid: str
    reason: str
    at: datetime
    expires_at: datetime


def reasoned(reason: str) -> str:
    """The words of a reason as they are kept.

    Raises
    ------
    InputError
        ``archive.no-reason``.
    """
    words = " ".join(storable(reason).split())
    if not SHORTEST_REASON <= len(words) <= LONGEST_REASON:
        raise InputError(NO_REASON)
    return words


def count_try(connection: Connection, actor: Actor, by: TriedBy, now: datetime) -> int:
    """Count that somebody looks for exams, before anything is looked up; returns the number of the try.

    Each way has tries of its own: what the last one finds can still be opened.

    The administrators of the person's hospital are told when it was the last that is allowed.

    Raises
    ------
    RefusedError
        ``archive.too-many-tries``; this one does not count then.
    """
    table = tables.emergency_try
    connection.execute(delete(table).where(table.c.at <= now - TRIES_KEPT))
    mine = select(func.count(), func.min(table.c.at)).where(table.c.person == actor.person, table.c.by == by.value)
    count, first = connection.execute(mine).one()
    if count >= MOST_TRIES:
        minutes = math.ceil((first + TRIES_KEPT - now) / timedelta(minutes=1))
        raise RefusedError(TOO_MANY_TRIES, count=MOST_TRIES, minutes=minutes)
    if count == MOST_TRIES - 1:
        says = text(
            "{name} looked for exams in an emergency {count} times within an hour", name=actor.name, count=count + 1
        )
        notify_all(connection, administrators(connection, {actor.hospital}), says, link=TRAIL, now=now)
    row = {"person": actor.person, "by": by.value, "at": now}
    return int(connection.execute(insert(table).returning(table.c.id), row).scalar_one())


def forgive_try(connection: Connection, number: int) -> None:
    """Count a try no longer: it opened an exam, of which there is a limit of its own."""
    connection.execute(delete(tables.emergency_try).where(tables.emergency_try.c.id == number))


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
    words = reasoned(reason)
    if actor.person is None:
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
    whose = connection.scalar(select(tables.hospital.c.name).where(tables.hospital.c.id == actor.hospital)) or ""
    says = text(
        "{name} ({hospital}) opened an exam in an emergency: {reason}", name=actor.name, hospital=whose, reason=words
    )
    told = administrators(connection, {hospital, actor.hospital})
    notify_all(connection, told, says, link=f"{TRAIL}?study_uid={study_uid}", now=now)
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
    return tuple(_broken(row) for row in rows)


def opened_by(connection: Connection, person: int, now: datetime) -> tuple[BrokenGlass, ...]:
    """What a person has open now, each exam once, by when it closes."""
    rows = connection.execute(_open(person, now).order_by(tables.broken_glass.c.expires_at))
    return tuple({(row.hospital, row.study_uid): _broken(row) for row in rows}.values())


def closed_again(connection: Connection, person: int, study_uid: str, now: datetime) -> bool:
    """Whether a person had an exam open within the last day, and has it no longer."""
    table = tables.broken_glass.c
    mine = select(table.id).where(table.person == person, table.study_uid == study_uid, table.at > now - REMEMBERED)
    if connection.scalar(mine.limit(1)) is None:
        return False
    return all(one.study_uid != study_uid for one in opened_by(connection, person, now))


def _broken(row: Row[Any]) -> BrokenGlass:
    return BrokenGlass(
        person=row.person,
        hospital=row.hospital,
        study_uid=row.study_uid,
        reason=row.reason,
        at=row.at,
        expires_at=row.expires_at,
    )


def _open(person: int, now: datetime) -> Select[Any]:
    table, place, who = tables.broken_glass.c, tables.hospital.c, tables.person.c
    return (
        select(tables.broken_glass)
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
