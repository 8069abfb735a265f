"""What a peer took of an exam that is being sent: kept with the job, so that another try sends only the rest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from bingcheng.archive.batches import batches
from bingcheng.archive.jobs.tables import job_taken

BELIEVED_FOR = timedelta(days=1)
"""How long a peer's word is relied on: later it may have cleared the exam away again, and gets all of it."""

_columns = job_taken.c


def taken(connection: Connection, number: int, now: datetime) -> dict[str, str]:
    """Of a job's objects that its peer has: the digest of the bytes that it took, by SOP Instance UID."""
    mine = (_columns.job == number) & (_columns.taken_at > now - BELIEVED_FOR)
    return {
        row.sop_uid: row.sha256 for row in connection.execute(select(_columns.sop_uid, _columns.sha256).where(mine))
    }


def note_taken(connection: Connection, number: int, objects: Mapping[str, str], now: datetime) -> None:
    """Keep that the peer took these objects, each by its SOP Instance UID with the digest of its bytes."""
    if not objects:
        return
    _forget_some(connection, number, list(objects))
    rows = [{"job": number, "sop_uid": uid, "sha256": sha256, "taken_at": now} for uid, sha256 in objects.items()]
    connection.execute(insert(job_taken), rows)


def hand_over(connection: Connection, earlier: int, later: int) -> None:
    """Let a job begin where another one, which does the same, was left."""
    known = select(_columns.sop_uid).where(_columns.job == later)
    moved = (_columns.job == earlier) & _columns.sop_uid.not_in(known.scalar_subquery())
    connection.execute(update(job_taken).where(moved).values(job=later))


def forget_taken(connection: Connection, number: int) -> None:
    """A job is done: whoever asks for the same again wants all of it sent."""
    connection.execute(delete(job_taken).where(_columns.job == number))


def _forget_some(connection: Connection, number: int, uids: list[str]) -> None:
    for some in batches(uids):
        connection.execute(delete(job_taken).where(_columns.job == number, _columns.sop_uid.in_(some)))
