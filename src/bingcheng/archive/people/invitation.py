"""Invitations and links to set a password anew: single-use, with an end, bound to hospital and roles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from bingcheng.archive.authorisation.role import Role
from bingcheng.archive.codec import storable
from bingcheng.archive.people import tables
from bingcheng.archive.people.person import checked_roles, make_person, person, set_password
from bingcheng.archive.people.problems import SPENT_INVITATION
from bingcheng.archive.people.secret import digest_of, new_secret
from bingcheng.core.errors import InputError

INVITED_FOR = timedelta(days=7)
RESET_FOR = timedelta(hours=24)
LONGEST_NOTE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """One invitation; `person` is whose password the link sets anew, None where it makes an account."""

    digest: str
    hospital: int | None
    roles: frozenset[Role]
    person: int | None
    note: str
    made_at: datetime
    expires_at: datetime


def invite(
    connection: Connection,
    *,
    hospital: int | None,
    roles: Iterable[Role],
    by: int | None,
    now: datetime,
    note: str = "",
) -> str:
    """Invite somebody; returns the secret of the link.

    Raises
    ------
    InputError
        ``archive.wrong-roles``.
    """
    wanted = checked_roles(roles, hospital)
    return _kept(connection, hospital=hospital, roles=wanted, by=by, note=note, now=now, until=now + INVITED_FOR)


def let_reset(connection: Connection, number: int, *, by: int | None, now: datetime) -> str:
    """Let a person set the password anew; returns the secret of the link. An earlier link holds no more.

    Raises
    ------
    InputError
        ``archive.not-found``.
    """
    known, table = person(connection, number), tables.invitation
    connection.execute(delete(table).where(table.c.person == number))
    return _kept(
        connection,
        hospital=known.hospital,
        roles=known.roles,
        by=by,
        note=known.name,
        now=now,
        until=now + RESET_FOR,
        person=number,
    )


def invitation(connection: Connection, secret: str, now: datetime) -> Invitation:
    """The invitation of a link that may still be used.

    Raises
    ------
    InputError
        ``archive.spent-invitation``: the same for all reasons, so that nobody can tell which links there were.
    """
    table = tables.invitation
    row = connection.execute(
        select(table).where(table.c.digest == digest_of(secret), table.c.used_at.is_(None), table.c.expires_at > now)
    ).one_or_none()
    if row is None:
        raise InputError(SPENT_INVITATION)
    return _invitation(row)


def accept(
    connection: Connection, secret: str, *, login: str, name: str, password_hash: str, now: datetime, language: str = ""
) -> int:
    """Make the account of an invitation, or set the password of its person; returns the person's number.

    Raises
    ------
    InputError
        ``archive.spent-invitation``, and what `make_person` raises.
    """
    found = invitation(connection, secret, now)
    table = tables.invitation
    connection.execute(update(table).where(table.c.digest == found.digest).values(used_at=now))
    if found.person is not None:
        set_password(connection, found.person, password_hash)
        return found.person
    return make_person(
        connection,
        login=login,
        name=name,
        hospital=found.hospital,
        roles=found.roles,
        now=now,
        password_hash=password_hash,
        language=language,
    )


def invitations(connection: Connection, hospital: int | None, now: datetime) -> tuple[Invitation, ...]:
    """The invitations of a hospital (None: of no hospital) that may still be used, the latest first."""
    table = tables.invitation
    whose = table.c.hospital.is_(None) if hospital is None else table.c.hospital == hospital
    rows = connection.execute(
        select(table)
        .where(whose, table.c.person.is_(None), table.c.used_at.is_(None), table.c.expires_at > now)
        .order_by(table.c.made_at.desc())
    )
    return tuple(_invitation(row) for row in rows)


def withdraw_invitation(connection: Connection, digest: str, hospital: int | None) -> None:
    """Let an invitation of a hospital (None: of no hospital) hold no more."""
    table = tables.invitation
    whose = table.c.hospital.is_(None) if hospital is None else table.c.hospital == hospital
    connection.execute(delete(table).where(table.c.digest == storable(digest), whose))


def _kept(
    connection: Connection,
    *,
    hospital: int | None,
    roles: frozenset[Role],
    by: int | None,
    note: str,
    now: datetime,
    until: datetime,
    person: int | None = None,
) -> str:
    secret = new_secret()
    row = {
        "digest": digest_of(secret),
        "hospital": hospital,
        "roles": " ".join(sorted(roles)),
        "person": person,
        "note": " ".join(storable(note).split())[:LONGEST_NOTE],
        "made_by": by,
        "made_at": now,
        "expires_at": until,
    }
    connection.execute(insert(tables.invitation), row)
    return secret


def _invitation(row: object) -> Invitation:
    fields = row._mapping  # type: ignore[attr-defined]  # noqa: SLF001 - the public name of a row's columns
    return Invitation(
        digest=fields["digest"],
        hospital=fields["hospital"],
        roles=frozenset(Role(word) for word in fields["roles"].split()),
        person=fields["person"],
        note=fields["note"],
        made_at=fields["made_at"],
        expires_at=fields["expires_at"],
    )
