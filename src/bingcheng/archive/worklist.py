"""The list of a hospital's exams: assessed ones, and received ones that wait for it or have no results here."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, func, or_, select

from bingcheng.archive import schema
from bingcheng.archive.distinct import distinct
from bingcheng.archive.exam_owner import HOSPITALS
from bingcheng.archive.jobs.queue import Job, JobKind, JobState, latest
from bingcheng.archive.jobs.tables import job
from bingcheng.archive.listing import NEW, OPEN, listed, searched, urgency_of
from bingcheng.archive.objects.tables import stored_series, stored_study
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
    """Those that broke what is required first, then those that left it open, then those without a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for.

    Parameters
    ----------
    words : in the patient's name, number or pseudonym, or in the exam's description.
    since, until : days of the exam, both inclusive.
    modality : one of the exam's.
    outcome : how the exam met the protocols; `judged` False asks for those that none applies to.
    state : of its last job.
    """

    words: str = ""
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
    space = f"{HOSPITALS}{hospital}"
    fits = (_list.space == space, *_conditions(space, wanted, connection.dialect.name))
    counted = select(func.count()).select_from(listed).where(*fits)
    columns: list[ColumnElement[Any]] = [_list.uid, _list.assessed]
    if (
        wanted.words
    ):  # which are looked for in every exam of the hospital: once, for the page and for how many there are
        columns.append(func.count().over().label("total"))
    page: Select[Any] = select(*columns).where(*fits).order_by(*_ORDERS[wanted.order]).offset(offset).limit(most)
    rows: Sequence[Row[Any]] = connection.execute(page).all()
    total = rows[0].total if wanted.words and rows else connection.scalar(counted) if offset or not wanted.words else 0
    entries = _entries(connection, space, rows)
    return Listed(entries=entries, total=int(total or 0), modalities=_modalities(connection, space))


_list = listed.c
_ORDERS: Mapping[Order, Sequence[ColumnElement[Any]]] = MappingProxyType(
    {
        Order.NEWEST: (_list.at.desc(), _list.uid.desc()),
        Order.OLDEST: (_list.at, _list.uid),
        Order.URGENT: (_list.urgency.desc(), _list.at.desc(), _list.uid.desc()),
    }
)
"""Each one way through one index: what has no date stands far ahead, being new."""


def _conditions(space: str, wanted: Wanted, dialect: str) -> list[ColumnElement[bool]]:
    # A word is looked for as it stands, which costs a third of what a pattern does.
    place = func.instr if dialect == "sqlite" else func.strpos
    found: list[ColumnElement[bool]] = [place(_list.words, word) > 0 for word in searched(wanted.words).split()]
    if wanted.since is not None:
        found += [_list.at >= datetime.combine(wanted.since, time.min), _list.at < NEW]
    if wanted.until is not None:
        found.append(_list.at <= min(datetime.combine(wanted.until, time.max), NEW - timedelta(days=1)))
    if wanted.modality:
        found.append(_list.modalities.contains(f"\\{wanted.modality}\\", autoescape=True))
    if not wanted.judged:
        found.append(_list.urgency == OPEN)
    elif (urgency := urgency_of(wanted.outcome)) != OPEN:
        found.append(_list.urgency == urgency)
    if wanted.state is not None:
        found.append(_in_state(space, wanted.state))
    return found


def _in_state(space: str, state: JobState) -> ColumnElement[bool]:
    """Whose last job is in a state; of what is assessed, it is done if nothing else is known of it."""
    if state is JobState.DONE:
        # Nearly all are: what is not assessed is looked up one by one, by its own jobs.
        others = (job.c.study_uid == _list.uid, job.c.space == space, job.c.kind != JobKind.SEND.value)
        last = select(func.max(job.c.id)).where(*others).correlate(listed).scalar_subquery()
        named = job.alias("named")
        of_last = select(named.c.state).where(named.c.id == last).correlate(listed).scalar_subquery()
        return or_(_list.assessed.is_(True), of_last == state.value)
    later = job.alias("later")
    replaced = exists().where(
        later.c.study_uid == job.c.study_uid,
        later.c.space == job.c.space,
        later.c.kind != JobKind.SEND.value,
        later.c.id > job.c.id,
    )
    mine = and_(job.c.space == space, job.c.state == state.value, job.c.kind != JobKind.SEND.value)
    return _list.uid.in_(select(job.c.study_uid).where(mine, ~replaced.correlate(job)))


def _entries(connection: Connection, space: str, rows: Sequence[Row[Any]]) -> tuple[Entry, ...]:
    uids = [row.uid for row in rows]
    # Results that another hospital's copy has are not this hospital's to see.
    own = [row.uid for row in rows if row.assessed]
    about = _About(
        exams={row.uid: row for row in connection.execute(_assessed(own))},
        held={row.study_uid: row for row in connection.execute(_held(space, uids))},
        jobs=latest(connection, [space], uids),
        modalities=_modalities_of(connection, space, own, uids),
        lesions=_counted(connection, schema.lesion, func.count(schema.lesion.c.lesion.distinct()), own),
        refusals=_counted(connection, schema.refusal, func.count(), own),
    )
    return tuple(_entry(about, space, row.uid) for row in rows)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _About:
    """What is known of the exams of one page, each by its UID."""

    exams: Mapping[str, Row[Any]]
    held: Mapping[str, Row[Any]]
    jobs: Mapping[tuple[str, str], Job]
    modalities: Mapping[str, tuple[str, ...]]
    lesions: Mapping[str, int]
    refusals: Mapping[str, int]


def _entry(about: _About, space: str, uid: str) -> Entry:
    exam, held = about.exams.get(uid), about.held.get(uid)
    written = {} if held is None else json.loads(held.attributes)
    return Entry(
        uid=uid,
        patient="" if exam is None else exam.patient,
        name=(written.get("PatientName", "") if exam is None else exam.name) or "",
        number=(written.get("PatientID", "") if exam is None else exam.patient_id) or "",
        performed_at=None if exam is None else exam.performed_at,
        description=written.get("StudyDescription", "") if exam is None else exam.description,
        modalities=about.modalities.get(uid, ()),
        outcome=None if exam is None else outcome_of(exam.failed, exam.unknown, exam.passed),
        required=0 if exam is None else exam.failed + exam.unknown,
        lesions=about.lesions.get(uid, 0),
        refusals=about.refusals.get(uid, 0),
        pictures=held is not None,
        assessed=exam is not None,
        job=about.jobs.get((space, uid)),
    )


def _assessed(uids: Sequence[str]) -> Select[Any]:
    exam, identity = schema.exam.c, schema.identity.c
    columns = (exam.uid, exam.patient, exam.performed_at, exam.description, exam.failed, exam.unknown, exam.passed)
    joined = select(*columns, identity.name, identity.patient_id)
    return joined.join(schema.identity, identity.patient == exam.patient).where(exam.uid.in_(uids))


def _held(space: str, uids: Sequence[str]) -> Select[Any]:
    held = stored_study.c
    return select(held.study_uid, held.attributes).where(held.space == space, held.study_uid.in_(uids))


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


def _modalities(connection: Connection, space: str) -> tuple[str, ...]:
    """Those that the hospital has exams of."""
    sets = distinct(connection, _list.modalities, _list.space == space)
    return tuple(sorted({one for several in sets for one in several.split("\\") if one}))
