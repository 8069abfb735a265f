"""Whose things somebody administers: the own hospital's; the operator those of all."""

from __future__ import annotations

from sqlalchemy import Connection

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide
from bingcheng.archive.authorisation.spaces import hospital_space
from bingcheng.archive.authorisation.subject import Subject, SubjectKind
from bingcheng.archive.dimse.peers import Peer, peers
from bingcheng.archive.ownership import HOSPITALS
from bingcheng.archive.people.hospital import Hospital, hospitals
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError


def managed_hospitals(connection: Connection, actor: Actor) -> tuple[Hospital, ...]:
    """The hospitals whose settings `actor` may change."""
    return tuple(
        one
        for one in hospitals(connection)
        if decide(actor, Action.MANAGE_HOSPITAL, Subject(kind=SubjectKind.HOSPITAL, hospital=one.number)).allowed
    )


def managed_peers(connection: Connection, actor: Actor) -> tuple[Peer, ...]:
    """The peers of these hospitals."""
    return peers(connection, [hospital_space(one.number) for one in managed_hospitals(connection, actor)])


def managed_peer(connection: Connection, actor: Actor, number: int) -> Peer:
    """One of them.

    Raises
    ------
    InputError
        ``archive.not-found``: the same for a peer of another hospital.
    """
    found = next((one for one in managed_peers(connection, actor) if one.number == number), None)
    if found is None:
        raise InputError(NO_SUCH_THING)
    return found


def hospital_of(space: str) -> int:
    """The number of the hospital whose space it is."""
    return int(space.removeprefix(HOSPITALS))


def own_space(actor: Actor) -> str:
    """The space of the actor's own hospital.

    Raises
    ------
    InputError
        ``archive.not-found``: the actor belongs to none.
    """
    if actor.hospital is None:
        raise InputError(NO_SUCH_THING)
    return hospital_space(actor.hospital)
