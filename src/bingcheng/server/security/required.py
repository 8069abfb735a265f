"""What every route declares: who is allowed, or that it is public. One mechanism, checked when the server starts.

>>> @router.get("/x")
... def x(actor: Annotated[Actor, allowed(Action.READ_EXAM)]) -> Response: ...

or ``dependencies=[allowed(Action.READ_EXAM)]`` where the handler needs no actor. With several actions any of them is
enough: reading pixels is ``allowed(Action.READ_EXAM, Action.READ_CASE)``. Which rows may be seen the handler asks of
`readable_spaces` and `check`; here it is decided whether there may be any.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import NOT_ALLOWED, Decision, Ground, decide, opens
from bingcheng.core.errors import RefusedError
from bingcheng.server.security.csrf import SAFE, check_csrf
from bingcheng.server.security.identity import actor_of
from bingcheng.server.security.problems import NOT_SIGNED_IN
from bingcheng.server.security.size import allow_upload
from bingcheng.server.security.traced import trace

if TYPE_CHECKING:
    from bingcheng.server.security.recorder import Recorder


class Guard:
    """What a route declares, as a dependency; each kind lets in by another proof."""

    async def __call__(self, request: Request) -> object:
        """Whoever asks, if let in."""
        raise NotImplementedError


class Required(Guard):
    """The dependency behind `allowed`."""

    def __init__(
        self,
        actions: tuple[Action, ...],
        *,
        uploads: bool = False,
        form_bytes: int | None = None,
        emergency: bool = False,
    ) -> None:
        self.actions = actions
        self.uploads = uploads
        self.form_bytes = form_bytes
        self.emergency = emergency

    async def __call__(self, request: Request) -> Actor:
        """The actor, if any of the actions is allowed.

        Raises
        ------
        RefusedError
            ``server.not-signed-in``, ``server.wrong-form``, ``archive.not-allowed``.
        RemoteError
            ``server.not-recorded``, ``server.disk-full``: it would change something, and the audit trail can't be
            written.
        """
        actor = await actor_of(request)
        decisions = [(action, self._decided(request, actor, action)) for action in self.actions]
        granted = next((action for action, decision in decisions if decision.allowed), None)
        trace(request, actor=actor, action=granted or self.actions[0], required=self.actions)
        if granted is None:
            nobody = decisions[0][1].ground is Ground.NOBODY
            raise RefusedError(NOT_SIGNED_IN if nobody else NOT_ALLOWED)
        if self.form_bytes is not None:
            # Before the token, which stands in the form itself where no script can put it into a header.
            allow_upload(request, self.form_bytes)
        await check_csrf(request)
        if self.uploads:
            allow_upload(request)
        await _check_recording(request, adds_objects=self.uploads)
        return actor

    def _decided(self, request: Request, actor: Actor, action: Action) -> Decision:
        """As the table says; an exam that was opened in an emergency lets in to what is about that exam alone."""
        decision = decide(actor, action)
        if decision.allowed or action is not Action.READ_EXAM:
            return decision
        uid = request.path_params.get("study_uid")
        opened = opens(actor, uid) if isinstance(uid, str) else self.emergency and opens(actor)
        return Decision(allowed=True, ground=Ground.BROKEN_GLASS) if opened else decision


class Public(Guard):
    """The dependency behind `public`."""

    def __init__(self, *, why: str) -> None:
        self.why = why

    async def __call__(self, request: Request) -> Actor:
        """Whoever asks; forms are still checked."""
        actor = await actor_of(request)
        trace(request, actor=actor, action=None, required=())
        await check_csrf(request)
        await _check_recording(request)
        return actor


async def _check_recording(request: Request, *, adds_objects: bool = False) -> None:
    """Raise, before anything is changed, if what is changed could not be recorded.

    Objects come by hundreds, each in a request of its own: an event that was added a moment ago is proof enough for
    the next.
    """
    recorder: Recorder = request.app.state.recorder
    if request.method in SAFE or (adds_objects and recorder.is_sure()):
        return
    await run_in_threadpool(recorder.check)


def allowed(*actions: Action, uploads: bool = False, form_bytes: int | None = None, emergency: bool = False) -> Any:
    """The route is for those who may do any of `actions`; gives the handler the `Actor`.

    Parameters
    ----------
    uploads : the handler reads the body as a stream, may be sent as much as the settings allow for uploads, and only
        adds objects.
    form_bytes : the route takes a form with files, which may be as large as this.
    emergency : the address names no exam, and the handler looks at each row: who has an exam open in an emergency is
        let in. Where the address names an exam (``study_uid``), who has opened that one is let in anyway.
    """
    if not actions:
        raise TypeError("a route names at least one action")
    return Depends(Required(actions, uploads=uploads, form_bytes=form_bytes, emergency=emergency))


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
