"""The list of a hospital's exams: assessed ones, and received ones that wait for it or have no results here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Subquery,
    cast,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy import DateTime as SqlDateTime

from bingcheng.archive import schema
from bingcheng.archive.jobs.queue import Job, JobKind, JobState, latest
from bingcheng.archive.jobs.tables import job
from bingcheng.archive.objects.tables import stored_series, stored_study
from bingcheng.archive.ownership import HOSPITALS, owned_by
from bingcheng.archive.site_counts import outcome_of
from bingcheng.core.finding import Outcome

MOST = 50
"""Rows of a page."""
MADE_OF_IMAGES = frozenset({"SEG", "SR", "PR", "KO"})
"""Modalities of objects that are made of other ones' images."""


class Order(StrEnum):
    """In what order exams are listed."""

    NEWEST = "newest"
    OLDEST = "oldest"
    URGENT = "urgent"
    """Those that broke or left open what is required first, and of these the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for.

    Parameters
    ----------
    words : in the patient's name, number or pseudonym, or in the exam's description.
    identities : whether names and numbers may be searched by.
    since, until : days of the exam, both inclusive.
    modality : one of the exam's.
    outcome : how the exam met the protocols; `judged` False asks for those that none applies to.
    state : of its last job.
    """

    words: str = ""
    identities: bool = True
    since: date | None = None
    until: date | None = None
    modality: str = ""
    outcome: Outcome | None = None
    judged: bool = True
    state: JobState | None = None
    order: Order = Order.NEWEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One exam of the list.

    Parameters
    ----------
    patient : pseudonym; empty while it is not assessed.
    name, number : as the hospital wrote them.
    outcome : FAIL, UNKNOWN or PASS by the findings that count; None if no protocol applies or it is not assessed.
    required : how many required criteria it broke or left open.
    pictures : whether the hospital's archive holds its objects.
    assessed : whether there are results; an exam whose results are kept with another hospital's copy has none here.
    """

    uid: str
    patient: str
    name: str
    number: str
    performed_at: datetime | None
    description: str
    modalities: tuple[str, ...]
    outcome: Outcome | None
    required: int
    lesions: int
    refusals: int
    pictures: bool
    assessed: bool
    job: Job | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A page of the list, and how many exams there are on all pages."""

    entries: tuple[Entry, ...]
    total: int
    modalities: tuple[str, ...] = field(default=())


def worklist(connection: Connection, hospital: int, wanted: Wanted, *, offset: int = 0, most: int = MOST) -> Listed:
    """The exams of a hospital that are looked for."""
    listed = _listed(connection, hospital)
    query = select(listed).where(*_conditions(listed, wanted))
    total = int(connection.scalar(select(func.count()).select_from(query.subquery())) or 0)
    rows = connection.execute(query.order_by(*_order(listed, wanted.order)).offset(offset).limit(most)).all()
    return Listed(
        entries=_entries(connection, hospital, rows), total=total, modalities=_modalities(connection, hospital)
    )


def _listed(connection: Connection, hospital: int) -> Subquery:
    """Every exam with what it is found and sorted by: assessed ones, and received ones without results here."""
    exam, space = schema.exam.c, f"{HOSPITALS}{hospital}"
    mine = owned_by(connection, hospital)
    assessed = (
        select(
            exam.uid.label("uid"),
            exam.patient.label("patient"),
            schema.identity.c.name.label("name"),
            schema.identity.c.patient_id.label("number"),
            exam.performed_at.label("performed_at"),
            exam.description.label("description"),
            exam.failed.label("failed"),
            exam.unknown.label("unknown"),
            exam.passed.label("passed"),
            literal(1).label("assessed"),
        )
        .join(schema.identity, schema.identity.c.patient == exam.patient)
        .where(mine)
    )
    received = _received(space, mine)
    return union_all(assessed, received).subquery("listed")


def _received(space: str, mine: ColumnElement[bool]) -> Select[Any]:
    held = stored_study.c
    return select(
        held.study_uid,
        literal(""),
        held.name_alphabetic_key,
        held.patient_id_key,
        cast(null(), SqlDateTime),
        held.description_key,
        literal(0),
        literal(0),
        literal(0),
        literal(0),
    ).where(held.space == space, held.study_uid.not_in(select(schema.exam.c.uid).where(mine)))


def _conditions(listed: Subquery, wanted: Wanted) -> list[ColumnElement[bool]]:
    row = listed.c
    found: list[ColumnElement[bool]] = []
    for word in wanted.words.split():
        columns = [row.patient, row.description, *((row.name, row.number) if wanted.identities else ())]
        found.append(or_(*(func.lower(column).contains(word.lower(), autoescape=True) for column in columns)))
    if wanted.since is not None:
        found.append(row.performed_at >= datetime.combine(wanted.since, time.min))
    if wanted.until is not None:
        found.append(row.performed_at <= datetime.combine(wanted.until, time.max))
    if wanted.modality:
        assessed = select(schema.series.c.exam_uid).where(schema.series.c.modality == wanted.modality)
        held = (
            select(stored_study.c.study_uid)
            .join(stored_series, stored_series.c.study_id == stored_study.c.id)
            .where(stored_series.c.modality_key == wanted.modality, row.assessed == 0)
        )
        found.append(or_(row.uid.in_(assessed), row.uid.in_(held)))
    found.extend(_outcome(listed, wanted))
    if wanted.state is not None:
        found.append(_in_state(listed, wanted.state))
    return found


