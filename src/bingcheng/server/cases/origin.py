"""Where a case came from: one of another installation is read and discussed here, but written only there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bingcheng.archive.cases.problems import FROM_ELSEWHERE, WITHDRAWN_ELSEWHERE
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
