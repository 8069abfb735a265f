"""Shared protocols that an installation adopts: its exams are judged by them from then on, until that is undone.

What was in force before is kept beside each adoption, so that undoing it brings back exactly that. What an installation
is judged by belongs to all of its hospitals; whose step this is, is decided where it is asked for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from bingcheng.archive import schema
from bingcheng.archive.about import held, hold
from bingcheng.archive.agreement import Agreement, agree, agreement
from bingcheng.archive.cases.methods import Method, MethodKind
from bingcheng.archive.cases.problems import ADOPTION_TAKEN, WRONG_STEP
from bingcheng.archive.codec import decoded, encoded
from bingcheng.archive.jobs.queue import JobKind, ask
from bingcheng.archive.objects.tables import stored_study
from bingcheng.archive.ownership import HOSPITALS, owner
from bingcheng.core.errors import InputError

if TYPE_CHECKING:
    from bingcheng.protocol.model import Protocol

KEY = "adoptions"
"""Under which the adoptions stand among what the workspace says of itself."""
FILE = "protocol.toml"
MOST_TRIED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """One adoption.

    Parameters
    ----------
    method : number of the shared protocol.
    protocol : its identifier.
    before : the protocol of that identifier by which was judged until then, as JSON; None without one.
    after : the adopted one, as JSON.
    """

    number: int
    method: int
    protocol: str
    by: int
    at: datetime
    before: str | None
    after: str
    undone_by: int | None = None
    undone_at: datetime | None = None


def adoptions(connection: Connection) -> tuple[Adoption, ...]:
    """All adoptions, the latest first."""
    return tuple(reversed(_stored(connection)))


def adoption_of(connection: Connection, method: int) -> Adoption | None:
    """The adoption of a shared protocol that holds: not undone, and nothing else was put in its place since."""
    kept = agreement(connection).own
    found = (one for one in adoptions(connection) if one.method == method and one.undone_at is None)
    return next((one for one in found if one.after in kept), None)


def shared_protocol(known: Method) -> Protocol:
    """The protocol of a shared file.

    Raises
    ------
    InputError
        ``archive.case-wrong-step`` if it is no protocol; what reading one raises.
    """
    from bingcheng.protocol.library import parse  # noqa: PLC0415 - loads what checks protocols, seldom needed here

    if known.kind is not MethodKind.PROTOCOL:
        raise InputError(WRONG_STEP)
    return parse(known.content, FILE)


def in_force(connection: Connection, protocol: str) -> Protocol | None:
    """The installation's own protocol of an identifier by which it judges now; None if it has none."""
    from bingcheng.protocol.model import Protocol  # noqa: PLC0415 - loads what checks protocols

    own = agreement(connection).own
    return next((one for one in map(Protocol.model_validate_json, own) if one.id == protocol), None)


def adopt(connection: Connection, known: Method, *, by: int, now: datetime) -> Adoption:
    """Judge by a shared protocol from now on, in place of the installation's own of the same identifier.

    Raises
    ------
    InputError
        ``archive.adoption-taken``: a protocol that ships has this identifier; ``archive.case-wrong-step``: it is no
        protocol, or is in force already.
    """
    from bingcheng.protocol.library import protocols  # noqa: PLC0415 - loads what checks protocols

    wanted = shared_protocol(known)
    if wanted.id in {one.id for one in protocols()}:
        raise InputError(ADOPTION_TAKEN, protocol=wanted.id)
    before, after = in_force(connection, wanted.id), wanted.model_dump_json()
    if before is not None and before.model_dump_json() == after:
        raise InputError(WRONG_STEP)
    history = _stored(connection)
    made = Adoption(
        number=len(history) + 1,
        method=known.number,
        protocol=wanted.id,
        by=by,
        at=now,
        before=None if before is None else before.model_dump_json(),
        after=after,
    )
    _put(connection, wanted.id, after)
    _store(connection, (*history, made))
    return made


def undo(connection: Connection, method: int, *, by: int, now: datetime) -> None:
    """Bring back what was in force before a shared protocol was adopted.

    Raises
    ------
    InputError
        ``archive.case-wrong-step``: it isn't in force.
    """
    found = adoption_of(connection, method)
    if found is None:
        raise InputError(WRONG_STEP)
    _put(connection, found.protocol, found.before)
    undone = replace(found, undone_by=by, undone_at=now)
    _store(connection, tuple(undone if one.number == found.number else one for one in _stored(connection)))


def ask_to_judge(connection: Connection, now: datetime) -> bool:
    """Have all exams judged anew; False if there is none.

    One exam is asked for: nothing of it is measured twice, and after each run the whole workspace is judged.
    """
    stored, exam = stored_study.c, schema.exam.c
    query = (
        select(stored.space, stored.study_uid)
        .join(schema.exam, exam.uid == stored.study_uid)
        .where(stored.space.startswith(HOSPITALS, autoescape=True))
        .order_by(stored.id.desc())
        .limit(MOST_TRIED)
    )
    for space, study_uid in connection.execute(query).all():
        if space == f"{HOSPITALS}{owner(connection, study_uid)}":
            ask(connection, JobKind.ASSESS, space, study_uid, now)
            return True
    return False


def _put(connection: Connection, protocol: str, content: str | None) -> None:
    """Let `content` be the installation's own protocol of an identifier; None for none."""
    kept = agreement(connection)
    others = tuple(one for one in kept.own if json.loads(one).get("id") != protocol)
    agree(connection, Agreement(asked=kept.asked, own=others if content is None else (*others, content)))


def _stored(connection: Connection) -> tuple[Adoption, ...]:
    found = held(connection, KEY)
    return () if found is None else decoded(tuple[Adoption, ...], found)


def _store(connection: Connection, made: tuple[Adoption, ...]) -> None:
    hold(connection, KEY, encoded(made))
