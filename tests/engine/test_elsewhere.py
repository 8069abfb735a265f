"""The same assessment from a Dask cluster, and with a PostgreSQL server for a database."""

from __future__ import annotations

import socket
import subprocess
import sys
from dataclasses import replace

import pytest
from tests.engine.making import SOUTH
from tests.engine.processes import environment, finished, start, stored_exams

from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError
from bingcheng.engine.distributed import run
from bingcheng.engine.run import Options, assess
from bingcheng.engine.view import assessment


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def scheduler():
    """A real scheduler with one worker process of its own."""
    pytest.importorskip("distributed")
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment()}
    options = "'--no-dashboard'"
    runs = [
        f"from distributed.cli.dask_scheduler import main; main(['--host=127.0.0.1', '--port={port}', {options}])",
        f"from distributed.cli.dask_worker import main; main(['{address}', '--nthreads=1', '--no-nanny', {options}])",
    ]
    processes = [subprocess.Popen([sys.executable, "-c", code], **quiet) for code in runs]
    yield address
    try:
        for process in reversed(processes):
            process.terminate()
            process.wait(timeout=30)
    finally:
        for process in processes:
            process.kill()


@pytest.fixture(scope="module")
def south(small_study):
    """The exams of one of the two hospitals, a PET and a diffusion series: as odd as any, in half of the time."""
    return small_study / "south"


@pytest.fixture(scope="module")
def southern(seen_once):
    """What those exams are when they are assessed here, with a file for a database, among all of the study."""
    found = {exam.uid: exam for exam in seen_once.exams if exam.site == SOUTH}
    assert len(found) == 2
    return found


def values(exams):
    return {
        (exam.uid, series.uid, lesion.lesion, one.key): one.value
        for exam in exams
        for series in exam.series
        for lesion in series.lesions
        for one in lesion.measurements
    }


@pytest.mark.slow
def test_a_cluster_gives_the_same_assessment(south, scheduler, tmp_path, southern):
    code, _, err = finished(
        start("assess", south, "--workspace", tmp_path / "far", "--scheduler", scheduler, "--quiet")
    )
    assert code == 0, err
    assert stored_exams(tmp_path / "far") == 2
    opened = Workspace.look_into(tmp_path / "far")
    far = assessment(opened)
    opened.close()
    assert values(far.exams) == values(southern.values())


def test_a_scheduler_that_is_not_there_is_said(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("bingcheng.engine.distributed.TIMEOUT_S", 1)
    address = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(BingchengError) as raised:
        list(run(str, [1], scheduler=address))
    assert raised.value.code == "engine.scheduler-silent"


@pytest.mark.slow
def test_a_server_keeps_the_same_assessment_as_a_file(south, postgresql, tmp_path, southern):
    # Two runs at once, which also make the tables at the same moment.
    runs = [
        start("assess", south, "-w", tmp_path / "pg", "--database", postgresql, "--workers", 1, "--quiet")
        for _ in range(2)
    ]
    for code, _, err in map(finished, runs):
        assert code == 0, err
    opened = Workspace.look_into(tmp_path / "pg", postgresql)
    tally = assess([south], opened, Options(workers=1), lambda *_: None)
    server = assessment(opened)
    opened.close()
    assert tally.unchanged == 2
    as_in_file = {
        exam.uid: replace(exam, patient=southern[exam.uid].patient, label=southern[exam.uid].label)
        for exam in server.exams
    }
    assert as_in_file == southern
    assert not (tmp_path / "pg" / "bingcheng.sqlite").exists()
