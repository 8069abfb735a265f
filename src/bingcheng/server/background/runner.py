"""The thread that looks for exams to assess, and keeps a process at work in each lane while anything waits there."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta

from bingcheng.archive.cases.opinions import remind
from bingcheng.archive.guarded import guarded
from bingcheng.archive.jobs.queue import JobKind, Lane, ask, due, give_back, last_digest
from bingcheng.archive.objects.origins import assessed, digest_of
from bingcheng.archive.ownership import HOSPITALS
from bingcheng.core.errors import BingchengError
from bingcheng.server.background.absent import ask_for_absent
from bingcheng.server.background.calling import Calling
from bingcheng.server.background.given import Given
from bingcheng.server.background.lifeline import end_all
from bingcheng.server.pages.page import zone_of
from bingcheng.server.site import Site

QUIET_S = 10.0
"""How long no object of an exam must have come before it counts as whole."""
LOOK_EVERY_S = 2.0
REMIND_EVERY = timedelta(hours=1)
BRING_IN_EVERY = timedelta(minutes=5)
"""How often exams of the workspace that the archive lacks are looked for."""
STOP_WITHIN_S = 5.0
FIRST_REST_S, LONGEST_REST_S = 2.0, 60.0
"""How long no process is started after one ended badly, the first time and at most; it doubles."""
log = logging.getLogger(__name__)


class Background:
    """Assesses what was received; started and stopped with the server.

    Parameters
    ----------
    quiet_s : see `QUIET_S`.
    workers : processes among which the working process divides exams.
    brings_in : whether exams assessed from folders are taken into the archive.
    """

    def __init__(self, site: Site, *, quiet_s: float = QUIET_S, workers: int = 1, brings_in: bool = True) -> None:
        self._site = site
        self._quiet_s = quiet_s
        self._workers = workers
        self._brings_in = brings_in
        self._stopped = threading.Event()
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bingcheng-background", daemon=True)
        self._workers_of: dict[Lane, subprocess.Popen[bytes]] = {}
        self._ended_badly: Counter[Lane] = Counter()
        self._rests_until: dict[Lane, float] = {}
        self._looked_at = site.now() - BRING_IN_EVERY
        self._reminded_at = site.now() - REMIND_EVERY

    def start(self) -> None:
        """Begin; what a killed server left in the queue waits again."""
        with self._site.workspace.writing() as connection:
            give_back(connection, self._site.now())
        self._thread.start()

    def stop(self) -> None:
        """End the thread and the working processes; what was under way is done again at the next start."""
        self._stopped.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(STOP_WITHIN_S)
        running = [one for one in self._workers_of.values() if one.poll() is None]
        for one in running:
            end_all(one)
        until = time.monotonic() + STOP_WITHIN_S
        for one in running:
            try:
                one.wait(max(until - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                end_all(one, kill=True)
                one.wait()
        for one in self._workers_of.values():
            _close(one)
        if running:
            with suppress(BingchengError), self._site.workspace.writing() as connection:
                give_back(connection, self._site.now(), ended=True)

    def wake(self) -> None:
        """Look now: something was asked for."""
        self._woken.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            guarded(log, "background", self.look)
            self._woken.wait(LOOK_EVERY_S)
            self._woken.clear()

    def look(self) -> None:
        """Ask for what is due, remind of opinions, and see that processes work while anything waits."""
        self._ask_for_received()
        if self._brings_in and self._site.now() - self._looked_at >= BRING_IN_EVERY:
            self._looked_at = self._site.now()
            ask_for_absent(self._site.workspace, self._looked_at)
        if self._site.now() - self._reminded_at >= REMIND_EVERY:
            self._reminded_at = self._site.now()
            with self._site.workspace.writing() as connection:
                remind(connection, self._reminded_at, zone=zone_of(self._site.settings))
        for lane in Lane:
            self._see_to_worker(lane)

    def _ask_for_received(self) -> None:
        objects, workspace = self._site.objects, self._site.workspace
        for study in objects.changed_since(quiet_s=self._quiet_s):
            if study.space.startswith(HOSPITALS):
                with workspace.writing() as connection:
                    digest = digest_of(assessed(connection, study.space, study.study_uid).items())
                    # What this program added to the study changed it too, and what people measured in the viewer, but
                    # that gives no reason to assess it again.
                    if digest != last_digest(connection, study.space, study.study_uid):
                        ask(connection, JobKind.ASSESS, study.space, study.study_uid, self._site.now())
            objects.worked(study)

    def _see_to_worker(self, lane: Lane) -> None:
        worker = self._workers_of.get(lane)
        if worker is not None:
            ended = worker.poll()
            if ended is None:
                return
            self._ended(lane, worker, ended)
        with self._site.workspace.reading() as connection:
            waits = due(connection, self._site.now(), lane)
        if waits and not self._stopped.is_set() and time.monotonic() >= self._rests_until.get(lane, 0.0):
            self._workers_of[lane] = self._started(lane)

    def _ended(self, lane: Lane, worker: subprocess.Popen[bytes], status: int) -> None:
        """What a process left is given to the next one; one that ended badly may have left processes of its own."""
        del self._workers_of[lane]
        _close(worker)
        if status == 0:
            self._ended_badly[lane] = 0
        else:
            log.warning("background: the process of the lane %s ended with %s", lane.value, status)
            end_all(worker, kill=True)
            self._ended_badly[lane] += 1
            again = self._ended_badly[lane] - 2  # the first time at once: most often it is one exam's fault
            rest_s = min(LONGEST_REST_S, FIRST_REST_S * 2**again) if again >= 0 else 0.0
            self._rests_until[lane] = time.monotonic() + rest_s
        with self._site.workspace.writing() as connection:
            give_back(connection, self._site.now(), lane)

    def _started(self, lane: Lane) -> subprocess.Popen[bytes]:
        settings = self._site.settings
        given = Given(
            workspace=self._site.workspace.folder,
            database=settings.database_address(),
            workers=self._workers,
            calling=Calling.from_settings(settings),
            lane=lane,
            bucket=settings.bucket(),
        )
        worker = subprocess.Popen(
            [sys.executable, "-m", "bingcheng.server.background"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # libraries that warn of an exam's values would write them into the log
            start_new_session=True,  # a group of its own, which is ended as one
        )
        assert worker.stdin is not None
        try:
            worker.stdin.write(f"{given.as_json()}\n".encode())
            worker.stdin.flush()  # and stays open: see `lifeline`
        except OSError:  # it ended already; the next look sees that
            log.warning("background: the process of the lane %s could not be told its work", lane.value)
        return worker


def _close(worker: subprocess.Popen[bytes]) -> None:
    if worker.stdin is not None:
        with suppress(OSError):
            worker.stdin.close()