def _outcome(listed: Subquery, wanted: Wanted) -> list[ColumnElement[bool]]:
    row = listed.c
    if not wanted.judged:
        return [row.failed == 0, row.unknown == 0, row.passed == 0]
    match wanted.outcome:
        case Outcome.FAIL:
            return [row.failed > 0]
        case Outcome.UNKNOWN:
            return [row.failed == 0, row.unknown > 0]
        case Outcome.PASS:
            return [row.failed == 0, row.unknown == 0, row.passed > 0]
        case _:
            return []


def _in_state(listed: Subquery, state: JobState) -> ColumnElement[bool]:
    assessing = job.c.kind != JobKind.SEND.value
    last = select(func.max(job.c.id)).where(assessing).group_by(job.c.space, job.c.study_uid)
    in_state = select(job.c.study_uid).where(job.c.id.in_(last), job.c.state == state.value)
    wanted = listed.c.uid.in_(in_state)
    return wanted if state is not JobState.DONE else or_(wanted, not_(listed.c.assessed == 0))


def _order(listed: Subquery, order: Order) -> list[ColumnElement[Any]]:
    row = listed.c
    # What has no date is new: it was received and is not assessed yet.
    newest = [row.performed_at.is_not(None), row.performed_at.desc(), row.uid]
    match order:
        case Order.OLDEST:
            return [row.performed_at.is_(None), row.performed_at.asc(), row.uid]
        case Order.URGENT:
            return [(row.failed > 0).desc(), (row.unknown > 0).desc(), *newest]
        case _:
            return newest


def _entries(connection: Connection, hospital: int, rows: Sequence[Row[Any]]) -> tuple[Entry, ...]:
    uids, space = [row.uid for row in rows], f"{HOSPITALS}{hospital}"
    jobs = latest(connection, [space], uids)
    held = set(
        connection.scalars(
            select(stored_study.c.study_uid).where(stored_study.c.space == space, stored_study.c.study_uid.in_(uids))
        )
    )
    # Results that another hospital's copy has are not this hospital's to see.
    own = [row.uid for row in rows if row.assessed]
    modalities = _modalities_of(connection, space, own, uids)
    lesions, refusals = (
        _counted(connection, table, column, own)
        for table, column in (
            (schema.lesion, func.count(schema.lesion.c.lesion.distinct())),
            (schema.refusal, func.count()),
        )
    )
    return tuple(
        Entry(
            uid=row.uid,
            patient=row.patient,
            name=row.name or "",
            number=row.number or "",
            performed_at=row.performed_at,
            description=row.description,
            modalities=modalities.get(row.uid, ()),
            outcome=outcome_of(row.failed, row.unknown, row.passed),
            required=row.failed + row.unknown,
            lesions=lesions.get(row.uid, 0),
            refusals=refusals.get(row.uid, 0),
            pictures=row.uid in held,
            assessed=bool(row.assessed),
            job=jobs.get((space, row.uid)),
        )
        for row in rows
    )


def _counted(connection: Connection, table: Any, count: ColumnElement[int], uids: Sequence[str]) -> Mapping[str, int]:
    query = select(table.c.exam_uid, count).where(table.c.exam_uid.in_(uids)).group_by(table.c.exam_uid)
    return {uid: int(number) for uid, number in connection.execute(query)}


def _modalities_of(
    connection: Connection, space: str, own: Sequence[str], uids: Sequence[str]
) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = defaultdict(dict)
    assessed = select(schema.series.c.exam_uid, schema.series.c.modality).where(schema.series.c.exam_uid.in_(own))
    held = (
        select(stored_study.c.study_uid, stored_series.c.modality_key)
        .join(stored_series, stored_series.c.study_id == stored_study.c.id)
        .where(stored_study.c.space == space, stored_study.c.study_uid.in_(uids))
    )
    for query in (assessed, held):
        for uid, modality in connection.execute(query):
            if modality:
                found[uid][modality] = None
    # What is made of images says nothing more of an exam that has some.
    return {uid: tuple(sorted(set(names) - MADE_OF_IMAGES or names)) for uid, names in found.items()}


def _modalities(connection: Connection, hospital: int) -> tuple[str, ...]:
    """Those that the hospital has exams of."""
    mine = select(schema.exam.c.uid).where(owned_by(connection, hospital))
    assessed = select(schema.series.c.modality).where(schema.series.c.exam_uid.in_(mine)).distinct()
    return tuple(sorted(connection.scalars(assessed)))
