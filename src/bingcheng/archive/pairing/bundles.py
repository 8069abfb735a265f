"""Bundles that this installation gave or got: one row for each peer and version of a case, in whatever state it is."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from bingcheng.archive.batches import batches
from bingcheng.archive.pairing import tables
from bingcheng.archive.pairing.manifest import Manifest, read_manifest


class BundleState(StrEnum):
    """How far a bundle is."""

    CHECKING = "checking"
    """Ours: its objects have not been looked through yet."""
    OFFERED = "offered"
    """Ours: the peer may fetch it."""
    GIVEN = "given"
    """Ours: the peer has it."""
    EXPIRED = "expired"
    """Ours: it was offered, and the peer did not fetch it in time."""
    WITHDRAWING = "withdrawing"
    """Ours: given to nobody any more; the peer has not confirmed yet."""
    COMING = "coming"
    IMPORTING = "importing"
    COMPLETE = "complete"
    WITHDRAWN = "withdrawn"
    """Theirs or ours: it was withdrawn, and the receiver has confirmed that."""
    ABANDONED = "abandoned"
    """Theirs: it was begun, and nothing more came for so long that what had come was thrown away."""
    REFUSED = "refused"
    """Theirs: something was in it that may not cross; nothing of it was kept."""


UNFINISHED = (BundleState.COMING, BundleState.IMPORTING)
GIVEN_OUT = (BundleState.OFFERED, BundleState.GIVEN)
"""States in which the peer may fetch a bundle of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """One row.

    Parameters
    ----------
    incoming : whether it comes from the peer.
    case : number of the case here; None before it was imported.
    manifest, signature : as they were signed; empty where only the withdrawal came.
    until : of ours, when the offer ends; None: never.
    """

    number: int
    peer: int
    incoming: bool
    name: str
    state: BundleState
    case: int | None
    manifest: bytes
    signature: bytes
    made_at: datetime
    changed_at: datetime
    until: datetime | None = None

    def may_be_fetched(self, now: datetime) -> bool:
        """Whether it is given out, and its time is not over."""
        return self.state in GIVEN_OUT and (self.until is None or now < self.until)

    def content(self) -> Manifest:
        """What the manifest says."""
        return _content(self.manifest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """How far the latest version of a case is that came from a peer, and since when."""

    peer: int
    state: BundleState
    changed_at: datetime


@lru_cache(maxsize=2)
def _content(manifest: bytes) -> Manifest:
    """Read once for all the pieces of a case's objects, one after the other: a large one takes a tenth of a second."""
    return read_manifest(manifest)


def add(
    connection: Connection,
    *,
    peer: int,
    incoming: bool,
    name: str,
    state: BundleState,
    now: datetime,
    manifest: bytes = b"",
    signature: bytes = b"",
    of_case: str | None = None,
    version: int | None = None,
    case: int | None = None,
    until: datetime | None = None,
) -> int:
    """Add a bundle; returns its number.

    Parameters
    ----------
    of_case, version : by which the manifest knows the case, and which version it is; None without a manifest.
    """
    row = {
        "of_case": of_case,
        "version": version,
        "peer": peer,
        "incoming": incoming,
        "name": name,
        "manifest": manifest,
        "signature": signature,
        "case_number": case,
        "state": state.value,
        "made_at": now,
        "changed_at": now,
        "until": until,
    }
    return int(connection.execute(insert(tables.bundle).returning(tables.bundle.c.id), row).scalar_one())


def move(connection: Connection, number: int, state: BundleState, now: datetime, *, case: int | None = None) -> None:
    """Bring a bundle into another state."""
    values: dict[str, object] = {"state": state.value, "changed_at": now}
    if case is not None:
        values["case_number"] = case
    connection.execute(update(tables.bundle).where(tables.bundle.c.id == number).values(**values))


def rewrite(connection: Connection, number: int, manifest: bytes, signature: bytes) -> None:
    """Put another manifest of the same version of a case in the place of one that nobody has had yet."""
    values = {"manifest": manifest, "signature": signature}
    connection.execute(update(tables.bundle).where(tables.bundle.c.id == number).values(**values))


def extend(connection: Connection, number: int, until: datetime | None) -> None:
    """Let a bundle of ours be fetched until then; None: without an end."""
    connection.execute(update(tables.bundle).where(tables.bundle.c.id == number).values(until=until))


def out_of_time(connection: Connection, now: datetime) -> tuple[Bundle, ...]:
    """Offers that nobody fetched in time."""
    table = tables.bundle.c
    late = (table.state == BundleState.OFFERED.value) & (table.until <= now)
    return tuple(
        _bundle(row) for row in connection.execute(select(tables.bundle).where(late, table.incoming.is_(False)))
    )


def all_unfinished(connection: Connection) -> tuple[Bundle, ...]:
    """What any peer has begun to send, or what is fetched from it, and has not all come."""
    table = tables.bundle.c
    states = [one.value for one in UNFINISHED]
    query = select(tables.bundle).where(table.incoming.is_(True), table.state.in_(states)).order_by(table.id)
    return tuple(_bundle(row) for row in connection.execute(query))


def bundle(connection: Connection, peer: int, name: str, *, incoming: bool) -> Bundle | None:
    """The one of a peer; None if there is none."""
    table = tables.bundle.c
    same = (table.peer == peer) & (table.name == name) & (table.incoming == incoming)
    row = connection.execute(select(tables.bundle).where(same)).one_or_none()
    return None if row is None else _bundle(row)


def bundles_of(connection: Connection, peer: int, *, incoming: bool, most: int | None = None) -> tuple[Bundle, ...]:
    """Those of a peer, the latest first; `most` of them, or all."""
    table = tables.bundle.c
    query = select(tables.bundle).where(table.peer == peer, table.incoming == incoming).order_by(table.id.desc())
    return tuple(_bundle(row) for row in connection.execute(query.limit(most)))


def given_of_case(connection: Connection, case: int) -> tuple[Bundle, ...]:
    """All bundles of one of our cases, at all peers."""
    table = tables.bundle.c
    query = select(tables.bundle).where(table.case_number == case, table.incoming.is_(False)).order_by(table.id)
    return tuple(_bundle(row) for row in connection.execute(query))


def came_of_case(connection: Connection, case: int) -> Came | None:
    """The latest version of a case that came from elsewhere, in whatever order they came; None for a case of ours.

    One that is still coming counts only while there is no other: nothing of it is shown yet.
    """
    table = tables.bundle.c
    query = select(table.id, table.peer, table.state, table.changed_at, table.version)
    rows = list(connection.execute(query.where(table.case_number == case, table.incoming.is_(True))))
    if len(rows) > 1:
        rows.sort(key=lambda row: (row.state not in UNFINISHED, _version(connection, row)))
    if not rows:
        return None
    last = rows[-1]
    return Came(peer=last.peer, state=BundleState(last.state), changed_at=last.changed_at)


def names_of_origin(connection: Connection, some: Collection[int]) -> dict[int, str]:
    """What the installations are called that cases came from, by the case's number; none of one's own is in it."""
    bundle, peers = tables.bundle.c, tables.peer.c
    query = select(bundle.case_number, peers.name).join_from(tables.bundle, tables.peer, bundle.peer == peers.id)
    found: dict[int, str] = {}
    for numbers in batches(some):
        rows = connection.execute(query.where(bundle.incoming.is_(True), bundle.case_number.in_(numbers)))
        found.update((number, name) for number, name in rows)
    return found


def _version(connection: Connection, row: Any) -> int:
    """The version that a bundle is of; one of an earlier release is asked for its manifest."""
    if row.version is not None:
        return int(row.version)
    written = connection.scalar(select(tables.bundle.c.manifest).where(tables.bundle.c.id == row.id))
    return _content(bytes(written or b"")).version


def origin_of(connection: Connection, case: int) -> int | None:
    """The number of the peer that a case of this installation came from; None for a case of its own."""
    table = tables.bundle.c
    found = select(table.peer).where(table.case_number == case, table.incoming.is_(True)).limit(1)
    return connection.scalar(found)


def case_of_version(connection: Connection, peer: int, case: str) -> int | None:
    """The number here of a case of which any version came from a peer; None if none did."""
    return next((one.case for one in _versions(connection, peer, case) if one.case is not None), None)


def later_version(connection: Connection, peer: int, case: str, version: int) -> Bundle | None:
    """A later version of a case that has come from a peer, whole; None if none has."""
    came = (BundleState.COMPLETE, BundleState.WITHDRAWN)
    whole = (one for one in _versions(connection, peer, case) if one.state in came and one.case is not None)
    return next((one for one in whole if one.content().version > version), None)


def _versions(connection: Connection, peer: int, case: str) -> Iterator[Bundle]:
    """The versions of a case that came from a peer, the latest first."""
    table = tables.bundle.c
    told = (table.of_case == case) | (table.of_case.is_(None) & (func.length(table.manifest) > 0))
    query = select(tables.bundle).where(table.peer == peer, table.incoming.is_(True), told).order_by(table.id.desc())
    for one in map(_bundle, connection.execute(query).all()):
        if one.content().case == case:
            yield one


def given_cases(connection: Connection) -> tuple[int, ...]:
    """Numbers of the cases of ours that others have or may fetch."""
    table = tables.bundle.c
    states = [one.value for one in (BundleState.CHECKING, *GIVEN_OUT)]
    query = select(table.case_number).where(table.incoming.is_(False), table.state.in_(states)).distinct()
    return tuple(connection.scalars(query))


def unfinished(connection: Connection, peer: int) -> int:
    """How many bundles of a peer were begun and have not all come."""
    table = tables.bundle.c
    states = [one.value for one in UNFINISHED]
    query = select(func.count()).where(table.peer == peer, table.incoming.is_(True), table.state.in_(states))
    return int(connection.scalar(query) or 0)


def _bundle(row: Any) -> Bundle:
    return Bundle(
        number=row.id,
        peer=row.peer,
        incoming=row.incoming,
        name=row.name,
        state=BundleState(row.state),
        case=row.case_number,
        manifest=bytes(row.manifest),
        signature=bytes(row.signature),
        made_at=row.made_at,
        changed_at=row.changed_at,
        until=row.until,
    )
