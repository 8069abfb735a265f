"""What a job is: one exam's turn to be assessed, brought in, published or sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import Row

from bingcheng.archive.codec import decoded
from bingcheng.core.refusal import Refusal
from bingcheng.core.wording import Text


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
    STOPPED = "stopped"
    """A person did not want it any more."""


class Lane(StrEnum):
    """What works on a job."""

    COMPUTING = "computing"
    """One process, which has the processor; exam after exam."""
    NETWORK = "network"
    """Another one, which mostly waits; several peers at once, one exam a peer."""


LANES: Mapping[JobKind, Lane] = MappingProxyType(
    {
        JobKind.ASSESS: Lane.COMPUTING,
        JobKind.BRING_IN: Lane.COMPUTING,
        JobKind.PUBLISH: Lane.COMPUTING,
        JobKind.SEND: Lane.NETWORK,
    }
)
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
    lost : how often its worker was lost.
    urgent : whether a person waits for it.
    not_before : when it is tried again, UTC; None for at once.
    step, done, total : what is being done, and how far that is.
    reason : why it failed, or has to be tried again.
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
    lost: int = 0
    urgent: bool = False
    not_before: datetime | None = None


def job_of(row: Row[tuple[object, ...]]) -> Job:
    """The job of a row of the table."""
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
        lost=row.lost or 0,
        urgent=bool(row.urgent),
        not_before=row.not_before,
    )
