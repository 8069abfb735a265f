"""Two lanes: what is sent does not wait for what computes; a process that is lost, or its server, loses no job."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.archive.dimse.making import file_of, image
from tests.server.background.test_background import (
    SENT,
    STUDY,
    background,
    exam,
    hospitals,
    last,
    receive,
    site,
    wait_until,
)

from bingcheng.archive.dimse.peers import Peer, add_peer
from bingcheng.archive.jobs.queue import JobKind, JobState, Lane, ask, latest, sendings, stop
from bingcheng.archive.jobs.target import Target
from bingcheng.core.errors import InputError
from bingcheng.engine.problems import NO_IMAGE
from bingcheng.engine.received.assessing import Outcome
from bingcheng.engine.run import Options
from bingcheng.server.background import assessing, telling
from bingcheng.server.background.runner import Background
from bingcheng.server.background.work import work
from bingcheng.server.site import utc_now

__all__ = ["exam", "hospitals", "site"]
ROOT = Path(__file__).parents[3]
OTHERS = ("1.2.3.1", "1.2.3.2")
AGES_S = 1e6
"""So long must no object have come, where nothing but sending is to be done."""
SERVER = """
import sys, time
from pathlib import Path
from bingcheng.archive.jobs.queue import Lane
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.workspace import Workspace
from bingcheng.server.background.runner import Background
from bingcheng.server.settings import Settings
from bingcheng.server.site import Site
workspace = Workspace.open(Path(sys.argv[1]))
site = Site(workspace=workspace, settings=Settings(workspace=Path(sys.argv[1])), objects=Objects.open(workspace))
running = Background(site, brings_in=False)
running.start()
while Lane.NETWORK not in running._workers_of:
    time.sleep(0.02)
print(running._workers_of[Lane.NETWORK].pid, flush=True)
time.sleep(120)
"""


@pytest.fixture
def silent():
    """A peer that takes every connection and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0))) as one:
        one.settimeout(30)
        yield one


def send_to(site, space: str, port: int) -> int:
    """Ask for a small exam to be sent to a peer there."""
    site.objects.receive(file_of(image()), space=space, origin=SENT)
    peer = Peer(ae_title="PACS", networks=(), space=space, may=frozenset(), host="127.0.0.1", port=port)
    with site.workspace.writing() as connection:
        number = add_peer(connection, peer).number
        return ask(connection, JobKind.SEND, space, "1.2.3.1", utc_now(), target=Target(peer=number).written())


def sent(site, space: str):
    with site.workspace.reading() as connection:
        return sendings(connection, space, "1.2.3.1", most=1)[0]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
def test_an_exam_is_sent_while_another_is_assessed(site, hospitals, exam, silent):
    """Neither waits for the other: both processes are at work at the same time."""
    north, _ = hospitals
    receive(site, exam, north)
    send_to(site, north, silent.getsockname()[1])
    running = background(site)
    running.start()
    try:
        wait_until(lambda: sent(site, north).state is JobState.RUNNING)
        connected, _ = silent.accept()
        wait_until(lambda: last(site, north).state is JobState.DONE)
        assert sent(site, north).state is JobState.RUNNING, "the peer still says nothing"
        connected.close()
    finally:
        running.stop()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
def test_the_end_of_the_server_ends_its_processes_and_their_jobs_are_taken_up_once(site, hospitals, silent):
    north, _ = hospitals
    send_to(site, north, silent.getsockname()[1])
    program = [sys.executable, "-c", SERVER, str(site.workspace.folder)]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as server:
        worker = int(server.stdout.readline())
        first, _ = silent.accept()
        assert sent(site, north).state is JobState.RUNNING
        os.kill(server.pid, signal.SIGKILL)
        server.wait(10)
    wait_until(lambda: not alive(worker), seconds=10)
    while first.recv(65536):  # it sends no more: its connection is at its end
        pass
    running = background(site, quiet_s=AGES_S)
    running.start()
    try:
        second, _ = silent.accept()
        wait_until(lambda: sent(site, north).state is JobState.RUNNING)
        assert (sent(site, north).tries, sent(site, north).lost) == (2, 1)
        silent.settimeout(0.5)
        with pytest.raises(TimeoutError):
            silent.accept()  # nobody else sends it
        second.close()
    finally:
        running.stop()
    first.close()


@pytest.mark.slow
def test_a_sending_process_that_is_killed_loses_no_job(site, hospitals, silent):
    north, _ = hospitals
    send_to(site, north, silent.getsockname()[1])
    running = background(site, quiet_s=AGES_S)
    running.start()
    try:
        first, _ = silent.accept()
        running._workers_of[Lane.NETWORK].send_signal(signal.SIGKILL)
        second, _ = silent.accept()
        wait_until(lambda: sent(site, north).tries == 2)
        first.close()
        second.close()
    finally:
        running.stop()


def test_a_process_that_can_not_begin_is_not_started_again_and_again(site, hospitals, monkeypatch):
    north, _ = hospitals
    monkeypatch.setattr("bingcheng.server.background.runner.sys.executable", "/bin/false")
    with site.workspace.writing() as connection:
        ask(connection, JobKind.ASSESS, north, STUDY, utc_now())
    looking, started = background(site), []
    begin = looking._started
    looking._started = lambda lane: started.append(lane) or begin(lane)
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        looking.look()
        time.sleep(0.02)
    assert len(started) == 2, "once more at once, then ever more slowly"
    looking.stop()


def asked_together(site, space: str) -> None:
    with site.workspace.writing() as connection:
        for study in OTHERS:
            ask(connection, JobKind.ASSESS, space, study, utc_now())


