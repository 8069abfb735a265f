"""Jobs asked for, taken, told about and ended. Each is one exam's; a job that its worker left is tried again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, select, update

from bingcheng.archive.codec import decoded, encoded
from bingcheng.archive.jobs.tables import job
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.core.wording import Text

MOST_TRIES = 3
"""How often a job is begun before it is given up: what kills its worker every time is not the machine's fault."""
WORKER_GONE = Problem(
    code="archive.worker-gone",
    says="the worker was lost {tries} times while it worked on this exam",
    remedy="Look at the server's log of that time: most often the machine lacks memory. Then ask for it again.",
    owner=Owner.OPERATOR,
)


class JobKind(StrEnum):
    """What is to be done."""

    ASSESS = "assess"
    """Judge and measure an exam whose objects are in the archive."""
    BRING_IN = "bring-in"
    """Take the objects of an assessed exam into the archive from where they were read."""
    PUBLISH = "publish"
    """De-identify what a case shows; the job's space is the case's."""
    SEND = "send"
    """Send an exam's objects to a peer."""


class JobState(StrEnum):
    """How far a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


OPEN = (JobState.WAITING, JobState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One exam's turn.

    Parameters
    ----------
    number : by which it is known.
    space, study_uid : whose copy of which exam.
    target : where it is to be sent, as `bingcheng.archive.jobs.target.Target` writes it; None for what isn't sent.
    asked_at, started_at, ended_at : UTC.
    tries : how often it was begun.
    step, done, total : what is being done, and how far that is.
    reason : why it failed.
    digest : of the objects that it was done with; None while it is not done.
    """

    number: int
    kind: JobKind
    space: str
    study_uid: str
    state: JobState
    asked_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    tries: int = 0
    step: Text | None = None
    done: int = 0
    total: int = 0
    reason: Refusal | None = None
    digest: str | None = None
    target: str | None = None


def ask(
    connection: Connection, kind: JobKind, space: str, study_uid: str, now: datetime, *, target: str | None = None
) -> int:
    """Put an exam into the queue; returns the job's number. One that waits already is not asked for twice.

    One that runs may have begun before the exam's last object came: then another waits behind it.
    """
    same = _same(kind.value, space, study_uid, target)
    waiting = connection.scalar(select(job.c.id).where(same, job.c.state == JobState.WAITING.value))
    if waiting is not None:
        return int(waiting)
    row = {
        "kind": kind.value,
        "space": space,
        "study_uid": study_uid,
        "target": target,
        "state": JobState.WAITING.value,
        "asked_at": now,
        "tries": 0,
        "done": 0,
        "total": 0,
    }
    (number,) = connection.execute(insert(job).returning(job.c.id), row).one()
    return int(number)


def take(connection: Connection, now: datetime, *, most: int) -> tuple[Job, ...]:
    """The jobs that waited longest, of one kind and now running, no exam twice; empty if none waits."""
    waiting = select(job).where(job.c.state == JobState.WAITING.value).order_by(job.c.id)
    running = {row.study_uid for row in connection.execute(select(job.c.study_uid).where(job.c.state == "running"))}
    chosen: list[Job] = []
    for row in connection.execute(waiting.limit(most * 4)):
        if row.study_uid not in running and (not chosen or row.kind == chosen[0].kind.value):
            running.add(row.study_uid)
            chosen.append(_job(row))
        if len(chosen) == most:
            break
    numbers = [one.number for one in chosen]
    began = (
        update(job)
        .where(job.c.id.in_(numbers))
        .values(state=JobState.RUNNING.value, started_at=now, tries=job.c.tries + 1, step=None, done=0, total=0)
    )
    connection.execute(began)
    return _jobs(connection, numbers)


def tell(connection: Connection, numbers: Collection[int], step: Text, done: int, total: int) -> None:
    """Say how far running jobs are."""
    values = {"step": encoded(step), "done": done, "total": total}
    connection.execute(update(job).where(job.c.id.in_(numbers)).values(**values))


