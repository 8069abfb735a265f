"""What was given to a hospital and is open to it no longer: so that a link to it says so, and not that it never was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, false, or_, select

from bingcheng.archive.cases import tables
from bingcheng.archive.cases.case import CaseStatus
from bingcheng.archive.cases.grants import Audience, Given
from bingcheng.archive.people.tables import hospital_group_member

NEVER = datetime(9999, 12, 31)  # noqa: DTZ001 - as times stand in the database; only ever compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Since when something is open no longer, and whether the hospital that published it took all of it back."""

    at: datetime
    withdrawn: bool


def ended(connection: Connection, kind: Given, subject: int, hospital: int | None, now: datetime) -> Ended | None:
    """Since when something that was open to a hospital (None: the province) is so no longer; None if it never was."""
    last = _last_end(connection, kind, subject, hospital)
    if kind is not Given.CASE:
        return None if last is None or last > now else Ended(at=last, withdrawn=False)
    table = tables.shared_case
    known = connection.execute(select(table).where(table.c.id == subject)).one_or_none()
    if last is None or known is None or known.hospital == hospital or known.published_at is None:
        return None
    taken_back = known.status == CaseStatus.WITHDRAWN.value
    at = min(last, known.withdrawn_at) if taken_back else last
    # A grant that was made and ended before anybody could read the case tells nobody that there is one.
    if at < known.published_at or not (taken_back or known.status == CaseStatus.PUBLISHED.value):
        return None
    return None if at > now else Ended(at=at, withdrawn=taken_back and at == known.withdrawn_at)


def case_of_opinion(connection: Connection, number: int, hospital: int | None) -> int | None:
    """The case about which a hospital was asked; None if it was not."""
    table = tables.case_opinion.c
    return connection.scalar(select(table.case_id).where(table.id == number, table.hospital == hospital))


def case_of_study(connection: Connection, study_uid: str) -> int | None:
    """The case whose de-identified exam this is."""
    table = tables.case_exam.c
    return connection.scalar(select(table.case_id).where(table.study_uid == study_uid).limit(1))


def _last_end(connection: Connection, kind: Given, subject: int, hospital: int | None) -> datetime | None:
    """When the last grant that reached a hospital ended or will end, far ahead for none; None if none ever did."""
    table, member = tables.case_grant.c, hospital_group_member.c
    groups = select(member.hospital_group).where(member.hospital == hospital)
    own = or_(table.hospital == hospital, table.hospital_group.in_(groups)) if hospital is not None else false()
    query = select(table.expires_at, table.withdrawn_at).where(
        table.kind == kind.value,
        table.subject == subject,
        or_(table.audience == Audience.PROVINCE.value, own),
    )
    ends = [
        min((one for one in (row.expires_at, row.withdrawn_at) if one is not None), default=NEVER)
        for row in connection.execute(query)
    ]
    return max(ends, default=None)
