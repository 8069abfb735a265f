"""Carries what waits in the queue to other installations and back, while the server runs.

With each installation one thing after the other, with all of them at once: one that is slow or gone holds up what
passes with itself and nothing else. Withdrawals wait for nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

from bingcheng.archive.guarded import guarded
from bingcheng.archive.pairing import offering, peers, transfers
from bingcheng.archive.pairing.case_room import CaseRoom
from bingcheng.archive.pairing.key import InstallationKey
from bingcheng.archive.pairing.sweeping import finish_imports, sweep
from bingcheng.archive.pairing.transfers import Errand, Transfer
from bingcheng.core.errors import BingchengError
from bingcheng.core.wording import Text, text
from bingcheng.server.pairing.carrying import Carrying, Stopped, may_pass
from bingcheng.server.pairing.client import PeerClient
from bingcheng.server.site import Site

LOOK_EVERY_S = 2.0
TIDY_EVERY = timedelta(hours=1)
STOP_WITHIN_S = 5.0
MOST_AT_ONCE = 64
"""Errands under way; each has a thread."""
log = logging.getLogger(__name__)


class Courier:
    """Carries; started and stopped with the server.

    Parameters
    ----------
    room : where cases come from and go to; None while this installation has none.
    look_every_s : seconds between two looks into the queue.
    """

    def __init__(self, site: Site, room: CaseRoom | None, *, look_every_s: float = LOOK_EVERY_S) -> None:
        self._site, self._room, self._look_every_s = site, room, look_every_s
        self._stopped, self._woken = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="bingcheng-courier", daemon=True)
        self._guard = threading.Lock()
        self._under_way: dict[Errand, threading.Thread] = {}
        self._tidied_at = site.now() - TIDY_EVERY

    def start(self) -> None:
        """Begin; what a killed server left under way goes on."""
        with self._site.workspace.writing() as connection:
            transfers.give_back(connection)
        self._thread.start()

    def stop(self) -> None:
        """End after the pieces that are under way."""
        self._stopped.set()
        self._woken.set()
        until = time.monotonic() + STOP_WITHIN_S
        with self._guard:
            threads = [self._thread, *self._under_way.values()]
        for thread in threads:
            if thread.is_alive():
                thread.join(max(until - time.monotonic(), 0.0))

    def wake(self) -> None:
        """Look now: something was asked for."""
        self._woken.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            guarded(log, "pairing", self._look)
            self._woken.wait(self._look_every_s)
            self._woken.clear()

    def _look(self) -> None:
        """See that what is due is under way."""
        self._withdraw()
        if self._site.now() - self._tidied_at >= TIDY_EVERY:
            self._tidied_at = self._site.now()
            self.tidy()
        with self._site.workspace.reading() as connection:
            due = transfers.due(connection, self._site.now())
        for errand in due:
            with self._guard:
                if self._stopped.is_set() or errand in self._under_way or len(self._under_way) >= MOST_AT_ONCE:
                    continue
                name = f"bingcheng-courier-{errand.peer}"
                thread = threading.Thread(target=self._go, args=(errand,), name=name, daemon=True)
                self._under_way[errand] = thread
            thread.start()

    def _go(self, errand: Errand) -> None:
        """Do what is due with one installation, until nothing is."""

        def carry_all() -> None:
            while not self._stopped.is_set() and self.carry(errand):
                pass

        guarded(log, "pairing", carry_all)
        with self._guard:
            self._under_way.pop(errand, None)

    def tidy(self) -> None:
        """End offers that nobody fetched, finish imports that were broken off, throw away what was never finished."""
        site = self._site
        with site.workspace.writing() as connection:
            offering.end_offers(connection, site.now())
        if self._room is not None:
            finish_imports(site.workspace, site.objects, self._room, site.now())
        sweep(site.workspace, site.now(), after=timedelta(days=site.settings.pairing_unfinished_days))

    def carry(self, errand: Errand | None = None) -> bool:
        """Do what is due longest; whether there was anything.

        Parameters
        ----------
        errand : only what belongs to this one; None for whatever it is.
        """
        site = self._site
        if errand is None:
            self._withdraw()
        with site.workspace.reading() as connection:
            waiting = transfers.due(connection, site.now())
        if not waiting or (errand is not None and errand not in waiting):
            return False
        with site.workspace.writing() as connection:
            found = transfers.take(connection, site.now(), errand)
        if found is None:
            return False
        try:
            self._carried(found)
        except Stopped:
            with site.workspace.writing() as connection:
                transfers.put_back(connection, found.number)
            return not self._stopped.is_set()
        except BingchengError as error:
            self._failed(found, error.reason, again=may_pass(error))
        except Exception:
            log.exception("pairing")
            self._failed(found, text("a fault of this program; its log says more"), again=True)
        else:
            with site.workspace.writing() as connection:
                transfers.end(connection, found.number, site.now())
        return True

    def _withdraw(self) -> None:
        """Take back from others what is no longer published here."""
        if self._room is None:
            return
        with self._site.workspace.reading() as connection:
            withdrawn = offering.no_longer_published(connection, self._room)
        for case in withdrawn:
            with self._site.workspace.writing() as connection:
                offering.withdraw(connection, case, self._site.now())

    def _failed(self, found: Transfer, reason: Text, *, again: bool) -> None:
        with self._site.workspace.writing() as connection:
            transfers.fail(connection, found, reason, self._site.now(), again=again)

    def _carried(self, found: Transfer) -> None:
        with self._site.workspace.reading() as connection:
            peer = peers.active_peer(connection, found.peer)
        key = InstallationKey.of(self._site.workspace.folder)
        with PeerClient(peer, key, self._site.now) as client:
            Carrying(self._site, self._room, key, peer, client, found, self._stopped).done()