def end(
    connection: Connection, number: int, now: datetime, reason: Refusal | None = None, *, digest: str | None = None
) -> None:
    """A job is done, or failed for `reason`; with the objects of `digest` it need not be done again."""
    state = JobState.DONE if reason is None else JobState.FAILED
    told = None if reason is None else encoded(reason)
    values = {"state": state.value, "ended_at": now, "reason": told, "digest": digest}
    connection.execute(update(job).where(job.c.id == number).values(**values))


def give_back(connection: Connection, now: datetime) -> int:
    """Let the jobs whose worker is gone wait again; those begun too often fail. Returns how many there were.

    Only for whoever knows that no worker is left.
    """
    rows = connection.execute(select(job).where(job.c.state == JobState.RUNNING.value)).all()
    for row in rows:
        if row.tries < MOST_TRIES:
            # One that waits behind it would do the same again.
            behind = _same(row.kind, row.space, row.study_uid, row.target)
            connection.execute(delete(job).where(behind, job.c.state == JobState.WAITING.value))
            again = update(job).where(job.c.id == row.id).values(state=JobState.WAITING.value, step=None)
            connection.execute(again)
        else:
            gone = InputError(WORKER_GONE, tries=row.tries)
            refusal = Refusal.of(gone, kind=SubjectKind.EXAM, subject=row.study_uid, study_uid=row.study_uid)
            end(connection, row.id, now, refusal)
    return len(rows)


def latest(connection: Connection, spaces: Sequence[str], study_uids: Collection[str]) -> dict[tuple[str, str], Job]:
    """The last job of each exam in each space, by both; sending it to somebody doesn't count."""
    last = (
        select(func.max(job.c.id))
        .where(job.c.space.in_(spaces), job.c.study_uid.in_(study_uids), job.c.kind != JobKind.SEND.value)
        .group_by(job.c.space, job.c.study_uid)
    )
    rows = connection.execute(select(job).where(job.c.id.in_(last)))
    return {(row.space, row.study_uid): _job(row) for row in rows}


def last_digest(connection: Connection, space: str, study_uid: str) -> str | None:
    """The digest of the objects with which an exam's last job ended; None if none ended yet."""
    same = (job.c.space == space) & (job.c.study_uid == study_uid) & (job.c.kind != JobKind.SEND.value)
    ended = select(job.c.digest).where(same, job.c.ended_at.is_not(None)).order_by(job.c.id.desc()).limit(1)
    return connection.scalar(ended)


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
    return tuple(_job(row) for row in rows)


def failed(connection: Connection, spaces: Sequence[str], *, most: int) -> tuple[Job, ...]:
    """What failed and was not asked for again since, the latest first."""
    same = (job.c.kind, job.c.space, job.c.study_uid, job.c.target)
    last = select(func.max(job.c.id)).where(job.c.space.in_(spaces)).group_by(*same)
    rows = connection.execute(
        select(job)
        .where(job.c.id.in_(last), job.c.state == JobState.FAILED.value)
        .order_by(job.c.id.desc())
        .limit(most)
    )
    return tuple(_job(row) for row in rows)


def _same(kind: str, space: str, study_uid: str, target: str | None) -> ColumnElement[bool]:
    """The condition that holds for jobs that do the same."""
    aim = job.c.target.is_(None) if target is None else job.c.target == target
    return and_(job.c.kind == kind, job.c.space == space, job.c.study_uid == study_uid, aim)


def _jobs(connection: Connection, numbers: Iterable[int]) -> tuple[Job, ...]:
    rows = connection.execute(select(job).where(job.c.id.in_(list(numbers))).order_by(job.c.id))
    return tuple(_job(row) for row in rows)


def _job(row: Row[tuple[object, ...]]) -> Job:
    return Job(
        number=row.id,
        kind=JobKind(row.kind),
        space=row.space,
        study_uid=row.study_uid,
        state=JobState(row.state),
        asked_at=row.asked_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        tries=row.tries,
        step=None if row.step is None else decoded(Text, row.step),
        done=row.done,
        total=row.total,
        reason=None if row.reason is None else decoded(Refusal, row.reason),
        digest=row.digest,
        target=row.target,
    )
