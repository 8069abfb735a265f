"""Faults of the program: answered with a number, logged by kind and place, and handed on to nobody.

What a library would print of an exception may repeat what was sent to us, and so a patient's name.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bingcheng.core.errors import BingchengError
from bingcheng.server.security.refusal import fault, refusal, status_of


class Faults:
    """ASGI middleware within that of the headers, so that the answer to a fault carries them too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on; answer what nobody else answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:
            request = Request(scope)
            ours = error if isinstance(error, BingchengError) else error.__cause__
            if isinstance(ours, BingchengError):
                answer = refusal(request, ours, status_of(ours))
            else:
                answer = fault(request, error)
            if begun:
                raise  # the connection is cut, so that nobody takes half an answer for a whole one
            await answer(scope, receive, send)
