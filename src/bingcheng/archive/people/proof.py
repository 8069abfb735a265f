"""Who somebody is, from what was shown: a session's secret or a token's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.scope import Scope
from bingcheng.archive.people import tables
from bingcheng.archive.people.api_token import scopes_of
from bingcheng.archive.people.emergency import open_glass
from bingcheng.archive.people.person import Person, person
from bingcheng.archive.people.secret import digest_of
from bingcheng.archive.people.session import IDLE, LONGEST, holds
from bingcheng.core.errors import InputError

USED_EVERY = timedelta(minutes=10)
"""How exactly it is kept when a token was last used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Who somebody is, and how long that may be believed without looking again.

    Parameters
    ----------
    digest : of the session or token.
    person : the account, for language and theme.
    holds_until : when the session ends if it is not used, the token expires, or an exam closes.
    seen_at : when the session or token was last kept as used.
    """

    actor: Actor
    person: Person
    digest: str
    holds_until: datetime
    seen_at: datetime | None


def of_session(connection: Connection, secret: str, now: datetime) -> Proof | None:
    """Whose session it is; None if it is none, or holds no more."""
    table, digest = tables.session, digest_of(secret)
    row = connection.execute(select(table).where(table.c.digest == digest)).one_or_none()
    if row is None or not holds(row.made_at, row.seen_at, now):
        return None
    until = min(row.seen_at + IDLE, row.made_at + LONGEST)
    return _proof(connection, row.person, digest, until, row.seen_at, now)


def of_token(connection: Connection, secret: str, now: datetime) -> Proof | None:
    """Whose token it is; None if it is none, or holds no more."""
    table, digest = tables.api_token, digest_of(secret)
    row = connection.execute(
        select(table).where(table.c.digest == digest, table.c.revoked_at.is_(None), table.c.expires_at > now)
    ).one_or_none()
    if row is None:
        return None
    return _proof(connection, row.person, digest, row.expires_at, row.used_at, now, scopes_of(row.scopes))


def used_token(connection: Connection, digest: str, now: datetime) -> None:
    """Keep that a token was used now."""
    table = tables.api_token
    connection.execute(update(table).where(table.c.digest == digest).values(used_at=now))


def actor_of(known: Person, opened: frozenset[str] = frozenset(), scopes: frozenset[Scope] | None = None) -> Actor:
    """The person as one who asks, with what the person has opened in an emergency."""
    return Actor(
        person=known.number,
        login=known.login,
        name=known.name,
        hospital=known.hospital,
        roles=known.roles,
        scopes=scopes,
        broken_glass=opened,
    )


def _proof(
    connection: Connection,
    number: int,
    digest: str,
    until: datetime,
    seen_at: datetime | None,
    now: datetime,
    scopes: frozenset[Scope] | None = None,
) -> Proof | None:
    try:
        known = person(connection, number)
    except InputError:
        return None
    if known.disabled or _shut(connection, known.hospital):
        return None
    # A token opens nothing that its person opened in an emergency, and so nothing that closes.
    opened, closes = (frozenset[str](), None) if scopes is not None else open_glass(connection, number, now)
    return Proof(
        actor=actor_of(known, opened, scopes),
        person=known,
        digest=digest,
        holds_until=min(until, closes) if closes else until,
        seen_at=seen_at,
    )


def _shut(connection: Connection, hospital: int | None) -> bool:
    if hospital is None:
        return False
    table = tables.hospital.c
    return connection.scalar(select(table.disabled_at).where(table.id == hospital)) is not None
