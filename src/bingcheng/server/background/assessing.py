"""The lane of what computes: exams assessed, brought in and published, one run after the other."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from bingcheng.archive.jobs.queue import Job, JobKind, Lane, end, lose, put_off, take
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError
from bingcheng.engine.numbers import keep_numbers
from bingcheng.engine.received.assessing import Outcome, assess_received, refused
from bingcheng.engine.received.bringing_in import bring_in
from bingcheng.engine.received.problems import may_pass
from bingcheng.engine.run import Options
from bingcheng.engine.view import assessment
from bingcheng.server.background.faults import refused_by_fault
from bingcheng.server.background.telling import NotWanted, Telling
from bingcheng.server.cases.publishing import publish
from bingcheng.server.site import utc_now

MOST_AT_ONCE = 8
"""Exams of one run: after each all exams of the workspace are judged, which a run of several does once."""
LONGEST_EVERY = 4
"""Every so many runs it is the turn of what waited longest, whatever it is."""


def assess_waiting(workspace: Workspace, objects: Objects, options: Options) -> int:
    """Do all jobs of the lane that wait; returns how many were begun."""
    runs = count = 0
    looked_at: dict[tuple[str, str], None] = {}
    while True:
        longest = runs % LONGEST_EVERY == LONGEST_EVERY - 1
        with workspace.writing() as connection:
            jobs = take(connection, utc_now(), most=MOST_AT_ONCE, lane=Lane.COMPUTING, longest=longest)
        if not jobs:
            break
        runs, count = runs + 1, count + len(jobs)
        for outcome in _done(workspace, objects, jobs, options):
            with workspace.writing() as connection:
                job, refusal = outcome.job, outcome.refusal
                if refusal is not None and may_pass(refusal):  # a full disk, say: when there is room it is done
                    put_off(connection, job, utc_now(), refusal)
                else:
                    end(connection, job.number, utc_now(), refusal, digest=outcome.digest, tries=job.tries)
            looked_at[job.space, job.study_uid] = None
    if count:
        keep_numbers(workspace, assessment(workspace, images=False), utc_now())
    for space, study_uid in looked_at:
        with suppress(BingchengError):  # who opens it first in a viewer waits a little longer then
            objects.prepare(space, study_uid)
    return count


def _done(workspace: Workspace, objects: Objects, jobs: Sequence[Job], options: Options) -> Sequence[Outcome]:
    try:
        return _worked(workspace, objects, jobs, options)
    except NotWanted:
        return ()
    except BingchengError as error:
        return [Outcome(job=job, digest="", refusal=refused(error, job)) for job in jobs]
    except Exception as error:  # noqa: BLE001 - a fault of this program costs one exam and is said, not hidden
        if len(jobs) == 1:
            return [Outcome(job=job, digest="", refusal=refused_by_fault(error, job)) for job in jobs]
        with workspace.writing() as connection:
            for job in jobs:  # which of them it was shows when each comes alone
                lose(connection, job, utc_now())
        return ()


def _worked(workspace: Workspace, objects: Objects, jobs: Sequence[Job], options: Options) -> Sequence[Outcome]:
    telling = Telling(workspace, jobs)
    if jobs[0].kind is JobKind.PUBLISH:
        return publish(workspace, objects, jobs, telling)
    if jobs[0].kind is JobKind.BRING_IN:
        return bring_in(workspace, objects, jobs, telling)
    return assess_received(workspace, objects, jobs, options, telling)
