"""Which names a request may be addressed to.

A foreign name that leads to this machine is a trick of a web page that wants to speak to it in the place of the person
before the screen (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import re
import socket
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from bingcheng.server.settings import Settings

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
"""``uri-host [ ":" port ]`` (RFC 9110, 7.2): a path or a name of a user in it would end up in addresses made of it."""


class KnownHosts:
    """ASGI middleware that answers 421 to requests for another host, and 400 to those for none or for two."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        public = urlsplit(settings.public_url or "").hostname
        names = {"localhost", socket.gethostname(), settings.host, *settings.allowed_hosts}
        self._names = {name.lower() for name in names} | ({public} if public else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on if its host is known."""
        refused = self._refused(scope) if scope["type"] in ("http", "websocket") else None
        await (refused or self._app)(scope, receive, send)

    def _refused(self, scope: Scope) -> PlainTextResponse | None:
        hosts = Headers(scope=scope).getlist("host")
        # RFC 9112 3.2: of two a proxy may have believed the other; only HTTP/1.0 did without.
        if len(hosts) > 1 or (not hosts and scope.get("http_version") != "1.0"):
            return PlainTextResponse("A request names the one host that it is for.\n", 400)
        if self._known("".join(hosts)):
            return None
        return PlainTextResponse("This server does not answer to that name (setting allowed_hosts).\n", 421)

    def _known(self, host: str) -> bool:
        written = _HOST.fullmatch(host)
        if written is None:
            return False
        name = written["name"].strip("[]").lower()
        # An address needs no name service, so nobody can have turned it.
        return name in self._names or _is_address(name)


@lru_cache(maxsize=64)
def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
