"""One exam, whatever becomes of it: what a worker does. It needs neither the workspace's database nor protocols."""

from __future__ import annotations

import traceback
from pathlib import Path

from bingcheng.archive.records import ExamRecord
from bingcheng.core.errors import BingchengError, InputError
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.engine.examine import examined
from bingcheng.engine.plan import Task
from bingcheng.engine.problems import UNEXPECTED


def attempt(task: Task) -> ExamRecord | Refusal:
    """The record of an exam, or why there is none; raises nothing, so that one exam never stops the others."""
    try:
        return examined(task)
    except BingchengError as error:
        return refusal_of(task, error)
    except Exception as error:  # noqa: BLE001 - a fault of this program costs one exam and is said, not hidden
        return refusal_of(task, InputError(UNEXPECTED, error=type(error).__name__, where=place_of(error)))


def refusal_of(task: Task, error: BingchengError) -> Refusal:
    """Why an exam has no record."""
    return Refusal.of(error, kind=SubjectKind.EXAM, subject=task.exam.uid, study_uid=task.exam.uid)


def place_of(error: Exception) -> str:
    """Where in this program an unexpected error arose: module and line, nothing of the data."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "bingcheng" in f.filename]
    return f"{Path(frames[-1].filename).stem}:{frames[-1].lineno}" if frames else "an unknown place"
