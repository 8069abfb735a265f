"""How much a request may send, how slowly, and in which coding of the transfer.

What comes beyond is refused while it comes, whatever its length was said to be.
"""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bingcheng.server.settings import Settings

KEY = "bingcheng.size"
MEGABYTE, GIGABYTE = 1_000_000, 1_000_000_000
SILENCE_S = 60.0
"""How long a sender may say nothing within a body."""
FORM_S = 300.0
"""How long the whole of a body may take that is no upload: of a byte now and then a form would never end."""
_DIGITS = 18
"""Of a length that can be meant; Python refuses to read a number of thousands of digits."""


class SizeLimit:
    """ASGI middleware that counts what is received."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._form = int(settings.largest_form_mb * MEGABYTE)
        self._upload = int(settings.largest_upload_gb * GIGABYTE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on with a counting `receive`."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = _of_another_coding(scope)
        if refused is not None:
            await refused(scope, receive, send)
            return
        limit = scope[KEY] = _Limit(self._form, self._upload)
        clock = asyncio.get_running_loop().time
        count, ended, last = 0, False, clock() + FORM_S

        async def counted() -> Message:
            nonlocal count, ended
            if ended:
                return await receive()  # that the connection was closed: for as long as the answer takes
            silence = SILENCE_S if limit.silence_s is None else min(SILENCE_S, limit.silence_s)
            left = silence if limit.now > self._form else min(silence, last - clock())
            try:
                async with asyncio.timeout(max(left, 0.0)):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408) from None
            count += len(message.get("body", b""))
            ended = not message.get("more_body", False)
            if count > limit.now:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)


def _of_another_coding(scope: Scope) -> PlainTextResponse | None:
    """What a body is answered with that would be taken for another: only chunks are put together (RFC 9112 6.1)."""
    said = ",".join(Headers(scope=scope).getlist("transfer-encoding")).lower()
    if not said:
        return None
    if scope.get("http_version") == "1.0":  # a proxy of that age may have seen the end of the body elsewhere
        told = {"Connection": "close"}
        return PlainTextResponse("HTTP/1.0 knows no codings of a transfer.\n", 400, headers=told)
    if {one.strip() for one in said.split(",")} <= {"", "chunked"}:
        return None
    return PlainTextResponse("Of the codings of a transfer only the chunked one is known.\n", 501)


class _Limit:
    def __init__(self, form: int, upload: int) -> None:
        self.now, self.upload = form, upload
        self.silence_s: float | None = None


def allow_upload(request: HTTPConnection, at_most: int | None = None) -> None:
    """Let this request send as much as the settings allow for uploads; refuse at once what says it is larger.

    Parameters
    ----------
    at_most : bytes, where the route takes less than that.

    Raises
    ------
    HTTPException
        413.
    """
    limit = request.scope.get(KEY)
    if limit is None:
        return
    allowed = limit.upload if at_most is None else min(at_most, limit.upload)
    length = request.headers.get("content-length", "")
    if length.isdecimal() and (len(length) > _DIGITS or int(length) > allowed):
        raise HTTPException(413)
    limit.now = max(limit.now, allowed)


def allow_silence(request: HTTPConnection, seconds: float) -> None:
    """Let the sender of this request say nothing for so long, which is refused with 408; never longer than others."""
    limit = request.scope.get(KEY)
    if limit is not None:
        limit.silence_s = seconds
