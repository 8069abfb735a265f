"""Faults of this program in the background, told so that they can be reported: nobody sees that process's output."""

from __future__ import annotations

import traceback
from pathlib import Path

from bingcheng.archive.jobs.queue import Job
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.refusal import Refusal, SubjectKind

FAULT = Problem(
    code="server.fault-in-background",
    says="a fault of this program kept it from being done ({error} at {place})",
    remedy="Report these words to who maintains the program, then try it again after the next update.",
    owner=Owner.OPERATOR,
)
_PACKAGE = Path(__file__).parents[2]


def refused_by_fault(error: Exception, job: Job) -> Refusal:
    """The refusal of a job's exam: which error, and where, but not its words, which may hold what an exam says."""
    return Refusal.of(
        InputError(FAULT, error=type(error).__name__, place=_place(error)),
        kind=SubjectKind.EXAM,
        subject=job.study_uid,
        study_uid=job.study_uid,
    )


def _place(error: Exception) -> str:
    """The last line of ours that was at work."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_relative_to(_PACKAGE):
            return f"{file.relative_to(_PACKAGE).with_suffix('').as_posix().replace('/', '.')}:{frame.lineno}"
    return "?"
