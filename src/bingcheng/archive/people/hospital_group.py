"""Groups of hospitals, to which cases can be granted at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from bingcheng.archive.people import tables
from bingcheng.archive.people.hospital import named
from bingcheng.archive.people.person import LARGEST_NUMBER
from bingcheng.archive.people.problems import GROUP_TAKEN
from bingcheng.core.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class HospitalGroup:
    """A named group of hospitals, by their numbers."""

    number: int
    name: str
    members: frozenset[int]


def make_group(connection: Connection, name: str, members: Iterable[int]) -> int:
    """Make a group; returns its number.

    Raises
    ------
    InputError
        ``archive.no-name``, ``archive.group-taken``.
    """
    table, clean = tables.hospital_group, named(name)
    if connection.scalar(select(table.c.id).where(table.c.name == clean)) is not None:
        raise InputError(GROUP_TAKEN)
    number = int(connection.execute(insert(table).returning(table.c.id), {"name": clean}).scalar_one())
    set_members(connection, number, members)
    return number


def set_members(connection: Connection, number: int, members: Iterable[int]) -> None:
    """Let exactly `members` belong to a group."""
    table = tables.hospital_group_member
    connection.execute(delete(table).where(table.c.hospital_group == number))
    rows = [{"hospital_group": number, "hospital": member} for member in sorted(set(members))]
    if rows:
        connection.execute(insert(table), rows)


def remove_group(connection: Connection, number: int) -> None:
    """Remove a group; the hospitals stay."""
    if not 0 < number <= LARGEST_NUMBER:
        return
    connection.execute(delete(tables.hospital_group).where(tables.hospital_group.c.id == number))


def groups(connection: Connection) -> tuple[HospitalGroup, ...]:
    """All groups, by name."""
    member = tables.hospital_group_member.c
    found: dict[int, set[int]] = {}
    for number, hospital in connection.execute(select(member.hospital_group, member.hospital)):
        found.setdefault(number, set()).add(hospital)
    rows = connection.execute(select(tables.hospital_group).order_by(tables.hospital_group.c.name))
    return tuple(HospitalGroup(number=row.id, name=row.name, members=frozenset(found.get(row.id, ()))) for row in rows)


def groups_of(connection: Connection, hospital: int) -> frozenset[int]:
    """The numbers of the groups that a hospital belongs to."""
    member = tables.hospital_group_member.c
    return frozenset(connection.scalars(select(member.hospital_group).where(member.hospital == hospital)))
