"""Headers that every answer carries, and the number of the request."""

from __future__ import annotations

import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)
"""What a page may load: only what this server sends, and nothing inline. A router with other needs (the viewer's) sets
the header itself; that is then left as it is."""
FIXED = (
    ("content-security-policy", CSP),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "SAMEORIGIN"),
    # Not no-referrer: browsers then say of a form's origin that it is "null", and forms of ours couldn't be told apart.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("cache-control", "no-store"),
)
HSTS = "max-age=31536000"
SAVED = frozenset(
    {
        "application/dicom",
        "application/octet-stream",
        "application/pdf",
        "application/x-ndjson",
        "application/xml",
        "application/zip",
        "text/csv",
        "text/xml",
    }
)
"""What others have written and a browser might open: it is saved instead. The 128 bytes before a DICOM file's header
may make it a page or a program at the same time."""


class SecurityHeaders:
    """ASGI middleware that adds what a handler has not set."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._fixed = (*FIXED, ("strict-transport-security", HSTS)) if secure else FIXED

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on with a number, and the answer back with its headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = secrets.token_hex(8)
        scope.setdefault("state", {})["request"] = number

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._fixed:
                    headers.setdefault(name, value)
                if headers.get("content-type", "").partition(";")[0].strip().lower() in SAVED:
                    headers.setdefault("content-disposition", "attachment")
                headers["x-request-id"] = number
            await send(message)

        await self._app(scope, receive, with_headers)