def state_of(site, space: str, study: str):
    with site.workspace.reading() as connection:
        return latest(connection, [space], [study])[space, study]


def test_a_fault_of_this_program_costs_one_exam_and_is_told_without_its_words(site, hospitals, monkeypatch):
    north, _ = hospitals
    asked_together(site, north)

    def faulty(workspace, objects, jobs, options, progress):
        if OTHERS[0] in {job.study_uid for job in jobs}:
            raise ValueError("Doe^Jane")
        return [Outcome(job=job, digest="x") for job in jobs]

    monkeypatch.setattr(assessing, "assess_received", faulty)
    monkeypatch.setattr(assessing, "keep_numbers", lambda *_: None)
    work(site.workspace, site.objects, Options(workers=1))
    bad, good = (state_of(site, north, study) for study in OTHERS)
    assert good.state is JobState.DONE
    assert (bad.state, bad.reason.code) == (JobState.FAILED, "server.fault-in-background")
    assert "ValueError" in str(bad.reason.reason)
    assert "server.background.assessing:" in str(bad.reason.reason)
    assert "Doe" not in str(bad.reason.reason)


def test_an_exam_that_is_stopped_while_it_is_assessed_stops_at_the_next_step(site, hospitals, monkeypatch):
    north, _ = hospitals
    monkeypatch.setattr(telling, "TOLD_EVERY_S", 0.0)
    with site.workspace.writing() as connection:
        number = ask(connection, JobKind.ASSESS, north, OTHERS[0], utc_now())
    steps = []

    def steady(workspace, objects, jobs, options, progress):
        for at in range(5):
            steps.append(at)
            if at == 2:
                with workspace.writing() as connection:
                    stop(connection, number, utc_now())
            progress(telling.Text("Assessing exams"), at, 5)
        raise AssertionError("it went on")

    monkeypatch.setattr(assessing, "assess_received", steady)
    monkeypatch.setattr(assessing, "keep_numbers", lambda *_: None)
    work(site.workspace, site.objects, Options(workers=1))
    assert steps == [0, 1, 2]
    assert state_of(site, north, OTHERS[0]).state is JobState.STOPPED


def test_one_of_several_that_is_stopped_does_not_stop_the_others(site, hospitals, monkeypatch):
    north, _ = hospitals
    monkeypatch.setattr(telling, "TOLD_EVERY_S", 0.0)
    asked_together(site, north)

    def steady(workspace, objects, jobs, options, progress):
        with workspace.writing() as connection:
            stop(connection, jobs[0].number, utc_now())
        progress(telling.Text("Assessing exams"), 1, 2)
        return [Outcome(job=job, digest="x") for job in jobs]

    monkeypatch.setattr(assessing, "assess_received", steady)
    monkeypatch.setattr(assessing, "keep_numbers", lambda *_: None)
    work(site.workspace, site.objects, Options(workers=1))
    assert [state_of(site, north, study).state for study in OTHERS] == [JobState.STOPPED, JobState.DONE]


def test_what_is_brought_in_from_folders_has_its_turn_though_more_and_more_is_received(site, hospitals, monkeypatch):
    north, _ = hospitals
    order = []

    def done(kind):
        def one(workspace, objects, jobs, *_):
            order.append(kind)
            if len(order) < 8:  # each exam that is assessed is followed by another one that came meanwhile
                with workspace.writing() as connection:
                    ask(connection, JobKind.ASSESS, north, f"1.2.{len(order)}", utc_now())
            return [Outcome(job=job, digest="x") for job in jobs]

        return one

    with site.workspace.writing() as connection:
        ask(connection, JobKind.BRING_IN, north, "1.3", utc_now())
        ask(connection, JobKind.ASSESS, north, "1.2", utc_now())
    monkeypatch.setattr(assessing, "assess_received", done("assess"))
    monkeypatch.setattr(assessing, "bring_in", done("bring in"))
    monkeypatch.setattr(assessing, "keep_numbers", lambda *_: None)
    work(site.workspace, site.objects, Options(workers=1))
    assert order[:4] == ["assess", "assess", "assess", "bring in"]


def test_an_error_of_the_archive_is_told_of_every_exam_of_the_run(site, hospitals, monkeypatch):
    north, _ = hospitals
    asked_together(site, north)

    def refusing(*_):
        raise InputError(NO_IMAGE)

    monkeypatch.setattr(assessing, "assess_received", refusing)
    monkeypatch.setattr(assessing, "keep_numbers", lambda *_: None)
    work(site.workspace, site.objects, Options(workers=1))
    assert {state_of(site, north, study).reason.code for study in OTHERS} == {NO_IMAGE.code}


def test_stopping_the_background_ends_both_processes(site, hospitals, silent):
    north, _ = hospitals
    send_to(site, north, silent.getsockname()[1])
    running: Background = background(site)
    running.start()
    connected, _ = silent.accept()
    processes = list(running._workers_of.values())
    ending = threading.Thread(target=running.stop)
    ending.start()
    ending.join(10)
    assert not ending.is_alive()
    assert processes
    assert all(one.poll() is not None for one in processes)
    connected.close()
    job = sent(site, north)
    assert (job.state, job.lost) == (JobState.WAITING, 0), "which is no fault of its own"


def test_the_process_that_sends_loads_nothing_of_what_measures():
    program = (
        "import sys, bingcheng.server.background.work;"
        "print([one for one in sys.modules if one.startswith('bingcheng.engine') or one in ('numba', 'scipy')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
