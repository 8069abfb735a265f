"""Exams that were assessed from folders and that the archive lacks: which of them are to be brought in now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, exists, func, select

from bingcheng.archive import schema
from bingcheng.archive.batches import batches
from bingcheng.archive.jobs.job import job_of
from bingcheng.archive.jobs.queue import Job, JobKind, JobState, ask, revive
from bingcheng.archive.jobs.tables import job
from bingcheng.archive.objects.tables import stored_study
from bingcheng.archive.ownership import HOSPITALS, owner
from bingcheng.archive.workspace import Workspace

FIRST_WAIT, LONGEST_WAIT = timedelta(hours=1), timedelta(days=1)


def ask_for_absent(workspace: Workspace, now: datetime) -> int:
    """Ask to bring in exams that lie in folders which are still there; returns how many were asked for.

    One that failed is asked for again, after an hour and then ever more slowly, down to once a day: the folder may lie
    on a share that was away. What was brought in and deleted since, or what a person stopped, is left alone.
    """
    with workspace.reading() as connection:
        known = _absent(connection)
        before = _last_jobs(connection, list(known))
        wanted = {uid: owner(connection, uid) for uid in known if _wanted(before.get(uid), now)}
    asked = 0
    for uid, hospital in wanted.items():
        if hospital is None or not any(path.exists() for path in known[uid]):
            continue
        with workspace.writing() as connection:
            _ask(connection, before.get(uid), f"{HOSPITALS}{hospital}", uid, now)
        asked += 1
    return asked


def wait_after(tries: int) -> timedelta:
    """How long after it failed an exam is left alone whose files were looked for so often."""
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << min(max(tries - 1, 0), 10)))


def _absent(connection: Connection) -> Mapping[str, Sequence[Path]]:
    """The folders and archives of each exam that no hospital's part of the archive holds."""
    source, held = schema.exam_source.c, stored_study.c
    held_here = exists().where(held.study_uid == source.exam_uid, held.space.startswith(HOSPITALS, autoescape=True))
    found: dict[str, list[Path]] = defaultdict(list)
    for uid, path in connection.execute(select(source.exam_uid, source.path).where(~held_here).order_by(source.id)):
        found[uid].append(Path(path))
    return found


def _last_jobs(connection: Connection, uids: Sequence[str]) -> dict[str, Job]:
    """The last time that each exam was to be brought in."""
    found: dict[str, Job] = {}
    for some in batches(uids):
        mine = (job.c.study_uid.in_(some), job.c.kind == JobKind.BRING_IN.value)
        last = select(func.max(job.c.id)).where(*mine).group_by(job.c.study_uid)
        rows = connection.execute(select(job).where(job.c.id.in_(last)))
        found |= {row.study_uid: job_of(row) for row in rows}
    return found


def _wanted(before: Job | None, now: datetime) -> bool:
    if before is None:
        return True
    return (
        before.state is JobState.FAILED
        and before.ended_at is not None
        and now - before.ended_at >= wait_after(before.tries)
    )


def _ask(connection: Connection, before: Job | None, space: str, uid: str, now: datetime) -> None:
    # As the same job, so that a folder which is broken for good does not leave a row a day.
    if before is None or before.space != space or not revive(connection, before.number):
        ask(connection, JobKind.BRING_IN, space, uid, now)
