"""How much a request may send. What comes beyond is refused while it comes, whatever its length was said to be."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bingcheng.server.settings import Settings

KEY = "bingcheng.size"
MEGABYTE, GIGABYTE = 1_000_000, 1_000_000_000


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
        limit = scope[KEY] = _Limit(self._form, self._upload)
        count = 0

        async def counted() -> Message:
            nonlocal count
            message = await receive()
            count += len(message.get("body", b""))
            if count > limit.now:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)


class _Limit:
    def __init__(self, form: int, upload: int) -> None:
        self.now, self.upload = form, upload


def allow_upload(request: HTTPConnection) -> None:
    """Let this request send as much as the settings allow for uploads; refuse at once what says it is larger.

    Raises
    ------
    HTTPException
        413.
    """
    limit = request.scope.get(KEY)
    if limit is None:
        return
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit.upload:
        raise HTTPException(413)
    limit.now = limit.upload
