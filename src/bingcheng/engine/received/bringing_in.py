"""Exams that were assessed from folders, brought into the archive: their objects are read again where they lay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from bingcheng.archive.exam_sources import sources
from bingcheng.archive.jobs.queue import Job
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.origins import digest_of, sent
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.ownership import claim
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError, InputError
from bingcheng.core.wording import text
from bingcheng.dicom.exam import FrameSource
from bingcheng.dicom.index.scan import index
from bingcheng.dicom.sources import open_source
from bingcheng.engine.plan import DICOM_FOLDER, without_outputs
from bingcheng.engine.received.assessing import Outcome, refused
from bingcheng.engine.received.derived import keep_derived
from bingcheng.engine.received.problems import FILES_GONE, HELD_ELSEWHERE
from bingcheng.engine.run import Progress

FROM_A_FOLDER = Origin(kind="import", peer="folder")
"""Not which folder: its name may be a patient's."""


def bring_in(workspace: Workspace, objects: Objects, jobs: Sequence[Job], progress: Progress) -> tuple[Outcome, ...]:
    """Take the exams of `jobs` into the archive, each into its job's space, with what was made of them.

    Raises
    ------
    RemoteError
        ``archive.disk-full`` and what else keeps the archive from storing.
    """
    known = sources(workspace)
    places = {path for job in jobs for path in known.get(job.study_uid, ()) if path.exists()}
    files = _files_of({job.study_uid for job in jobs}, sorted(places), workspace)
    total = sum(len(files.get(job.study_uid, ())) for job in jobs)
    step, done = text("Bringing exams into the archive"), Counter[str]()
    outcomes = []
    for job in jobs:
        with workspace.writing() as connection:
            mine = claim(connection, job.study_uid, job.space)
        if not mine:
            outcomes.append(Outcome(job=job, digest="", refusal=refused(InputError(HELD_ELSEWHERE), job)))
            continue
        refused_ones: list[BingchengError] = []
        wanted = files.get(job.study_uid, ())
        for source in wanted:
            try:
                with open_source(source) as stream:
                    objects.receive(stream.read(), space=job.space, origin=FROM_A_FOLDER)
            except InputError as error:
                refused_ones.append(error)  # one damaged file does not keep the others out
            done["files"] += 1
            progress(step, done["files"], total)
        keep_derived(workspace, objects, job.space, job.study_uid)
        if not wanted:
            refused_ones.append(InputError(FILES_GONE))
        reason = replace(refused(refused_ones[0], job), count=len(refused_ones)) if refused_ones else None
        with workspace.reading() as connection:
            digest = digest_of(sent(connection, job.space, job.study_uid).items())
        outcomes.append(Outcome(job=job, digest=digest, refusal=reason))
    return tuple(outcomes)


def _files_of(
    study_uids: Iterable[str], places: Sequence[Path], workspace: Workspace
) -> dict[str, tuple[FrameSource, ...]]:
    wanted: dict[str, dict[FrameSource, None]] = {uid: {} for uid in study_uids}
    if places:
        scanned = without_outputs(index(places), workspace.folder / DICOM_FOLDER)
        for header in scanned.headers:
            if header.series.study_uid in wanted:
                wanted[header.series.study_uid][header.source] = None
    return {uid: tuple(found) for uid, found in wanted.items()}
