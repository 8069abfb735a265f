"""Where a case came from: one of another installation is read and discussed here, but written only there."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from bingcheng.archive.cases.problems import FROM_ELSEWHERE, WITHDRAWN_ELSEWHERE
from bingcheng.archive.pairing.bundles import BundleState, bundles_of, origin_of
from bingcheng.archive.pairing.peers import peer
from bingcheng.core.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The installation that a case came from.

    Parameters
    ----------
    name : what it calls itself.
    withdrawn : whether it withdrew the case.
    """

    peer: int
    name: str
    withdrawn: bool


def origin(connection: Connection, case: int) -> Origin | None:
    """Where a case came from; None for one of this installation's own."""
    number = origin_of(connection, case)
    if number is None:
        return None
    came = (one for one in bundles_of(connection, number, incoming=True) if one.case == case)
    latest = next(came, None)
    withdrawn = latest is not None and latest.state is BundleState.WITHDRAWN
    return Origin(peer=number, name=peer(connection, number).name, withdrawn=withdrawn)


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
