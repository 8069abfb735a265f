"""What the queue holds: jobs looked up, counted and listed, and the conditions by which their turn comes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, case, exists, func, or_, select

from bingcheng.archive.jobs.job import LANES, OPEN, Job, JobKind, JobState, Lane, job_of
from bingcheng.archive.jobs.tables import job


def due(connection: Connection, now: datetime, lane: Lane) -> bool:
    """Whether anything waits in a lane that may be begun now."""
    return connection.scalar(select(job.c.id).where(*due_now(now, lane)).limit(1)) is not None


def latest(connection: Connection, spaces: Sequence[str], study_uids: Collection[str]) -> dict[tuple[str, str], Job]:
    """The last job of each exam in each space, by both; sending it to somebody doesn't count."""
    last = (
        select(func.max(job.c.id))
        .where(job.c.space.in_(spaces), job.c.study_uid.in_(study_uids), job.c.kind != JobKind.SEND.value)
        .group_by(job.c.space, job.c.study_uid)
    )
    rows = connection.execute(select(job).where(job.c.id.in_(last)))
    return {(row.space, row.study_uid): job_of(row) for row in rows}


def last_digest(connection: Connection, space: str, study_uid: str) -> str | None:
    """The digest of the objects with which an exam's last job ended, or is done; None if there was none yet."""
    same = (job.c.space == space) & (job.c.study_uid == study_uid) & (job.c.kind != JobKind.SEND.value)
    begun = or_(job.c.ended_at.is_not(None), job.c.state == JobState.RUNNING.value)
    return connection.scalar(select(job.c.digest).where(same, begun).order_by(job.c.id.desc()).limit(1))


def counts(connection: Connection, spaces: Sequence[str] | None = None) -> dict[JobState, int]:
    """How many jobs are in each state, of these spaces or of all."""
    query = select(job.c.state, func.count()).group_by(job.c.state)
    if spaces is not None:
        query = query.where(job.c.space.in_(spaces))
    found = {JobState(state): int(count) for state, count in connection.execute(query)}
    return {state: found.get(state, 0) for state in JobState}


def sendings(connection: Connection, space: str, study_uid: str, *, most: int) -> tuple[Job, ...]:
    """The last times that an exam was sent or is to be sent, the latest first."""
    same = (job.c.space == space) & (job.c.study_uid == study_uid) & (job.c.kind == JobKind.SEND.value)
    rows = connection.execute(select(job).where(same).order_by(job.c.id.desc()).limit(most))
    return tuple(job_of(row) for row in rows)


def open_jobs(connection: Connection, spaces: Sequence[str], *, most: int) -> tuple[Job, ...]:
    """What runs, and then what waits, in the order in which its turn comes."""
    states = [one.value for one in OPEN]
    mine = select(job).where(job.c.space.in_(spaces), job.c.state.in_(states))
    query = mine.order_by(job.c.state == JobState.WAITING.value, rank(), job.c.id)
    return tuple(job_of(row) for row in connection.execute(query.limit(most)))


def open_job(connection: Connection, spaces: Sequence[str], number: int) -> Job | None:
    """The one of a number, if it runs or waits in one of the spaces."""
    states = [one.value for one in OPEN]
    mine = (job.c.id == number) & job.c.space.in_(spaces) & job.c.state.in_(states)
    return next(iter(jobs_where(connection, mine)), None)


def failed(connection: Connection, spaces: Sequence[str], *, most: int) -> tuple[Job, ...]:
    """What failed and was not asked for again since, the latest first."""
    mine = (job.c.space.in_(spaces), job.c.state == JobState.FAILED.value)
    rows = connection.execute(select(job).where(*mine, _last_of_its_kind()).order_by(job.c.id.desc()).limit(most))
    return tuple(job_of(row) for row in rows)


def due_now(now: datetime, lane: Lane | None) -> tuple[ColumnElement[bool], ...]:
    """The conditions that hold for jobs of a lane that wait and may be begun."""
    waits = job.c.state == JobState.WAITING.value
    return waits, in_lane(lane), or_(job.c.not_before.is_(None), job.c.not_before <= now)


def in_lane(lane: Lane | None) -> ColumnElement[bool]:
    """The condition that holds for jobs of a lane, or of all."""
    return job.c.kind.in_([kind.value for kind in JobKind if lane is None or LANES[kind] is lane])


def rank() -> ColumnElement[int]:
    """What a person waits for comes first, then what was received, then what is brought in from folders."""
    wanted = or_(job.c.urgent.is_(True), job.c.kind == JobKind.PUBLISH.value)
    return case((wanted, 0), (job.c.kind == JobKind.BRING_IN.value, 2), else_=1)


def jobs_where(connection: Connection, condition: ColumnElement[bool]) -> tuple[Job, ...]:
    """The jobs for which a condition holds."""
    return tuple(job_of(row) for row in connection.execute(select(job).where(condition)))


def _last_of_its_kind() -> ColumnElement[bool]:
    """The condition that holds for jobs after which the same was not asked for again."""
    later = job.alias("later")
    same = (
        later.c.study_uid == job.c.study_uid,
        later.c.space == job.c.space,
        later.c.kind == job.c.kind,
        later.c.target.is_not_distinct_from(job.c.target),
    )
    return ~exists().where(*same, later.c.id > job.c.id).correlate(job)
