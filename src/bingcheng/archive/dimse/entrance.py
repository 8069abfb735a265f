"""Where connections wait until they have asked for an association: one thread for all, so that none holds up another.

Whoever connects and says nothing, stops in the middle of a request or of a TLS handshake, or sends what is no
request, costs a few kilobytes here until its time is over, and never a thread.
"""

from __future__ import annotations

import logging
import selectors
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from bingcheng.archive.dimse import pdus
from bingcheng.archive.dimse.endings import UNEXPECTED_PDU, UNRECOGNISED_PDU
from bingcheng.archive.dimse.limits import Limits
from bingcheng.archive.dimse.tls import trouble
from bingcheng.archive.dimse.wire import without_delay

LOG = logging.getLogger(__name__)

LONGEST_REQUEST = 1 << 18
"""Bytes of an A-ASSOCIATE-RQ: 128 contexts with all transfer syntaxes that there are fit."""
BREATH_S = 0.05
"""Pause when the machine has no file descriptor left and none can be freed here."""
FAREWELL_S = 2.0
"""How long a rejected caller may take to close; its reading of the rejection must not be cut off by a reset."""

Admit = Callable[[socket.socket, str, bytes], bytes | None]
"""Takes a connection, the address that it comes from and its request; or returns what it is to be told instead."""


@dataclass(slots=True, eq=False)
class _Caller:
    connected: socket.socket
    address: str
    until: float
    secured: bool
    leaving: bool = False
    request: bytearray = field(default_factory=bytearray)

    def wanted(self) -> int:
        """Bytes still to come of its request, as far as its length is known."""
        head = pdus.HEAD.size
        if len(self.request) < head:
            return head - len(self.request)
        return head + int(pdus.HEAD.unpack_from(self.request)[1]) - len(self.request)


