"""Who asks: a person in a browser, a program with a token, or nobody."""

from __future__ import annotations

from dataclasses import dataclass

from bingcheng.archive.authorisation.role import Role
from bingcheng.archive.authorisation.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The one who asks.

    Parameters
    ----------
    person : number of the person; None for nobody (not signed in).
    login, name : how the person signs in and is called.
    hospital : number of the hospital that the person belongs to; None for those of the province and the operator.
    scopes : what the token may be used for; None in a browser's session, where all that the roles allow is allowed.
    broken_glass : exams that were opened in an emergency and still are open, as `glass` writes them.
    """

    person: int | None
    login: str
    name: str
    hospital: int | None
    roles: frozenset[Role]
    scopes: frozenset[Scope] | None = None
    broken_glass: frozenset[str] = frozenset()


NOBODY = Actor(person=None, login="", name="", hospital=None, roles=frozenset())


def glass(hospital: int, study_uid: str) -> str:
    """How one exam of one hospital stands in `Actor.broken_glass`."""
    return f"{hospital}/{study_uid}"
