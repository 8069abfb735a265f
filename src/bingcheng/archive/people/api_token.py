"""Tokens for programs: shown once, limited to scopes, and always with an end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from bingcheng.archive.authorisation.scope import Scope
from bingcheng.archive.people import tables
from bingcheng.archive.people.hospital import named
from bingcheng.archive.people.person import LARGEST_NUMBER
from bingcheng.archive.people.problems import NO_SCOPES, WRONG_SPAN
from bingcheng.archive.people.secret import digest_of, new_secret
from bingcheng.core.errors import InputError

PREFIX = "bcg_"
"""Lets people and secret scanners tell a token when they see one."""
LONGEST_DAYS = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """One token, as its person sees it in the list."""

    number: int
    label: str
    scopes: frozenset[Scope]
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None


def make_token(
    connection: Connection, person: int, *, label: str, scopes: Iterable[Scope], days: int, now: datetime
) -> str:
    """A new token; returns its secret, which is shown once and never again.

    Raises
    ------
    InputError
        ``archive.no-name``, ``archive.no-scopes``, ``archive.wrong-span``.
    """
    wanted = frozenset(scopes)
    if not wanted:
        raise InputError(NO_SCOPES)
    if not 1 <= days <= LONGEST_DAYS:
        raise InputError(WRONG_SPAN, count=LONGEST_DAYS)
    secret = PREFIX + new_secret()
    row = {
        "person": person,
        "digest": digest_of(secret),
        "label": named(label),
        "scopes": " ".join(sorted(wanted)),
        "made_at": now,
        "expires_at": now + timedelta(days=days),
    }
    connection.execute(insert(tables.api_token), row)
    return secret


def tokens(connection: Connection, person: int, now: datetime) -> tuple[ApiToken, ...]:
    """The tokens of a person that hold, the latest first."""
    table = tables.api_token
    rows = connection.execute(
        select(table)
        .where(table.c.person == person, table.c.revoked_at.is_(None), table.c.expires_at > now)
        .order_by(table.c.id.desc())
    )
    return tuple(
        ApiToken(
            number=row.id,
            label=row.label,
            scopes=scopes_of(row.scopes),
            made_at=row.made_at,
            expires_at=row.expires_at,
            used_at=row.used_at,
        )
        for row in rows
    )


def revoke_token(connection: Connection, person: int, number: int, now: datetime) -> None:
    """Let a token of that person hold no more; nothing happens where there is no such token."""
    if not 0 < number <= LARGEST_NUMBER:
        return
    table = tables.api_token
    connection.execute(update(table).where(table.c.id == number, table.c.person == person).values(revoked_at=now))


def scopes_of(stored: str) -> frozenset[Scope]:
    """The scopes as they are stored."""
    return frozenset(Scope(word) for word in stored.split())
