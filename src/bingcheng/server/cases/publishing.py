"""What the background does for cases: de-identifying what each shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bingcheng.archive.cases.preparing import prepare
from bingcheng.archive.jobs.queue import Job
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError
from bingcheng.core.wording import Text
from bingcheng.engine.received.assessing import Outcome, refused

CASES = "case/"


def publish(
    workspace: Workspace, objects: Objects, jobs: Sequence[Job], progress: Callable[[Text, int, int], None]
) -> tuple[Outcome, ...]:
    """De-identify the images of each job's case; one that fails keeps no other from being done."""
    return tuple(_one(workspace, objects, job, progress) for job in jobs)


def _one(workspace: Workspace, objects: Objects, job: Job, progress: Callable[[Text, int, int], None]) -> Outcome:
    try:
        prepare(workspace, objects, int(job.space.removeprefix(CASES)), progress)
    except BingchengError as error:
        return Outcome(job=job, digest="", refusal=refused(error, job))
    return Outcome(job=job, digest="")
