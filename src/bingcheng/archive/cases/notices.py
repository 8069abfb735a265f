"""Notices about cases: who is told what, unless the person muted that kind."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, delete, insert, select

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.rights import RIGHTS
from bingcheng.archive.cases import tables
from bingcheng.archive.cases.grants import Audience
from bingcheng.archive.people import tables as people_tables
from bingcheng.archive.people.notice import notify_all
from bingcheng.archive.people.person import Person, persons
from bingcheng.core.wording import Text


class NoticeKind(StrEnum):
    """What a notice is about; each can be muted."""

    MENTION = "mention"
    REPLY = "reply"
    COMMENT = "comment"
    GRANT = "grant"
    OPINION = "opinion"
    MODERATION = "moderation"


def tell(
    connection: Connection, people: Iterable[int], kind: NoticeKind, says: Text, *, link: str, now: datetime
) -> None:
    """Tell people something, each once; those who muted the kind are left in peace."""
    table = tables.case_mute.c
    muted = set(connection.scalars(select(table.person).where(table.kind == kind.value)))
    wanted = [person for person in dict.fromkeys(people) if person not in muted]
    notify_all(connection, wanted, says, now=now, link=link)


def muted(connection: Connection, person: int) -> frozenset[NoticeKind]:
    """The kinds that a person muted."""
    table = tables.case_mute.c
    return frozenset(NoticeKind(one) for one in connection.scalars(select(table.kind).where(table.person == person)))


def set_muted(connection: Connection, person: int, kinds: Iterable[NoticeKind]) -> None:
    """Let exactly these kinds be muted."""
    table = tables.case_mute
    connection.execute(delete(table).where(table.c.person == person))
    rows = [{"person": person, "kind": kind.value} for kind in sorted(set(kinds))]
    if rows:
        connection.execute(insert(table), rows)


def who_may(connection: Connection, action: Action, hospital: int | None) -> tuple[Person, ...]:
    """The people of a hospital (None: of none) whose roles let them do something."""
    return tuple(one for one in persons(connection, hospital) if one.hospital == hospital and _may(one, action))


def who_reads(connection: Connection, audience: Audience, to: int | None) -> dict[int, int | None]:
    """To whom something is given that is given to an audience: who may read cases there, and of which hospital.

    Asked in one statement: of a province these are thousands, and who gives waits for it.
    """
    who, given, member = people_tables.person.c, people_tables.person_role.c, people_tables.hospital_group_member.c
    reading = [role.value for role, rights in RIGHTS.items() if Action.READ_CASE in rights]
    holds = select(given.person).where(given.role.in_(reading))
    query = select(who.id, who.hospital).where(who.disabled_at.is_(None), who.id.in_(holds)).order_by(who.id)
    if audience is Audience.HOSPITAL:
        query = query.where(who.hospital == to)
    elif audience is Audience.GROUP:
        query = query.where(who.hospital.in_(select(member.hospital).where(member.hospital_group == to)))
    return {row.id: row.hospital for row in connection.execute(query)}


def reads_cases(one: Person) -> bool:
    """Whether a person's roles let him or her read cases that are given to the hospital."""
    return _may(one, Action.READ_CASE)


def _may(one: Person, action: Action) -> bool:
    return not one.disabled and any(action in RIGHTS[role] for role in one.roles)
