"""Methods that no route names: HEAD, which is answered wherever GET is, and which ones an address takes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Head:
    """ASGI middleware: HEAD is answered as GET would be, without a body (RFC 9110 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on; inside it is a GET, outside, where it is recorded and sent, it stays what it was."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def bare(message: Message) -> None:
            scope["method"] = "HEAD"
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        fields = scope["headers"]
        scope["method"] = "GET"
        scope["headers"] = [one for one in fields if one[0] != b"range"]  # which is of GET alone (RFC 9110 14.2)
        try:
            await self._app(scope, receive, bare)
        finally:
            scope["method"], scope["headers"] = "HEAD", fields


def methods_of(request: Request) -> str:
    """All methods that the address of a request takes, as ``Allow`` names them (RFC 9110 10.2.1)."""
    found: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            found |= getattr(route, "methods", None) or set()
    return ", ".join(sorted(found | ({"HEAD"} if "GET" in found else set())))
