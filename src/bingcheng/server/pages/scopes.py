"""Which rights a person can give a token."""

from __future__ import annotations

from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import reaches_of
from bingcheng.archive.authorisation.scope import SCOPE_ACTIONS, Scope


def scopes_for(actor: Actor) -> tuple[Scope, ...]:
    """The scopes of which the person's roles allow anything."""
    return tuple(scope for scope in Scope if any(reaches_of(actor, action) for action in SCOPE_ACTIONS[scope]))
