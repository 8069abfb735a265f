"""What the background does for cases: de-identifying what each shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from bingcheng.archive.cases.preparing import prepare
from bingcheng.archive.jobs.queue import Job
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.workspace import Workspace
from bingcheng.compare.lesions import LesionChange
from bingcheng.core.errors import BingchengError
from bingcheng.core.wording import Text
from bingcheng.engine.received.assessing import Outcome, refused
from bingcheng.engine.view import assessment

CASES = "case/"


def publish(
    workspace: Workspace, objects: Objects, jobs: Sequence[Job], progress: Callable[[Text, int, int], None]
) -> tuple[Outcome, ...]:
    """De-identify the images of each job's case; one that fails keeps no other from being done."""
    return tuple(_one(workspace, objects, job, progress) for job in jobs)


def _one(workspace: Workspace, objects: Objects, job: Job, progress: Callable[[Text, int, int], None]) -> Outcome:
    try:
        number = int(job.space.removeprefix(CASES))
        prepare(workspace, objects, number, progress, followed=partial(_followed, workspace))
    except BingchengError as error:
        return Outcome(job=job, digest="", refusal=refused(error, job))
    return Outcome(job=job, digest="")


def _followed(workspace: Workspace, uids: Sequence[str]) -> Sequence[LesionChange]:
    """What became of the lesions over some exams; of one exam there is nothing to say."""
    return assessment(workspace, images=False, uids=uids).changes if len(uids) > 1 else ()