class Entrance:
    """Accepts connections and hands over those that ask for an association.

    Parameters
    ----------
    listening : the bound and listening socket.
    tls : how connections are secured; None for plain ones.
    """

    def __init__(self, listening: socket.socket, tls: ssl.SSLContext | None, limits: Limits, admit: Admit) -> None:
        self._listening = listening
        self._tls = tls
        self._limits = limits
        self._admit = admit
        self._callers: dict[socket.socket, _Caller] = {}
        self._leaving: deque[socket.socket] = deque()
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="dimse-entrance", daemon=True)

    def start(self) -> None:
        """Begin to accept."""
        self._listening.setblocking(False)
        self._selector.register(self._listening, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread.start()

    def stop(self) -> None:
        """Close the door, and the connections that wait behind it."""
        self._stopping = True
        self._ring()
        if self._thread.is_alive():
            self._thread.join()

    def see_out(self, connected: socket.socket) -> None:
        """Wait for a rejected caller to close its connection; from any thread."""
        self._leaving.append(connected)
        self._ring()

    def _ring(self) -> None:
        with suppress(OSError):
            self._wake.send(b".")

    def _run(self) -> None:
        while not self._stopping:
            for key, _ in self._selector.select(self._pause_s()):
                if key.fileobj is self._listening:
                    self._accept()
                elif key.fileobj is self._woken:
                    self._woken.recv(64)
                    while self._leaving:
                        self._expect_close(self._leaving.popleft())
                else:
                    caller = self._callers.get(key.fileobj)  # type: ignore[call-overload]
                    if caller is not None:  # it may have made room for another that came with it
                        self._serve(caller)
            self._send_away_late()
        for connected in (*self._callers, *self._leaving, self._listening, self._wake, self._woken):
            with suppress(OSError):
                connected.close()
        self._selector.close()

    def _pause_s(self) -> float | None:
        first = min((caller.until for caller in self._callers.values()), default=None)
        return None if first is None else max(first - time.monotonic(), 0.0)

    def _accept(self) -> None:
        try:
            connected, address = self._listening.accept()
        except BlockingIOError:
            return
        except OSError:  # no file descriptor is left: who waits longest gives his back
            if not self._drop_oldest():
                time.sleep(BREATH_S)
            return
        if len(self._callers) >= self._limits.waiting:
            self._drop_oldest()
        without_delay(connected)
        connected.setblocking(False)
        try:
            if self._tls is not None:
                connected = self._tls.wrap_socket(connected, server_side=True, do_handshake_on_connect=False)
        except OSError:
            connected.close()
            return
        until = time.monotonic() + self._limits.request_s
        caller = _Caller(connected, str(address[0]), until, secured=self._tls is None)
        self._callers[connected] = caller
        self._selector.register(connected, selectors.EVENT_READ)
        self._serve(caller)

    def _serve(self, caller: _Caller) -> None:
        try:
            if caller.leaving:
                if not caller.connected.recv(65536):
                    self._close(caller)
            elif self._is_secured(caller):
                self._read(caller)
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except ssl.SSLWantWriteError:
            self._selector.modify(caller.connected, selectors.EVENT_READ | selectors.EVENT_WRITE)
        except OSError as error:
            if isinstance(error, ssl.SSLError) and not caller.secured:
                self._not_secured(caller, error)
            else:
                self._close(caller)

    def _not_secured(self, caller: _Caller, error: ssl.SSLError) -> None:
        """Say whose certificate it is, here and there: what the other side has sent already must not undo the alert."""
        LOG.warning("no TLS with %s: %s", caller.address, trouble(error))
        self._take_out(caller)
        self._expect_close(socket.socket(fileno=caller.connected.detach()))

    def _is_secured(self, caller: _Caller) -> bool:
        if not caller.secured and isinstance(caller.connected, ssl.SSLSocket):
            caller.connected.do_handshake()
            caller.secured = True
            self._selector.modify(caller.connected, selectors.EVENT_READ)
        return caller.secured

    def _read(self, caller: _Caller) -> None:
        while caller.wanted() > 0:
            came = caller.connected.recv(caller.wanted())
            if not came:
                self._close(caller)
                return
            caller.request += came
            if len(caller.request) == pdus.HEAD.size and not self._is_request(caller):
                return
        self._take_out(caller)
        caller.connected.setblocking(True)
        told = self._admit(caller.connected, caller.address, bytes(caller.request))
        if told is not None:
            self._tell(caller.connected, told)

    def _is_request(self, caller: _Caller) -> bool:
        """PS3.8 Table 9-10, state 2: what is no request is answered with an abort."""
        kind, length = pdus.HEAD.unpack(caller.request)
        if kind == pdus.REQUEST and 68 <= length <= LONGEST_REQUEST:
            return True
        self._take_out(caller)
        known = kind in range(pdus.REQUEST, pdus.ABORT + 1)
        self._tell(caller.connected, pdus.abort(by_provider=True, reason=UNEXPECTED_PDU if known else UNRECOGNISED_PDU))
        return False

    def _tell(self, connected: socket.socket, last_words: bytes) -> None:
        connected.setblocking(False)
        with suppress(OSError):
            connected.send(last_words)
        self._expect_close(connected)

    def _expect_close(self, connected: socket.socket) -> None:
        if len(self._callers) >= self._limits.waiting:
            self._drop_oldest()
        try:
            connected.setblocking(False)
            self._selector.register(connected, selectors.EVENT_READ)
        except (OSError, ValueError):
            connected.close()
            return
        until = time.monotonic() + FAREWELL_S
        self._callers[connected] = _Caller(connected, "", until, secured=True, leaving=True)

    def _send_away_late(self) -> None:
        now = time.monotonic()
        for caller in [one for one in self._callers.values() if one.until <= now]:
            self._close(caller)

    def _drop_oldest(self) -> bool:
        oldest = next(iter(self._callers.values()), None)
        if oldest is not None:
            self._close(oldest)
        return oldest is not None

    def _take_out(self, caller: _Caller) -> None:
        self._callers.pop(caller.connected, None)
        with suppress(KeyError, ValueError, OSError):
            self._selector.unregister(caller.connected)

    def _close(self, caller: _Caller) -> None:
        self._take_out(caller)
        with suppress(OSError):
            caller.connected.close()
