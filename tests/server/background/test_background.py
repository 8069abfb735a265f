"""Exams that are received are assessed once, by a process that may die; what is made of them lies beside them."""

from __future__ import annotations

import shutil
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest
from benchmarks.exchange_objects import file_of, image
from tests.archive.empty import empty_workspace
from tests.engine.making import NORTH, SOUTH, ct, uid_of

from bingcheng.archive.jobs.queue import JobKind, JobState, Lane, ask, counts, latest
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.origins import derived, sent
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.retrieval import exams, fingerprints
from bingcheng.engine.run import Options, assess
from bingcheng.server.background.absent import ask_for_absent, wait_after
from bingcheng.server.background.runner import Background
from bingcheng.server.background.work import work
from bingcheng.server.settings import Settings
from bingcheng.server.site import Site, utc_now

STUDY = uid_of("study", "anna-1")
SENT = Origin(kind="dimse", peer="CT1@127.0.0.1")
REPORT, SEGMENTATION = "1.2.840.10008.5.1.4.1.1.88.34", "1.2.840.10008.5.1.4.1.1.66.4"


@pytest.fixture(scope="module")
def exam(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exam")
    ct(folder)
    return folder


@pytest.fixture
def site(tmp_path):
    workspace = empty_workspace(tmp_path / "workspace")
    objects = Objects.open(workspace)
    yield Site(workspace=workspace, settings=Settings(workspace=tmp_path / "workspace"), objects=objects)
    objects.close()
    workspace.close()


@pytest.fixture
def hospitals(site):
    with site.workspace.writing() as connection:
        return tuple(
            f"hospital/{make_hospital(connection, name=name, code=name[:4], now=utc_now(), spellings=[name])}"
            for name in (NORTH, SOUTH)
        )


def receive(site: Site, folder: Path, space: str) -> None:
    for path in sorted(folder.glob("*.dcm")):
        site.objects.receive(path.read_bytes(), space=space, origin=SENT)


def background(site: Site, **changed) -> Background:
    return Background(site, **{"quiet_s": 0.0, "brings_in": False} | changed)


def done(site: Site, background: Background) -> int:
    """What one look asks for, done in this process."""
    background._see_to_worker = lambda lane: None
    background.look()
    return work(site.workspace, site.objects, Options(workers=1))


def last(site: Site, space: str):
    with site.workspace.reading() as connection:
        return latest(connection, [space], [STUDY])[space, STUDY]


def test_a_received_exam_is_assessed_once_and_what_is_made_of_it_lies_beside_it(site, hospitals, exam):
    north, _ = hospitals
    receive(site, exam, north)
    assert done(site, background(site)) == 1
    assert last(site, north).state is JobState.DONE
    assert list(fingerprints(site.workspace)) == [STUDY]
    with site.workspace.reading() as connection:
        made = derived(connection, north, STUDY)
        assert len(sent(connection, north, STUDY)) == len(list(exam.glob("*.dcm")))
    assert len(made) == 3  # the segmentation as measured, the measurements, what the protocols found
    # What was added to the study is no reason to assess it again.
    assert done(site, background(site)) == 0
    with site.workspace.reading() as connection:
        assert derived(connection, north, STUDY) == made
    # Nor is what people measured in the viewer; what they outlined there is.
    site.objects.receive(drawn(REPORT), space=north, origin=Origin(kind="drawn", peer="anna@127.0.0.1"))
    assert done(site, background(site)) == 0
    site.objects.receive(drawn(SEGMENTATION), space=north, origin=Origin(kind="drawn", peer="anna@127.0.0.1"))
    looking = background(site)
    looking._see_to_worker = lambda lane: None
    looking.look()
    assert last(site, north).state is JobState.WAITING


def drawn(kind: str) -> bytes:
    return file_of(image("drawn", kind, SOPClassUID=kind, StudyInstanceUID=STUDY))


def test_an_exam_that_grows_is_assessed_again_with_all_of_it(site, hospitals, exam, tmp_path):
    north, _ = hospitals
    later = tmp_path / "later"
    later.mkdir()
    for number, path in enumerate(sorted(exam.glob("*.dcm"))):
        if number < 6:
            (later / path.name).write_bytes(path.read_bytes())
        else:
            site.objects.receive(path.read_bytes(), space=north, origin=SENT)
    done(site, background(site))
    (before,) = exams(site.workspace)
    receive(site, later, north)
    assert done(site, background(site)) == 1
    (after,) = exams(site.workspace)
    assert after.fingerprint != before.fingerprint
    with site.workspace.reading() as connection:
        assert len(derived(connection, north, STUDY)) == 3


def test_a_study_that_another_hospital_sent_first_keeps_its_results_there(site, hospitals, exam):
    north, south = hospitals
    receive(site, exam, north)
    done(site, background(site))
    receive(site, exam, south)
    assert done(site, background(site)) == 1
    assert last(site, south).reason.code == "engine.held-elsewhere"
    with site.workspace.reading() as connection:
        assert derived(connection, south, STUDY) == {}
        assert derived(connection, north, STUDY)


def test_an_exam_without_images_says_why_it_is_not_assessed(site, hospitals, exam):
    north, _ = hospitals
    site.objects.receive((exam / "seg.dcm").read_bytes(), space=north, origin=SENT)
    done(site, background(site))
    assert last(site, north).state in (JobState.DONE, JobState.FAILED)
    with site.workspace.reading() as connection:
        assert counts(connection)[JobState.WAITING] == 0


def test_an_exam_deleted_before_its_turn_is_not_assessed(site, hospitals, exam):
    north, _ = hospitals
    receive(site, exam, north)
    with site.workspace.writing() as connection:
        ask(connection, JobKind.ASSESS, north, STUDY, utc_now())
    site.objects.remove(north, STUDY)
    assert work(site.workspace, site.objects, Options(workers=1)) == 1
    assert last(site, north).reason.code == "engine.nothing-left"


def test_exams_assessed_from_folders_are_brought_in_for_the_hospital_that_is_named(site, hospitals, exam):
    north, _ = hospitals
    assess([exam], site.workspace, Options(workers=1), lambda *_: None)
    before = fingerprints(site.workspace)
    assert done(site, background(site, brings_in=True)) == 1
    assert last(site, north).state is JobState.DONE
    with site.workspace.reading() as connection:
        assert len(sent(connection, north, STUDY)) == len(list(exam.glob("*.dcm")))
        assert len(derived(connection, north, STUDY)) == 3
    assert done(site, background(site, brings_in=True)) == 0  # neither brought in nor assessed again
    assert fingerprints(site.workspace) == before


def test_files_that_are_gone_are_said_to_be(site, hospitals, tmp_path):
    north, _ = hospitals
    ct(tmp_path / "exam")
    assess([tmp_path / "exam"], site.workspace, Options(workers=1), lambda *_: None)
    with site.workspace.writing() as connection:
        ask(connection, JobKind.BRING_IN, north, STUDY, utc_now())
    for path in (tmp_path / "exam").iterdir():
        path.unlink()
    work(site.workspace, site.objects, Options(workers=1))
    assert last(site, north).reason.code == "engine.files-gone"


def test_what_could_not_be_brought_in_is_tried_again_ever_more_slowly_and_what_was_deleted_is_not(
    site, hospitals, exam, tmp_path
):
    north, _ = hospitals
    share, away = tmp_path / "share", tmp_path / "away"
    shutil.copytree(exam, share)
    assess([share], site.workspace, Options(workers=1), lambda *_: None)
    share.rename(away)
    share.mkdir()  # mounted, and empty

    def looked(hours: float) -> int:
        asked = ask_for_absent(site.workspace, utc_now() + timedelta(hours=hours))
        return asked and work(site.workspace, site.objects, Options(workers=1))

    assert looked(0) == 1
    assert last(site, north).reason.code == "engine.files-gone"
    assert [looked(hours) for hours in (0.5, 1.1, 1.1, 2.1)] == [0, 1, 0, 1]
    assert wait_after(9) == timedelta(days=1)
    share.rmdir()
    assert looked(100) == 0, "the share is away"
    away.rename(share)
    assert looked(100) == 1
    assert (last(site, north).state, last(site, north).tries) == (JobState.DONE, 4)
    site.objects.remove(north, STUDY)
    assert looked(1000) == 0


def wait_until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_working_process_that_is_killed_is_followed_by_another(site, hospitals, exam):
    north, _ = hospitals
    receive(site, exam, north)
    running = background(site)
    running.start()
    try:
        wait_until(lambda: Lane.COMPUTING in running._workers_of)
        wait_until(lambda: last(site, north).state is JobState.RUNNING)
        running._workers_of[Lane.COMPUTING].send_signal(signal.SIGKILL)
        wait_until(lambda: last(site, north).state is JobState.DONE)
    finally:
        running.stop()
    assert last(site, north).tries == 2
    assert list(fingerprints(site.workspace)) == [STUDY]


def test_one_damaged_file_does_not_keep_the_others_out_of_the_archive(site, hospitals, tmp_path):
    north, _ = hospitals
    ct(tmp_path / "exam")
    assess([tmp_path / "exam"], site.workspace, Options(workers=1), lambda *_: None)
    files = sorted((tmp_path / "exam").glob("*.dcm"))
    files[3].write_bytes(files[3].read_bytes()[:-700])
    with site.workspace.writing() as connection:
        ask(connection, JobKind.BRING_IN, north, STUDY, utc_now())
    work(site.workspace, site.objects, Options(workers=1))
    assert (last(site, north).reason.code, last(site, north).reason.count) == ("archive.truncated-object", 1)
    with site.workspace.reading() as connection:
        assert len(sent(connection, north, STUDY)) == len(files) - 1


def test_overdue_opinions_are_reminded_of_once_an_hour(site, monkeypatch):
    told, now = [], utc_now()
    monkeypatch.setattr("bingcheng.server.background.runner.remind", lambda _, moment, zone: told.append(moment))
    site.now = lambda: now
    looking = background(site)
    looking.look()
    looking.look()
    assert told == [now]
    now += timedelta(minutes=61)
    looking.look()
    assert told == [now - timedelta(minutes=61), now]
