"""The queue of what is to pass between installations: it survives the program's end, and tries ever more slowly."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, insert, or_, select, update

from bingcheng.archive.codec import decoded, encoded
from bingcheng.archive.pairing import tables
from bingcheng.core.wording import Text

FIRST_WAIT_S, LONGEST_WAIT_S = 15, 6 * 3600
MOST_TRIES = 40
"""More than a week of tries, by the longest wait."""
KEPT_SHOWN = 200


class TransferKind(StrEnum):
    """What is to be done."""

    GREET = "greet"
    """Ask what the other side allows."""
    OFFER = "offer"
    """Look through a case's objects, and let the other side fetch it."""
    PUSH = "push"
    """The same, and send it."""
    LOOK = "look"
    """Ask what the other side offers, and fetch all of it."""
    PULL = "pull"
    """Fetch one case."""
    WITHDRAW = "withdraw"
    PUSH_NUMBERS = "push-numbers"
    PULL_NUMBERS = "pull-numbers"


class TransferState(StrEnum):
    """How far it is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    """A person stopped it. What has passed is kept, and it goes on from there when a person wants it to."""


STOPPABLE = frozenset(TransferKind) - {TransferKind.WITHDRAW}
"""What a person may stop: all but taking back what others still read."""
OPEN = (TransferState.WAITING, TransferState.RUNNING)


class Errand(NamedTuple):
    """What is done one after the other: all that passes with a peer, but withdrawals, which wait for nothing else."""

    peer: int
    withdraws: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One thing to be done with one peer.

    Parameters
    ----------
    name : of the bundle; empty where there is none.
    asked_by : number of the person who wanted it last; None for what the program does by itself.
    next_at : when it is tried, UTC.
    done, total : bytes.
    reason : what went wrong last.
    """

    number: int
    peer: int
    kind: TransferKind
    name: str
    state: TransferState
    asked_at: datetime
    next_at: datetime
    ended_at: datetime | None
    tries: int
    done: int
    total: int
    reason: Text | None
    asked_by: int | None = None


def ask(
    connection: Connection, peer: int, kind: TransferKind, now: datetime, name: str = "", *, by: int | None = None
) -> int:
    """Put something into the queue; what waits there already, or was stopped, goes on instead. Returns its number.

    Parameters
    ----------
    by : number of the person who wants it; None for the program itself.
    """
    table = tables.transfer
    held = table.c.state.in_([TransferState.WAITING.value, TransferState.STOPPED.value])
    known = connection.scalar(_same(select(table.c.id), peer, kind, name).where(held).order_by(table.c.id.desc()))
    if known is not None:
        values: dict[str, object] = {"state": TransferState.WAITING.value, "next_at": now, "ended_at": None}
        if by is not None:
            values["asked_by"] = by
        connection.execute(update(table).where(table.c.id == known).values(**values))
        return int(known)
    row = {
        "peer": peer,
        "kind": kind.value,
        "name": name,
        "state": TransferState.WAITING.value,
        "asked_at": now,
        "asked_by": by,
        "next_at": now,
        "tries": 0,
        "done": 0,
        "total": 0,
    }
    return int(connection.execute(insert(table).returning(table.c.id), row).scalar_one())


def is_stopped(connection: Connection, peer: int, kind: TransferKind, name: str) -> bool:
    """Whether a person stopped such a one last."""
    latest = _same(select(tables.transfer.c.state), peer, kind, name).order_by(tables.transfer.c.id.desc()).limit(1)
    state: str | None = connection.scalar(latest)
    return state == TransferState.STOPPED.value


def _same(query: Select[Any], peer: int, kind: TransferKind, name: str) -> Select[Any]:
    table = tables.transfer.c
    return query.where(table.peer == peer, table.kind == kind.value, table.name == name)


def due(connection: Connection, now: datetime) -> tuple[Errand, ...]:
    """With whom something is to be tried now."""
    table = tables.transfer.c
    rows = connection.execute(select(table.peer, table.kind).where(_is_due(now)).distinct())
    return tuple(dict.fromkeys(Errand(row.peer, row.kind == TransferKind.WITHDRAW.value) for row in rows))


def _is_due(now: datetime) -> ColumnElement[bool]:
    """That one waits no longer. One that would be tried later than any waits was put off by a clock that was ahead."""
    table = tables.transfer.c
    furthest = now + timedelta(seconds=LONGEST_WAIT_S)
    return and_(table.state == TransferState.WAITING.value, or_(table.next_at <= now, table.next_at > furthest))


def take(connection: Connection, now: datetime, errand: Errand | None = None) -> Transfer | None:
    """The one that is due longest, now running; None if none is.

    Parameters
    ----------
    errand : only what belongs to this one.
    """
    table = tables.transfer
    waiting = select(table).where(_is_due(now))
    if errand is not None:
        withdraws = table.c.kind == TransferKind.WITHDRAW.value
        waiting = waiting.where(table.c.peer == errand.peer, withdraws if errand.withdraws else ~withdraws)
    row = connection.execute(waiting.order_by(table.c.next_at, table.c.id).limit(1)).one_or_none()
    if row is None:
        return None
    began = {"state": TransferState.RUNNING.value, "tries": row.tries + 1}
    connection.execute(update(table).where(table.c.id == row.id).values(**began))
    return transfer(connection, row.id)


