"""The access log: one JSON line a request, with the route's pattern in place of the address.

An address may hold a search for a patient's name, a UID or a token of an invitation; the pattern holds none of them.
"""

from __future__ import annotations

import json
import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("bingcheng.access")


class AccessLog:
    """ASGI middleware that writes a line when a request has been answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on and write the line."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, size = time.perf_counter(), 0, 0

        async def counted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            size += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, counted)
        finally:
            if log.isEnabledFor(logging.INFO):
                log.info(_line(scope, status, size, time.perf_counter() - began))


def _line(scope: Scope, status: int, size: int, took_s: float) -> str:
    state = scope.get("state", {})
    trace, route = state.get("trace"), scope.get("route")
    said = {
        "method": scope["method"],
        "route": getattr(route, "path", None),
        "status": status,
        "bytes": size,
        "ms": round(took_s * 1000, 1),
        "person": trace.actor.person if trace is not None else None,
        "request": state.get("request"),
    }
    return json.dumps(said, ensure_ascii=True)
