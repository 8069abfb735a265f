"""What states, steps and outcomes are called on the pages of exams."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from bingcheng.archive.jobs.queue import Job, JobKind, JobState
from bingcheng.archive.worklist import Order
from bingcheng.core.wording import Text, text

STATE_WORDS: Mapping[JobState, Text] = MappingProxyType(
    {
        JobState.WAITING: text("Waits to be assessed"),
        JobState.RUNNING: text("Is being assessed"),
        JobState.DONE: text("Assessed"),
        JobState.FAILED: text("Could not be assessed"),
        JobState.STOPPED: text("Was stopped"),
    }
)
BRINGING_WORDS: Mapping[JobState, Text] = MappingProxyType(
    {
        JobState.WAITING: text("Its images wait to be brought in"),
        JobState.RUNNING: text("Its images are being brought in"),
        JobState.DONE: text("Its images were brought in"),
        JobState.FAILED: text("Its images could not be brought in"),
        JobState.STOPPED: text("Was stopped"),
    }
)
ORDER_WORDS: Mapping[Order, Text] = MappingProxyType(
    {
        Order.NEWEST: text("Newest first"),
        Order.OLDEST: text("Oldest first"),
        Order.URGENT: text("What needs doing first"),
    }
)
RECEIVING = text("Is being received; it is assessed as soon as no more images of it come, which takes some seconds.")
"""What is said of an exam that nobody has asked to assess yet."""
JUDGING = "Judging against the protocols"
"""The step of `bingcheng.engine.run.assess` that comes after all measuring."""


class Stage(StrEnum):
    """The way of an exam from the scanner to its results."""

    RECEIVED = "received"
    MEASURED = "measured"
    JUDGED = "judged"


STAGE_WORDS: Mapping[Stage, Text] = MappingProxyType(
    {
        Stage.RECEIVED: text("Receiving"),
        Stage.MEASURED: text("Measuring"),
        Stage.JUDGED: text("Judging"),
    }
)


def stage_of(job: Job | None) -> Stage | None:
    """The stage that an exam is in; None if its job is no assessing, or has ended."""
    if job is None:
        return Stage.RECEIVED
    if job.kind is not JobKind.ASSESS:
        return None
    match job.state:
        case JobState.WAITING:
            return Stage.RECEIVED
        case JobState.RUNNING:
            return Stage.JUDGED if job.step is not None and job.step.template == JUDGING else Stage.MEASURED
        case _:
            return None


def words_of(job: Job | None) -> Text:
    """What is said of an exam's job; without one its images are still coming."""
    if job is None:
        return RECEIVING
    return (BRINGING_WORDS if job.kind is JobKind.BRING_IN else STATE_WORDS)[job.state]
