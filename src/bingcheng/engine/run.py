"""The main job: exams in, results into the workspace, an assessment out.

Each exam is stored as soon as it is assessed, in one transaction, so that a run that was killed goes on where it
stopped; an exam that is stored already, from the same instances by the same methods, is not assessed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from bingcheng.archive.exam_sources import save_sources
from bingcheng.archive.matchings import Proposal
from bingcheng.archive.records import ExamRecord
from bingcheng.archive.retrieval import fingerprints
from bingcheng.archive.store import save_exam, save_stray_refusals
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import InputError
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.core.wording import Text, text
from bingcheng.dicom.grouping.exams import exams
from bingcheng.dicom.sources import mode_of
from bingcheng.engine import distributed, local
from bingcheng.engine.agreed import agreed
from bingcheng.engine.attempt import attempt, place_of, refusal_of
from bingcheng.engine.conformance_objects import write_conformance_objects
from bingcheng.engine.discretion import Discretion
from bingcheng.engine.follow_up.by_images import PairTask, matched
from bingcheng.engine.follow_up.pairs import match_follow_ups
from bingcheng.engine.judgement import judge_exams
from bingcheng.engine.methods import fingerprint, installed
from bingcheng.engine.nifti_masks import mask_files
from bingcheng.engine.plan import DICOM_FOLDER, Plan, Task, foreign_index, places, plan
from bingcheng.engine.problems import NO_SUCH_PATH, UNEXPECTED
from bingcheng.engine.radiomics.asked import Asked
from bingcheng.engine.radiomics.remembered import asked_for
from bingcheng.engine.received.owned import Owned
from bingcheng.engine.received.problems import OWNED_BY_HOSPITAL
from bingcheng.outputs.language import Language
from bingcheng.protocol.model import Protocol

Progress = Callable[[Text, int, int], None]
"""Told of each step: what is being done, how many are done, how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to run.

    Parameters
    ----------
    workers : processes on this machine; exams go in parallel, not the work within one.
    scheduler : address of a Dask scheduler to use instead.
    again : assess exams anew that nothing has changed in.
    protocols : identifiers of protocols to judge by in addition to those that fit by themselves.
    own_protocols : protocols of the hospital's own, beside the library's; who gives one asks for it. The workspace
        remembers both, until a run names others.
    today : the day that tells which waivers hold.
    language : of the sentences in structured reports of findings; English unless given. Codes are the same in all.
    radiomics : what features of lesions to extract. The workspace remembers it, until a run names others or asks for
        none.
    no_radiomics : extract none from now on.
    received : what is given is copies in the archive, whose hospitals have claimed the results; and a few exams of
        many that come one after the other, so that what a run before could not place in any exam stays said.
    """

    workers: int = 2
    scheduler: str | None = None
    again: bool = False
    protocols: tuple[str, ...] = ()
    own_protocols: tuple[Protocol, ...] = ()
    today: date = field(default_factory=date.today)
    language: Language | None = None
    radiomics: Asked | None = None
    no_radiomics: bool = False
    received: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of the exams that were given.

    Parameters
    ----------
    found : how many there are; of these
    assessed : were assessed now,
    unchanged : were stored already from the same instances by the same methods,
    failed : could not be assessed; the refusals say why.
    given : UIDs of those that are stored now.
    failures : why those that failed did.
    """

    found: int
    assessed: int
    unchanged: int
    failed: int
    given: frozenset[str] = frozenset()
    failures: tuple[Refusal, ...] = ()


