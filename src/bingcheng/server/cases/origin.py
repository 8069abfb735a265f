"""Where a case came from: one of another installation is read and discussed here, but written only there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from bingcheng.archive.batches import batches
from bingcheng.archive.cases.problems import FROM_ELSEWHERE, WITHDRAWN_ELSEWHERE
from bingcheng.archive.pairing import tables
from bingcheng.archive.pairing.bundles import BundleState, came_of_case
from bingcheng.archive.pairing.peers import peer
from bingcheng.core.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The installation that a case came from.

    Parameters
    ----------
    name : what it calls itself.
    withdrawn : whether it withdrew the case.
    renewed_at : when the latest version came, UTC; None while that is not whole, or was withdrawn.
    """

    peer: int
    name: str
    withdrawn: bool
    renewed_at: datetime | None = None


def origin(connection: Connection, case: int) -> Origin | None:
    """Where a case came from; None for one of this installation's own."""
    latest = came_of_case(connection, case)
    if latest is None:
        return None
    return Origin(
        peer=latest.peer,
        name=peer(connection, latest.peer).name,
        withdrawn=latest.state is BundleState.WITHDRAWN,
        renewed_at=latest.changed_at if latest.state is BundleState.COMPLETE else None,
    )


def names_of_origin(connection: Connection, some: Collection[int]) -> dict[int, str]:
    """What the installations are called that cases came from, by the case's number; none of one's own is in it."""
    bundle, peers = tables.bundle.c, tables.peer.c
    query = select(bundle.case_number, peers.name).join_from(tables.bundle, tables.peer, bundle.peer == peers.id)
    found: dict[int, str] = {}
    for numbers in batches(some):
        rows = connection.execute(query.where(bundle.incoming.is_(True), bundle.case_number.in_(numbers)))
        found.update((number, name) for number, name in rows)
    return found


def check_own(connection: Connection, case: int) -> None:
    """Raise if a case is not this installation's own to write.

    Raises
    ------
    InputError
        ``archive.case-from-elsewhere``.
    """
    found = origin(connection, case)
    if found is not None:
        raise InputError(FROM_ELSEWHERE, name=found.name)


def check_not_withdrawn(connection: Connection, case: int) -> bool:
    """Whether a case came from elsewhere; raises if it was withdrawn there.

    Raises
    ------
    InputError
        ``archive.case-withdrawn-elsewhere``.
    """
    found = origin(connection, case)
    if found is not None and found.withdrawn:
        raise InputError(WITHDRAWN_ELSEWHERE, name=found.name)
    return found is not None
