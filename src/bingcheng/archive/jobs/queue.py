"""Jobs asked for, taken, told about and ended. Each is one exam's; a job that its worker left is tried again.

What only looks at them is in `bingcheng.archive.jobs.listing`, and can be had from here too.

A job runs in one of two lanes, so that nothing that waits for a peer is held up by what computes, nor the other way
round. How often it was begun (`Job.tries`) is told with every word that its worker says of it: a worker that was given
up, and works on all the same, is not heard.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, false, insert, or_, select, update

from bingcheng.archive.codec import encoded
from bingcheng.archive.jobs.job import LANES, OPEN, Job, JobKind, JobState, Lane, job_of
from bingcheng.archive.jobs.listing import (
    counts,
    due,
    due_now,
    failed,
    in_lane,
    jobs_where,
    last_digest,
    latest,
    open_job,
    open_jobs,
    rank,
    sendings,
)
from bingcheng.archive.jobs.tables import job
from bingcheng.archive.jobs.taken import forget_taken, hand_over
from bingcheng.archive.jobs.target import Target
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.core.wording import Text

__all__ = [
    "LANES",
    "OPEN",
    "STOPPED",
    "Job",
    "JobKind",
    "JobState",
    "Lane",
    "ask",
    "ask_again",
    "counts",
    "due",
    "end",
    "failed",
    "give_back",
    "hasten",
    "last_digest",
    "latest",
    "lose",
    "open_job",
    "open_jobs",
    "put_off",
    "revive",
    "sendings",
    "stop",
    "take",
    "tell",
    "works_with",
]

MOST_LOST = 3
"""How often a job's worker is lost before it is given up: what kills it every time is not the machine's fault."""
FIRST_WAIT_S, LONGEST_WAIT_S = 30, 3600
MOST_TRIES = 30
"""How often it is tried what a peer does not let be done: a day, with the waits between."""
WORKER_GONE = Problem(
    code="archive.worker-gone",
    says="the worker was lost {tries} times while it worked on this exam",
    remedy="Look at the server's log of that time: most often the machine lacks memory. Then ask for it again.",
    owner=Owner.OPERATOR,
)
STOPPED = Problem(
    code="archive.job-stopped",
    says="a person stopped it",
    remedy="Ask for it again if it is wanted after all.",
    owner=Owner.OPERATOR,
)


def ask(
    connection: Connection,
    kind: JobKind,
    space: str,
    study_uid: str,
    now: datetime,
    *,
    target: str | None = None,
    urgent: bool = False,
) -> int:
    """Put an exam into the queue; returns the job's number. One that waits already is not asked for twice.

    One that runs may have begun before the exam's last object came: then another waits behind it.

    Parameters
    ----------
    urgent : whether a person waits for it: then its turn comes before that of all others.
    """
    same = _same(kind.value, space, study_uid, target)
    waiting = connection.scalar(select(job.c.id).where(same, job.c.state == JobState.WAITING.value))
    if waiting is not None:
        hasten(connection, int(waiting), urgent=urgent)
        return int(waiting)
    row = {
        "urgent": urgent,
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
    forget_taken(connection, int(number))  # SQLite gives the number of the last row again once that is gone
    return int(number)


def ask_again(connection: Connection, earlier: Job, now: datetime) -> int:
    """Put what failed or was stopped into the queue once more, before all others; returns the job's number.

    What a peer took of it meanwhile is not sent again.
    """
    number = ask(connection, earlier.kind, earlier.space, earlier.study_uid, now, target=earlier.target, urgent=True)
    if number != earlier.number:
        hand_over(connection, earlier.number, number)
    return number


def revive(connection: Connection, number: int) -> bool:
    """Let a job that failed wait again as it is, with the number of its tries; False if it did not fail."""
    mine = (job.c.id == number) & (job.c.state == JobState.FAILED.value)
    again = {"state": JobState.WAITING.value, "ended_at": None, "not_before": None, "step": None}
    return connection.execute(update(job).where(mine).values(**again)).rowcount > 0


def hasten(connection: Connection, number: int, *, urgent: bool = True) -> None:
    """Let what waits be tried now, whatever was put off; `urgent` for before all others."""
    values: dict[str, object] = {"not_before": None}
    if urgent:
        values["urgent"] = True
    waits = (job.c.id == number) & (job.c.state == JobState.WAITING.value)
    connection.execute(update(job).where(waits).values(**values))


def take(
    connection: Connection, now: datetime, *, most: int, lane: Lane | None = None, longest: bool = False
) -> tuple[Job, ...]:
    """The jobs whose turn it is, of one kind and now running; empty if none waits.

    No exam is computed twice at once, and no peer is sent two exams at once. First comes what a person waits for, then
    what was received, then what is brought in from folders; of these each in the order in which it was asked for. A
    job whose worker was lost comes alone, as the next one may be lost too.

    Parameters
    ----------
    lane : only of this one.
    longest : what waited longest comes first, whatever it is; asked for now and then, nothing waits for ever.
    """
    order = (job.c.id,) if longest else (rank(), job.c.id)
    rows = connection.execute(
        select(job).where(*due_now(now, lane), _free(connection)).order_by(*order).limit(most * 4)
    )
    chosen: dict[str, Job] = {}
    for one in map(job_of, rows):
        if _alone(chosen, one):
            break
        key = _held(one)
        if key not in chosen and all(one.kind is other.kind for other in chosen.values()):
            chosen[key] = one
        if len(chosen) == most or one.lost or one.urgent:
            break
    numbers = [one.number for one in chosen.values()]
    began = (
        update(job)
        .where(job.c.id.in_(numbers))
        .values(state=JobState.RUNNING.value, started_at=now, tries=job.c.tries + 1, step=None, done=0, total=0)
    )
    connection.execute(began)
    return _jobs(connection, numbers)


def tell(connection: Connection, jobs: Collection[Job], step: Text, done: int, total: int) -> bool:
    """Say how far running jobs are; False if none of them is wanted any more."""
    values = {"step": encoded(step), "done": done, "total": total}
    running = or_(false(), *(_still(one.number, one.tries) for one in jobs))
    return connection.execute(update(job).where(running).values(**values)).rowcount > 0


def end(
    connection: Connection,
    number: int,
    now: datetime,
    reason: Refusal | None = None,
    *,
    digest: str | None = None,
    tries: int | None = None,
) -> bool:
    """A running job is done, or failed for `reason`; with the objects of `digest` it need not be done again.

    Parameters
    ----------
    tries : how often it had been begun when who says this began it; whether that is heard is returned.
    """
    state = JobState.DONE if reason is None else JobState.FAILED
    told = None if reason is None else encoded(reason)
    values = {"state": state.value, "ended_at": now, "reason": told, "digest": digest}
    heard = connection.execute(update(job).where(_still(number, tries)).values(**values)).rowcount > 0
    if heard and reason is None:
        forget_taken(connection, number)
    return heard


def put_off(connection: Connection, one: Job, now: datetime, reason: Refusal) -> None:
    """A running job could not be done for a reason that may pass: it is tried again, ever more slowly, for a day.

    Whatever else waits for the same peer waits as long: it would be told the same.
    """
    if one.tries >= MOST_TRIES:
        end(connection, one.number, now, reason, tries=one.tries)
        return
    next_at = now + timedelta(seconds=wait_s(one.tries))
    values = {"state": JobState.WAITING.value, "step": None, "reason": encoded(reason), "not_before": next_at}
    if connection.execute(update(job).where(_still(one.number, one.tries)).values(**values)).rowcount:
        _drop_behind(connection, one)
    if one.target is not None:
        others = job.c.target.in_(_words_of(one.target)) & (job.c.state == JobState.WAITING.value)
        sooner = or_(job.c.not_before.is_(None), job.c.not_before < next_at)
        connection.execute(update(job).where(others, sooner).values(not_before=next_at))


def wait_s(tries: int) -> float:
    """Seconds until a job is tried again that was begun so often."""
    return float(min(LONGEST_WAIT_S, FIRST_WAIT_S << min(max(tries - 1, 0), 20)))


def stop(connection: Connection, number: int, now: datetime) -> bool:
    """A person does not want a job any more; whether it was still open. One that runs stops at its next step."""
    found = connection.scalar(select(job.c.study_uid).where(job.c.id == number))
    open_ = (job.c.id == number) & job.c.state.in_([one.value for one in OPEN])
    told = Refusal.of(InputError(STOPPED), kind=SubjectKind.EXAM, subject=str(found), study_uid=found)
    values = {"state": JobState.STOPPED.value, "ended_at": now, "reason": encoded(told)}
    return connection.execute(update(job).where(open_).values(**values)).rowcount > 0


def give_back(connection: Connection, now: datetime, lane: Lane | None = None, *, ended: bool = False) -> int:
    """Let the jobs whose worker is gone wait again; those that lost too many fail. Returns how many there were.

    Only for whoever knows that no worker of the lane is left; None for all lanes.

    Parameters
    ----------
    ended : whether we ended the worker ourselves, which is no fault of its jobs.
    """
    rows = connection.execute(select(job).where(job.c.state == JobState.RUNNING.value, in_lane(lane))).all()
    for one in map(job_of, rows):
        lose(connection, one, now, ended=ended)
    return len(rows)


def lose(connection: Connection, one: Job, now: datetime, *, ended: bool = False) -> None:
    """Let a running job that nobody works on any more wait again, or fail if that happened too often."""
    lost = one.lost if ended else one.lost + 1
    if lost < MOST_LOST:
        _drop_behind(connection, one)
        again = {"state": JobState.WAITING.value, "step": None, "lost": lost}
        connection.execute(update(job).where(_still(one.number, one.tries)).values(**again))
    else:
        gone = InputError(WORKER_GONE, tries=lost)
        refusal = Refusal.of(gone, kind=SubjectKind.EXAM, subject=one.study_uid, study_uid=one.study_uid)
        end(connection, one.number, now, refusal, tries=one.tries)


def works_with(connection: Connection, one: Job, digest: str) -> None:
    """Say which objects a running job is done with: what it adds to them itself gives no reason to do it again."""
    connection.execute(update(job).where(_still(one.number, one.tries)).values(digest=digest))


def _same(kind: str, space: str, study_uid: str, target: str | None) -> ColumnElement[bool]:
    """The condition that holds for jobs that do the same."""
    aim = job.c.target.is_(None) if target is None else job.c.target == target
    return and_(job.c.kind == kind, job.c.space == space, job.c.study_uid == study_uid, aim)


def _free(connection: Connection) -> ColumnElement[bool]:
    """The condition that holds for jobs whose exam, or peer, nobody works on at this moment."""
    running = jobs_where(connection, job.c.state == JobState.RUNNING.value)
    exams = {one.study_uid for one in running if one.target is None}
    words = {word for one in running if one.target is not None for word in _words_of(one.target)}
    return or_(
        and_(job.c.target.is_(None), job.c.study_uid.not_in(exams)),
        and_(job.c.target.is_not(None), job.c.target.not_in(words)),
    )


def _alone(chosen: Mapping[str, Job], one: Job) -> bool:
    """Whether a job has to wait for a turn of its own."""
    return bool(chosen) and (one.lost > 0 or one.urgent)


def _held(one: Job) -> str:
    """What nobody else may work on while a job runs: its exam, or the peer that it goes to."""
    return one.study_uid if one.target is None else _words_of(one.target)[0]


def _words_of(target: str) -> tuple[str, str]:
    """All targets that are the same peer."""
    peer = Target.of(target).peer
    return Target(peer=peer).written(), Target(peer=peer, derived=True).written()


def _still(number: int, tries: int | None) -> ColumnElement[bool]:
    """The condition that holds for a job that runs, and was not taken by another one since."""
    mine = and_(job.c.id == number, job.c.state == JobState.RUNNING.value)
    return mine if tries is None else and_(mine, job.c.tries == tries)


def _drop_behind(connection: Connection, one: Job) -> None:
    """Forget what waits behind a job to do the same again."""
    behind = _same(one.kind.value, one.space, one.study_uid, one.target)
    connection.execute(delete(job).where(behind, job.c.state == JobState.WAITING.value, job.c.id != one.number))


def _jobs(connection: Connection, numbers: Iterable[int]) -> tuple[Job, ...]:
    rows = connection.execute(select(job).where(job.c.id.in_(list(numbers))).order_by(job.c.id))
    return tuple(job_of(row) for row in rows)