def assess(paths: Sequence[Path], workspace: Workspace, options: Options, progress: Progress) -> Tally:
    """Assess all exams at `paths` into the workspace.

    Raises
    ------
    InputError
        ``engine.no-such-path``; what `agreed` raises; what writing to the workspace raises. Never for what one exam
        holds.
    RemoteError
        ``archive.database-failed``, ``engine.scheduler-silent``, ``engine.no-workers``.
    """
    for path in paths:
        if not mode_of(path):
            raise InputError(NO_SUCH_PATH, path=str(path))
    judges = agreed(workspace, options.protocols, options.own_protocols)
    features = asked_for(workspace, options.radiomics, none=options.no_radiomics)
    todo, people = _planned(paths, workspace, features, progress)
    known = {} if options.again else fingerprints(workspace)
    changed = [task for task in todo.tasks if known.get(task.exam.uid) != task.fingerprint]
    owned = Owned.among(workspace, () if options.received else changed)
    tasks = _shared([task for task in changed if task.exam.uid not in owned.kept], options)
    failures = [refusal for refusal in todo.stray if refusal.kind is SubjectKind.EXAM] + [*owned.kept.values()]
    lost_before = len(failures)
    step = text("Assessing exams")
    progress(step, 0, len(tasks))
    for done, (task, outcome) in enumerate(_run(tasks, options), start=1):
        refusal = _stored(workspace, task, outcome, None if options.received else owned)
        if refusal is not None:
            failures.append(refusal)
        progress(step, done, len(tasks))
    said = [people.refusal(refusal) for refusal in sorted(failures, key=lambda r: r.subject)]
    if not options.received:
        strays = [people.refusal(refusal) for refusal in todo.stray if refusal.kind is not SubjectKind.EXAM]
        save_stray_refusals(workspace, [*strays, *said])
    ours = [task for task in todo.tasks if task.exam.uid not in owned.kept]
    save_sources(workspace, {task.exam.uid: places(task) for task in ours})
    _follow(workspace, ours, options, progress)
    step = text("Judging against the protocols")
    progress(step, 0, 1)
    judge_exams(workspace, judges.protocols, asked=judges.asked, today=options.today)
    given = {task.exam.uid: task.exam for task in ours}
    write_conformance_objects(workspace, judges.protocols, given, options.language)
    progress(step, 1, 1)
    return Tally(
        found=len(ours) + lost_before,
        assessed=len(tasks) - (len(failures) - lost_before),
        unchanged=len(ours) - len(tasks),
        failed=len(failures),
        given=frozenset(given) - {refusal.subject for refusal in failures},
        failures=tuple(said),
    )


def _follow(workspace: Workspace, given: Sequence[Task], options: Options, progress: Progress) -> None:
    """Match the lesions of a patient's exams that names don't pair."""
    step = text("Matching lesions between time points")

    def run(tasks: Sequence[PairTask]) -> Iterator[tuple[PairTask, Proposal | InputError]]:
        if options.scheduler is not None:
            return distributed.run(matched, tasks, scheduler=options.scheduler)
        return local.run(matched, tasks, workers=options.workers)

    match_follow_ups(workspace, given, run, lambda done, total: progress(step, done, total))


def _shared(tasks: list[Task], options: Options) -> list[Task]:
    """The tasks, each with the threads that are left for it where there are fewer exams than workers."""
    threads = max(1, options.workers // max(1, len(tasks)))
    return [t if t.radiomics is None else replace(t, radiomics=replace(t.radiomics, threads=threads)) for t in tasks]


def _planned(
    paths: Sequence[Path], workspace: Workspace, features: Asked | None, progress: Progress
) -> tuple[Plan, Discretion]:
    step = text("Reading headers")
    outputs = workspace.folder / DICOM_FOLDER
    scanned = foreign_index(paths, outputs, lambda done, total: progress(step, done, total))
    grouping = exams(scanned)
    todo = plan(grouping, scanned.refusals, mask_files(paths), fingerprint(installed()), outputs, features)
    return todo, Discretion.about(grouping.exams)


def _stored(
    workspace: Workspace, task: Task, outcome: ExamRecord | Refusal | InputError, owned: Owned | None
) -> Refusal | None:
    """Store what came out of a task, or say why there is nothing to store."""
    if isinstance(outcome, Refusal):
        return outcome
    if isinstance(outcome, InputError):
        return refusal_of(task, outcome)
    try:
        save_exam(workspace, outcome, allow=None if owned is None else owned.allow)
    except InputError as error:
        if error.problem is not OWNED_BY_HOSPITAL:
            raise
        return refusal_of(task, error)
    except (TypeError, ValueError) as error:
        # A value of this exam that the database can't take; the disk or the server are not to blame (see save_exam).
        return refusal_of(task, InputError(UNEXPECTED, error=type(error).__name__, where=place_of(error)))
    return None


def _run(tasks: Sequence[Task], options: Options) -> Iterator[tuple[Task, ExamRecord | Refusal | InputError]]:
    if options.scheduler is not None:
        return distributed.run(attempt, tasks, scheduler=options.scheduler)
    return local.run(attempt, tasks, workers=options.workers)
