"""An archive with two hospitals, and the jobs that are done with what they send."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from tests.engine.conftest import shorten_uncertainties
from tests.engine.making import NORTH, SOUTH, ct, uid_of

from bingcheng.archive.jobs.queue import Job, JobKind, JobState
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.origins import derived, sent
from bingcheng.archive.objects.received import Origin, Received
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.retrieval import exams
from bingcheng.archive.workspace import Workspace
from bingcheng.engine.received.assessing import Outcome, assess_received
from bingcheng.engine.received.bringing_in import bring_in
from bingcheng.engine.run import Options, Tally, assess

NOON = datetime(2026, 3, 2, 12)  # noqa: DTZ001 - UTC, as times stand in the database
STUDY = uid_of("study", "anna-1")
NORTHERN, SOUTHERN = "hospital/1", "hospital/2"
SENT = Origin(kind="dimse", peer="CT1@127.0.0.1")


def job(space: str = NORTHERN, study: str = STUDY, kind: JobKind = JobKind.ASSESS) -> Job:
    return Job(number=1, kind=kind, space=space, study_uid=study, state=JobState.RUNNING, asked_at=NOON, tries=1)


def nothing(*_: object) -> None:
    """Be told of progress."""


@dataclass
class Archive:
    """A workspace and its objects, and what a worker does with them."""

    workspace: Workspace
    objects: Objects

    @staticmethod
    def open(folder: Path) -> Archive:
        workspace = Workspace.open(folder)
        return Archive(workspace, Objects.open(workspace))

    def close(self) -> None:
        self.objects.close()
        self.workspace.close()

    def receive(self, *paths: Path, space: str = NORTHERN, origin: Origin = SENT) -> list[Received]:
        """Take files, or all DICOM files of folders."""
        files = [one for path in paths for one in (sorted(path.glob("*.dcm")) if path.is_dir() else [path])]
        return [self.objects.receive(one.read_bytes(), space=space, origin=origin) for one in files]

    def assess(self, *spaces: str, study: str = STUDY) -> Outcome:
        (outcome,) = assess_received(
            self.workspace, self.objects, [job(space, study) for space in spaces or (NORTHERN,)], ONE, nothing
        )
        return outcome

    def bring_in(self, *studies: str) -> tuple[Outcome, ...]:
        jobs = [job(study=study, kind=JobKind.BRING_IN) for study in studies or (STUDY,)]
        return bring_in(self.workspace, self.objects, jobs, nothing)

    def from_folder(self, *folders: Path, **options: object) -> Tally:
        """What the command line does."""
        return assess(folders, self.workspace, Options(workers=1, **options), nothing)

    def sent(self, space: str = NORTHERN, study: str = STUDY) -> dict[str, str]:
        with self.workspace.reading() as connection:
            return sent(connection, space, study)

    def derived(self, space: str = NORTHERN, study: str = STUDY) -> dict[str, str]:
        with self.workspace.reading() as connection:
            return derived(connection, space, study)

    def exams(self):
        return {one.uid: one for one in exams(self.workspace)}


ONE = Options(workers=1)


def inhabit(archive: Archive) -> None:
    """Let the two hospitals be there."""
    with archive.workspace.writing() as connection:
        for name in (NORTH, SOUTH):
            make_hospital(connection, name=name, code=name[:4], now=NOON, spellings=[name])


@pytest.fixture(scope="session")
def exam(shared):
    """A CT exam with a segmentation, of the North Hospital. Read only."""
    return shared("received-exam", ct)


@pytest.fixture(autouse=True)
def uncertainties_are_short(monkeypatch):
    """Nothing here asks how large they are."""
    shorten_uncertainties(monkeypatch)


@pytest.fixture(scope="session")
def made(shared):
    """made("name", do): the folder of a workspace with both hospitals in which something was done, to be copied."""

    def once(name, do=lambda _: None):
        def make(folder):
            opened = Archive.open(folder)
            inhabit(opened)
            with pytest.MonkeyPatch.context() as patched:
                shorten_uncertainties(patched)
                do(opened)
            opened.close()

        return shared(name, make)

    return once


@pytest.fixture(scope="session")
def empty_made(made):
    return made("received-empty")


@pytest.fixture(scope="session")
def received_made(made, exam):
    def do(archive):
        archive.receive(exam)
        assert archive.assess().refusal is None

    return made("received-assessed", do)


@pytest.fixture(scope="session")
def from_folder_made(made, exam):
    return made("received-from-folder", lambda archive: archive.from_folder(exam))


def own(folder, tmp_path):
    """An own copy, opened."""
    return Archive.open(shutil.copytree(folder, tmp_path / "workspace"))


@pytest.fixture
def archive(empty_made, tmp_path):
    """An archive that nothing was sent to."""
    opened = own(empty_made, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def owned(received_made, tmp_path):
    """An archive with an exam that the North Hospital sent, and that was assessed from what it sent."""
    opened = own(received_made, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def from_folder(from_folder_made, tmp_path):
    """An archive into whose workspace the exam was assessed from its folder."""
    opened = own(from_folder_made, tmp_path)
    yield opened
    opened.close()
