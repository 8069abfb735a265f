"""Which names a request may be addressed to.

A foreign name that leads to this machine is a trick of a web page that wants to speak to it in the place of the person
before the screen (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from bingcheng.server.settings import Settings

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
"""``uri-host [ ":" port ]`` (RFC 9110, 7.2): a path or a name of a user in it would end up in addresses made of it."""


class KnownHosts:
    """ASGI middleware that answers 421 to requests for another host."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        public = urlsplit(settings.public_url or "").hostname
        names = {"localhost", socket.gethostname(), settings.host, *settings.allowed_hosts}
        self._names = {name.lower() for name in names} | ({public} if public else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on if its host is known."""
        if scope["type"] in ("http", "websocket") and not self._known(Headers(scope=scope).get("host", "")):
            refused = PlainTextResponse("This server does not answer to that name (setting allowed_hosts).\n", 421)
            await refused(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _known(self, host: str) -> bool:
        written = _HOST.fullmatch(host)
        if written is None:
            return False
        name = written["name"].strip("[]").lower()
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return True  # an address needs no name service, so nobody can have turned it
