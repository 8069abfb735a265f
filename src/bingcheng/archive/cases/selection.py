"""What of its hospital's exams a case shows: whole series, or key images of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from bingcheng.archive.cases import tables
from bingcheng.archive.cases.problems import NOTHING_CHOSEN
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.tables import stored_series, stored_study
from bingcheng.archive.ownership import HOSPITALS
from bingcheng.core.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One series, or one image of it; UIDs of the original."""

    study_uid: str
    series_uid: str
    sop_uid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """One series that can be chosen; the description is the original's, for its own hospital's eyes."""

    study_uid: str
    series_uid: str
    modality: str
    description: str
    images: int


def choose(connection: Connection, number: int, hospital: int, chosen: Iterable[Chosen]) -> None:
    """Let a case show exactly this; nothing but what its hospital received.

    Raises
    ------
    InputError
        ``archive.case-nothing-chosen``.
    """
    wanted = tuple(dict.fromkeys(chosen))
    known = {
        (one.study_uid, one.series_uid)
        for one in offered(connection, hospital, list(dict.fromkeys(one.study_uid for one in wanted)))
    }
    if not wanted or any((one.study_uid, one.series_uid) not in known for one in wanted):
        raise InputError(NOTHING_CHOSEN)
    table = tables.case_selection
    connection.execute(delete(table).where(table.c.case_id == number))
    rows = [
        {"case_id": number, "study_uid": one.study_uid, "series_uid": one.series_uid, "sop_uid": one.sop_uid}
        for one in wanted
    ]
    connection.execute(insert(table), rows)


def selection(connection: Connection, number: int) -> tuple[Chosen, ...]:
    """What a case shows."""
    table = tables.case_selection
    rows = connection.execute(select(table).where(table.c.case_id == number).order_by(table.c.id))
    return tuple(Chosen(study_uid=row.study_uid, series_uid=row.series_uid, sop_uid=row.sop_uid) for row in rows)


def offered(connection: Connection, hospital: int, studies: Sequence[str]) -> tuple[Offered, ...]:
    """The series of a hospital's studies, in order of study and number."""
    study, series = stored_study.c, stored_series.c
    query = (
        select(
            study.study_uid,
            series.series_uid,
            series.modality_key,
            series.series_description_key,
            series.series_instance_count,
        )
        .join_from(stored_study, stored_series, series.study_id == study.id)
        .where(study.space == f"{HOSPITALS}{hospital}", study.study_uid.in_(studies))
        .order_by(study.study_date_key, study.study_uid, series.number, series.id)
    )
    return tuple(
        Offered(study_uid=row[0], series_uid=row[1], modality=row[2], description=row[3], images=row[4])
        for row in connection.execute(query)
    )


def originals(objects: Objects, hospital: int, chosen: Sequence[Chosen]) -> list[Instance]:
    """The stored objects that are chosen, each once, in order of study and series."""
    found: dict[str, Instance] = {}
    for one in chosen:
        for instance in objects.instances_of([f"{HOSPITALS}{hospital}"], one.study_uid, one.series_uid):
            if one.sop_uid in (None, instance.sop_uid):
                found.setdefault(instance.sop_uid, instance)
    return list(found.values())
