"""Peers called to be told whether their objects are kept (PS3.4 J.3.3), until they were, across ends of the program.

One thread looks whom there is to call, and one more for each that is called: a peer that is gone holds up no other.
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime

from bingcheng.archive.dimse import commitments
from bingcheng.archive.dimse.calling import Caller, first_context, opened
from bingcheng.archive.dimse.commitments import Requested
from bingcheng.archive.dimse.committing import Verdict, judged, report, told_of
from bingcheng.archive.dimse.endings import Ended
from bingcheng.archive.dimse.events import OnEvent
from bingcheng.archive.dimse.negotiation import EXPLICIT, IMPLICIT, STORAGE_COMMITMENT
from bingcheng.archive.dimse.peers import Peer, peers
from bingcheng.archive.guarded import guarded
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import RemoteError

LOG = logging.getLogger(__name__)
TASK = "storage commitment"
LOOK_EVERY_S = 5.0
CALLS_AT_ONCE = 16
STOP_WITHIN_S = 5.0


class Reporter:
    """Tells peers; started and stopped with the listener.

    Parameters
    ----------
    caller : how peers are called.
    on_event : told of each verdict that was told, or is not told any more.
    """

    def __init__(self, workspace: Workspace, objects: Objects, caller: Caller, on_event: OnEvent) -> None:
        self._workspace, self._objects, self._caller, self._on_event = workspace, objects, caller, on_event
        self._stopped, self._woken = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="dimse-reporter", daemon=True)
        self._guard = threading.Lock()
        self._called: dict[int, threading.Thread] = {}

    def start(self) -> None:
        """Begin with what was left when the program ended."""
        self._thread.start()

    def stop(self) -> None:
        """End; who is being called is called again at the next start, unless it answers at once."""
        self._stopped.set()
        self._woken.set()
        for thread in (self._thread, *self._called.values()):
            if thread.is_alive():
                thread.join(STOP_WITHIN_S if thread is self._thread else 0.2)

    def wake(self) -> None:
        """Look now: a peer has asked."""
        self._woken.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            guarded(LOG, TASK, self._look)
            self._woken.wait(LOOK_EVERY_S)
            self._woken.clear()

    def _look(self) -> None:
        with self._workspace.reading() as connection:
            waiting = commitments.due(connection, _now())
            known = {one.number: one for one in peers(connection)}
        self._give_up(known)
        for number in waiting:
            with self._guard:
                if self._stopped.is_set() or number in self._called or len(self._called) >= CALLS_AT_ONCE:
                    continue
                name = f"dimse-report-{number}"
                thread = threading.Thread(target=self._call, args=(known[number],), name=name, daemon=True)
                self._called[number] = thread
            thread.start()

    def _give_up(self, known: dict[int, Peer]) -> None:
        with self._workspace.reading() as connection:
            if not commitments.any_late(connection, _now()):
                return
        with self._workspace.writing() as connection:
            late = commitments.given_up(connection, _now())
        for one in late:
            peer = known.get(one.peer)
            if peer is not None:
                self._tell(peer, judged(self._objects, peer.space, one), told=False)

    def _call(self, peer: Peer) -> None:
        """Tell a peer all that it waits for, one association each, until one fails."""
        try:
            guarded(LOG, TASK, lambda: self._tell_all(peer))
        finally:
            with self._guard:
                self._called.pop(peer.number, None)
            self._woken.set()  # more may have been asked for meanwhile, or somebody waits for a free call

    def _tell_all(self, peer: Peer) -> None:
        with self._workspace.reading() as connection:
            waiting = commitments.pending(connection, peer.number)
        for one in waiting:
            if self._stopped.is_set() or not self._reported(peer, one):
                return

    def _reported(self, peer: Peer, one: Requested) -> bool:
        verdict = judged(self._objects, peer.space, one)
        answered = self._answered(peer, verdict)
        with self._workspace.writing() as connection:
            if answered is None:
                commitments.put_off(connection, peer.number, _now())
            else:
                commitments.settled(connection, one.number)
        if answered is None:
            return False
        self._tell(peer, verdict, told=answered == 0)
        return True

    def _answered(self, peer: Peer, verdict: Verdict) -> int | None:
        """The status by which the peer answers; None if it can't be told.

        We are the provider of the service although we call (PS3.4 J.3.3, PS3.7 D.3.3.4).
        """
        contexts = [(STORAGE_COMMITMENT, [EXPLICIT, IMPLICIT])]
        try:
            association = opened(self._caller, peer, contexts, scp_of=(STORAGE_COMMITMENT,))
        except RemoteError:
            return None
        try:
            status = report(association, first_context(association), verdict)
        except Ended as ended:
            association.abort(ended)
            return None
        association.release()
        return status

    def _tell(self, peer: Peer, verdict: Verdict, *, told: bool) -> None:
        self._on_event(told_of(peer, peer.host or "", verdict, _now(), told=told))


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
