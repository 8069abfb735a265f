"""Sessions of browsers. The cookie holds 256 random bits; here stands only their digest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from bingcheng.archive.codec import storable
from bingcheng.archive.people import tables
from bingcheng.archive.people.secret import digest_of, new_secret

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is kept when a session was last used; writing it at each request would cost more than it tells."""
LONGEST_PROGRAM = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session, as its person sees it in the list."""

    digest: str
    made_at: datetime
    seen_at: datetime
    address: str
    program: str


def begin_session(connection: Connection, person: int, *, now: datetime, address: str = "", program: str = "") -> str:
    """A new session; returns the secret for the cookie."""
    connection.execute(delete(tables.session).where(tables.session.c.made_at < now - LONGEST))
    secret = new_secret()
    row = {
        "digest": digest_of(secret),
        "person": person,
        "made_at": now,
        "seen_at": now,
        "address": storable(address)[:64],
        "program": storable(program)[:LONGEST_PROGRAM],
    }
    connection.execute(insert(tables.session), row)
    return secret


def holds(made_at: datetime, seen_at: datetime, now: datetime) -> bool:
    """Whether a session that began and was last used then still holds."""
    return now - seen_at < IDLE and now - made_at < LONGEST


def saw(connection: Connection, digest: str, now: datetime) -> None:
    """Keep that a session was used now."""
    connection.execute(update(tables.session).where(tables.session.c.digest == digest).values(seen_at=now))


def end_session(connection: Connection, digest: str, person: int | None = None) -> None:
    """End one session; with `person`, only if it is that person's."""
    table = tables.session
    query = delete(table).where(table.c.digest == storable(digest))
    connection.execute(query if person is None else query.where(table.c.person == person))


def end_sessions(connection: Connection, person: int, *, but: str | None = None) -> None:
    """End all sessions of a person, but the one of that digest."""
    table = tables.session
    query = delete(table).where(table.c.person == person)
    connection.execute(query if but is None else query.where(table.c.digest != but))


def sessions(connection: Connection, person: int, now: datetime) -> tuple[Session, ...]:
    """The sessions of a person that hold, the latest first."""
    table = tables.session
    rows = connection.execute(select(table).where(table.c.person == person).order_by(table.c.seen_at.desc()))
    return tuple(
        Session(digest=row.digest, made_at=row.made_at, seen_at=row.seen_at, address=row.address, program=row.program)
        for row in rows
        if holds(row.made_at, row.seen_at, now)
    )
