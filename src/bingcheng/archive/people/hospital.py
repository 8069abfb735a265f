"""Hospitals: the tenants. The names that scanners write for a hospital (`exam.site`) lead to it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from bingcheng.archive import schema
from bingcheng.archive.assumed_issuer import Regrouped, regroup, regroup_site
from bingcheng.archive.codec import storable
from bingcheng.archive.distinct import distinct
from bingcheng.archive.listing import list_sites
from bingcheng.archive.people import tables
from bingcheng.archive.people.problems import (
    CODE_TAKEN,
    NO_NAME,
    NO_SUCH_THING,
    SPELLING_TAKEN,
    WRONG_CODE,
    WRONG_ISSUER,
)
from bingcheng.archive.people.spelling import folded
from bingcheng.core.errors import InputError

LONGEST_NAME = 128
CODE = re.compile(r"[\w-]{1,16}")
LONGEST_SPELLING = 256
LONGEST_ISSUER = 64
"""Characters of a Long String, which also holds no backslash and no control character (PS3.5, table 6.2-1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hospital:
    """One hospital.

    Parameters
    ----------
    code : short name for tables and charts.
    spellings : the InstitutionName values that mean it.
    emergency : radiologists of other hospitals may open one of its exams in an emergency.
    issuer : of whom patient numbers are that name none (`bingcheng.archive.assumed_issuer`); empty for nobody known.
    """

    number: int
    name: str
    code: str
    emergency: bool
    made_at: datetime
    disabled: bool
    spellings: tuple[str, ...]
    issuer: str = ""


def make_hospital(
    connection: Connection,
    *,
    name: str,
    code: str,
    now: datetime,
    spellings: Iterable[str] = (),
    issuer: str = "",
) -> int:
    """Make a hospital; returns its number.

    Raises
    ------
    InputError
        ``archive.no-name``, ``archive.wrong-hospital-code``, ``archive.hospital-code-taken``,
        ``archive.wrong-issuer``, ``archive.spelling-taken``.
    """
    clean, short = named(name), code.strip()
    if not CODE.fullmatch(short):
        raise InputError(WRONG_CODE)
    table = tables.hospital
    if connection.scalar(select(table.c.id).where(func.lower(table.c.code) == short.lower())) is not None:
        raise InputError(CODE_TAKEN)
    row = {"name": clean, "code": short, "emergency": False, "made_at": now, "issuer": _issuer(issuer)}
    number = int(connection.execute(insert(table).returning(table.c.id), row).scalar_one())
    for spelling in spellings:
        add_spelling(connection, number, spelling)
    return number


def change_hospital(
    connection: Connection, number: int, *, name: str, emergency: bool, disabled_at: datetime | None = None
) -> None:
    """Change a hospital's name and whether others may open its exams in an emergency.

    Raises
    ------
    InputError
        ``archive.no-name``, ``archive.not-found``.
    """
    values = {"name": named(name), "emergency": emergency, "disabled_at": disabled_at}
    table = tables.hospital
    if connection.execute(update(table).where(table.c.id == number).values(values)).rowcount == 0:
        raise InputError(NO_SUCH_THING)


def set_issuer(connection: Connection, number: int, issuer: str) -> Regrouped:
    """Let patient numbers of a hospital's exams that name no issuer be of `issuer`; empty for nobody known.

    The exams come to their patients at once, and back when it is taken away again.

    Raises
    ------
    InputError
        ``archive.wrong-issuer``, ``archive.not-found``.
    """
    table = tables.hospital
    values = {"issuer": _issuer(issuer)}
    if connection.execute(update(table).where(table.c.id == number).values(values)).rowcount == 0:
        raise InputError(NO_SUCH_THING)
    return regroup(connection)


def hospitals(connection: Connection) -> tuple[Hospital, ...]:
    """All hospitals, by name."""
    spelt: dict[int, list[str]] = {}
    spellings = tables.hospital_spelling.c
    for number, spelling in connection.execute(
        select(spellings.hospital, spellings.spelling).order_by(spellings.folded)
    ):
        spelt.setdefault(number, []).append(spelling)
    rows = connection.execute(select(tables.hospital).order_by(tables.hospital.c.name, tables.hospital.c.id))
    return tuple(
        Hospital(
            number=row.id,
            name=row.name,
            code=row.code,
            emergency=row.emergency,
            made_at=row.made_at,
            disabled=row.disabled_at is not None,
            spellings=tuple(spelt.get(row.id, ())),
            issuer=row.issuer or "",
        )
        for row in rows
    )


def hospital(connection: Connection, number: int) -> Hospital:
    """The hospital of a number.

    Raises
    ------
    InputError
        ``archive.not-found``.
    """
    for one in hospitals(connection):
        if one.number == number:
            return one
    raise InputError(NO_SUCH_THING)


def add_spelling(connection: Connection, number: int, spelling: str) -> None:
    """Let exams whose site is `spelling` belong to a hospital.

    Raises
    ------
    InputError
        ``archive.no-name``, ``archive.spelling-taken``.
    """
    key = folded(spelling)
    if not key or len(key) > LONGEST_SPELLING:
        raise InputError(NO_NAME, count=LONGEST_SPELLING)
    table, owners = tables.hospital_spelling, tables.hospital
    owner = connection.execute(
        select(owners.c.id, owners.c.name).join(table, table.c.hospital == owners.c.id).where(table.c.folded == key)
    ).one_or_none()
    if owner is not None and owner.id != number:
        raise InputError(SPELLING_TAKEN, hospital=owner.name)
    if owner is None:
        row = {"folded": key, "hospital": number, "spelling": " ".join(storable(spelling).split())}
        connection.execute(insert(table), row)
        _belong_anew(connection, key)


def remove_spelling(connection: Connection, number: int, spelling: str) -> None:
    """Let exams whose site is `spelling` belong to nobody again."""
    table = tables.hospital_spelling
    key = folded(spelling)
    if connection.execute(delete(table).where(table.c.folded == key, table.c.hospital == number)).rowcount:
        _belong_anew(connection, key)


def _belong_anew(connection: Connection, spelling: str) -> None:
    """See to all that follows from whose the exams of a spelling are."""
    regroup_site(connection, [site for site in _sites(connection) if folded(site) == spelling])
    list_sites(connection, spelling)


def hospital_of_site(connection: Connection, site: str) -> int | None:
    """The number of the hospital that scanners write as `site`; None if nobody claimed it."""
    table = tables.hospital_spelling.c
    found = connection.scalar(select(table.hospital).where(table.folded == folded(site)))
    return None if found is None else int(found)


def sites_of(connection: Connection, number: int) -> tuple[str, ...]:
    """The sites of stored exams, as they are written there, that belong to a hospital."""
    claimed = set(
        connection.scalars(
            select(tables.hospital_spelling.c.folded).where(tables.hospital_spelling.c.hospital == number)
        )
    )
    return tuple(site for site in _sites(connection) if folded(site) in claimed)


def unclaimed_sites(connection: Connection) -> tuple[str, ...]:
    """The sites of stored exams that belong to no hospital yet."""
    claimed = set(connection.scalars(select(tables.hospital_spelling.c.folded)))
    return tuple(site for site in _sites(connection) if site.strip() and folded(site) not in claimed)


def named(name: str) -> str:
    """A name as it is stored.

    Raises
    ------
    InputError
        ``archive.no-name``.
    """
    clean = " ".join(storable(name).split())
    if not clean or len(clean) > LONGEST_NAME:
        raise InputError(NO_NAME, count=LONGEST_NAME)
    return clean


def _issuer(written: str) -> str | None:
    clean = storable(written).strip()
    if len(clean) > LONGEST_ISSUER or "\\" in clean or any(unicodedata.category(one) == "Cc" for one in clean):
        raise InputError(WRONG_ISSUER, count=LONGEST_ISSUER)
    return clean or None


def _sites(connection: Connection) -> list[str]:
    return distinct(connection, schema.exam.c.site)
