"""The process that assesses: it takes what waits in the queue until nothing is left, and ends.

A process of its own gives its memory back, can be killed without harm, and keeps the numerical libraries out of the
server. What it works on comes by standard input, so that no list of processes shows a database's password.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from bingcheng.archive.jobs.queue import Job, JobKind, end, take, tell
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError
from bingcheng.core.wording import Text
from bingcheng.engine.numbers import keep_numbers
from bingcheng.engine.received.assessing import Outcome, assess_received, refused
from bingcheng.engine.received.bringing_in import bring_in
from bingcheng.engine.run import Options
from bingcheng.engine.view import assessment
from bingcheng.server.background.calling import Calling
from bingcheng.server.background.given import Given
from bingcheng.server.background.sending import send_exam
from bingcheng.server.cases.publishing import publish
from bingcheng.server.site import utc_now

MOST_AT_ONCE = 8
"""Exams of one run: after each all exams of the workspace are judged, which a run of several does once."""
TOLD_EVERY_S = 0.5


class Telling:
    """Writes how far jobs are into the queue, not more often than a person can read."""

    def __init__(self, workspace: Workspace, jobs: Sequence[Job]) -> None:
        self._workspace = workspace
        self._numbers = [job.number for job in jobs]
        self._last = 0.0
        self._step: Text | None = None

    def __call__(self, step: Text, done: int, total: int) -> None:
        """Told of each step: see `bingcheng.engine.run.Progress`."""
        now = time.monotonic()
        if step == self._step and now - self._last < TOLD_EVERY_S:
            return
        self._step, self._last = step, now
        with self._workspace.writing() as connection:
            tell(connection, self._numbers, step, done, total)


def work(workspace: Workspace, objects: Objects, options: Options, calling: Calling | None = None) -> int:
    """Do all jobs that wait; returns how many were done.

    Parameters
    ----------
    calling : how peers are called to which exams are sent; None for our usual title without TLS.
    """
    count = assessed = 0
    while True:
        with workspace.writing() as connection:
            jobs = take(connection, utc_now(), most=MOST_AT_ONCE)
        if not jobs:
            if assessed:
                keep_numbers(workspace, assessment(workspace, images=False), utc_now())
            return count
        for outcome in _done(workspace, objects, jobs, options, calling or Calling()):
            count += 1
            assessed += outcome.job.kind is not JobKind.SEND
            with workspace.writing() as connection:
                end(connection, outcome.job.number, utc_now(), outcome.refusal, digest=outcome.digest)


def _done(
    workspace: Workspace, objects: Objects, jobs: Sequence[Job], options: Options, calling: Calling
) -> Sequence[Outcome]:
    telling = Telling(workspace, jobs)
    if jobs[0].kind is JobKind.SEND:
        return [send_exam(workspace, objects, job, calling, Telling(workspace, [job])) for job in jobs]
    try:
        if jobs[0].kind is JobKind.PUBLISH:
            return publish(workspace, objects, jobs, telling)
        if jobs[0].kind is JobKind.BRING_IN:
            return bring_in(workspace, objects, jobs, telling)
        return assess_received(workspace, objects, jobs, options, telling)
    except BingchengError as error:
        return [Outcome(job=job, digest="", refusal=refused(error, job)) for job in jobs]


def main() -> None:
    """Work on the workspace that standard input names."""
    given = Given.of(sys.stdin.readline())
    workspace = Workspace.open(given.workspace, given.database)
    try:
        objects = Objects.open(workspace)
        try:
            work(workspace, objects, Options(workers=given.workers), given.calling)
        finally:
            objects.close()
    finally:
        workspace.close()


if __name__ == "__main__":
    main()
