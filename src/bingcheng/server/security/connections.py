"""Connections: how many there may be, and how long one may be held open without asking or taking anything.

The program below us waits for a head for ever, keeps as much of it as comes, and waits for ever for who does not take
an answer. A few thousand connections that do so, from one machine, would keep everybody else out.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from bingcheng.server.security.heads import Staying, origin_form

HEAD_S = 20.0
"""From the beginning of a connection, or of what comes after an answer, until a whole head is here."""
STALLED_S = 120.0
"""How long nothing may be taken of an answer."""
LARGEST_HEAD = 64 * 1024
"""Bytes that may come without a whole head or a piece of a body."""
OF_ADDRESS = 1024
"""Connections of one address: behind it may sit a hospital, six for each browser."""
MOST = 8192
RESERVED = 256
"""Open files that connections leave to the database, the objects and the DICOM service."""
MOST_FILES = 65_536
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


@dataclass(slots=True, eq=False, kw_only=True)
class Connections:
    """The connections that are open. Used by one event loop.

    Parameters
    ----------
    most : of all.
    of_address : of one address, but not of `proxies` (addresses or networks): behind those is everybody.
    """

    most: int
    of_address: int = OF_ADDRESS
    proxies: tuple[str, ...] = ()
    _here: Counter[str] = field(default_factory=Counter)
    _count: int = 0

    def come(self, address: str) -> bool:
        """Whether one more of this address is let in; then it is counted until it goes."""
        if self._count >= self.most or (self._here[address] >= self.of_address and not self._is_proxy(address)):
            return False
        self._here[address] += 1
        self._count += 1
        return True

    def _is_proxy(self, address: str) -> bool:
        try:
            known = ip_address(address)
            return any(one == "*" or known in ip_network(one, strict=False) for one in self.proxies)
        except ValueError:
            return address in self.proxies

    def go(self, address: str) -> None:
        """One that was let in has ended."""
        self._count -= 1
        self._here[address] -= 1
        if not self._here[address]:
            del self._here[address]


class Guarded(HttpToolsProtocol):
    """One connection; `guarded` makes the class that has its own `Connections`."""

    held: ClassVar[Connections]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it in, if there is room."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._read_by = Staying(self)
        self.parser = self._read_by  # type: ignore[assignment] # asked for the same as the one that it stands for
        self._address = self.client[0] if self.client else ""
        self._counted = self.held.come(self._address)
        self._useless = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        if self._counted:
            self._wait_for_head()
        else:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended."""
        self._forget_deadline()
        self._forget_stall()
        if self._counted:
            self._counted = False
            self.held.go(self._address)
        self._read_by.close()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something came: part of a head or of a body, or it leads nowhere."""
        self._useless += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._useless > LARGEST_HEAD:
            if self._rests():
                self.transport.write(TOO_LARGE)
            self.transport.close()
        elif self._rests() and self._deadline is None:
            self._wait_for_head()

    def on_headers_complete(self) -> None:
        """A whole head is here."""
        self._useless = 0
        self._forget_deadline()
        if self.parser.get_http_version() == "1.0":
            self.expect_100_continue = False  # such a client takes it for the answer (RFC 9110 10.1.1)
        self.url = origin_form(self.url, self.headers)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body is here."""
        self._useless = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A whole request is here."""
        self._useless = 0
        super().on_message_complete()

    def pause_writing(self) -> None:
        """More waits to be taken than is kept ready."""
        super().pause_writing()
        self._forget_stall()
        self._stalled = self.loop.call_later(STALLED_S, self.transport.abort)

    def resume_writing(self) -> None:
        """It was taken."""
        self._forget_stall()
        super().resume_writing()

    def _rests(self) -> bool:
        """Whether no request is being answered."""
        begun: RequestResponseCycle | None = self.cycle  # none before the first request, whatever its type says
        return (begun is None or begun.response_complete) and not self.pipeline

    def _wait_for_head(self) -> None:
        self._deadline = self.loop.call_later(HEAD_S, self._give_up)

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _forget_stall(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None


def guarded(proxies: Collection[str] = ()) -> type[Guarded]:
    """What answers on connections, for one server.

    Parameters
    ----------
    proxies : addresses of proxies, of which there may be any number of connections.
    """
    here = Connections(most=max(RESERVED, min(MOST, _open_files() - RESERVED)), proxies=tuple(proxies))

    class OfThisServer(Guarded):
        held = here

    return OfThisServer


def _open_files() -> int:
    """How many files this process may have open; asks the system for more, where it gives few without being asked."""
    if sys.platform == "win32":
        return MOST + RESERVED
    import resource  # noqa: PLC0415 - not on every system

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return MOST_FILES if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft
    return wanted
