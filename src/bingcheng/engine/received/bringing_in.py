"""Exams that were assessed from folders, brought into the archive: their objects are read again where they lay."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from bingcheng.archive.exam_sources import sources
from bingcheng.archive.jobs.queue import Job
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.origins import assessed, digest_of
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.ownership import claim
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError, InputError
from bingcheng.core.wording import text
from bingcheng.dicom.exam import FrameSource
from bingcheng.dicom.sources import mode_of, open_source
from bingcheng.engine.plan import DICOM_FOLDER, foreign_index
from bingcheng.engine.received.assessing import Outcome, refused
from bingcheng.engine.received.derived import keep_derived
from bingcheng.engine.received.problems import FILES_GONE, HELD_ELSEWHERE
from bingcheng.engine.run import Progress

FROM_A_FOLDER = Origin(kind="import", peer="folder")
"""Not which folder: its name may be a patient's."""


def bring_in(workspace: Workspace, objects: Objects, jobs: Sequence[Job], progress: Progress) -> tuple[Outcome, ...]:
    """Take the exams of `jobs` into the archive, each into its job's space, with what was made of them.

    What fails fails by itself: a damaged file does not keep the others of its exam out, nor one exam the others. What
    the archive can't take now (``archive.disk-full``) is taken up where it was left when the job is done again.

    Raises
    ------
    RemoteError
        The database does not answer.
    """
    known = sources(workspace)
    places = {path for job in jobs for path in known.get(job.study_uid, ()) if mode_of(path)}
    files = _files_of({job.study_uid for job in jobs}, sorted(places), workspace)
    total, count = sum(len(files.get(job.study_uid, ())) for job in jobs), 0

    def told() -> None:
        nonlocal count
        count += 1
        progress(text("Bringing exams into the archive"), count, total)

    return tuple(_outcome(workspace, objects, job, files.get(job.study_uid, ()), told) for job in jobs)


def _outcome(
    workspace: Workspace, objects: Objects, job: Job, files: Sequence[FrameSource], told: Callable[[], None]
) -> Outcome:
    try:
        damaged = _brought(workspace, objects, job, files, told)
    except BingchengError as error:
        # Without a digest: what was brought in so far is not what the job was asked for.
        return Outcome(job=job, digest="", refusal=refused(error, job))
    with workspace.reading() as connection:
        digest = digest_of(assessed(connection, job.space, job.study_uid).items())
    reason = replace(refused(damaged[0], job), count=len(damaged)) if damaged else None
    return Outcome(job=job, digest=digest, refusal=reason)


def _brought(
    workspace: Workspace, objects: Objects, job: Job, files: Sequence[FrameSource], told: Callable[[], None]
) -> list[BingchengError]:
    """Bring in the files of one exam, and what was made of it; why some of them could not be.

    Raises
    ------
    InputError
        ``engine.held-elsewhere``, ``engine.files-gone``, ``engine.nothing-left``.
    RemoteError
        ``archive.disk-full`` and what else keeps the archive from storing.
    """
    if not files:
        raise InputError(FILES_GONE)
    with workspace.writing() as connection:
        if not claim(connection, job.study_uid, job.space):
            raise InputError(HELD_ELSEWHERE)
    damaged: list[BingchengError] = []
    for source in files:
        try:
            with open_source(source) as stream:
                objects.receive(stream.read(), space=job.space, origin=FROM_A_FOLDER)
        except InputError as error:
            damaged.append(error)
        told()
    if len(damaged) < len(files):
        keep_derived(workspace, objects, job.space, job.study_uid)
    return damaged


def _files_of(
    study_uids: Iterable[str], places: Sequence[Path], workspace: Workspace
) -> dict[str, tuple[FrameSource, ...]]:
    wanted: dict[str, dict[FrameSource, None]] = {uid: {} for uid in study_uids}
    if places:
        scanned = foreign_index(places, workspace.folder / DICOM_FOLDER)
        for header in scanned.headers:
            if header.series.study_uid in wanted:
                wanted[header.series.study_uid][header.source] = None
    return {uid: tuple(found) for uid, found in wanted.items()}
