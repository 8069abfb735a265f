"""To whom cases, collections and methods are given: until when, and whether they may be taken away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, and_, exists, false, insert, or_, select, true, update

from bingcheng.archive.authorisation.spaces import case_space
from bingcheng.archive.cases import tables
from bingcheng.archive.cases.case import CaseStatus
from bingcheng.archive.cases.problems import WRONG_AUDIENCE
from bingcheng.archive.people.tables import hospital, hospital_group, hospital_group_member
from bingcheng.core.errors import InputError


class Given(StrEnum):
    """What is given."""

    CASE = "case"
    COLLECTION = "collection"
    METHOD = "method"


class Audience(StrEnum):
    """To whom."""

    HOSPITAL = "hospital"
    GROUP = "group"
    PROVINCE = "province"
    """All hospitals, and the people of the province."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One grant.

    Parameters
    ----------
    hospital, hospital_group : the number of the one that it is for; both None for the province.
    download : the objects may be taken away as files.
    expires_at : UTC; None without an end.
    """

    number: int
    kind: Given
    subject: int
    audience: Audience
    hospital: int | None
    hospital_group: int | None
    download: bool
    made_by: int
    made_at: datetime
    expires_at: datetime | None
    withdrawn_at: datetime | None

    def holds(self, now: datetime) -> bool:
        """Whether it holds now."""
        return self.withdrawn_at is None and (self.expires_at is None or self.expires_at > now)


def grant(
    connection: Connection,
    kind: Given,
    subject: int,
    audience: Audience,
    *,
    to: int | None,
    by: int,
    now: datetime,
    expires_at: datetime | None = None,
    download: bool = False,
) -> int:
    """Give something to a hospital or group of number `to`, or to the province; returns the grant's number.

    Raises
    ------
    InputError
        ``archive.wrong-audience``.
    """
    known = {Audience.HOSPITAL: hospital, Audience.GROUP: hospital_group}.get(audience)
    missing = known is not None and connection.scalar(select(known.c.id).where(known.c.id == to)) is None
    if missing or (known is None and to is not None) or (expires_at is not None and expires_at <= now):
        raise InputError(WRONG_AUDIENCE)
    row = {
        "kind": kind.value,
        "subject": subject,
        "audience": audience.value,
        "hospital": to if audience is Audience.HOSPITAL else None,
        "hospital_group": to if audience is Audience.GROUP else None,
        "download": download,
        "made_by": by,
        "made_at": now,
        "expires_at": expires_at,
    }
    table = tables.case_grant
    return int(connection.execute(insert(table).returning(table.c.id), row).scalar_one())


def withdraw_grant(connection: Connection, kind: Given, subject: int, number: int, now: datetime) -> bool:
    """Take a grant back, from this moment on; False if the thing has no such grant that stands."""
    table = tables.case_grant
    mine = (
        table.c.id == number,
        table.c.kind == kind.value,
        table.c.subject == subject,
        table.c.withdrawn_at.is_(None),
    )
    return connection.execute(update(table).where(*mine).values(withdrawn_at=now)).rowcount > 0


def grants(connection: Connection, kind: Given, subject: int) -> tuple[Grant, ...]:
    """All grants of one thing, the latest first, those that ended too."""
    table = tables.case_grant
    query = select(table).where(table.c.kind == kind.value, table.c.subject == subject).order_by(table.c.id.desc())
    return tuple(
        Grant(
            number=row.id,
            kind=Given(row.kind),
            subject=row.subject,
            audience=Audience(row.audience),
            hospital=row.hospital,
            hospital_group=row.hospital_group,
            download=row.download,
            made_by=row.made_by,
            made_at=row.made_at,
            expires_at=row.expires_at,
            withdrawn_at=row.withdrawn_at,
        )
        for row in connection.execute(query)
    )


def granted(
    connection: Connection,
    kind: Given,
    subject: int,
    hospital: int | None,
    now: datetime,
    *,
    download: bool = False,
) -> bool:
    """Whether something is given now to a hospital (None: to the people of the province), also to take away."""
    found = select(reached(kind, true(), hospital, now, subject=subject, download=download))
    return bool(connection.scalar(found))


def reached(
    kind: Given,
    column: ColumnElement[int] | ColumnElement[bool],
    hospital: int | None,
    now: datetime,
    *,
    subject: int | None = None,
    download: bool = False,
) -> ColumnElement[bool]:
    """The condition that what `column` numbers (or `subject`) is given to a hospital now."""
    table, member = tables.case_grant.c, hospital_group_member.c
    groups = select(member.hospital_group).where(member.hospital == hospital)
    own = or_(table.hospital == hospital, table.hospital_group.in_(groups)) if hospital is not None else false()
    return exists().where(
        table.kind == kind.value,
        table.subject == (column if subject is None else subject),
        table.withdrawn_at.is_(None),
        or_(table.expires_at.is_(None), table.expires_at > now),
        or_(table.audience == Audience.PROVINCE.value, own),
        table.download if download else true(),
    )


def readable(hospital: int | None, now: datetime) -> ColumnElement[bool]:
    """The condition on `shared_case` that holds for published cases that are a hospital's own, or given to it now."""
    table = tables.shared_case.c
    own = table.hospital == hospital if hospital is not None else false()
    return and_(
        table.status == CaseStatus.PUBLISHED.value,
        or_(own, reached(Given.CASE, table.id, hospital, now)),
    )


def spaces_granted(
    connection: Connection, hospital: int | None, now: datetime, *, publishes: bool = False
) -> tuple[str, ...]:
    """The spaces of the cases that people of a hospital (None: of the province) may read now.

    Withdrawn cases are nobody's to read, not even their own hospital's: it has the originals. Drafts are read by those
    who publish them: they look at what will be seen before anybody else does.

    Parameters
    ----------
    publishes : whether it is asked for somebody who publishes cases of the hospital.
    """
    table = tables.shared_case.c
    seen = readable(hospital, now)
    if publishes and hospital is not None:
        seen = or_(seen, and_(table.hospital == hospital, table.status == CaseStatus.DRAFT.value))
    query = select(table.id).where(seen).order_by(table.id.desc())
    return tuple(case_space(number) for number in connection.scalars(query))
