"""The main job: exams in, results into the workspace, an assessment out.

Each exam is stored as soon as it is assessed, in one transaction, so that a run that was killed goes on where it
stopped; an exam that is stored already, from the same instances by the same methods, is not assessed again.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bingcheng.archive.records import ExamRecord
from bingcheng.archive.store import fingerprints, save_exam, save_stray_refusals
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError, InputError
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.core.wording import Text, text
from bingcheng.dicom.index import index
from bingcheng.dicom.series import exams
from bingcheng.engine import distributed, local
from bingcheng.engine.examine import examined
from bingcheng.engine.judgement import judge_exams
from bingcheng.engine.methods import fingerprint, installed
from bingcheng.engine.plan import Plan, Task, nifti_files, plan
from bingcheng.engine.problems import NO_SUCH_PATH, UNEXPECTED
from bingcheng.protocol.library import protocols
from bingcheng.protocol.model import Protocol

Progress = Callable[[Text, int, int], None]
"""Told of each step: what is being done, how many are done, how many there are."""

DICOM_FOLDER = "dicom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to run.

    Parameters
    ----------
    workers : processes on this machine; exams go in parallel, not the work within one.
    scheduler : address of a Dask scheduler to use instead.
    again : assess exams anew that nothing has changed in.
    protocols : identifiers of protocols to judge by in addition to those that fit by themselves.
    own_protocols : protocols of the hospital's own, beside the library's.
    """

    workers: int = 2
    scheduler: str | None = None
    again: bool = False
    protocols: tuple[str, ...] = ()
    own_protocols: tuple[Protocol, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many exams were found, assessed now, and left as they were."""

    found: int
    assessed: int
    unchanged: int
    failed: int


def assess(paths: Sequence[Path], workspace: Workspace, options: Options, progress: Progress) -> Tally:
    """Assess all exams at `paths` into the workspace.

    Raises
    ------
    InputError
        ``engine.no-such-path``; ``archive.read-only``, ``archive.disk-full``. Never for what one exam holds.
    """
    for path in paths:
        if not path.exists():
            raise InputError(NO_SUCH_PATH, path=str(path))
    todo = _planned(paths, workspace, progress)
    known = {} if options.again else fingerprints(workspace)
    tasks = [task for task in todo.tasks if known.get(task.exam.uid) != task.fingerprint]
    failures: list[Refusal] = []
    reading = text("Assessing exams")
    progress(reading, 0, len(tasks))
    for done, (task, outcome) in enumerate(_run(tasks, options), start=1):
        if isinstance(outcome, ExamRecord):
            save_exam(workspace, outcome)
        else:
            failures.append(outcome if isinstance(outcome, Refusal) else _refusal(task, outcome))
        progress(reading, done, len(tasks))
    save_stray_refusals(workspace, (*todo.stray, *failures))
    judging = text("Judging against the protocols")
    progress(judging, 0, 1)
    judge_exams(workspace, (*protocols(), *options.own_protocols), asked=options.protocols)
    progress(judging, 1, 1)
    return Tally(
        found=len(todo.tasks),
        assessed=len(tasks) - len(failures),
        unchanged=len(todo.tasks) - len(tasks),
        failed=len(failures),
    )


def _planned(paths: Sequence[Path], workspace: Workspace, progress: Progress) -> Plan:
    scanning = text("Reading headers")
    scanned = index(paths, progress=lambda done, total: progress(scanning, done, total))
    return plan(
        exams(scanned),
        scanned.refusals,
        nifti_files(paths),
        fingerprint(installed()),
        workspace.folder / DICOM_FOLDER,
    )


def attempt(task: Task) -> ExamRecord | Refusal:
    """The record of an exam, or why there is none; raises nothing, so that one exam never stops the others."""
    try:
        return examined(task)
    except BingchengError as error:
        return _refusal(task, error)
    except Exception as error:  # noqa: BLE001 - a fault of this program costs one exam and is said, not hidden
        return _refusal(task, InputError(UNEXPECTED, error=type(error).__name__, where=_place(error)))


def _run(tasks: Sequence[Task], options: Options) -> Iterator[tuple[Task, ExamRecord | Refusal | InputError]]:
    if options.scheduler is not None:
        return distributed.run(attempt, tasks, scheduler=options.scheduler)
    return local.run(attempt, tasks, workers=options.workers)


def _refusal(task: Task, error: BingchengError) -> Refusal:
    return Refusal.of(error, kind=SubjectKind.EXAM, subject=task.exam.uid, study_uid=task.exam.uid)


def _place(error: Exception) -> str:
    """Where in this program an unexpected error arose: module and line, nothing of the data."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "bingcheng" in f.filename]
    return f"{Path(frames[-1].filename).stem}:{frames[-1].lineno}" if frames else "an unknown place"
