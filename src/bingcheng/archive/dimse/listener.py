"""The listener: takes associations of known peers, one thread each, within limits."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self, TypeVar

from bingcheng.archive.dimse import pdus
from bingcheng.archive.dimse.association import Association
from bingcheng.archive.dimse.body import Body
from bingcheng.archive.dimse.calling import Caller
from bingcheng.archive.dimse.endings import INVALID_PARAMETER, Ended
from bingcheng.archive.dimse.entrance import Entrance
from bingcheng.archive.dimse.events import OnEvent
from bingcheng.archive.dimse.limits import Limits
from bingcheng.archive.dimse.negotiation import answer, read_request
from bingcheng.archive.dimse.opening import DICOM
from bingcheng.archive.dimse.peers import Peer, peers_titled, valid_ae_title
from bingcheng.archive.dimse.problems import PORT_TAKEN, WRONG_AE_TITLE
from bingcheng.archive.dimse.rejections import Rejections
from bingcheng.archive.dimse.reporting import Reporter
from bingcheng.archive.dimse.serving import serve
from bingcheng.archive.dimse.session import House, OnReceived, Session
from bingcheng.archive.dimse.storing import file_head
from bingcheng.archive.dimse.wire import Wire
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError, InputError

LOG = logging.getLogger(__name__)
T = TypeVar("T")
BACKLOG = 512
SPOOL = "arriving"


class Listener:
    """Storage, query, retrieval and storage commitment for the peers of a workspace.

    Parameters
    ----------
    objects : where objects go.
    ae_title : our own; who calls another is refused.
    host, port : where we listen; port 0 takes a free one, `port` then says which.
    tls : how connections are secured, from `tls.acceptor`; None for plain ones.
    caller : how others are called; None for our title without TLS.
    private : whether storage classes outside the standard are taken.
    on_received : told each object after it is durable.
    on_event : told what the audit wants to know; what it raises before data leaves refuses the access.
    """

    def __init__(
        self,
        workspace: Workspace,
        objects: Objects,
        *,
        ae_title: str = "BINGCHENG",
        host: str = "127.0.0.1",
        port: int = 11112,
        tls: ssl.SSLContext | None = None,
        caller: Caller | None = None,
        limits: Limits | None = None,
        private: bool = False,
        on_received: OnReceived | None = None,
        on_event: OnEvent | None = None,
    ) -> None:
        if not valid_ae_title(ae_title):
            raise InputError(WRONG_AE_TITLE)
        self.ae_title = ae_title
        self.host = host
        self.port = port
        self._tls = tls
        self._limits = limits or Limits()
        self._private = private
        self._on_event = _guarded(on_event or _ignore)
        calling = caller or Caller(ae_title=ae_title)
        self._rejections = Rejections(self._on_event)
        self._reporter = Reporter(workspace, objects, calling, self._on_event)
        self._house = House(
            workspace=workspace,
            objects=objects,
            caller=calling,
            on_received=_guarded(on_received or _ignore),
            on_event=self._on_event,
            on_access=on_event or _ignore,
            report=self._reporter.wake,
        )
        self._spool = workspace.folder / SPOOL
        self._entrance: Entrance | None = None
        self._guard = threading.Lock()
        self._running: dict[Wire, threading.Thread] = {}
        self._of_peer: Counter[int] = Counter()
        self._stopping = False

    def start(self) -> None:
        """Begin to listen.

        Raises
        ------
        InputError
            ``archive.port-taken``.
        """
        self._spool.mkdir(parents=True, exist_ok=True)
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((self.host, self.port))
            listening.listen(BACKLOG)
        except OSError as error:
            listening.close()
            raise InputError(PORT_TAKEN, port=self.port, error=type(error).__name__) from error
        self.port = listening.getsockname()[1]
        self._entrance = Entrance(listening, self._tls, self._limits, self._admit)
        self._rejections.start()
        self._entrance.start()
        self._reporter.start()

    def stop(self, patience_s: float = 5.0) -> None:
        """Stop listening and end all associations; an object on its way in is not answered with success.

        Parameters
        ----------
        patience_s : how long what is being written may take.
        """
        self._stopping = True
        if self._entrance is not None:
            self._entrance.stop()
        with self._guard:
            running = dict(self._running)
        for wire in running:
            wire.stop()
        for thread in running.values():
            thread.join(patience_s)
        self._reporter.stop()
        self._rejections.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def associations(self) -> int:
        """How many there are at this moment."""
        return len(self._running)

    def _admit(self, connected: socket.socket, address: str, request: bytes) -> bytes | None:
        """On the thread of the entrance: nothing here may wait."""
        called, calling = pdus.titles_of(request)
        refusal = self._refusal(called, request)
        if refusal is None:
            wire = Wire(connected, idle_s=self._limits.idle_s, unit_s=self._limits.unit_s)
            thread = threading.Thread(target=self._run, args=(wire, address, request), name="dimse", daemon=True)
            with self._guard:
                self._running[wire] = thread
            try:
                thread.start()
            except RuntimeError:  # the machine has no thread left
                self._forget(wire)
                refusal = pdus.CONGESTED
        if refusal is not None:
            self._rejections.note(calling, address, refusal)
            return pdus.reject(*refusal)
        return None

    def _refusal(self, called: str, request: bytes) -> tuple[int, int, int] | None:
        if len(self._running) >= self._limits.associations:
            return pdus.LIMIT_EXCEEDED
        if not pdus.protocol_version(request) & 1:
            return pdus.OTHER_PROTOCOL
        return None if called == self.ae_title else pdus.UNKNOWN_CALLED

    def _run(self, wire: Wire, address: str, request: bytes) -> None:
        left_to_entrance = False
        try:
            left_to_entrance = self._received(wire, address, request)
        except Ended:
            pass
        except Exception:
            LOG.exception("an association ended by an error of ours")
            with suppress(Ended):
                wire.write(pdus.abort(by_provider=True))
        finally:
            self._forget(wire)
            if not left_to_entrance:
                wire.close()

    def _received(self, wire: Wire, address: str, request: bytes) -> bool:
        """Serve who asks, or turn it away; True if the entrance sees it out."""
        _, calling = pdus.titles_of(request)
        peer, refusal = self._known(calling, address)
        if peer is None:
            return self._turned_away(wire, calling, address, refusal)
        with self._counted(peer) as within:
            if not within:
                return self._turned_away(wire, calling, address, pdus.LIMIT_EXCEEDED)
            try:
                asked = read_request(request)
            except ValueError:
                wire.write(pdus.abort(by_provider=True, reason=INVALID_PARAMETER))
                return self._see_out(wire)
            if asked.application != DICOM:
                return self._turned_away(wire, calling, address, pdus.OTHER_APPLICATION)
            accept, agreed = answer(asked, peer.may, private=self._private)
            wire.write(accept)
            objects = Body(self._spool, self._limits.object_bytes)
            try:
                association = Association(
                    wire=wire,
                    contexts=agreed.contexts,
                    longest_out=agreed.longest_out,
                    objects=objects,
                    head=file_head,
                )
                serve(Session(house=self._house, association=association, peer=peer, address=address))
            finally:
                objects.end()
        return False

    def _known(self, calling: str, address: str) -> tuple[Peer | None, tuple[int, int, int]]:
        """The peer that calls; else the rejection, which does not tell a strange title from a strange address."""
        try:
            with self._house.workspace.reading() as connection:
                known = [one for one in peers_titled(connection, calling) if one.calls_from(address)]
        except BingchengError:  # nobody can be looked up: not the caller's fault
            return None, pdus.CONGESTED
        return (known[0], pdus.UNKNOWN_CALLER) if known else (None, pdus.UNKNOWN_CALLER)

    @contextmanager
    def _counted(self, peer: Peer) -> Iterator[bool]:
        with self._guard:
            self._of_peer[peer.number] += 1
            within = self._of_peer[peer.number] <= self._limits.associations_of_peer
        try:
            yield within
        finally:
            with self._guard:
                self._of_peer[peer.number] -= 1

    def _turned_away(self, wire: Wire, calling: str, address: str, refusal: tuple[int, int, int]) -> bool:
        self._rejections.note(calling, address, refusal)
        wire.write(pdus.reject(*refusal))
        return self._see_out(wire)

    def _see_out(self, wire: Wire) -> bool:
        if self._entrance is None or self._stopping:
            return False
        self._entrance.see_out(wire.give_up())
        return True

    def _forget(self, wire: Wire) -> None:
        with self._guard:
            self._running.pop(wire, None)


def _ignore(_: object) -> None:
    """Nobody wants to know."""


def _guarded(told: Callable[[T], None]) -> Callable[[T], None]:
    """`told`, whose own failure must not lose what a peer sends."""

    def guarded(what: T) -> None:
        try:
            told(what)
        except Exception:
            LOG.exception("what a peer did could not be told")

    return guarded
