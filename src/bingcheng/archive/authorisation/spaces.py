"""Which spaces somebody may read: every stored object stands in one, and the rooms below obey this list alone."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec

from sqlalchemy import Connection

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide, reaches_of
from bingcheng.archive.authorisation.rights import Reach
from bingcheng.archive.authorisation.subject import Subject, SubjectKind

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
    return (*own, *_granted(connection, actor, moment))


def _scoped(actor: Actor, action: Action) -> bool:
    return decide(actor, action).allowed


def _reads_cases(actor: Actor, action: Action) -> bool:
    # A token to read exams reads none of others' cases: that is a scope of its own.
    return action in (Action.READ_CASE, Action.READ_EXAM) and decide(actor, Action.READ_CASE).allowed


def _opened(actor: Actor, study_uid: str, known: list[str]) -> list[str]:
    numbers = dict.fromkeys(int(entry.partition("/")[0]) for entry in sorted(actor.broken_glass))
    subjects = (Subject(kind=SubjectKind.EXAM, hospital=number, study_uid=study_uid) for number in numbers)
    found = (
        hospital_space(number)
        for number, one in zip(numbers, subjects, strict=True)
        if decide(actor, Action.READ_EXAM, one).allowed
    )
    return [space for space in found if space not in known]


def _granted(connection: Connection, actor: Actor, now: datetime) -> tuple[str, ...]:
    """The spaces of cases that may be read now; none while the installation has no room of cases."""
    if find_spec("bingcheng.archive.cases") is None or find_spec(GRANTS) is None:
        return ()
    publishes = decide(actor, Action.PUBLISH_CASE).allowed
    given = import_module(GRANTS).spaces_granted(connection, actor.hospital, now, publishes=publishes)
    found: tuple[str, ...] = tuple(given)
    return found
