"""The thread that looks for exams to assess, and keeps one working process at work while there are any."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from datetime import timedelta

from sqlalchemy import select

from bingcheng.archive import schema
from bingcheng.archive.cases.opinions import remind
from bingcheng.archive.exam_sources import sources
from bingcheng.archive.jobs.queue import JobKind, JobState, ask, counts, give_back, last_digest
from bingcheng.archive.jobs.tables import job
from bingcheng.archive.objects.origins import digest_of, sent
from bingcheng.archive.objects.tables import stored_study
from bingcheng.archive.ownership import HOSPITALS, owner
from bingcheng.core.errors import BingchengError
from bingcheng.server.background.calling import Calling
from bingcheng.server.background.given import Given
from bingcheng.server.site import Site

QUIET_S = 10.0
"""How long no object of an exam must have come before it counts as whole."""
LOOK_EVERY_S = 2.0
REMIND_EVERY = timedelta(hours=1)
BRING_IN_EVERY = timedelta(minutes=5)
"""How often exams of the workspace that the archive lacks are looked for."""
STOP_WITHIN_S = 5.0
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
        self._worker: subprocess.Popen[bytes] | None = None
        self._looked_at = site.now() - BRING_IN_EVERY
        self._reminded_at = site.now() - REMIND_EVERY

    def start(self) -> None:
        """Begin; what a killed server left in the queue waits again."""
        with self._site.workspace.writing() as connection:
            give_back(connection, self._site.now())
        self._thread.start()

    def stop(self) -> None:
        """End the thread and the working process; what was under way is done again at the next start."""
        self._stopped.set()
        self._woken.set()
        self._thread.join(STOP_WITHIN_S)
        if self._worker is not None and self._worker.poll() is None:
            self._worker.terminate()
            try:
                self._worker.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._worker.kill()
                self._worker.wait()

    def wake(self) -> None:
        """Look now: something was asked for."""
        self._woken.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.look()
            except BingchengError as error:
                log.warning("background: %s", error.code)
            except Exception:
                # A fault of this program must not end all assessing until the next start.
                log.exception("background")
            self._woken.wait(LOOK_EVERY_S)
            self._woken.clear()

    def look(self) -> None:
        """Ask for what is due, remind of opinions, and see that a process works while anything waits."""
        self._ask_for_received()
        if self._brings_in and self._site.now() - self._looked_at >= BRING_IN_EVERY:
            self._looked_at = self._site.now()
            self._ask_for_absent()
        if self._site.now() - self._reminded_at >= REMIND_EVERY:
            self._reminded_at = self._site.now()
            with self._site.workspace.writing() as connection:
                remind(connection, self._reminded_at)
        self._see_to_worker()

    def _ask_for_received(self) -> None:
        objects, workspace = self._site.objects, self._site.workspace
        for study in objects.changed_since(quiet_s=self._quiet_s):
            if study.space.startswith(HOSPITALS):
                with workspace.writing() as connection:
                    digest = digest_of(sent(connection, study.space, study.study_uid).items())
                    # What this program added to the study changed it too, but gives no reason to assess it again.
                    if digest != last_digest(connection, study.space, study.study_uid):
                        ask(connection, JobKind.ASSESS, study.space, study.study_uid, self._site.now())
            objects.worked(study)

    def _ask_for_absent(self) -> None:
        """Ask to bring in exams that somebody assessed from folders that are still there."""
        held = select(stored_study.c.study_uid).where(stored_study.c.space.startswith(HOSPITALS, autoescape=True))
        tried = select(job.c.study_uid).where(job.c.kind == JobKind.BRING_IN.value)
        exam = schema.exam.c.uid
        known = sources(self._site.workspace)
        with self._site.workspace.reading() as connection:
            absent = connection.scalars(select(exam).where(exam.not_in(held), exam.not_in(tried))).all()
            whose = {uid: owner(connection, uid) for uid in absent if uid in known}
        for uid, hospital in whose.items():
            if hospital is not None and any(path.exists() for path in known[uid]):
                with self._site.workspace.writing() as connection:
                    ask(connection, JobKind.BRING_IN, f"{HOSPITALS}{hospital}", uid, self._site.now())

    def _see_to_worker(self) -> None:
        if self._worker is not None:
            ended = self._worker.poll()
            if ended is None:
                return
            self._worker = None
            if ended != 0:
                log.warning("background: the working process ended with %s", ended)
            with self._site.workspace.writing() as connection:
                give_back(connection, self._site.now())
        with self._site.workspace.reading() as connection:
            waiting = counts(connection)[JobState.WAITING]
        if waiting and not self._stopped.is_set():
            self._worker = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        settings = self._site.settings
        given = Given(
            workspace=self._site.workspace.folder,
            database=settings.database_address(),
            workers=self._workers,
            calling=Calling.from_settings(settings),
        )
        worker = subprocess.Popen(
            [sys.executable, "-m", "bingcheng.server.background.work"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert worker.stdin is not None
        worker.stdin.write(f"{given.as_json()}\n".encode())
        worker.stdin.close()
        return worker