def transfer(connection: Connection, number: int) -> Transfer | None:
    """The one of a number; None if there is none."""
    row = connection.execute(select(tables.transfer).where(tables.transfer.c.id == number)).one_or_none()
    return None if row is None else _transfer(row)


def tell(connection: Connection, number: int, done: int, total: int) -> bool:
    """Say how far it is; whether it is to go on, or a person stopped it."""
    _set(connection, number, done=done, total=total)
    return runs(connection, number)


def runs(connection: Connection, number: int) -> bool:
    """Whether it is under way, and nobody stopped it."""
    table = tables.transfer.c
    return connection.scalar(select(table.state).where(table.id == number)) == TransferState.RUNNING.value


def stop(connection: Connection, number: int, now: datetime) -> bool:
    """Stop it until a person wants it to go on; False if there is nothing to stop. Ends after what is under way."""
    table = tables.transfer
    mine = (
        table.c.id == number,
        table.c.kind.in_([one.value for one in STOPPABLE]),
        table.c.state.in_([one.value for one in OPEN]),
    )
    values = {"state": TransferState.STOPPED.value, "ended_at": now}
    return connection.execute(update(table).where(*mine).values(**values)).rowcount > 0


def end(connection: Connection, number: int, now: datetime) -> None:
    """It is done, also if it was stopped too late."""
    _set(connection, number, state=TransferState.DONE.value, ended_at=now, reason=None)


def fail(connection: Connection, found: Transfer, reason: Text, now: datetime, *, again: bool) -> None:
    """It did not succeed; `again` if it may, after a while that doubles each time. What was stopped stays so."""
    told = encoded(reason)
    if not runs(connection, found.number):
        return
    if again and found.tries < MOST_TRIES:
        next_at = now + timedelta(seconds=wait_s(found.tries))
        _set(connection, found.number, state=TransferState.WAITING.value, next_at=next_at, reason=told)
    else:
        _set(connection, found.number, state=TransferState.FAILED.value, ended_at=now, reason=told)


def wait_s(tries: int) -> float:
    """Seconds until the next try, after so many; up to a quarter less, so that not all call at the same moment."""
    whole = min(LONGEST_WAIT_S, FIRST_WAIT_S << min(tries - 1, 20))
    return whole * (1 - secrets.randbelow(1000) / 4000)


def retry(connection: Connection, number: int, now: datetime) -> None:
    """A person wants it tried now, or to go on."""
    table = tables.transfer
    states = [TransferState.WAITING.value, TransferState.FAILED.value, TransferState.STOPPED.value]
    mine = (table.c.id == number) & table.c.state.in_(states)
    values = {"state": TransferState.WAITING.value, "next_at": now, "tries": 0, "ended_at": None}
    connection.execute(update(table).where(mine).values(**values))


def give_back(connection: Connection) -> None:
    """Let what ran when the program ended wait again. Only for whoever knows that nothing runs."""
    table = tables.transfer
    running = table.c.state == TransferState.RUNNING.value
    connection.execute(update(table).where(running).values(state=TransferState.WAITING.value))


def put_back(connection: Connection, number: int) -> None:
    """Let one that ran, and was not tried to its end, wait again."""
    table = tables.transfer
    mine = (table.c.id == number) & (table.c.state == TransferState.RUNNING.value)
    connection.execute(update(table).where(mine).values(state=TransferState.WAITING.value))


def drop(connection: Connection, peer: int, now: datetime, reason: Text, *, name: str | None = None) -> None:
    """End what waits or was stopped for a peer, or for one bundle at it: it was revoked, or withdrawn."""
    table = tables.transfer
    states = [TransferState.WAITING.value, TransferState.STOPPED.value]
    mine = (table.c.peer == peer) & table.c.state.in_(states)
    if name is not None:
        mine &= table.c.name == name
    values = {"state": TransferState.FAILED.value, "ended_at": now, "reason": encoded(reason)}
    connection.execute(update(table).where(mine).values(**values))


def transfers_of(connection: Connection, peer: int | None = None) -> tuple[Transfer, ...]:
    """Those of a peer or of all, the latest first."""
    query = select(tables.transfer).order_by(tables.transfer.c.id.desc()).limit(KEPT_SHOWN)
    if peer is not None:
        query = query.where(tables.transfer.c.peer == peer)
    return tuple(_transfer(row) for row in connection.execute(query))


def of_case(connection: Connection, case: int) -> tuple[Transfer, ...]:
    """Those that carry a case of ours to a peer, the latest first."""
    table, mine = tables.transfer, tables.bundle.c
    carries = table.c.kind.in_([TransferKind.OFFER.value, TransferKind.PUSH.value])
    names = select(mine.name).where(mine.case_number == case, mine.incoming.is_(False), mine.peer == table.c.peer)
    query = select(table).where(carries, table.c.name.in_(names)).order_by(table.c.id.desc()).limit(KEPT_SHOWN)
    return tuple(_transfer(row) for row in connection.execute(query))


def _set(connection: Connection, number: int, **values: object) -> None:
    connection.execute(update(tables.transfer).where(tables.transfer.c.id == number).values(**values))


def _transfer(row: Any) -> Transfer:
    return Transfer(
        number=row.id,
        peer=row.peer,
        kind=TransferKind(row.kind),
        name=row.name,
        state=TransferState(row.state),
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        next_at=row.next_at,
        ended_at=row.ended_at,
        tries=row.tries,
        done=row.done,
        total=row.total,
        reason=None if row.reason is None else decoded(Text, row.reason),
    )
