"""Received exams judged and measured, from the archive's own copies of their objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bingcheng.archive.jobs.queue import Job, works_with
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.origins import assessed, digest_of
from bingcheng.archive.ownership import claim
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError, InputError
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.engine.received.derived import follow_outputs, keep_derived
from bingcheng.engine.received.problems import HELD_ELSEWHERE, NOT_ASSESSED, NOTHING_LEFT
from bingcheng.engine.run import Options, Progress, assess


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a job.

    Parameters
    ----------
    refusal : why it failed; None if it did not.
    digest : of the objects that it was done with.
    """

    job: Job
    digest: str
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exam:
    job: Job
    digest: str
    files: tuple[Path, ...] = ()
    refusal: Refusal | None = None


def assess_received(
    workspace: Workspace, objects: Objects, jobs: Sequence[Job], options: Options, progress: Progress
) -> tuple[Outcome, ...]:
    """Assess the exams of `jobs` in one run; what fails fails by itself.

    Raises
    ------
    InputError, RemoteError
        What `assess` raises: the workspace or the scheduler are at fault, no exam.
    """
    found = [_exam(workspace, objects, job) for job in jobs]
    files = [path for exam in found for path in exam.files]
    reasons: dict[str, Refusal] = {}
    given: frozenset[str] = frozenset()
    if files:
        tally = assess(files, workspace, replace(options, received=True), progress)
        given = tally.given
        reasons = {refusal.subject: refusal for refusal in tally.failures}
    outcomes = []
    for exam in found:
        refusal = exam.refusal
        if refusal is None and exam.job.study_uid not in given:
            refusal = reasons.get(exam.job.study_uid) or refused(InputError(NOT_ASSESSED), exam.job)
        if refusal is None:
            refusal = _derived(workspace, objects, exam.job)
        outcomes.append(Outcome(job=exam.job, digest=exam.digest, refusal=refusal))
    if files:
        follow_outputs(workspace, objects, done=[job.study_uid for job in jobs])
    return tuple(outcomes)


def refused(error: BingchengError, job: Job) -> Refusal:
    """The refusal of a job's exam."""
    return Refusal.of(error, kind=SubjectKind.EXAM, subject=job.study_uid, study_uid=job.study_uid)


def _exam(workspace: Workspace, objects: Objects, job: Job) -> _Exam:
    with workspace.reading() as connection:
        originals = assessed(connection, job.space, job.study_uid)
    digest = digest_of(originals.items())
    if not originals:
        return _Exam(job=job, digest=digest, refusal=refused(InputError(NOTHING_LEFT), job))
    with workspace.writing() as connection:
        mine = claim(connection, job.study_uid, job.space)
        works_with(connection, job, digest)
    if not mine:
        return _Exam(job=job, digest=digest, refusal=refused(InputError(HELD_ELSEWHERE), job))
    try:
        instances = objects.instances_of([job.space], job.study_uid)
        files = tuple(objects.path(one) for one in instances if one.sop_uid in originals)
    except BingchengError as error:
        return _Exam(job=job, digest=digest, refusal=refused(error, job))
    return _Exam(job=job, digest=digest, files=files)


def _derived(workspace: Workspace, objects: Objects, job: Job) -> Refusal | None:
    try:
        keep_derived(workspace, objects, job.space, job.study_uid)
    except BingchengError as error:
        return refused(error, job)
    return None
