"""A connection on which nothing waits for ever: each read and write has its time."""

from __future__ import annotations

import selectors
import socket
import ssl
import time
from contextlib import suppress

from bingcheng.archive.dimse.endings import Ended, Ending

_AT_ONCE: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux


class Wire:
    """A connected socket, plain or TLS.

    Parameters
    ----------
    connected : the socket; it belongs to the wire from now on.
    idle_s : how long the other side may stay silent, or may refuse to take what we send.
    unit_s : how long one protocol data unit may take from its first byte to its last.
    """

    __slots__ = ("_deadline", "_idle_s", "_socket", "_unit_s", "alert", "stopped")

    def __init__(self, connected: socket.socket, *, idle_s: float, unit_s: float) -> None:
        self._socket = connected
        self._idle_s = idle_s
        self._unit_s = unit_s
        self._deadline = 0.0
        self.stopped = False
        self.alert: ssl.SSLError | None = None
        connected.settimeout(idle_s)

    def begin_unit(self) -> None:
        """From now on the clock of a unit runs. Called when its first bytes are there."""
        self._deadline = time.monotonic() + self._unit_s

    def read_some(self, into: memoryview) -> int:
        """Some of what came, at least a byte, at most as much as `into` holds.

        Raises
        ------
        Ended
            LOST, SLOW, or STOPPED by `stop`.
        """
        try:
            count = self._socket.recv_into(into)
        except TimeoutError:
            raise Ended(Ending.SLOW) from None
        except (OSError, ValueError) as error:
            self.alert = error if isinstance(error, ssl.SSLError) else None
            raise Ended(self._broken()) from None
        if not count:
            raise Ended(self._broken())
        self._acknowledge()
        return count

    def _acknowledge(self) -> None:
        """Let the other side know at once that its bytes are here.

        A sender that leaves Nagle's algorithm on, as DCMTK does since 3.6.2, keeps the end of a data set back until the
        small segment before it is acknowledged; a connection that goes to and fro is acknowledged 40 ms late. The
        option is not permanent (tcp(7), TCP_QUICKACK): each time.
        """
        if _AT_ONCE is not None:
            with suppress(OSError):  # not TCP
                self._socket.setsockopt(socket.IPPROTO_TCP, _AT_ONCE, 1)

    def read(self, into: memoryview, *, first: bool = False) -> None:
        """Fill `into`; `first` begins a unit, before which the other side may be silent for its time.

        Raises
        ------
        Ended
            LOST, SLOW, STOPPED.
        """
        done = self.read_some(into)
        if first:
            self.begin_unit()
        while done < len(into):
            self.check_time()
            done += self.read_some(into[done:])

    def check_time(self) -> None:
        """Raise `Ended` with SLOW when the unit took too long: a byte a minute is no conversation."""
        if time.monotonic() > self._deadline:
            raise Ended(Ending.SLOW)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of `data`.

        Raises
        ------
        Ended
            LOST, SLOW, STOPPED.
        """
        try:
            self._socket.sendall(data)
        except TimeoutError:
            raise Ended(Ending.SLOW) from None
        except (OSError, ValueError):
            raise Ended(self._broken()) from None

    def waiting(self, seconds: float = 0.0) -> bool:
        """Whether something can be read now, or within `seconds`; also that the connection is at its end."""
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._socket, selectors.EVENT_READ)
                return bool(selector.select(seconds))
        except (OSError, ValueError):
            return True

    def allow_silence(self, seconds: float) -> None:
        """From now on the other side may be silent for so long."""
        self._idle_s = seconds
        with suppress(OSError):
            self._socket.settimeout(seconds)

    def stop(self) -> None:
        """End all reading and writing, from another thread."""
        self.stopped = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def give_up(self) -> socket.socket:
        """The socket, for somebody else to close."""
        return self._socket

    def close(self) -> None:
        """Close the connection."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        with suppress(OSError):
            self._socket.close()

    def _broken(self) -> Ending:
        return Ending.STOPPED if self.stopped else Ending.LOST


def without_delay(connected: socket.socket) -> None:
    """Send small messages at once.

    An answer to a C-STORE is one small message, which Nagle's algorithm holds back until the other side has
    acknowledged what came before, and the other side delays that by 40 ms: ten times slower than need be.
    """
    with suppress(OSError):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
