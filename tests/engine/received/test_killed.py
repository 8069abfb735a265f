"""Wherever a worker is killed: the next one leaves the exam assessed once, nothing by half and nothing twice."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pydicom
import pytest
from tests.engine.received.conftest import NORTHERN, STUDY, Archive

from bingcheng.archive.jobs.queue import JobKind
from bingcheng.archive.objects.recovery import NOTHING
from bingcheng.engine.plan import DICOM_FOLDER, short

ROOT = Path(__file__).parents[3]
STORED = "bingcheng.archive.objects.writer:Writer.add"
FILED = "bingcheng.archive.objects.storage:Folder.put"
ASSESSING = [
    ("bingcheng.engine.examine:write_seg", 1, True),
    ("bingcheng.engine.replacing:_put", 1, False),
    ("bingcheng.engine.run:save_exam", 1, True),
    ("bingcheng.engine.run:write_conformance_objects", 1, True),
    (FILED, 1, True),
    (STORED, 2, True),
]
"""Places of an assessment: writing what is made of it, storing it, and taking what was made into the archive."""
BRINGING_IN = [(FILED, 5, True), (STORED, 9, True), (FILED, 18, True)]


@pytest.fixture(scope="module")
def dying(sent_made, tmp_path_factory):
    """Does a job in a process of its own; gives the signal that ended it."""
    first = shutil.copytree(sent_made, tmp_path_factory.mktemp("first") / "workspace")
    command = [sys.executable, "-W", "ignore", "-m", "tests.engine.received.dying", first]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:

        def do(folder: Path, kind: JobKind, place: str = "", number: int = 1, *, after: bool = False) -> int:
            told = {"folder": str(folder), "kind": kind, "place": place, "number": number, "after": after}
            parent.stdin.write(json.dumps(told) + "\n")
            parent.stdin.flush()
            return int(parent.stdout.readline())

        yield do
        parent.stdin.close()


@pytest.fixture(scope="module")
def sent_made(made, exam):
    return made("received-sent", lambda archive: archive.receive(exam))


@pytest.fixture
def sent(sent_made, tmp_path):
    """A workspace with an exam that was sent, and that nobody assessed yet."""
    return shutil.copytree(sent_made, tmp_path / "workspace")


@pytest.fixture
def assessed(from_folder_made, tmp_path):
    """A workspace with an exam that was assessed from its folder."""
    return shutil.copytree(from_folder_made, tmp_path / "workspace")


def whole(folder: Path, exam: Path) -> None:
    """Check that the exam is there once, with all that belongs to it and nothing else."""
    archive = Archive.open(folder)
    try:
        assert archive.objects.recovered == NOTHING, "the next worker put right what the killed one left"
        (stored,) = archive.exams().values()
        assert [one.label for series in stored.series for one in series.lesions] == ["Lesion 1"]
        files = {path.name: path.read_bytes() for path in exam.glob("*.dcm")}
        assert sorted(archive.sent().values()) == sorted(sha256(data).hexdigest() for data in files.values())
        made = [path.read_bytes() for path in (folder / DICOM_FOLDER / short(STUDY)).glob("*.dcm")]
        assert sorted(archive.derived().values()) == sorted(sha256(data).hexdigest() for data in made)
        kinds = [pydicom.dcmread(path).SOPClassUID.name for path in (folder / DICOM_FOLDER).glob("*/*.dcm")]
        assert len(kinds) == 3
        assert sum("Segmentation" in kind for kind in kinds) == 1
        kept = [path for path in (folder / "objects").rglob("*.dcm") if path.is_file()]
        assert len(kept) == len(files) + len(made) == archive.objects.statistics([NORTHERN])[0].instances
        assert archive.objects.conflicts([NORTHERN]) == []
        assert archive.objects.check() == NOTHING
    finally:
        archive.close()


@pytest.mark.slow
@pytest.mark.parametrize(("place", "number", "after"), ASSESSING)
def test_a_worker_killed_while_it_assesses(dying, sent, exam, place, number, after):
    assert dying(sent, JobKind.ASSESS, place, number, after=after) == signal.SIGKILL
    assert dying(sent, JobKind.ASSESS) == 0
    whole(sent, exam)


@pytest.mark.slow
@pytest.mark.parametrize(("place", "number", "after"), BRINGING_IN)
def test_a_worker_killed_while_it_brings_in(dying, assessed, exam, place, number, after):
    assert dying(assessed, JobKind.BRING_IN, place, number, after=after) == signal.SIGKILL
    assert dying(assessed, JobKind.BRING_IN) == 0
    whole(assessed, exam)


@pytest.mark.slow
def test_a_worker_killed_again_and_again(dying, sent, exam):
    for place, number, after in ASSESSING[::2]:
        dying(sent, JobKind.ASSESS, place, number, after=after)
    assert dying(sent, JobKind.ASSESS) == 0
    whole(sent, exam)
