"""Heads of requests that the program below us would read in another way than a client or a proxy means them."""

from __future__ import annotations

import re
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

Field = tuple[bytes, bytes]
_OFFERS = frozenset((b"upgrade", b"http2-settings"))
_ADDRESS = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")


class Staying:
    """A parser for which the offer of another protocol is one that nobody takes up (RFC 9110 7.8).

    The one that it stands for takes the end of a head with such an offer for the end of the request, and what follows
    for the other protocol: a body is lost, and so are the requests behind it. Clients that would rather speak HTTP/2
    (curl with ``--http2``, Java's) make this offer with their first request.

    Parameters
    ----------
    told : is told of requests; of one with an offer as if it had none.
    """

    def __init__(self, told: HttpToolsProtocol) -> None:
        self._told = told
        self._offering = False
        # Straight away, as these are called for each field and each piece.
        self.on_message_begin, self.on_url, self.on_header, self.on_body = (
            told.on_message_begin,
            told.on_url,
            told.on_header,
            told.on_body,
        )
        self._parser = self._another()

    def get_http_version(self) -> str:
        """Of the head that was read last, as ``1.1``."""
        version: str = self._parser.get_http_version()
        return version

    def get_method(self) -> bytes:
        """Of the same head."""
        method: bytes = self._parser.get_method()
        return method

    def should_keep_alive(self) -> bool:
        """Whether the connection stays open behind that request, as far as its head says."""
        return bool(self._parser.should_keep_alive())

    def should_upgrade(self) -> bool:
        """Whether the head is that of a CONNECT: no other offer is told of."""
        return bool(self._parser.should_upgrade())

    def close(self) -> None:
        """Let go of the parser, which holds this."""
        self._parser = None

    def on_headers_complete(self) -> None:
        """A whole head is here."""
        self._offering = self._parser.should_upgrade() and self._parser.get_method() != b"CONNECT"
        if not self._offering:
            self._told.on_headers_complete()

    def on_message_complete(self) -> None:
        """A whole request is here."""
        if not self._offering:
            self._told.on_message_complete()

    def feed_data(self, data: bytes) -> None:
        """Read what has come.

        Raises
        ------
        httptools.HttpParserError
            It is no request.
        """
        left = memoryview(data)
        while True:
            try:
                self._parser.feed_data(left)
            except httptools.HttpParserUpgrade as offer:
                if not self._offering:  # CONNECT
                    raise
                left = left[offer.args[0] :]
            else:
                return
            head = self._without_offer()
            self._offering = False
            self._parser = self._another()
            self._parser.feed_data(head)

    def _another(self) -> Any:
        made: Any = httptools.HttpRequestParser(self)
        # As uvicorn has it: what comes behind a request that closes the connection is no error, and is not looked at.
        made.set_dangerous_leniencies(lenient_data_after_close=True)
        return made

    def _without_offer(self) -> bytes:
        """The head that was read, as it is without the offer."""
        target, version = self._told.url, self._parser.get_http_version().encode("ascii")
        lines = [b"%b %b HTTP/%b" % (self._parser.get_method(), target, version)]
        for name, value in self._told.headers:
            if name == b"connection":
                said = (one.strip() for one in value.split(b","))
                lines.append(b"connection: " + b", ".join(one for one in said if one.lower() not in _OFFERS))
            elif name not in _OFFERS:
                lines.append(name + b": " + value)
        return b"\r\n".join((*lines, b"", b""))


def origin_form(target: bytes, fields: list[Field]) -> bytes:
    """The path and query of a target; the host of one that is a whole address takes the place of the field's.

    RFC 9112 3.2.2: proxies send whole addresses, and the field is ignored then. How many fields there are stays.
    """
    whole = _ADDRESS.match(target)
    if whole is None:
        return target
    fields[:] = [(name, whole[1] if name == b"host" else value) for name, value in fields]
    path = target[whole.end() :]
    return path if path.startswith(b"/") else b"/" + path
