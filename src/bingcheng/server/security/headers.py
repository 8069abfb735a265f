"""Headers that every answer carries, and the number of the request."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)
"""What a page may load: only what this server sends, and nothing inline. A router with other needs (the viewer's) sets
the header itself; that is then left as it is."""
FIXED = (
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    # Not no-referrer: browsers then say of a form's origin that it is "null", and forms of ours couldn't be told apart.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cache-control", b"no-store"),
)
Field = tuple[bytes, bytes]
"""Name and value, as they are sent."""
HSTS: Field = (b"strict-transport-security", b"max-age=31536000")
SAVED = frozenset(
    {
        b"application/dicom",
        b"application/octet-stream",
        b"application/pdf",
        b"application/x-ndjson",
        b"application/xml",
        b"application/zip",
        b"text/csv",
        b"text/xml",
    }
)
"""What others have written and a browser might open: it is saved instead. The 128 bytes before a DICOM file's header
may make it a page or a program at the same time."""


class SecurityHeaders:
    """ASGI middleware that adds what a handler has not set."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._fixed = (*FIXED, HSTS) if secure else FIXED

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on with a number, and the answer back with its headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = secrets.token_hex(8)
        scope.setdefault("state", {})["request"] = number

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._added(message.get("headers", ()), number)
            await send(message)

        await self._app(scope, receive, with_headers)

    def _added(self, said: Iterable[Field], number: str) -> list[Field]:
        """The header fields of an answer with those that it lacks; names are in lower case (ASGI), as they are here."""
        fields = list(said)
        names = dict(fields)
        fields.extend(one for one in self._fixed if one[0] not in names)
        kind = names.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if kind in SAVED and b"content-disposition" not in names:
            fields.append((b"content-disposition", b"attachment"))
        fields.append((b"x-request-id", number.encode()))
        return fields
