"""Requests for storage commitment that were accepted and not answered yet: kept until their sender was told.

A scanner that was promised an answer (PS3.4 J.3.2) deletes its images by it, or waits for ever.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from bingcheng.archive.dimse.tables import commitment as table
from bingcheng.archive.dimse.tables import peer

WAITS_S = (5, 30, 120, 600, 3600)
"""Until the next try after so many, and the last of them from then on."""
GIVEN_UP_AFTER = timedelta(days=3)
"""A peer that can't be reached for so long, or has no host and port and did not call again, is not told any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Referenced:
    """An object that a request names."""

    sop_class: str
    sop_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """One request.

    Parameters
    ----------
    peer : number of who asked.
    transaction : UID by which the peer knows it.
    asked_at : UTC.
    tries : how often the peer could not be told.
    """

    number: int
    peer: int
    transaction: str
    references: tuple[Referenced, ...]
    asked_at: datetime
    tries: int


def keep(connection: Connection, of: int, transaction: str, asked: Sequence[Referenced], now: datetime) -> None:
    """Note a request of a peer; the same transaction again takes the place of the first."""
    connection.execute(delete(table).where(table.c.peer == of, table.c.transaction_uid == transaction))
    row = {
        "peer": of,
        "transaction_uid": transaction,
        "requested": json.dumps([[one.sop_class, one.sop_uid] for one in asked], separators=(",", ":")),
        "asked_at": now,
        "next_at": now,
        "tries": 0,
    }
    connection.execute(insert(table), row)


def due(connection: Connection, now: datetime) -> tuple[int, ...]:
    """Numbers of the peers that are to be called now."""
    query = (
        select(table.c.peer)
        .join(peer, peer.c.id == table.c.peer)
        .where(table.c.next_at <= now, peer.c.host.is_not(None))
        .distinct()
    )
    return tuple(connection.scalars(query))


def pending(connection: Connection, of: int) -> tuple[Requested, ...]:
    """What a peer has not been told yet, in the order in which it asked."""
    return _requested(connection.execute(select(table).where(table.c.peer == of).order_by(table.c.id)))


def settled(connection: Connection, number: int) -> None:
    """A peer was told, or is not told any more."""
    connection.execute(delete(table).where(table.c.id == number))


def put_off(connection: Connection, of: int, now: datetime) -> None:
    """A peer could not be told: all that waits for it waits until the next try."""
    tries = max((one.tries for one in pending(connection, of)), default=0)
    wait = timedelta(seconds=WAITS_S[min(tries, len(WAITS_S) - 1)])
    mine = table.c.peer == of
    connection.execute(update(table).where(mine).values(next_at=now + wait, tries=table.c.tries + 1))


def any_late(connection: Connection, now: datetime) -> bool:
    """Whether anything waited too long."""
    late = table.c.asked_at < now - GIVEN_UP_AFTER
    return connection.scalar(select(table.c.id).where(late).limit(1)) is not None


def given_up(connection: Connection, now: datetime) -> tuple[Requested, ...]:
    """What waited too long, and is forgotten now."""
    late = table.c.asked_at < now - GIVEN_UP_AFTER
    found = _requested(connection.execute(select(table).where(late)))
    connection.execute(delete(table).where(late))
    return found


def _requested(rows: Any) -> tuple[Requested, ...]:
    return tuple(
        Requested(
            number=row.id,
            peer=row.peer,
            transaction=row.transaction_uid,
            references=tuple(Referenced(sop_class=a, sop_uid=b) for a, b in json.loads(row.requested)),
            asked_at=row.asked_at,
            tries=row.tries,
        )
        for row in rows
    )
