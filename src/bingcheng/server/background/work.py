"""A process that works on the jobs of one lane: it takes what waits in the queue until nothing is left, and ends.

A process of its own gives its memory back, can be killed without harm, and keeps the numerical libraries out of the
server. What it works on comes by standard input, so that no list of processes shows a database's password.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bingcheng.archive.jobs.queue import Lane
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.place import storage_of
from bingcheng.archive.workspace import Workspace
from bingcheng.core.collector import loading
from bingcheng.server.background.calling import Calling
from bingcheng.server.background.given import Given
from bingcheng.server.background.lifeline import hold_on
from bingcheng.server.background.sending import send_waiting

if TYPE_CHECKING:
    from bingcheng.engine.run import Options


def work(workspace: Workspace, objects: Objects, options: Options, calling: Calling | None = None) -> int:
    """Do all jobs of both lanes that wait; returns how many were begun.

    Parameters
    ----------
    calling : how peers are called to which exams are sent; None for our usual title without TLS.
    """
    from bingcheng.server.background.assessing import assess_waiting  # noqa: PLC0415 - what measures is large

    assessed = assess_waiting(workspace, objects, options)
    return assessed + send_waiting(workspace, objects, calling or Calling())


def main() -> None:
    """Work on the lane and workspace that standard input names, for as long as its other end is held."""
    given = Given.of(sys.stdin.readline())
    hold_on()
    workspace = Workspace.open(given.workspace, given.database)
    try:
        objects = Objects.open(workspace, storage_of(workspace, given.bucket))
        try:
            _work_on(given, workspace, objects)
        finally:
            objects.close()
    finally:
        workspace.close()


def _work_on(given: Given, workspace: Workspace, objects: Objects) -> None:
    if given.lane is Lane.NETWORK:
        send_waiting(workspace, objects, given.calling)
        return
    # Only here: the process that sends needs nothing of what measures.
    with loading():
        from bingcheng.engine.run import Options  # noqa: PLC0415 - what measures is large
        from bingcheng.server.background.assessing import assess_waiting  # noqa: PLC0415 - what measures is large

    assess_waiting(workspace, objects, Options(workers=given.workers))
