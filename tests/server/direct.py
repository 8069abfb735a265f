"""A browser that speaks to an application in this process: each request is handed over to one event loop and back once.

Starlette's own client hands a request over ten times, which takes longer than most answers.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import ssl
from collections.abc import Iterator
from functools import cache

import anyio
import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from starlette.types import ASGIApp, Message, Scope

ADDRESS = "http://127.0.0.1:8080"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients of plain HTTP, which else read all certificate authorities of the machine before each request."""


@cache
def _event_loop() -> BlockingPortal:
    """One event loop for the requests of all tests."""
    held = contextlib.ExitStack()
    atexit.register(held.close)
    return held.enter_context(start_blocking_portal())


class Direct(httpx.BaseTransport):
    """Gives requests to an application, and what it answers back as a whole."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer; 500 where the application raised before it began one, as a server does."""
        return _event_loop().call(self._answer, request)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        given: Iterator[bytes | None] = itertools.chain(request.stream, (None,))
        told: list[Message] = []
        complete = anyio.Event()

        async def receive() -> Message:
            for piece in given:
                return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}
            await complete.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            told.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                complete.set()

        with contextlib.suppress(Exception):
            await self._application(_scope(request), receive, send)
        if not told:
            return httpx.Response(500)
        body = b"" if request.method == "HEAD" else b"".join(one.get("body", b"") for one in told[1:])
        return httpx.Response(told[0]["status"], headers=told[0]["headers"], stream=httpx.ByteStream(body))


def _scope(request: httpx.Request) -> Scope:
    url = request.url
    return {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "root_path": "",
        "scheme": url.scheme,
        "query_string": url.query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("testclient", 50000),
        "server": (url.host, url.port or 80),
        "state": {},
        "extensions": {},
    }


def client_of(application: ASGIApp, *, follow_redirects: bool = False) -> httpx.Client:
    """A browser in which nobody is signed in."""
    return httpx.Client(
        transport=Direct(application),
        base_url=ADDRESS,
        headers={"user-agent": "testclient"},
        follow_redirects=follow_redirects,
        trust_env=False,
    )
