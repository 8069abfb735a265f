"""Whose an exam is: that of the hospital from whose copy its results are, else of the one that its scanner names.

Results never pass to another hospital because it sent objects under the same UID, or because the first removed its own.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select

from bingcheng.archive import schema
from bingcheng.archive.assumed_issuer import regroup
from bingcheng.archive.exam_owner import HOSPITALS, exam_owner
from bingcheng.archive.listing import list_exams
from bingcheng.archive.objects.tables import stored_study
from bingcheng.archive.people.hospital import hospital_of_site, sites_of

__all__ = ["HOSPITALS", "claim", "first_holder", "owned_by", "owner"]


def first_holder(connection: Connection, study_uid: str) -> str | None:
    """The space of the hospital that first sent objects of a study; None if none did."""
    held = stored_study.c
    query = (
        select(held.space)
        .where(held.study_uid == study_uid, held.space.startswith(HOSPITALS, autoescape=True))
        .order_by(held.received_at, held.id)
        .limit(1)
    )
    return connection.scalar(query)


def owner(connection: Connection, exam_uid: str) -> int | None:
    """The number of the hospital that an exam belongs to.

    None while nobody has claimed what the scanner of an assessed exam writes. What is received and not assessed
    belongs to who sent it first.
    """
    space = connection.scalar(select(exam_owner.c.space).where(exam_owner.c.study_uid == exam_uid))
    if space is not None:
        return int(space.removeprefix(HOSPITALS))
    site = connection.scalar(select(schema.exam.c.site).where(schema.exam.c.uid == exam_uid))
    if site is not None:
        return hospital_of_site(connection, site)
    space = first_holder(connection, exam_uid)
    return None if space is None else int(space.removeprefix(HOSPITALS))


def claim(connection: Connection, exam_uid: str, space: str) -> bool:
    """Let the results of an exam be those of a hospital's copy from now on; False if they are another hospital's."""
    whose = owner(connection, exam_uid)
    if whose is None:
        if first_holder(connection, exam_uid) != space:
            return False
    elif f"{HOSPITALS}{whose}" != space:
        return False
    known = select(exam_owner.c.study_uid).where(exam_owner.c.study_uid == exam_uid)
    if connection.scalar(known) is None:
        connection.execute(insert(exam_owner), {"study_uid": exam_uid, "space": space})
        regroup(connection, [exam_uid])
        list_exams(connection, [exam_uid])
    return True


def owned_by(connection: Connection, hospital: int) -> ColumnElement[bool]:
    """The condition on the table of exams that holds for those of `hospital`, as `owner` tells them."""
    # Lists and not conditions on each row: with them the exams of a hospital are found by the indexes of both tables.
    claimed, exam = select(exam_owner.c.study_uid), schema.exam.c
    mine = exam.uid.in_(claimed.where(exam_owner.c.space == f"{HOSPITALS}{hospital}"))
    return or_(mine, and_(exam.site.in_(sites_of(connection, hospital)), exam.uid.not_in(claimed)))
