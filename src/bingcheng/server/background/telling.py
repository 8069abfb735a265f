"""How far jobs are, said into the queue; by the same way a job learns that nobody wants it any more."""

from __future__ import annotations

import time
from collections.abc import Sequence

from bingcheng.archive.jobs.queue import Job, tell
from bingcheng.archive.workspace import Workspace
from bingcheng.core.wording import Text

TOLD_EVERY_S = 0.5


class NotWanted(Exception):  # noqa: N818 - no error
    """None of the jobs that are under way is wanted any more: somebody stopped them, or another one took them."""


class Telling:
    """Writes how far jobs are into the queue, not more often than a person can read."""

    def __init__(self, workspace: Workspace, jobs: Sequence[Job]) -> None:
        self._workspace = workspace
        self._jobs = tuple(jobs)
        self._last = 0.0
        self._step: Text | None = None

    def __call__(self, step: Text, done: int, total: int) -> None:
        """Told of each step: see `bingcheng.engine.run.Progress`.

        Raises
        ------
        NotWanted
        """
        now = time.monotonic()
        if step == self._step and now - self._last < TOLD_EVERY_S:
            return
        self._step, self._last = step, now
        with self._workspace.writing() as connection:
            wanted = tell(connection, self._jobs, step, done, total)
        if not wanted:
            raise NotWanted
