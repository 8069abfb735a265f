"""The one place where it is decided whether somebody may do something. Pure: it asks no database and no clock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor, glass
from bingcheng.archive.authorisation.rights import GIVES, RIGHTS, Reach
from bingcheng.archive.authorisation.role import Role
from bingcheng.archive.authorisation.scope import SCOPE_ACTIONS
from bingcheng.archive.authorisation.subject import Subject, SubjectKind
from bingcheng.core.errors import Owner, Problem, RefusedError

NOT_ALLOWED = Problem(
    code="archive.not-allowed",
    says="you may not do this",
    remedy="Ask the administrator of your hospital, if your work needs it.",
    owner=Owner.OPERATOR,
)

ONLY_TO_LOOK_AT = Problem(
    code="archive.only-to-look-at",
    says="the exam is open to you in an emergency: to look at, not to take away",
    remedy="Ask the hospital that the exam belongs to for a copy.",
    owner=Owner.OPERATOR,
)


class Ground(StrEnum):
    """Why it was decided so."""

    RIGHT = "right"
    BROKEN_GLASS = "broken-glass"
    NOBODY = "nobody"
    NO_ROLE = "no-role"
    NO_SCOPE = "no-scope"
    NOT_YOURS = "not-yours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether it is allowed, and why."""

    allowed: bool
    ground: Ground


def decide(actor: Actor, action: Action, subject: Subject | None = None) -> Decision:
    """Whether `actor` may do `action` to `subject`; without a subject, whether to anything at all."""
    if actor.person is None:
        return Decision(allowed=False, ground=Ground.NOBODY)
    if actor.scopes is not None and not any(action in SCOPE_ACTIONS[scope] for scope in actor.scopes):
        return Decision(allowed=False, ground=Ground.NO_SCOPE)
    reaches = reaches_of(actor, action)
    if reaches and (subject is None or any(_reached(actor, reach, subject) for reach in reaches)):
        return Decision(allowed=True, ground=Ground.RIGHT)
    if _opened_in_emergency(actor, action, subject):
        return Decision(allowed=True, ground=Ground.BROKEN_GLASS)
    return Decision(allowed=False, ground=Ground.NOT_YOURS if reaches else Ground.NO_ROLE)


def opens(actor: Actor, study_uid: str | None = None) -> bool:
    """Whether `actor` has an exam open in an emergency: the one of this UID, or any; never by a token.

    What a person opened by giving a reason is for that person's eyes, not for a program that runs on.
    """
    if actor.scopes is not None:
        return False
    entries = (entry.partition("/") for entry in actor.broken_glass)
    return any(study_uid in (None, uid) and _still_breaks(actor, int(hospital)) for hospital, _, uid in entries)


def check_taken_away(actor: Actor, hospital: int, study_uid: str) -> None:
    """Raise if an exam may be looked at only: it is open to the actor in an emergency, and by no right.

    Raises
    ------
    RefusedError
        ``archive.only-to-look-at``.
    """
    subject = Subject(kind=SubjectKind.EXAM, hospital=hospital, study_uid=study_uid)
    if decide(actor, Action.READ_EXAM, subject).ground is Ground.BROKEN_GLASS:
        raise RefusedError(ONLY_TO_LOOK_AT)


def check(actor: Actor, action: Action, subject: Subject | None = None) -> None:
    """Raise unless it is allowed.

    Raises
    ------
    RefusedError
        ``archive.not-allowed``.
    """
    if not decide(actor, action, subject).allowed:
        raise RefusedError(NOT_ALLOWED)


def reaches_of(actor: Actor, action: Action) -> frozenset[Reach]:
    """Whose things the actor's roles let the actor do `action` to."""
    return frozenset(RIGHTS[role][action] for role in actor.roles if action in RIGHTS[role])


def may_give(actor: Actor, role: Role) -> bool:
    """Whether `actor` may give somebody the role `role`."""
    return actor.scopes is None and any(role in GIVES.get(own, ()) for own in actor.roles)


def _opened_in_emergency(actor: Actor, action: Action, subject: Subject | None) -> bool:
    """Whether this very exam was opened: one that is open gives no right to exams at all, and none to lists of them."""
    if action is not Action.READ_EXAM or subject is None or actor.scopes is not None:
        return False
    if subject.kind is not SubjectKind.EXAM or subject.hospital is None or subject.study_uid is None:
        return False
    opened = glass(subject.hospital, subject.study_uid) in actor.broken_glass
    return opened and _still_breaks(actor, subject.hospital)


def _still_breaks(actor: Actor, hospital: int) -> bool:
    """Whether the roles that the actor has now would let an exam of that hospital be opened."""
    reaches = reaches_of(actor, Action.BREAK_GLASS)
    return Reach.EMERGENCY in reaches or (Reach.OWN in reaches and hospital == actor.hospital)


def _reached(actor: Actor, reach: Reach, subject: Subject) -> bool:
    own = actor.hospital is not None and subject.hospital == actor.hospital
    match reach:
        case Reach.ANY:
            return True
        case Reach.SELF:
            return subject.person == actor.person
        case Reach.OWN:
            return own
        case Reach.GRANTED:
            return own or subject.granted
        case Reach.EMERGENCY:
            return own or subject.emergency
        case Reach.INSTALLATION:
            return subject.hospital is None
