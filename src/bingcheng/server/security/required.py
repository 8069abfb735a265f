"""What every route declares: who is allowed, or that it is public. One mechanism, checked when the server starts.

>>> @router.get("/x")
... def x(actor: Annotated[Actor, allowed(Action.READ_EXAM)]) -> Response: ...

or ``dependencies=[allowed(Action.READ_EXAM)]`` where the handler needs no actor. With several actions any of them is
enough: reading pixels is ``allowed(Action.READ_EXAM, Action.READ_CASE)``. Which rows may be seen the handler asks of
`readable_spaces` and `check`; here it is decided whether there may be any.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Depends, Request

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import NOT_ALLOWED, Ground, decide
from bingcheng.core.errors import RefusedError
from bingcheng.server.security.csrf import check_csrf
from bingcheng.server.security.identity import actor_of
from bingcheng.server.security.problems import NOT_SIGNED_IN
from bingcheng.server.security.size import allow_upload
from bingcheng.server.security.traced import trace


class Guard:
    """What a route declares, as a dependency; each kind lets in by another proof."""

    async def __call__(self, request: Request) -> object:
        """Whoever asks, if let in."""
        raise NotImplementedError


class Required(Guard):
    """The dependency behind `allowed`."""

    def __init__(self, actions: tuple[Action, ...], *, uploads: bool = False) -> None:
        self.actions = actions
        self.uploads = uploads

    async def __call__(self, request: Request) -> Actor:
        """The actor, if any of the actions is allowed.

        Raises
        ------
        RefusedError
            ``server.not-signed-in``, ``server.wrong-form``, ``archive.not-allowed``.
        """
        actor = await actor_of(request)
        decisions = [(action, decide(actor, action)) for action in self.actions]
        granted = next((action for action, decision in decisions if decision.allowed), None)
        trace(request, actor=actor, action=granted or self.actions[0], required=self.actions)
        if granted is None:
            nobody = decisions[0][1].ground is Ground.NOBODY
            raise RefusedError(NOT_SIGNED_IN if nobody else NOT_ALLOWED)
        await check_csrf(request)
        if self.uploads:
            allow_upload(request)
        return actor


class Public(Guard):
    """The dependency behind `public`."""

    def __init__(self, *, why: str) -> None:
        self.why = why

    async def __call__(self, request: Request) -> Actor:
        """Whoever asks; forms are still checked."""
        actor = await actor_of(request)
        trace(request, actor=actor, action=None, required=())
        await check_csrf(request)
        return actor


def allowed(*actions: Action, uploads: bool = False) -> Any:
    """The route is for those who may do any of `actions`; gives the handler the `Actor`.

    Parameters
    ----------
    uploads : the handler reads the body as a stream and may be sent as much as the settings allow for uploads.
    """
    if not actions:
        raise TypeError("a route names at least one action")
    return Depends(Required(actions, uploads=uploads))


def public(*, why: str) -> Any:
    """The route is for everybody, for the reason `why`; gives the handler the `Actor`, which may be nobody."""
    return Depends(Public(why=why))


def guard_of(dependant: Any) -> Guard | None:
    """What a route declares, from its dependencies; None if it declares nothing."""
    for inner in dependant.dependencies:
        call: Callable[..., object] | None = inner.call
        if isinstance(call, Guard):
            return call
        found = guard_of(inner)
        if found is not None:
            return found
    return None
