"""People: who signs in, for which hospital, in which roles."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.sql import ColumnElement

from bingcheng.archive.authorisation.rights import GIVES
from bingcheng.archive.authorisation.role import OF_NO_HOSPITAL, Role
from bingcheng.archive.codec import storable
from bingcheng.archive.people import tables
from bingcheng.archive.people.hospital import named
from bingcheng.archive.people.problems import LAST_OPERATOR, LOGIN_TAKEN, NO_SUCH_THING, WRONG_LOGIN_NAME, WRONG_ROLES
from bingcheng.core.errors import InputError

LOGIN = re.compile(r"[\w.@-]{3,64}")
LANGUAGES = ("", "en", "zh")
THEMES = ("auto", "light", "dark")
LARGEST_NUMBER = 2**31 - 1
"""Of anything that has a number; no database takes a larger one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person; the hash of the password is not part of it.

    Parameters
    ----------
    hospital : number of the hospital; None for those of the province and the operator.
    language : ``en``, ``zh``, or empty for what the browser asks for.
    theme : ``auto``, ``light`` or ``dark``.
    local : has a password here; else signs in with the OpenID provider only.
    """

    number: int
    login: str
    name: str
    hospital: int | None
    roles: frozenset[Role]
    language: str
    theme: str
    local: bool
    disabled: bool
    made_at: datetime


def login_name(login: str) -> str:
    """A login as it is stored.

    Raises
    ------
    InputError
        ``archive.wrong-login-name``.
    """
    folded = login.strip().lower()
    if not LOGIN.fullmatch(folded):
        raise InputError(WRONG_LOGIN_NAME)
    return folded


def make_person(
    connection: Connection,
    *,
    login: str,
    name: str,
    hospital: int | None,
    roles: Iterable[Role],
    now: datetime,
    password_hash: str | None = None,
    elsewhere: tuple[str, str] | None = None,
    language: str = "",
) -> int:
    """Make a person; returns the number.

    Parameters
    ----------
    elsewhere : issuer and subject by which an OpenID provider knows the person.

    Raises
    ------
    InputError
        ``archive.wrong-login-name``, ``archive.login-taken``, ``archive.no-name``, ``archive.wrong-roles``.
    """
    folded, wanted = login_name(login), checked_roles(roles, hospital)
    if person_by_login(connection, folded) is not None:
        raise InputError(LOGIN_TAKEN)
    issuer, subject = elsewhere or (None, None)
    row = {
        "login": folded,
        "name": named(name),
        "hospital": hospital,
        "language": language if language in LANGUAGES else "",
        "theme": "auto",
        "password_hash": password_hash,
        "issuer": issuer,
        "issuer_subject": subject,
        "made_at": now,
    }
    table = tables.person
    number = int(connection.execute(insert(table).returning(table.c.id), row).scalar_one())
    connection.execute(insert(tables.person_role), [{"person": number, "role": role.value} for role in sorted(wanted)])
    return number


def checked_roles(roles: Iterable[Role], hospital: int | None) -> frozenset[Role]:
    """Roles that go together with belonging to a hospital, or to none.

    Raises
    ------
    InputError
        ``archive.wrong-roles``.
    """
    wanted = frozenset(roles)
    outside = wanted & OF_NO_HOSPITAL
    if not wanted or (hospital is None) != bool(outside) or (outside and outside != wanted):
        raise InputError(WRONG_ROLES)
    return wanted


def set_rights(connection: Connection, number: int, *, roles: Iterable[Role], disabled_at: datetime | None) -> None:
    """Change roles, or shut an account; all sessions of the person end, and what else would still let somebody in.

    Links for a new password hold no more, nor do links that the person made and could not make now. With the account
    its tokens are shut for good: who opens it again must not wake one that was stolen.

    Raises
    ------
    InputError
        ``archive.not-found``, ``archive.wrong-roles``, ``archive.last-operator``.
    """
    known = person(connection, number)
    wanted = checked_roles(roles, known.hospital)
    operates = Role.OPERATOR in wanted and disabled_at is None
    if Role.OPERATOR in known.roles and not operates and _operators(connection) <= {number}:
        raise InputError(LAST_OPERATOR)
    table = tables.person
    connection.execute(update(table).where(table.c.id == number).values(disabled_at=disabled_at))
    connection.execute(delete(tables.person_role).where(tables.person_role.c.person == number))
    connection.execute(insert(tables.person_role), [{"person": number, "role": role.value} for role in sorted(wanted)])
    _end_sessions_and_links(connection, number)
    _withdraw_links(connection, number, frozenset() if disabled_at is not None else wanted)
    if disabled_at is not None:
        token = tables.api_token
        mine = (token.c.person == number, token.c.revoked_at.is_(None))
        connection.execute(update(token).where(*mine).values(revoked_at=disabled_at))


def set_preferences(connection: Connection, number: int, *, name: str, language: str, theme: str) -> None:
    """Change what a person may change alone: name, language and theme; what is no choice is left as it was.

    Raises
    ------
    InputError
        ``archive.no-name``.
    """
    values = {"name": named(name)}
    if language in LANGUAGES:
        values["language"] = language
    if theme in THEMES:
        values["theme"] = theme
    connection.execute(update(tables.person).where(tables.person.c.id == number).values(values))


def set_password(connection: Connection, number: int, password_hash: str) -> None:
    """Store the hash of a new password; all sessions of the person end, and links to set it anew hold no more."""
    connection.execute(update(tables.person).where(tables.person.c.id == number).values(password_hash=password_hash))
    _end_sessions_and_links(connection, number)


def password_hash(connection: Connection, number: int) -> str | None:
    """The stored hash; None for those without a password here."""
    found: str | None = connection.scalar(select(tables.person.c.password_hash).where(tables.person.c.id == number))
    return found


def person(connection: Connection, number: int) -> Person:
    """The person of a number.

    Raises
    ------
    InputError
        ``archive.not-found``.
    """
    found = _persons(connection, tables.person.c.id == number) if 0 < number <= LARGEST_NUMBER else ()
    if not found:
        raise InputError(NO_SUCH_THING)
    return found[0]


def person_by_login(connection: Connection, login: str) -> Person | None:
    """The person who signs in as `login`, if there is one."""
    found = _persons(connection, tables.person.c.login == storable(login).strip().lower())
    return found[0] if found else None


def person_elsewhere(connection: Connection, issuer: str, subject: str) -> Person | None:
    """The person whom an OpenID provider knows as `subject`, if there is one."""
    table = tables.person.c
    found = _persons(connection, (table.issuer == storable(issuer)) & (table.issuer_subject == storable(subject)))
    return found[0] if found else None


def persons(connection: Connection, hospital: int | None = None) -> tuple[Person, ...]:
    """The people of a hospital, or all, by name."""
    return _persons(connection, None if hospital is None else tables.person.c.hospital == hospital)


def anybody(connection: Connection) -> bool:
    """Whether there is any account yet."""
    return bool(connection.scalar(select(func.count()).select_from(tables.person)))


def _end_sessions_and_links(connection: Connection, number: int) -> None:
    link = tables.invitation
    connection.execute(delete(tables.session).where(tables.session.c.person == number))
    connection.execute(delete(link).where(link.c.person == number, link.c.used_at.is_(None)))


def _withdraw_links(connection: Connection, number: int, roles: frozenset[Role]) -> None:
    """Withdraw the links that a person made, and with these roles could not make."""
    link = tables.invitation.c
    given = frozenset[Role]().union(*(GIVES.get(role, frozenset()) for role in roles))
    query = select(link.digest, link.roles).where(link.made_by == number, link.used_at.is_(None))
    gone = [row.digest for row in connection.execute(query) if not {Role(one) for one in row.roles.split()} <= given]
    if gone:
        connection.execute(delete(tables.invitation).where(link.digest.in_(gone)))


def _operators(connection: Connection) -> set[int]:
    found = _persons(connection, None)
    return {one.number for one in found if Role.OPERATOR in one.roles and not one.disabled}


def _persons(connection: Connection, where: ColumnElement[bool] | None) -> tuple[Person, ...]:
    table = tables.person
    query = select(table).order_by(table.c.name, table.c.id)
    rows = connection.execute(query if where is None else query.where(where)).all()
    held: dict[int, set[Role]] = {}
    given = tables.person_role.c
    for number, role in connection.execute(
        select(given.person, given.role).where(given.person.in_([row.id for row in rows]))
    ):
        held.setdefault(number, set()).add(Role(role))
    return tuple(
        Person(
            number=row.id,
            login=row.login,
            name=row.name,
            hospital=row.hospital,
            roles=frozenset(held.get(row.id, ())),
            language=row.language,
            theme=row.theme,
            local=row.password_hash is not None,
            disabled=row.disabled_at is not None,
            made_at=row.made_at,
        )
        for row in rows
    )
