"""Which spaces somebody may read: every stored object stands in one, and the rooms below obey this list alone."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec

from sqlalchemy import Connection

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor, glass
from bingcheng.archive.authorisation.decision import decide, reaches_of
from bingcheng.archive.authorisation.rights import Reach

GRANTS = "bingcheng.archive.cases.grants"
"""The room that knows which cases are granted to whom."""


def hospital_space(hospital: int) -> str:
    """The space of a hospital's own, identified objects."""
    return f"hospital/{hospital}"


def case_space(case: int) -> str:
    """The space of a case's de-identified objects."""
    return f"case/{case}"


def readable_spaces(
    connection: Connection,
    actor: Actor,
    action: Action = Action.READ_EXAM,
    *,
    study_uid: str | None = None,
    now: datetime | None = None,
) -> tuple[str, ...]:
    """The spaces in which `actor` may do `action` now, in the order in which they are looked through.

    Parameters
    ----------
    action : `READ_EXAM` gives the hospital's own space and, as images of cases are read the same way, those of the
        cases that may be read; `READ_CASE` the cases' alone; any other action the hospital's own.
    study_uid : of the one exam that is asked for; then the hospital of an exam opened in an emergency counts too.
    now : UTC; otherwise the clock's.
    """
    moment = now or datetime.now(UTC).replace(tzinfo=None)
    own: list[str] = []
    if action is not Action.READ_CASE:
        if actor.hospital is not None and Reach.OWN in reaches_of(actor, action) and _scoped(actor, action):
            own.append(hospital_space(actor.hospital))
        if action is Action.READ_EXAM and study_uid is not None:
            own.extend(_opened(actor, study_uid, own))
    if action not in (Action.READ_EXAM, Action.READ_CASE) or not _reads_cases(actor, action):
        return tuple(own)
    return (*own, *_granted(connection, actor.hospital, moment))


def _scoped(actor: Actor, action: Action) -> bool:
    return decide(actor, action).allowed


def _reads_cases(actor: Actor, action: Action) -> bool:
    # A token to read exams reads none of others' cases: that is a scope of its own.
    return action in (Action.READ_CASE, Action.READ_EXAM) and decide(actor, Action.READ_CASE).allowed


def _opened(actor: Actor, study_uid: str, known: list[str]) -> list[str]:
    hospitals = (entry.partition("/")[0] for entry in sorted(actor.broken_glass))
    found = {
        hospital_space(int(number)): None for number in hospitals if glass(int(number), study_uid) in actor.broken_glass
    }
    return [space for space in found if space not in known and decide(actor, Action.READ_EXAM).allowed]


def _granted(connection: Connection, hospital: int | None, now: datetime) -> tuple[str, ...]:
    """The spaces of cases that are granted now; none while the installation has no room of cases."""
    if find_spec("bingcheng.archive.cases") is None or find_spec(GRANTS) is None:
        return ()
    found: tuple[str, ...] = tuple(import_module(GRANTS).spaces_granted(connection, hospital, now))
    return found
